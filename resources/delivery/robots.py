"""Send messages to the robots of 飞书, 钉钉 and 企业微信, as plugins of apprise.

Addresses, their grammar and the throttle are apprise's own. ``send`` is replaced, because that of apprise 2.3.0

- cannot sign for 飞书 (签名校验): its plugins support no secret;
- signs for 钉钉 wrongly: the signature is quoted, and quoted again as a parameter (``%252B``), so that robots with 加签
  refuse it;
- treats every HTTP 200 of 钉钉 and 企业微信 as a success, although errors come with it as ``errcode`` 310000, 45009 …
  in the body;
- returns True or False, and only logs the reason, together with the address.

Besides, apprise measures 企业微信's 2048 bytes in characters, and a Chinese one has three bytes.
``?base=https://gateway.example`` sends to a gateway or a private deployment (私有化部署) instead of the public host.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from apprise import NotifyFormat, NotifyType
from apprise.exception import AppriseImproperlyConfigured
from apprise.plugins.base import NotifyBase
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot


@dataclass(frozen=True, slots=True)
class SendResult:
    """Result of sending one message; ``reason`` contains no secret, ``wait`` is the pause that the robot requires.

    ``refused``: the channel was reached and refused this message; another message may succeed.
    """

    ok: bool
    reason: str = ""
    wait: timedelta = timedelta(0)
    refused: bool = False


class Robot(NotifyBase):
    """Base class of the robots: the host, one POST request, and decoding of the response body."""

    public_host = ""
    limit_bytes = 20_000
    request_rate_per_sec = 0  # the sender limits the rate across processes
    code_name = "errcode"
    message_name = "errmsg"
    slow_down: frozenset[int] = frozenset()
    slow_down_for = timedelta(minutes=10)
    advice: dict[int, str] = {}  # noqa: RUF012

    def __init__(self, *args: Any, base: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]  # apprise leaves it without annotations
        self.base = _checked(base) if base else self.public_host
        self.answer = SendResult(False, "nothing was sent")

    @classmethod
    def parse_url(cls, url: str, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Parse an address with apprise and add ``base``; None if the address is malformed."""
        results = super().parse_url(url, *args, **kwargs)
        if results and results["qsd"].get("base"):
            results["base"] = results["qsd"]["base"]  # apprise unquotes it
        return results

    def secrets(self) -> list[str]:
        """Return the secrets of the address, which no text may contain."""
        return [
            s for s in (getattr(self, "token", None), getattr(self, "secret", None), getattr(self, "key", None)) if s
        ]

    def request_of(self, text: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """Return the path, parameters and body of one message's request."""
        raise NotImplementedError

    def send(
        self,
        body: str,
        title: str = "",
        notify_type: NotifyType = NotifyType.INFO,
        body_format: NotifyFormat | None = None,
        **_: Any,
    ) -> bool:
        """Send one message and return whether it was accepted; :attr:`answer` has the details."""
        path, params, document = self.request_of(f"{title}\n{body}" if title else body)
        try:
            response = httpx.post(
                self.base + path,
                params=params,
                content=json.dumps(document, ensure_ascii=False).encode(),
                headers={"Content-Type": "application/json; charset=utf-8"},
                timeout=httpx.Timeout(self.socket_read_timeout, connect=self.socket_connect_timeout),
                verify=self.verify_certificate
                and self.base.startswith("https"),  # without TLS, skip loading the certificate authorities: 20 ms
            )
        except httpx.TimeoutException:
            self.answer = SendResult(False, f"no answer from {self.service_name} in time; it may have arrived")
        except httpx.HTTPError as error:
            self.answer = SendResult(False, f"no connection to {self.service_name}: {type(error).__name__}")
        else:
            self.answer = self._read(response)
        return self.answer.ok

    def _read(self, response: httpx.Response) -> SendResult:
        if response.status_code != 200:
            return SendResult(
                False,
                f"HTTP {response.status_code}",
                self.slow_down_for if response.status_code == 429 else timedelta(0),
            )
        try:
            document = response.json()
            code = document[self.code_name]
        except (ValueError, KeyError, TypeError):
            # A captive portal or a wrong gateway also returns 200: a message counts as accepted only if a robot
            # confirms it.
            return SendResult(False, f"the answer has no {self.code_name}: is this the robot's address?")
        if code == 0:
            return SendResult(True)
        said = str(document.get(self.message_name, ""))[:200]
        advice = f": {self.advice[code]}" if code in self.advice else ""
        slow = code in self.slow_down
        return SendResult(
            False,
            f"{self.code_name} {code} {said}{advice}",
            self.slow_down_for if slow else timedelta(0),
            refused=not slow,
        )


def _checked(base: str) -> str:
    parts = urlsplit(base)
    loopback = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if (
        not parts.hostname
        or parts.scheme not in ("https", "http")
        or (parts.scheme == "http" and not loopback)
        or parts.query
        or parts.username
    ):
        raise AppriseImproperlyConfigured("base must be https://host or https://host/path (http on loopback only)")
    return base.rstrip("/")


class _Lark(Robot):
    """Robot of 飞书 and Lark, the same on two hosts: ``feishu://TOKEN``, or ``feishu://SECRET@TOKEN`` with 签名校验."""

    code_name, message_name = "code", "msg"
    slow_down = frozenset({11232, 11233})
    advice = {  # noqa: RUF012
        19001: "the token is wrong: copy the webhook's address again",
        19021: "the signature does not match: check the secret and this machine's clock",
        19022: "this machine's address is not on the robot's list (IP 白名单)",
        19024: "the text lacks the robot's keyword: set `prefix` to it",
        11232: "too many messages",
        9499: "the request was refused",
    }

    token: str

    def __init__(self, token: str, secret: str | None = None, **kwargs: Any) -> None:
        super().__init__(token, **kwargs)
        self.secret = secret

    @classmethod
    def parse_url(cls, url: str, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        results = super().parse_url(url, *args, **kwargs)
        if results:
            results["secret"] = results["qsd"].get("secret") or results.get("user")
        return results

    def request_of(self, text: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        document: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if self.secret:
            stamp = str(int(time.time()))
            document |= {"timestamp": stamp, "sign": lark_signature(stamp, self.secret)}
        return f"/open-apis/bot/v2/hook/{self.token}", {}, document


def lark_signature(timestamp: str, secret: str) -> str:
    """Sign for 飞书, with ``timestamp`` in seconds: as documented, the text is the key, and the message is empty."""
    return base64.b64encode(hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()


class Feishu(_Lark, NotifyFeishu):
    """Robot of 飞书."""

    public_host = "https://open.feishu.cn"


class Lark(_Lark, NotifyLark):
    """Robot of Lark."""

    public_host = "https://open.larksuite.com"


class DingTalk(Robot, NotifyDingTalk):
    """Robot of 钉钉: ``dingtalk://TOKEN``, or ``dingtalk://SECRET@TOKEN`` with 加签."""

    public_host = "https://oapi.dingtalk.com"
    slow_down = frozenset({130101, 130102, 660026})
    advice = {  # noqa: RUF012
        310000: "keyword, signature or address of this machine do not fit the robot's security setting (安全设置)",
        300001: "the token is wrong: copy the webhook's address again",
        130101: "more than 20 messages a minute: the robot takes none for ten minutes",
    }

    def request_of(self, text: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """Return the path, parameters (signed if there is a secret) and body of one message's request."""
        params = {"access_token": self.token}
        if self.secret:
            stamp = str(round(time.time() * 1000))
            params |= {"timestamp": stamp, "sign": dingtalk_signature(stamp, self.secret)}
        document: dict[str, Any] = {"msgtype": "text", "text": {"content": text}}
        if self.targets:
            document["at"] = {"atMobiles": self.targets, "isAtAll": False}
        return "/robot/send", params, document


def dingtalk_signature(timestamp: str, secret: str) -> str:
    """Sign for 钉钉, with ``timestamp`` in milliseconds; the result is quoted later, with the other parameters."""
    return base64.b64encode(
        hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    ).decode()


class WeComBot(Robot, NotifyWeComBot):
    """Robot of 企业微信: ``wecombot://KEY``."""

    public_host = "https://qyapi.weixin.qq.com"
    limit_bytes = 2048
    slow_down = frozenset({45009, 45033})
    slow_down_for = timedelta(minutes=1)
    advice = {93000: "the key is wrong: copy the webhook's address again", 45009: "more than 20 messages a minute"}  # noqa: RUF012

    def request_of(self, text: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """Return the path, parameters and body of one message's request."""
        return "/cgi-bin/webhook/send", {"key": self.key}, {"msgtype": "text", "text": {"content": text}}


ROBOTS: dict[str, type[Robot]] = {"feishu": Feishu, "lark": Lark, "dingtalk": DingTalk, "wecombot": WeComBot}
"""Robot classes by scheme of the address."""

"""Simulate the robots of 飞书, 钉钉 and 企业微信 and a webhook on loopback.

They check and refuse requests as their documentation describes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

FEISHU_TOKEN, FEISHU_SECRET = "0f1e2d3c-feed-4bad-beef-123456789abc", "FeishuSecret0123456789"
DING_TOKEN, DING_SECRET = "d1n6" * 16, "SEC" + "ab12" * 16
WECOM_KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
HOOK = "/hooks/T0123456789abcdefTOKEN"
SECRETS = (FEISHU_TOKEN, FEISHU_SECRET, DING_TOKEN, DING_SECRET, WECOM_KEY, HOOK.rpartition("/")[2])


@dataclass
class Robots:
    """A server for all four.

    ``orders`` are responses that replace the right one, the next first: (status, body, seconds to wait).
    """

    signs: bool = True
    texts: list[str] = field(default_factory=list)
    """The accepted texts, in order."""
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    orders: list[tuple[int, Any, float]] = field(default_factory=list)
    forever: tuple[int, Any, float] | None = None

    def __enter__(self) -> Robots:
        robots = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["content-length"])))
                robots.requests.append((self.path, document))
                status, body, wait = robots.forever or (
                    robots.orders.pop(0) if robots.orders else robots.judge(self.path, document)
                )
                time.sleep(wait)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    pass  # the client has disconnected: the test is about that

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def judge(self, path: str, document: dict[str, Any]) -> tuple[int, Any, float]:
        parts = urlsplit(path)
        params = {k: v[0] for k, v in parse_qs(parts.query).items()}
        if parts.path.startswith("/open-apis/bot/v2/hook/"):
            return 200, self._feishu(parts.path.rpartition("/")[2], document), 0
        if parts.path == "/robot/send":
            return 200, self._ding(params, document), 0
        if parts.path == "/cgi-bin/webhook/send":
            return 200, self._wecom(params, document), 0
        if parts.path == HOOK:
            self.texts.append(f"{document['title']}\n{document['message']}")
            return 200, {}, 0
        return 404, {}, 0

    def _feishu(self, token: str, document: dict[str, Any]) -> dict[str, Any]:
        if token != FEISHU_TOKEN:
            return {"code": 19001, "msg": "param invalid: incoming webhook access token invalid", "data": {}}
        if self.signs:
            key = f"{document.get('timestamp')}\n{FEISHU_SECRET}".encode()
            right = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
            if document.get("sign") != right or abs(time.time() - int(document["timestamp"])) > 3600:
                return {
                    "code": 19021,
                    "msg": "sign match fail or timestamp is not within one hour from current time",
                    "data": {},
                }
        if len(json.dumps(document, ensure_ascii=False).encode()) > 20 * 1024 + 200:
            return {"code": 9499, "msg": "Bad Request", "data": {}}
        self.texts.append(document["content"]["text"])
        return {"code": 0, "msg": "success", "data": {}, "StatusCode": 0}

    def _ding(self, params: dict[str, str], document: dict[str, Any]) -> dict[str, Any]:
        if params.get("access_token") != DING_TOKEN:
            return {"errcode": 300001, "errmsg": "token is not exist"}
        if self.signs:
            stamp = params.get("timestamp", "0")
            digest = hmac.new(DING_SECRET.encode(), f"{stamp}\n{DING_SECRET}".encode(), hashlib.sha256).digest()
            if params.get("sign") != base64.b64encode(digest).decode() or abs(time.time() * 1000 - int(stamp)) > 3.6e6:
                return {"errcode": 310000, "errmsg": "sign not match"}
        self.texts.append(document["text"]["content"])
        return {"errcode": 0, "errmsg": "ok"}

    def _wecom(self, params: dict[str, str], document: dict[str, Any]) -> dict[str, Any]:
        if params.get("key") != WECOM_KEY:
            return {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1], from ip: 127.0.0.1"}
        if len(document["text"]["content"].encode()) > 2048:
            return {"errcode": 40058, "errmsg": "content exceed max length. invalid Request Parameter"}
        self.texts.append(document["text"]["content"])
        return {"errcode": 0, "errmsg": "ok"}

    # ---- addresses

    @property
    def base(self) -> str:
        return f"base=http://127.0.0.1:{self.port}&rto=2"

    def address(self, kind: str) -> str:
        """The address of one of the four robots here."""
        return {
            "feishu": f"feishu://{FEISHU_SECRET}@{FEISHU_TOKEN}/?{self.base}",
            "lark": f"lark://{FEISHU_SECRET}@{FEISHU_TOKEN}/?{self.base}",
            "dingtalk": f"dingtalk://{DING_SECRET}@{DING_TOKEN}/?{self.base}",
            "wecombot": f"wecombot://{WECOM_KEY}/?{self.base}",
            "json": f"json://127.0.0.1:{self.port}{HOOK}?rto=2",
        }[kind]

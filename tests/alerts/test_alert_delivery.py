"""One text through one channel: each robot over real HTTP, its refusals, and what logs may show of it."""

from __future__ import annotations

import logging
from datetime import timedelta

import apprise
import pytest
from robot_server import DING_SECRET, DING_TOKEN, FEISHU_TOKEN, SECRETS, WECOM_KEY, Robots

from catalog.alert_kinds import Severity
from resources.delivery.delivery import open_channel, shorten
from resources.delivery.routes import BadAlerts

KINDS = ["feishu", "lark", "dingtalk", "wecombot", "json"]
TEXT = "【抖音数据】警告 warning · 数据未更新\nhot_words 自 11:05 起没有新数据\n→ douyin status"


def send(address: str, text: str = TEXT, severity: Severity = Severity.WARNING):
    return open_channel("ops", address).send(text, severity)


@pytest.mark.parametrize("kind", KINDS)
def test_every_robot_takes_a_text_whole(robots: Robots, kind: str):
    """The robots here check the signature as documented; 钉钉's is a query parameter and is quoted once."""
    answer = send(robots.address(kind))
    assert (answer.ok, answer.reason) == (True, "")
    assert robots.texts == [TEXT]
    assert len(robots.requests) == 1


def test_a_webhook_gets_the_severity(robots: Robots):
    for severity in Severity:
        send(robots.address("json"), severity=severity)
    assert [document["type"] for _, document in robots.requests] == ["info", "warning", "failure"]


def test_signatures_hold_for_every_digest(robots: Robots, monkeypatch):
    """Base64 has +, / and =, each of which a parameter must quote: twenty instants, twenty signatures."""
    import time

    began, robots_time = time.time(), time.time
    channel = open_channel("ops", robots.address("dingtalk"))
    for minute in range(20):
        monkeypatch.setattr("resources.delivery.robots.time.time", lambda minute=minute: began - minute * 60)
        assert channel.send(TEXT, Severity.INFO).ok
        monkeypatch.setattr("resources.delivery.robots.time.time", robots_time)
    signs = {path.partition("sign=")[2] for path, _ in robots.requests}
    assert len(signs) == 20
    assert any("%2B" in s or "%2F" in s for s in signs)
    assert not any("%25" in s for s in signs)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("feishu://wrong-token-of-somebody/?{base}", "code 19001"),
        (f"feishu://{FEISHU_TOKEN}/?{{base}}", "code 19021 sign match fail"),
        (f"lark://notThisSecret@{FEISHU_TOKEN}/?{{base}}", "check the secret and this machine's clock"),
        (f"dingtalk://{DING_TOKEN}/?{{base}}", "errcode 310000 sign not match: keyword, signature or address"),
        (f"dingtalk://{DING_SECRET}@{'0' * 64}/?{{base}}", "errcode 300001"),
        ("wecombot://wrong-key-of-somebody/?{base}", "errcode 93000"),
    ],
)
def test_a_refusal_inside_http_200_is_a_failure_and_says_what_to_do(robots: Robots, address: str, says: str):
    answer = send(address.format(base=robots.base))
    assert (answer.ok, answer.refused, answer.wait) == (False, True, timedelta(0))
    assert says in answer.reason
    assert robots.texts == []


@pytest.mark.parametrize(
    ("kind", "body", "minutes"),
    [
        ("feishu", {"code": 11232, "msg": "frequency limited psm"}, 10),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}, 10),
        ("wecombot", {"errcode": 45009, "errmsg": "api freq out of limit"}, 1),
    ],
)
def test_a_rate_limited_message_waits(robots: Robots, kind: str, body: dict, minutes: int):
    robots.orders.append((200, body, 0))
    answer = send(robots.address(kind))
    assert (answer.ok, answer.refused, answer.wait) == (False, False, timedelta(minutes=minutes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "body"), [(500, b"oops"), (403, b"{}")])
def test_other_statuses_fail(robots: Robots, kind: str, status: int, body: bytes):
    robots.orders.append((status, body, 0))
    answer = send(robots.address(kind))
    assert (answer.ok, answer.refused) == (False, False)
    assert str(status) in answer.reason


@pytest.mark.parametrize("kind", ["feishu", "lark", "dingtalk", "wecombot"])
@pytest.mark.parametrize("body", [b"<html>sign in to the network</html>", b"{}", b"[]", b'{"StatusMessage": "ok"}'])
def test_a_200_of_another_server_is_no_success(robots: Robots, kind: str, body: bytes):
    robots.orders.append((200, body, 0))
    answer = send(robots.address(kind))
    assert not answer.ok
    assert "is this the robot's address?" in answer.reason


@pytest.mark.parametrize("kind", ["dingtalk", "json"])
def test_a_robot_that_does_not_answer_in_time_failed(robots: Robots, kind: str):
    robots.orders.append((200, {"errcode": 0}, 0.6))
    answer = send(robots.address(kind).replace("rto=2", "rto=0.15"))
    assert not answer.ok
    assert "in time" in answer.reason or "Connection error" in answer.reason


@pytest.mark.parametrize("kind", KINDS)
def test_no_server_there(robots: Robots, kind: str):
    with Robots() as gone:
        address = gone.address(kind)
    answer = send(address)
    assert not answer.ok
    assert not answer.refused


def test_long_texts_are_cut_by_bytes_between_characters(robots: Robots):
    """企业微信 counts bytes: 2048 of them are 682 Chinese characters."""
    long = "【抖音数据】\n" + "热点词" * 2000
    assert send(robots.address("wecombot"), long).ok
    assert send(robots.address("feishu"), long * 2).ok
    short, longer = robots.texts
    assert 2040 <= len(short.encode()) <= 2048
    assert short.endswith("…")
    assert long.startswith(short[:-2])
    assert 19_900 <= len(longer.encode()) <= 20_000


def test_shorten_leaves_what_fits():
    assert shorten("热点", 6) == "热点"
    assert shorten("热点词热点词", 12) == "热点\n…"


@pytest.mark.parametrize("kind", KINDS)
def test_no_log_and_no_reason_shows_a_secret(robots: Robots, caplog: pytest.LogCaptureFixture, kind: str):
    """Both httpx and urllib3 log URLs, apprise logs requests and responses."""
    caplog.set_level(logging.DEBUG)
    channel = open_channel("ops", robots.address(kind))
    robots.orders.append((500, ("token " + " ".join(SECRETS)).encode(), 0))
    robots.orders.append((200, {"code": 1, "errcode": 1, "msg": SECRETS[0], "errmsg": SECRETS[2]}, 0))
    answers = [
        channel.send(f"{TEXT}\nact.abcdefghijklmnopqrstuvwxyz {SECRETS[1]}" if n == 2 else TEXT, Severity.INFO)
        for n in range(3)
    ]
    assert [a.ok for a in answers] == [False, kind == "json", True]
    own = [s for s in SECRETS if s in robots.address(kind)]
    assert own
    assert "500" in caplog.text + answers[0].reason
    assert [s for s in own if s in caplog.text + repr(answers)] == []
    assert "act.abcdef" not in robots.texts[-1]


@pytest.mark.parametrize(
    "address",
    [
        "nonsense://somewhere",
        "feishu://",
        "dingtalk://not_a_token_of_ding",
        "wecombot://",
        f"wecombot://{WECOM_KEY}/?base=http://example.com",
        "feishu://token?base=ftp://example.com",
    ],
)
def test_an_address_that_cannot_be_used_is_never_shown(address: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(BadAlerts) as caught:
        open_channel("ops", address)
    said = str(caught.value) + caplog.text + repr(caught.value.__cause__)
    assert str(caught.value).startswith("channels.ops: the address cannot be used")
    assert "docs/alerts.md" in said
    rest = address.partition("://")[2]
    assert not rest or rest not in said


def test_why_sending_is_ours(robots: Robots, monkeypatch):
    """Test apprise 2.3.0 without our changes.

    When this fails, a newer release has fixed it, and resources/delivery/robots.py can shrink.
    """
    from apprise.plugins.dingtalk import NotifyDingTalk
    from apprise.plugins.wecombot import NotifyWeComBot

    assert apprise.__version__ == "2.3.0"
    monkeypatch.setattr(
        NotifyDingTalk, "notify_url", f"http://127.0.0.1:{robots.port}/robot/send?access_token={{token}}"
    )
    monkeypatch.setattr(
        NotifyWeComBot, "notify_url", f"http://127.0.0.1:{robots.port}/cgi-bin/webhook/send?key={{key}}"
    )
    assert NotifyDingTalk(token=DING_TOKEN, secret=DING_SECRET).notify(body=TEXT), "it says that it was sent"
    assert NotifyWeComBot(key="wrong").notify(body=TEXT), "it says that it was sent"
    assert robots.texts == [], "and nothing was"
    assert "%253D" in robots.requests[0][0]


def test_the_public_hosts_are_the_default():
    addresses = [
        f"feishu://{FEISHU_TOKEN}",
        f"lark://{FEISHU_TOKEN}",
        f"dingtalk://{DING_TOKEN}",
        f"wecombot://{WECOM_KEY}",
    ]
    assert [open_channel("ops", a).plugin.base for a in addresses] == [
        "https://open.feishu.cn",
        "https://open.larksuite.com",
        "https://oapi.dingtalk.com",
        "https://qyapi.weixin.qq.com",
    ]

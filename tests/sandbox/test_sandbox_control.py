"""The control plane: clock, stats, accounts, health; and the limits in real time."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime

import httpx
import pytest
from patience import scaled
from sandbox_platform import NOW, Platform, code_of

from sandbox.config import SandboxConfig
from sandbox.errors import Refusal
from sandbox.limits import Limits
from sandbox.server import running, serve


def test_clock_is_set_read_and_released(platform):
    assert platform.http.get("/_sandbox/clock").json() == {"now": "2026-11-16T02:30:00+00:00", "frozen": True}
    platform.at("2026-12-01T08:00:00+08:00")
    assert platform.http.get("/_sandbox/clock").json()["now"] == "2026-12-01T00:00:00+00:00"
    platform.at(None)
    state = platform.http.get("/_sandbox/clock").json()
    assert state["frozen"] is False
    assert abs((datetime.fromisoformat(state["now"]) - datetime.now(UTC)).total_seconds()) < scaled(5)


@pytest.mark.parametrize("body", [b"{}", b'{"now": "tomorrow"}', b'{"now": "2026-12-01T08:00:00"}', b"[", b"7"])
def test_wrong_clock_is_refused(platform, body):
    assert platform.http.put("/_sandbox/clock", content=body).status_code == 400
    assert platform.http.get("/_sandbox/clock").json()["frozen"] is True


def test_stats_count_operations_keys_and_codes(platform):
    open_id = platform.tokens(0)["open_id"]
    platform.http.delete("/_sandbox/stats")
    for window in (7, 7, 15, 8):
        platform.get("user_fans", 0, date_type=window)
    stats = platform.stats()
    assert stats["total"] == 4
    assert stats["operations"]["user_fans"] == {
        "requests": 4,
        "by_key": {f"date_type={w}&open_id={open_id}": n for w, n in ((7, 2), (15, 1), (8, 1))},
        "codes": {"0": 3, "2100005": 1},
        "faults": {},
    }
    assert stats["max_per_second"]["data.external.user"] == 4
    assert platform.http.delete("/_sandbox/stats").json()["total"] == 0


def test_stats_hold_no_secrets(platform):
    tokens = platform.redeem(platform.accounts()[0]["code"])["data"]
    platform.oauth("oauth_userinfo", access_token=tokens["access_token"], open_id=tokens["open_id"])
    text = platform.http.get("/_sandbox/stats").text
    assert tokens["access_token"] not in text
    assert tokens["refresh_token"] not in text
    assert "sandbox-secret" not in text


def test_accounts(platform):
    accounts = platform.accounts()
    assert len(accounts) == len({a["open_id"] for a in accounts}) == 5
    assert {"open_id", "name", "category", "fans", "trouble", "code"} <= accounts[0].keys()
    assert {a["trouble"] for a in accounts} == {None}
    assert len({a["category"] for a in accounts}) == 5
    assert platform.http.get("/_sandbox/nothing").status_code == 404


def test_health(platform):
    assert platform.http.get("/_sandbox/health").json()["status"] == "ok"


def test_requests_above_the_rate_are_refused(make_platform):
    platform = make_platform(qps=5)
    token = platform.client_token()
    codes = [code_of(platform.get("hotsearch_sentences", token=token)) for _ in range(8)]
    assert codes[:5] == [0] * 5
    assert 28003018 in codes
    assert code_of(platform.get("billboard_live", token=token)) == 0
    time.sleep(0.25)
    assert code_of(platform.get("hotsearch_sentences", token=token)) == 0


def test_bucket_holds_one_second():
    now = [0.0]
    codes = set()
    limits = Limits(2, None, lambda: now[0])

    def taken(times):
        done = 0
        for _ in range(times):
            try:
                limits.take("scope", 0)
                done += 1
            except Refusal as refusal:
                codes.add(refusal.code)
        return done

    assert taken(5) == 2
    now[0] = 0.5
    assert taken(5) == 1
    now[0] = 60
    assert taken(5) == 2
    assert codes == {28003018}


def test_daily_quota_resets_at_midnight_in_beijing(make_platform):
    platform = make_platform(per_day=3, now=datetime.fromisoformat("2026-11-16T23:59:00+08:00"))
    codes = [code_of(platform.get("hotsearch_sentences")) for _ in range(5)]
    assert codes == [0, 0, 0, 28003017, 28003017]
    assert code_of(platform.get("billboard_live")) == 0
    platform.at("2026-11-17T00:00:00+08:00")
    assert code_of(platform.get("hotsearch_sentences")) == 0


def test_latency(make_platform):
    platform = make_platform(latency_ms=60)
    token = platform.client_token()
    begin = time.monotonic()
    platform.get("hotsearch_sentences", token=token)
    assert time.monotonic() - begin >= 0.06


def test_stopping_is_quick_even_while_a_request_hangs():
    with running(SandboxConfig(now=datetime.fromisoformat(NOW))) as handle:
        platform = Platform(handle)
        platform.fault("hotsearch_sentences", "timeout", seconds=30)
        hanging = threading.Thread(target=lambda: _swallow(platform))
        hanging.start()
        time.sleep(0.1)
        begin = time.monotonic()
    assert time.monotonic() - begin < scaled(3)
    hanging.join(timeout=scaled(5))
    assert not hanging.is_alive()


def _swallow(platform) -> None:
    with contextlib.suppress(httpx.TransportError):
        platform.http.get("/hotsearch/sentences/")


def test_serve_prints_its_address():
    """``serve`` blocks, so it runs in a thread that ends with the process."""
    ready = threading.Event()
    urls: list[str] = []
    threading.Thread(
        target=serve, args=(SandboxConfig(), lambda url: (urls.append(url), ready.set())), daemon=True
    ).start()
    assert ready.wait(5)
    assert httpx.get(urls[0] + "/_sandbox/health", timeout=5).json()["status"] == "ok"


@pytest.mark.parametrize(
    "wrong",
    [
        {"accounts": 0},
        {"videos": 0},
        {"qps": 0},
        {"per_day": -1},
        {"latency_ms": -1},
        {"now": datetime(2026, 11, 16)},
        {"dead_tokens": -0.1},
        {"dead_tokens": 0.6, "private_accounts": 0.6},
        {"withdrawn": ("nothing",)},
        {"lacking": ("nothing",)},
        {"apps": (("sandbox-key", "x"),)},
        {"apps": (("a", ""),)},
        {"apps": (("a", "x"), ("a", "y"))},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=r".+"):
        SandboxConfig(**wrong)

"""``douyin alerts`` as a person uses it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

NOON = "2026-11-16T12:00:00+08:00"
TOKEN = "tokenOfSomebody0123456789"


@pytest.fixture
def hook() -> Iterator[tuple[str, list[str]]]:
    """A webhook on loopback: its address, and the texts that arrived."""
    texts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            texts.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["title"])
            self.send_response(200 if self.path == f"/{TOKEN}" else 403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}/{TOKEN}", texts
    server.shutdown()
    server.server_close()


@pytest.fixture
def alerts(douyin, tmp_path: Path, hook, monkeypatch):
    """``alerts("send")`` in an installation with one account that needs consent."""
    from resources.state import State
    from resources.state.accounts import AccountStatus, add_account, set_status

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "alerts.yaml").write_text(
        'channels: {ops: {url: "env:ALERTS_OPS"}, other: {url: "env:ALERTS_OTHER"}}\nroutes: [{channels: [ops]}]\n'
    )
    state = State(f"sqlite:///{tmp_path / 'data' / 'state.db'}")
    add_account(state, "key", "open-id-of-the-account", name="门店甲", now=datetime.fromisoformat(NOON).astimezone(UTC))
    set_status(state, "key", "open-id-of-the-account", AccountStatus.NEEDS_CONSENT, "withdrawn")
    state.close()

    def run(*words: str, code: int = 0, **environment: str) -> str:
        given = {
            "DOUYIN_CLIENT_KEY": "key",
            "DOUYIN_CLIENT_SECRET": "secret-of-the-app",
            "DOUYIN_CLOCK": NOON,
            "DOUYIN_ALERTS_FILE": str(tmp_path / "alerts.yaml"),
            "ALERTS_OPS": hook[0],
        }
        result = douyin("alerts", *words, **(given | environment))
        assert result.exit_code == code, result.output
        assert TOKEN not in result.output
        return result.output

    return run


def test_from_check_to_notification(alerts, hook):
    address, texts = hook
    said = alerts("check", code=1)
    assert "needs_consent  critical  门店甲" in said
    assert said.rstrip().endswith("douyin authorize  ops")
    assert "low_plays cannot be looked for: nothing is published yet" in said
    assert "there is and was nothing" in alerts("list"), "looking stores nothing"
    assert texts == []

    assert "1 wrong; 1 sent in 1 messages, 0 wait" in alerts("send")
    assert "1 wrong; 0 sent in 0 messages, 0 wait" in alerts("send")
    assert texts == ["【抖音数据】严重 critical · 账号需重新授权 Account needs consent: 门店甲"]
    assert "ops: 11-16 12:00" in alerts("list")

    assert "needs_consent:key/open-id-of-the-account is muted until 11-18 12:00" in alerts("mute", "1", "--for", "48h")
    assert "muted until 11-18 12:00" in alerts("list")
    assert "0 sent" in alerts("send", DOUYIN_CLOCK="2026-11-18T11:00:00+08:00")
    assert "1 sent" in alerts("send", DOUYIN_CLOCK="2026-11-18T13:00:00+08:00")

    assert "ops took the message" in alerts("test", "ops")
    assert texts[-1] == "【抖音数据】测试消息 test message"
    assert "ops: Failed to send JSON POST notification" in alerts(
        "test", "ops", code=1, ALERTS_OPS=address.replace(TOKEN, "elsewhere")
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("test", "unknown"), "no channel is called 'unknown'; there are ops, other"),
        (("test", "other"), "channels.other: neither the environment nor .env has ALERTS_OTHER"),
        (("mute", "9"), "there is no alert 9: see `douyin alerts list`"),
        (("mute", "9", "--for", "soon"), "'soon' is no length of time: write 30s, 30m, 12h or 7d"),
    ],
)
def test_what_is_wrong_says_what_to_do(alerts, words, says: str):
    assert says in alerts(*words, code=2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("routes: [{channels: [ops]}]", "routes.0.channels: no channel is called 'ops'; there are none"),
        ("channels: {a: {url: 'env:A'}}\nroutes: [{channels: [a], tags: [vip]}]", "no account carries 'vip'"),
    ],
)
def test_a_file_that_cannot_be_used_ends_every_command(alerts, tmp_path: Path, text: str, says: str):
    (tmp_path / "alerts.yaml").write_text(text)
    for words in (("check",), ("send",), ("list",), ("test", "ops")):
        assert says in alerts(*words, code=2)


def test_a_channel_that_refuses_is_reported_and_the_alert_stays_due(alerts, hook):
    address, texts = hook
    said = alerts("send", code=1, ALERTS_OPS=address.replace(TOKEN, "elsewhere"))
    assert "ops: Failed to send JSON POST notification" in said
    assert "0 sent in 0 messages, 1 wait" in said
    assert "1 sent" in alerts("send", DOUYIN_CLOCK="2026-11-16T12:05:00+08:00")
    assert len(texts) == 2


def test_a_warehouse_without_marts_is_no_good_news(alerts, tmp_path):
    """Only hot words were loaded: conditions that cannot be judged yet are reported so, not as good."""
    import duckdb

    with duckdb.connect(str(tmp_path / "data" / "warehouse.duckdb")) as connection:
        connection.execute("CREATE TABLE hot_words (dt DATE)")
    said = alerts("check", DOUYIN_CLIENT_KEY="another")
    assert (
        "nothing that was looked for is wrong; unknown: low_plays, hot_word" in said
        or "nothing that was looked for is wrong; unknown: low_plays" in said
    )
    assert "Catalog Error" not in said
    assert (
        "low_plays cannot be looked for: the warehouse has no marts.video_performance yet: `douyin run` makes it"
        in said
    )

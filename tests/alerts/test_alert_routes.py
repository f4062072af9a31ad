"""``alerts.yaml`` routes alerts; errors in it name place and remedy, and show no address."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from robot_server import SECRETS

from catalog.alert_kinds import ABOUT, AlertKind, Severity
from catalog.records import BEIJING
from resources.config.settings import Settings
from resources.delivery.routes import (
    SHIPPED,
    Alerts,
    BadAlerts,
    QuietHours,
    WordMatcher,
    address_of,
    alerts_path,
    check_tags,
    load_alerts,
)

GOOD = f"""
channels:
  ops: {{url: "env:ALERTS_OPS"}}
  brand: {{url: "dingtalk://{SECRETS[3]}@{SECRETS[2]}"}}
routes:
  - channels: [ops]
    severities: [warning, critical]
  - channels: [brand, ops]
    kinds: [needs_consent, low_plays]
    tags: [brand_a]
quiet: {{from: "22:00", until: "08:00"}}
repeat: {{needs_consent: 12h, not_fresh: never}}
watch_words: [咖啡]
"""


@pytest.fixture
def load(tmp_path: Path):
    def _load(text: str) -> Alerts:
        (tmp_path / "alerts.yaml").write_text(text, encoding="utf-8")
        return load_alerts(Settings(_env_file=None, alerts_file=tmp_path / "alerts.yaml"))

    return _load


def test_routes_choose_by_kind_severity_and_tag(load):
    alerts = load(GOOD)
    assert alerts.channels_for(AlertKind.NOT_FRESH, Severity.WARNING, ()) == ["ops"]
    assert alerts.channels_for(AlertKind.LOW_PLAYS, Severity.INFO, ["brand_a", "x"]) == ["brand", "ops"]
    assert alerts.channels_for(AlertKind.LOW_PLAYS, Severity.INFO, ["brand_b"]) == []
    assert alerts.channels_for(AlertKind.NEEDS_CONSENT, Severity.CRITICAL, ["brand_a"]) == ["ops", "brand"], (
        "each once, in the order of the routes"
    )
    assert alerts.channels_for(AlertKind.HOT_WORD, Severity.INFO, ()) == []


def test_what_is_sent_again_and_after_how_long(load):
    alerts = load(GOOD)
    assert alerts.repeat_of(AlertKind.NEEDS_CONSENT) == timedelta(hours=12)
    assert alerts.repeat_of(AlertKind.NOT_FRESH) is None
    assert alerts.repeat_of(AlertKind.QUARANTINE) == timedelta(hours=24)
    assert alerts.repeat_of(AlertKind.HOT_WORD) is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "channels: [ops]",
            "channels: [opps]",
            "no channel is called 'opps'; there are ops, brand: add it under `channels`",
        ),
        ("kinds: [needs_consent, low_plays]", "kinds: [low_play]", "routes.1.kinds.0: Input should be 'run_failed'"),
        ("severities:", "severity:", "routes.0.severity: Extra inputs are not permitted"),
        ("dingtalk://", "", "channels.brand.url: write env:NAME, or an address such as feishu://TOKEN"),
        ('"env:ALERTS_OPS"', '"env:"', "channels.ops.url: write env:NAME"),
        ('until: "08:00"', 'until: "8 o\'clock"', 'quiet.until: "8 o\'clock" is no time of day'),
        ('until: "08:00"', 'until: "22:00"', "quiet: from and until are the same"),
        ("12h", "half a day", "repeat: needs_consent: write `never`, or a length of time such as 12h"),
        ("watch_words: [咖啡]", 'watch_words: ["re:("]', "'re:(' is no regular expression"),
        ("watch_words: [咖啡]", 'watch_words: [" "]', "an empty word would match every hot word"),
        ("watch_words: [咖啡]", "thresholds: {quota_ratio: 80}", "thresholds.quota_ratio: Input should be less than 1"),
        ("watch_words: [咖啡]", "thresholds: {fresh_hours: {weekly: 3}}", "'weekly' is no cadence; there are hourly"),
        (
            "watch_words: [咖啡]",
            "thresholds: {not_fresh_ignores: [hotwords]}",
            "'hotwords' is no table: see `douyin status`",
        ),
        ("watch_words: [咖啡]", "thresholds: {token_days: [5]}", "counted down at 7, 3 and 1 days"),
        ("quiet: {", "quiet: {{", "is no YAML: "),
        ("  brand: {", "  brand: {{", "is no YAML: "),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_what_to_do(load, old: str, new: str, says: str):
    assert old in GOOD
    with pytest.raises(BadAlerts) as caught:
        load(GOOD.replace(old, new))
    assert says in str(caught.value)
    assert "alerts.yaml" in str(caught.value)
    assert [
        s
        for s in SECRETS
        if s
        in (
            f"{caught.value!r} {caught.value.__cause__!r} "
            f"{caught.value.__context__ if not caught.value.__suppress_context__ else ''}"
        )
    ] == []


def test_a_missing_file_that_was_set_is_an_error(tmp_path: Path):
    with pytest.raises(BadAlerts, match=r"nowhere\.yaml: cannot be read"):
        load_alerts(Settings(_env_file=None, alerts_file=tmp_path / "nowhere.yaml"))


def test_without_a_file_no_alert_is_sent(monkeypatch, tmp_path: Path):
    monkeypatch.setattr("resources.delivery.routes.SHIPPED", tmp_path)
    settings = Settings(_env_file=None)
    assert alerts_path(settings) is None
    assert load_alerts(settings) == Alerts()
    assert Alerts().channels_for(AlertKind.RUN_FAILED, Severity.CRITICAL, ()) == []
    (tmp_path / "alerts.yaml").write_text("prefix: X\n")
    assert load_alerts(settings).prefix == "X"


def test_tags_that_no_account_carries_are_an_error(load):
    alerts = load(GOOD)
    check_tags(alerts, ["brand_a", "b"])
    with pytest.raises(
        BadAlerts, match=r"routes\.1\.tags: no account carries 'brand_a'; there are b: `douyin accounts tag`"
    ):
        check_tags(alerts, ["b"])


def test_addresses_come_from_the_environment_or_the_file(load, monkeypatch, tmp_path: Path):
    alerts = load(GOOD)
    assert address_of(alerts, "ops", {"ALERTS_OPS": "feishu://x"}) == "feishu://x"
    assert address_of(alerts, "brand", {}).startswith("dingtalk://")
    for environment in ({}, {"ALERTS_OPS": ""}):
        with pytest.raises(BadAlerts, match=r"neither the environment nor \.env has ALERTS_OPS"):
            address_of(alerts, "ops", environment)
    with pytest.raises(BadAlerts, match="no channel is called 'unknown'; there are ops, brand"):
        address_of(alerts, "unknown")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALERTS_OPS", raising=False)
    (tmp_path / ".env").write_text("ALERTS_OPS=lark://from-the-file\n")
    assert address_of(alerts, "ops") == "lark://from-the-file"
    monkeypatch.setenv("ALERTS_OPS", "lark://from-the-process")
    assert address_of(alerts, "ops") == "lark://from-the-process"


def test_the_file_shows_no_address_when_printed(load):
    alerts = load(GOOD)
    assert [s for s in SECRETS if s in f"{alerts!r} {alerts} {alerts.model_dump()} {alerts.model_dump_json()}"] == []


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        (("22:00", "08:00"), ["22:00", "23:59", "00:00", "07:59"], ["08:00", "12:00", "21:59"]),
        (("12:30", "14:00"), ["12:30", "13:59"], ["12:29", "14:00", "00:00"]),
        (("00:00", "06:00"), ["00:00", "05:59"], ["06:00", "23:59"]),
    ],
)
def test_quiet_hours_are_those_of_beijing(hours, inside, outside):
    quiet = QuietHours.model_validate({"from": hours[0], "until": hours[1]})

    def at(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-11-16T{text}:30+08:00").astimezone()

    assert [quiet.holds(at(t)) for t in inside] == [True] * len(inside)
    assert [quiet.holds(at(t)) for t in outside] == [False] * len(outside)
    assert at("22:00").astimezone(BEIJING).hour == 22


@pytest.mark.parametrize(
    ("sentence", "word"),
    [("瑞幸咖啡联名", "咖啡"), ("LUCKIN新品", "luckin"), ("新品发布", "re:^新品"), ("又有新品", None), ("天气", None)],
)
def test_words_match_parts_and_expressions(sentence: str, word: str | None):
    assert WordMatcher(("咖啡", "luckin", "re:^新品")).matching(sentence) == word


def test_the_example_is_whole_and_has_no_active_channel():
    text = (SHIPPED / "alerts.example.yaml").read_text(encoding="utf-8")
    example = Alerts.model_validate(yaml.safe_load(text))
    assert example.channels == {}
    assert example == Alerts(), "it shows the defaults"
    assert [name for name in Alerts.model_fields if f"\n{name}:" not in text and f"\n#{name}:" not in text] == []
    assert [kind for kind in ABOUT if kind not in text] == []


def test_the_example_with_its_comments_taken_away_can_be_used(load):
    text = re.sub(
        r"^( *)#(?! \S)", r"\1", (SHIPPED / "alerts.example.yaml").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    alerts = load(
        text.replace("channels: {}", "channels:")
        .replace("routes: []", "routes:")
        .replace("watch_words: []", "watch_words:")
    )
    assert list(alerts.channels) == ["ops", "brand_a"]
    assert len(alerts.routes) == 2
    assert alerts.quiet is not None
    assert alerts.thresholds.not_fresh_ignores == ["hot_words"]
    assert WordMatcher(tuple(alerts.watch_words)).matching("联名款") == "re:(新品|联名)"

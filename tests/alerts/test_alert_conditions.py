"""Alert conditions are found in a real state and a real published file, and end once they are fixed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from catalog.alert_kinds import AlertCondition, AlertKind, Severity
from resources.config.clock import Clock
from resources.config.settings import Settings
from resources.delivery.routes import Alerts
from resources.runtime import Runtime
from resources.state.accounts import AccountStatus, add_account, set_status, set_tags
from resources.state.capabilities import record_capability, switch_on
from resources.state.limits import mark_exhausted, reserve
from resources.state.load_status import LoadStatus, Outcome, save_load_status
from resources.state.sealing import new_key
from resources.state.tokens import UserToken, save_user_token
from services.alerts.work import look

NOW = datetime.fromisoformat("2026-11-16T12:00:00+08:00").astimezone(UTC)
TODAY = date(2026, 11, 16)
APP = "app-key"
OPEN_ID = "_000a1b2c3d4e5f60718293a4b5c6d7e8f90"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    opened = Runtime(
        Settings(
            _env_file=None,
            home=tmp_path,
            clock=NOW.isoformat(),
            client_key=APP,
            client_secret="secret-of-the-app",
            token_key=new_key(),
            per_day=1000,
            limits={"hotsearch": {"per_day": 100}},
        )
    )
    yield opened
    opened.close()


def found(runtime: Runtime, kind: AlertKind, **alerts) -> list[AlertCondition]:
    looked = look(runtime, Alerts.model_validate(alerts))
    assert {f.kind for f in looked.found} <= looked.kinds
    return [f for f in looked.found if f.kind is kind]


def account(
    runtime: Runtime,
    days_left: float | None = None,
    renewals: int = 5,
    *,
    open_id: str = OPEN_ID,
    name: str | None = None,
) -> None:
    add_account(runtime.state, APP, open_id, name=name, now=NOW)
    if days_left is not None:
        end = NOW + timedelta(days=days_left)
        save_user_token(
            runtime.state,
            APP,
            UserToken(open_id, "act.secret-access", end, "rft.secret-refresh", end, renewals, "user_info", NOW),
        )


def loaded(
    runtime: Runtime,
    table: str,
    hours_ago: float,
    *,
    dt: date = TODAY,
    status: Outcome = Outcome.LOADED,
    open_id: str = "",
    **more,
) -> None:
    save_load_status(
        runtime.state,
        [LoadStatus(table, dt, table, APP, open_id, status, **more)],
        (NOW - timedelta(hours=hours_ago)).timestamp(),
    )


# --------------------------------------------------------------------------- accounts


def test_accounts_that_need_consent_or_were_stopped(runtime: Runtime):
    account(runtime, 10, name="门店甲")
    assert found(runtime, AlertKind.NEEDS_CONSENT) == []
    set_tags(runtime.state, APP, OPEN_ID, ["brand_a"])
    set_status(runtime.state, APP, OPEN_ID, AccountStatus.NEEDS_CONSENT, "28001003 access_token expired")
    (one,) = found(runtime, AlertKind.NEEDS_CONSENT)
    assert (one.key, one.severity, one.title, one.todo, one.tags) == (
        f"needs_consent:{APP}/{OPEN_ID}",
        Severity.CRITICAL,
        "门店甲",
        "douyin authorize",
        {"brand_a"},
    )
    assert "28001003" in one.zh
    assert "28001003" in one.en
    assert found(runtime, AlertKind.TOKEN_ENDS) == [], "it is reported once, not twice"
    set_status(runtime.state, APP, OPEN_ID, AccountStatus.STOPPED, "banned")
    assert [f.title for f in found(runtime, AlertKind.ACCOUNT_STOPPED)] == ["门店甲"]
    set_status(runtime.state, APP, OPEN_ID, AccountStatus.PAUSED)
    assert look(runtime, Alerts()).found == []


def test_an_account_without_a_name_is_shown_by_both_ends_of_its_id(runtime: Runtime):
    account(runtime)
    (one,) = found(runtime, AlertKind.TOKEN_ENDS)
    assert (one.title, one.stage, one.severity) == ("_000…8f90", "0", Severity.CRITICAL)
    assert OPEN_ID not in f"{one.title}{one.zh}{one.en}{one.todo}"


def test_tokens_are_counted_down(runtime: Runtime):
    """Once five renewals are done, nothing extends the token's life."""

    def stages(days_left: float, *days: int) -> list[str]:
        account(runtime, days_left)
        return [f.stage for f in found(runtime, AlertKind.TOKEN_ENDS, thresholds={"token_days": days})]

    assert [stages(left, 7, 3, 1) for left in (8, 6.5, 2.5, 0.5, -1)] == [[], ["7"], ["3"], ["1"], ["0"]]
    assert (stages(6.5, 3, 1), stages(2.5, 7), stages(-1)) == ([], ["7"], ["0"])
    (one,) = found(runtime, AlertKind.TOKEN_ENDS)
    assert "secret" not in f"{one}"


# --------------------------------------------------------------------------- quotas


def test_quotas_that_are_nearly_used_and_used_up(runtime: Runtime):
    def use(scope: str, calls: int, day: date = TODAY) -> None:
        reserve(runtime.state, APP, scope, day, slots=1, interval_s=0, calls=calls, per_day=None)

    use("hotsearch", 79)
    use("fans", 799)
    use("video", 5000, TODAY - timedelta(days=1))
    assert found(runtime, AlertKind.QUOTA) == []
    use("hotsearch", 1)
    use("fans", 201)
    assert [(f.subject, f.stage) for f in found(runtime, AlertKind.QUOTA)] == [
        (f"{APP}/fans", "over"),
        (f"{APP}/hotsearch", "near"),
    ]
    assert found(runtime, AlertKind.QUOTA)[1].en == "the day's quota of hotsearch is nearly used: 80/100 calls"
    mark_exhausted(runtime.state, APP, "poi", TODAY)
    assert [f.stage for f in found(runtime, AlertKind.QUOTA, thresholds={"quota_ratio": 0.99})] == ["over", "over"]
    runtime.__dict__["clock"] = Clock.frozen(NOW + timedelta(days=1))
    assert found(runtime, AlertKind.QUOTA) == []


# --------------------------------------------------------------------------- freshness


def stale(runtime: Runtime, **thresholds) -> set[str]:
    return {f.subject for f in found(runtime, AlertKind.NOT_FRESH, thresholds=thresholds)}


def test_tables_are_stale_when_their_cadence_has_passed(runtime: Runtime):
    yesterday = TODAY - timedelta(days=1)
    loaded(runtime, "hot_words", 2.9)
    loaded(runtime, "hot_words_rising", 3.1)
    loaded(runtime, "videos", 25)
    loaded(runtime, "user_fans", 25, dt=yesterday)
    loaded(runtime, "user_like", 25, dt=yesterday - timedelta(days=2))
    loaded(runtime, "ent_ranks", 12.5, dt=TODAY)
    assert stale(runtime) == {"hot_words_rising", "user_like"}
    assert stale(runtime, fresh_hours={"hourly": 2}) == {"hot_words", "hot_words_rising", "user_like"}
    assert stale(runtime, not_fresh_ignores=["hot_words_rising"]) == {"user_like"}
    loaded(runtime, "hot_words_rising", 0, status=Outcome.EMPTY)
    assert stale(runtime) == {"user_like"}, "an empty answer is a fresh one"


def test_a_backfill_of_old_days_makes_nothing_fresh(runtime: Runtime):
    loaded(runtime, "hot_words", 30, dt=TODAY - timedelta(days=1))
    for days in range(2, 9):
        loaded(runtime, "hot_words", 0, dt=TODAY - timedelta(days=days))
    (one,) = found(runtime, AlertKind.NOT_FRESH)
    assert one.title == "hot_words 实时热点词"
    assert "was last loaded at 11-15 06:00 Beijing (partition 2026-11-15); due every hour at :05" in one.en


def test_failures_do_not_make_fresh_and_say_why(runtime: Runtime):
    loaded(runtime, "hot_words", 5)
    loaded(runtime, "hot_words", 0, status=Outcome.FAILED)
    (one,) = found(runtime, AlertKind.NOT_FRESH)
    assert one.en.startswith("hot_words was never loaded"), "today's only outcome was replaced"
    loaded(runtime, "hot_words", 30, dt=TODAY - timedelta(days=1))
    (one,) = found(runtime, AlertKind.NOT_FRESH)
    assert one.en.endswith("; 2026-11-16: 1 failed")
    assert one.todo == "douyin status --select hot_words"


@pytest.mark.parametrize(
    ("status", "is_told"),
    [(Outcome.UNAVAILABLE, False), (Outcome.NOT_READY, False), (Outcome.FAILED, True), (Outcome.QUOTA, True)],
)
def test_what_never_came_is_alerted_unless_it_cannot_be_had(runtime: Runtime, status: Outcome, is_told: bool):
    loaded(runtime, "billboard_stars", 0, status=status)
    assert stale(runtime) == ({"billboard_stars"} if is_told else set())


def test_a_lost_capability_is_alerted_once_with_where_to_look(runtime: Runtime):
    """It is not reported as late data: no user here can speed it up."""
    loaded(runtime, "billboard_stars", 50, dt=TODAY - timedelta(days=2))
    assert found(runtime, AlertKind.LACKING) == []
    assert stale(runtime) == {"billboard_stars"}
    lose(runtime, "billboard_stars")
    assert stale(runtime) == set()
    (one,) = found(runtime, AlertKind.LACKING)
    assert (one.key, one.severity, one.todo) == (f"lacking:{APP}", Severity.WARNING, "douyin doctor; douyin coverage")
    assert "0 operations owned, 1 not owned, 0 withdrawn, 1 tables cannot be had, no account is authorised" in one.en
    assert "1 个接口无能力" in one.zh


def test_missing_capabilities_are_alerted_again_only_when_they_change(runtime: Runtime):
    """Three days of checks: one alert for the missing capability, one when more are missing, one when it is over."""
    from resources.state.alerts import list_alerts
    from services.alerts.work import run_alerts

    def reported() -> int:
        return list_alerts(runtime.state, kinds=[AlertKind.LACKING])[0].due_at

    lose(runtime, "billboard_stars")
    run_alerts(runtime)
    first = reported()
    for hours in (1, 24, 48):
        runtime.set_clock(Clock.frozen(NOW + timedelta(hours=hours)))
        loaded(runtime, "billboard_stars", -hours, dt=TODAY + timedelta(days=hours // 24), status=Outcome.UNAVAILABLE)
        run_alerts(runtime)
        assert reported() == first
    lose(runtime, "poi_billboard", 28001056)
    run_alerts(runtime)
    assert reported() > first
    for operation in ("billboard_stars", "poi_billboard"):
        assert switch_on(runtime.state, APP, operation)
    run_alerts(runtime)
    assert list_alerts(runtime.state, kinds=[AlertKind.LACKING]) == []
    (over,) = list_alerts(runtime.state, kinds=[AlertKind.LACKING], since=NOW)
    assert over.times == 1


def lose(runtime: Runtime, operation: str, code: int = 28001018) -> None:
    record_capability(
        runtime.state, APP, operation, owned=False, now=runtime.clock.now(), code=code, reason="as the platform says"
    )


def test_a_published_file_that_lags_behind_the_lake(runtime: Runtime):
    partition = runtime.lake.path("hot_words", TODAY)
    partition.parent.mkdir(parents=True)
    partition.write_bytes(b"as a file only")
    assert stale(runtime) == set(), "it has just landed"
    now = time.time()
    os.utime(partition, (now - 3 * 3600, now - 3 * 3600))
    assert stale(runtime) == {"warehouse"}
    assert stale(runtime, publish_hours=4) == set()
    runtime.warehouse.path.write_bytes(b"")
    runtime.warehouse.path.unlink()
    duckdb.connect(str(runtime.warehouse.path)).close()
    assert stale(runtime) == set()


# --------------------------------------------------------------------------- quarantine


def test_too_many_rows_in_quarantine(runtime: Runtime):
    loaded(runtime, "videos", 1, open_id="a", rows=190, quarantined=5)
    loaded(runtime, "videos", 1, open_id="b", rows=0, quarantined=4)
    assert found(runtime, AlertKind.QUARANTINE, thresholds={"quarantine_ratio": 0.01}) == [], "too few"
    assert [
        f.subject
        for f in found(runtime, AlertKind.QUARANTINE, thresholds={"quarantine_ratio": 0.04, "quarantine_rows": 9})
    ] == ["videos"]
    assert found(runtime, AlertKind.QUARANTINE, thresholds={"quarantine_ratio": 0.05, "quarantine_rows": 9}) == []
    loaded(runtime, "videos", 1, open_id="b", rows=0, quarantined=40)
    (one,) = found(runtime, AlertKind.QUARANTINE)
    assert one.en == "videos 2026-11-16: 45 rows (19%) are in quarantine, 190 landed"
    loaded(runtime, "videos", 0, dt=TODAY + timedelta(days=1), rows=10)
    assert found(runtime, AlertKind.QUARANTINE) == [], "only the newest day counts"


# --------------------------------------------------------------------------- marts


def publish_marts(runtime: Runtime, *statements: str) -> None:
    with duckdb.connect(str(runtime.warehouse.path)) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS marts")
        for statement in statements:
            connection.execute(statement)


_PERFORMANCE = f"""
CREATE TABLE marts.video_performance AS
SELECT
  *,
  play_count / median_play_count AS ratio_to_median,
  play_count < 0.3 * median_play_count AS is_low_play
FROM (VALUES
  (DATE '2026-11-16', '{APP}', '{OPEN_ID}', '7001', '新品 上市' || repeat('长', 60), 3, 12, 1200.0),
  (DATE '2026-11-16', '{APP}', '{OPEN_ID}', '7002', 'ok', 3, 900, 1200.0),
  (DATE '2026-11-16', '{APP}', '_unknown_account_0001', '7003', NULL, 1, 1, 50.0),
  (DATE '2026-11-15', '{APP}', '{OPEN_ID}', '7004', 'old', 9, 1, 1000.0)
) AS t (dt, client_key, open_id, item_id, title, age_days, play_count, median_play_count)
"""
_WORDS = """
CREATE TABLE marts.hot_words_now AS SELECT * FROM (VALUES
  (DATE '2026-11-16', '瑞幸咖啡联名', 9000000::BIGINT, TIMESTAMPTZ '2026-11-16 03:05:00+00', true, false),
  (DATE '2026-11-16', '咖啡节', 100::BIGINT, TIMESTAMPTZ '2026-11-16 02:05:00+00', false, true),
  (DATE '2026-11-16', '天气', 5::BIGINT, TIMESTAMPTZ '2026-11-16 02:05:00+00', false, false),
  (DATE '2026-11-16', '咖啡节', 90::BIGINT, TIMESTAMPTZ '2026-11-16 02:05:00+00', false, false),
  (DATE '2026-11-15', '昨日咖啡', 80::BIGINT, TIMESTAMPTZ '2026-11-15 02:05:00+00', false, false)
) AS t (dt, sentence, hot_level, first_seen_at, is_new, is_rising)
"""


def test_videos_with_few_plays_on_the_newest_day(runtime: Runtime):
    account(runtime, 20, name="门店甲")
    set_tags(runtime.state, APP, OPEN_ID, ["brand_a"])
    publish_marts(runtime, _PERFORMANCE)
    one, other = sorted(found(runtime, AlertKind.LOW_PLAYS), key=lambda f: f.subject, reverse=True)
    if "7003" in one.subject:
        one, other = other, one
    assert (one.subject, one.tags, one.severity) == (f"{APP}/{OPEN_ID}/7001", {"brand_a"}, Severity.INFO)
    assert one.zh.endswith("》发布 3 天播放 12，同期中位数 1,200（1%）")
    assert len(one.title) < 55
    assert (other.subject, other.title) == (f"{APP}/_unknown_account_0001/7003", "_unk…0001 《7003》")


def test_watched_hot_words(runtime: Runtime):
    publish_marts(runtime, _WORDS)
    assert found(runtime, AlertKind.HOT_WORD) == []
    first, second = found(runtime, AlertKind.HOT_WORD, watch_words=["咖啡", "re:^瑞幸"])
    assert first.zh == "热点词「瑞幸咖啡联名」命中关注词「咖啡」，热度 9,000,000（新上榜 new）"
    assert (second.subject, "上升 rising" in second.zh) == ("咖啡节", True)
    assert [f.subject for f in found(runtime, AlertKind.HOT_WORD, watch_words=["re:^瑞幸"])] == ["瑞幸咖啡联名"]


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (None, "nothing is published yet: `douyin publish`"),
        ((), "the warehouse has no marts.video_performance yet: `douyin run`"),
        (
            ("CREATE TABLE marts.video_performance AS SELECT 1 AS dt",),
            "marts.video_performance cannot be read (Binder Error",
        ),
    ],
)
def test_a_missing_mart_is_reported_and_does_not_count_as_healthy(runtime: Runtime, statements, why: str):
    if statements is not None:
        publish_marts(runtime, *statements)
    looked = look(runtime, Alerts(watch_words=["咖啡"]))
    assert looked.not_looked[AlertKind.LOW_PLAYS].startswith(why)
    assert (
        set(looked.not_looked)
        == {AlertKind.LOW_PLAYS, AlertKind.HOT_WORD}
        == set(AlertKind) - looked.kinds - {AlertKind.RUN_FAILED}
    )

"""``douyin storage`` and ``douyin verify`` on one installation: sizes, retention, compaction.

Query results stay the same.
"""

from __future__ import annotations

import re
from datetime import date

import pytest

from apps.cli.develop import environment
from catalog import TABLES
from services.ingest.run import ingest
from services.maintenance.retention import loose_days, sealed_months

NOW = "2026-11-16T11:00:00+08:00"
LATER = "2027-01-20T11:00:00+08:00"
SOME = ("hot_words", "videos", "item_play", "user_fans")
QUESTION = (
    "select 'hot_words', count(*), sum(rank) from hot_words union all select 'item_play', count(*), "
    "sum(plays) from item_play union all select 'user_fans', count(*), sum(total_fans) from user_fans order "
    "by 1"
)


@pytest.fixture(scope="module")
def home(platforms, tmp_path_factory):
    """Three days in November, as they lie there in January."""
    from installation import World

    world = World(
        *platforms(accounts=2, videos=12),
        home=tmp_path_factory.mktemp("storage") / "data",
        options={"start_date": date(2026, 10, 1)},
    )
    world.clear()
    world.open().authorize()
    for day in (16, 17, 18):
        for hour in (11, 12):
            world.at(f"2026-11-{day}T{hour}:00:00+08:00")
            for name in SOME:
                today = world.runtime.clock.today()
                ingest(world.runtime, TABLES[name], [TABLES[name].latest_partition(today)])
    world.runtime.warehouse.publish()
    yield world
    world.runtime.close()
    world.clear()


@pytest.fixture
def answers(home):
    """Return an analyst's results from the published file."""

    def ask(question: str = QUESTION):
        with home.runtime.warehouse.connect() as connection:
            return connection.execute(question).fetchall()

    return ask


@pytest.fixture
def douyin_there(home, douyin):
    from resources.config.clock import Clock

    home.runtime.set_clock(Clock.parse(LATER))
    settings = environment(home.runtime.settings) | {"DOUYIN_CLOCK": LATER}
    settings = {k: v for k, v in settings.items() if k.startswith("DOUYIN_")}
    return lambda *words, **more: douyin(*words, **(settings | more))


def test_sizes(home, douyin_there):
    reported = douyin_there("storage")
    assert reported.exit_code == 0, reported.stdout
    assert re.search(r"hot_words +<0\.1 +6 +<0\.1 +3", reported.stdout)
    assert "warehouse.duckdb" in reported.stdout
    assert re.search(r"all +", reported.stdout)
    kept = douyin_there("storage", DOUYIN_KEEP='{"hot_words": {"archive_days": 90}}', DOUYIN_KEEP_LAKE_DAYS="400")
    assert "archive 90 d, lake 400 d" in kept.stdout


def test_what_was_kept_agrees(douyin_there):
    reported = douyin_there("verify")
    assert reported.exit_code == 0, reported.stdout
    assert "agrees" in reported.stdout
    assert re.search(r"\d+ segments of the archive read, \d+ partitions", reported.stdout)
    assert douyin_there("verify", "--from", "2026-11-20", "--to", "2026-11-19").exit_code == 2


@pytest.mark.slow
def test_sealed_months_are_put_together(home, douyin_there, answers):
    before = answers()
    dry = douyin_there("storage", "compact", "--dry-run")
    assert "months of the lake and" in dry.stdout
    assert sealed_months(home.runtime, "hot_words", 1 << 30) == ["2026-11"]
    reported = douyin_there("storage", "compact")
    assert reported.exit_code == 0, reported.stdout
    assert sealed_months(home.runtime, "hot_words", 1 << 30) == []
    assert loose_days(home.runtime, "hotsearch_sentences") == []
    assert len(list(home.runtime.lake.root.rglob("*.parquet"))) == len(SOME)
    assert douyin_there("publish").exit_code == 0
    assert answers() == before
    assert douyin_there("verify").exit_code == 0
    again = douyin_there("storage", "compact")
    assert "0 files of the lake went into 0, 0 of the archive into 0" in again.stdout
    status = douyin_there("status", "--days", "60", "-s", "hot_words")
    assert " 50 " in status.stdout or " 100 " in status.stdout


@pytest.mark.slow
def test_a_damaged_month_is_moved_aside_and_made_again(home, douyin_there, answers):
    before = answers()
    path = home.runtime.lake.month_path("hot_words", "2026-11")
    path.write_bytes(path.read_bytes()[:200])
    reported = douyin_there("verify")
    assert reported.exit_code == 1
    assert str(path) in reported.stdout
    assert "douyin verify --repair" in reported.stdout
    moved = douyin_there("verify", "--repair")
    assert "_damaged" in moved.stdout
    replayed = douyin_there("replay", "--select", "hot_words", "--from", "2026-11-01", "--to", "2026-11-30")
    assert replayed.exit_code == 0, replayed.stdout
    assert douyin_there("verify").exit_code == 0
    assert answers() == before


@pytest.mark.slow
def test_what_is_kept_no_longer_goes_and_is_not_missed(home, douyin_there, answers):
    nothing = douyin_there("storage", "prune")
    assert "nothing is older than it is kept" in nothing.stdout
    keep = {"DOUYIN_KEEP": '{"hot_words": {"archive_days": 65, "lake_days": 64}}'}
    dry = douyin_there("storage", "prune", "--dry-run", **keep)
    assert "lake hot_words: 1 days, 2026-11-16" in dry.stdout
    assert "archive" not in dry.stdout, "the same answers fill two more tables, which are kept for ever"
    assert len(home.runtime.lake.days("hot_words")) == 3
    done = douyin_there("storage", "prune", **keep)
    assert "1 days went" in done.stdout
    assert home.runtime.lake.days("hot_words") == [date(2026, 11, 17), date(2026, 11, 18)]
    assert douyin_there("verify", **keep).exit_code == 0
    assert answers("select count(distinct dt) from hot_words") == [(2,)]

    done = douyin_there("storage", "prune", DOUYIN_KEEP_ARCHIVE_DAYS="64")
    assert "went" in done.stdout
    reported = douyin_there("verify", **keep)
    assert reported.exit_code == 1
    assert "the archive lacks the answers" in reported.stdout, "nothing says that they were pruned on purpose"
    reported = douyin_there("verify", DOUYIN_KEEP_ARCHIVE_DAYS="64", **keep)
    assert reported.exit_code == 0, reported.stdout
    replayed = douyin_there("replay", "--select", "item_play,user_fans", "--from", "2026-11-01", "--to", "2026-11-30")
    assert replayed.exit_code == 0
    assert "0 partitions" in replayed.stdout

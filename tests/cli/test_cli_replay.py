"""``douyin replay`` rebuilds the lake from the archive, over all tables and several days, byte for byte.

One installation serves the file, three days old: two hours of one day, windows that overlap, comments read further,
published weeks, rows in quarantine, unknown members, an account that failed. Every test restores the lake.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from installation import TODAY, World

from catalog import TABLES
from catalog.records import History
from resources.state.load_status import Outcome, read_load_status, save_load_status
from resources.storage.lake import DRIFT, QUARANTINE
from resources.warehouse.state_tables import load_status_batches
from services.ingest.normalise import normalise

pytestmark = pytest.mark.slow

LAST = TODAY + timedelta(days=2)
HOURLY = ("hot_words", "hot_words_rising")
HIT = 1


@pytest.fixture(scope="module")
def history(platforms, tmp_path_factory) -> Iterator[World]:
    world = World(
        *platforms(accounts=2, videos=5, most_fans=20_000),
        home=tmp_path_factory.mktemp("history"),
        options={"concurrency": 1},
    )
    world.clear()
    world.open().at("2026-11-16T11:00:00+08:00").authorize()
    world.watch(("keyword", "咖啡"), ("poi-keyword", "咖啡"), ("amap", "B0SANDBOX0001"))
    for n in range(3):
        today = TODAY + timedelta(days=n)
        world.at(f"{today}T11:00:00+08:00")
        if n == 1:
            world.fault("video_list", "malformed_row", HIT, row=2)
            world.fault("video_list", "unknown_member", 0)
        if n == 2:
            world.fault("user_fans", "busy", HIT, times=None)
        world.receive()
        for name, table in TABLES.items():
            late = [today - timedelta(days=d) for d in (1, 2, 3)]
            world.ingest(name, *(late if table.history is History.WINDOW else [table.latest_partition(today)]))
        world.clear()
        world.at(f"{today}T12:05:00+08:00")
        for name in HOURLY:
            world.ingest(name)
    world.runtime.warehouse.publish(lambda: {"meta.load_status": load_status_batches(world.runtime.state)})
    yield world
    world.runtime.close()
    world.clear()


@pytest.fixture
def replayed(history: World, douyin):
    """Run ``replayed("--from", …)`` on that installation, in this process, without requests."""

    def run(*arguments: str):
        history.clear()
        reported = douyin(
            "replay",
            *arguments,
            DOUYIN_HOME=str(history.home),
            DOUYIN_CLOCK=history.now,
            DOUYIN_START_DATE="2026-11-01",
            DOUYIN_BASE_URL=history.url,
        )
        assert history.calls() == 0
        return reported

    return run


def words_of(stdout: str, table: str) -> list[str]:
    """Return the summary's row of a table: days, unchanged, rows, added, removed, altered, confirmed, quarantined."""
    summary = re.split(r"^(?:replayed|would change) ", stdout, flags=re.MULTILINE)[1]
    return next(line.split()[1:] for line in summary.splitlines() if line.split()[:1] == [table])


def lines(world: World) -> dict:
    return {(s.table_name, s.dt, s.operation, s.open_id): s for s in read_load_status(world.runtime.state)}


SPAN = ("--from", "2026-11-13", "--to", LAST.isoformat())


def test_lake_and_warehouse_lost_come_back_byte_for_byte(history: World, replayed):
    before, status = history.lake_files(), lines(history)
    assert {name.split("/")[0] for name in before} == {*TABLES, QUARANTINE, DRIFT}
    assert len({n for n in before if n.startswith("comments/")}) >= 2
    assert len({n for n in before if n.startswith("item_play/")}) == 5
    failed = {(s.table_name, s.dt, s.rows) for s in status.values() if s.status.is_failure}
    assert failed == {("user_fans", LAST - timedelta(days=1), 0)}, "one account failed on the last day"
    shutil.rmtree(history.runtime.lake.root)
    history.runtime.warehouse.path.unlink()
    reported = replayed(*SPAN)
    assert reported.exit_code == 0, reported.stdout + reported.stderr
    after = history.lake_files()
    assert sorted(after) == sorted(before)
    assert [name for name in before if before[name] != after[name]] == []
    assert lines(history) == status, "what became of the calls is history, and the rows are as many"
    assert history.runtime.warehouse.path.exists()
    rows = len(history.rows("hot_words", LAST)) * 3
    assert words_of(reported.stdout, "hot_words") == ["3", "–", f"{rows:,}", f"{rows:,}", "–", "–", "–", "–"]
    assert f"hot_words {LAST}: no day yet, {rows // 3} added" in reported.stdout
    assert any(name.startswith(f"{QUARANTINE}/videos/") for name in after), "one value in quarantine"
    # A second replay has nothing to do, and reports that.
    again = replayed(*SPAN)
    assert "replaced 0 partitions; published 0" in again.stdout
    assert history.lake_files() == before


def test_some_days_are_the_same_bytes_as_all(history: World, replayed):
    before = history.lake_files()
    shutil.rmtree(history.runtime.lake.root)
    reported = replayed(
        "--from", TODAY.isoformat(), "--to", TODAY.isoformat(), "--select", "item_play,videos,comments,hot_words"
    )
    assert reported.exit_code == 0, reported.stderr
    after = history.lake_files()
    assert {n.split("/dt=")[0] for n in after if "_" not in n[:1]} == {"item_play", "videos", "comments", "hot_words"}
    assert all("dt=2026-11-16" in name and before[name] == data for name, data in after.items())
    assert replayed("--from", "2026-11-13").exit_code == 0
    assert history.lake_files() == before


def test_each_day_by_itself_is_as_in_the_whole(history: World):
    days = [date(2026, 11, 10) + timedelta(days=n) for n in range(9)]
    for name in ("item_play", "user_fans", "hot_words", "videos"):
        whole = normalise(history.runtime.archive, TABLES[name], days)
        assert len(whole) >= 3
        for dt in days:
            alone = normalise(history.runtime.archive, TABLES[name], [dt])
            assert alone == ({dt: whole[dt]} if dt in whole else {}), (name, dt)


def test_what_would_change_is_reported_and_not_done(history: World, replayed):
    """A day as other code could have written it: a missing row, an extra one, a different one."""
    good = history.read("videos", TODAY)
    before = history.lake_files()
    rows = good.to_pylist()
    stray = rows[0] | {"item_id": "zzz"}
    wrong = rows[2] | {"title": "旧"}
    history.runtime.lake.write("videos", TODAY, pa.Table.from_pylist([rows[0], wrong, *rows[3:], stray], good.schema))
    spoiled = history.lake_files()
    reported = replayed(*SPAN, "-s", "videos", "--dry-run")
    assert reported.exit_code == 0, reported.stderr
    assert f"videos {TODAY}: 1 added, 1 removed, 1 altered" in reported.stdout
    assert words_of(reported.stdout, "videos")[3:6] == ["1", "1", "1"]
    assert "1 partitions would be replaced; nothing was written" in reported.stdout
    assert history.lake_files() == spoiled
    assert replayed(*SPAN, "-s", "videos").exit_code == 0
    assert history.lake_files() == before


def test_a_day_that_the_archive_has_forgotten_stays(history: World, replayed, tmp_path):
    before, root = history.lake_files(), history.runtime.archive.root
    shutil.copytree(root, tmp_path / "kept")
    try:
        for name in ("hotsearch_sentences", "user_fans"):
            shutil.rmtree(root / name / TODAY.isoformat())
        # The later days of the series are still there; they lack the rows that only the first one observed.
        gone = history.read("user_fans", date(2026, 11, 13))
        assert gone.num_rows == 2
        reported = replayed(*SPAN, "-s", "hot_words,user_fans")
        assert reported.exit_code == 0, reported.stderr
        assert f"left alone: hot_words {TODAY}" in reported.stdout
        assert "the archive knows nothing of that day" in reported.stdout
        assert words_of(reported.stdout, "hot_words")[:2] == ["3", "1"]
        assert history.lake_files() == before
        # A row from a forgotten response alone: its removal is refused.
        shutil.rmtree(root / "user_fans" / LAST.isoformat())
        newest = LAST - timedelta(days=2)
        table = history.read("user_fans", newest)
        assert set(pc.unique(table["open_id"]).to_pylist()) == set(history.accounts)
        reported = replayed(*SPAN, "-s", "user_fans")
        assert "the archive lacks the answers that" in reported.stdout
        assert history.lake_files() == before
    finally:
        shutil.rmtree(root)
        shutil.copytree(tmp_path / "kept", root)
    replayed(*SPAN, "-s", "hot_words,user_fans")
    assert history.lake_files() == before


def test_load_status_stays_true(history: World, replayed):
    """Fetch failures stay, parse failures of older code disappear, and a lost row returns."""
    state, now = history.runtime.state, history.runtime.clock.now().timestamp()
    mine = {s.open_id: s for s in read_load_status(state, table="videos", dts=[TODAY]) if s.operation == "video_list"}
    first, second = (mine[a] for a in history.accounts)
    assert min(first.rows, second.rows) > 0
    partial = replace(first, status=Outcome.PARTIAL, code=2100004, reason="1 of 2 failed: busy")
    unread = replace(
        second,
        status=Outcome.FAILED,
        code=None,
        rows=0,
        quarantined=second.rows,
        reason=f"all {second.rows} rows are in quarantine",
    )
    save_load_status(state, [partial, unread], now)
    assert replayed(*SPAN, "-s", "videos", "--dry-run").exit_code == 0
    assert unread in read_load_status(state, table="videos", dts=[TODAY]), "looking changes nothing"
    assert replayed(*SPAN, "-s", "videos").exit_code == 0
    after = {s.open_id: s for s in read_load_status(state, table="videos", dts=[TODAY]) if s.operation == "video_list"}
    assert after[first.open_id] == partial
    reported = after[second.open_id]
    assert (reported.status, reported.rows, reported.quarantined, reported.reason) == (
        Outcome.LOADED,
        second.rows,
        second.quarantined,
        "from the archive, without a call",
    )
    save_load_status(state, [first, second], now)


def test_a_damaged_segment_is_named(history: World, replayed):
    segment = next((history.runtime.archive.root / "hotsearch_sentences" / TODAY.isoformat()).glob("*.zst"))
    good, before = segment.read_bytes(), history.lake_files()
    try:
        segment.write_bytes(good[:-20])
        reported = replayed(*SPAN, "-s", "hot_words")
        assert reported.exit_code == 1
        assert str(segment.name) in reported.stderr
        assert "restore it from a copy" in reported.stderr
    finally:
        segment.write_bytes(good)
    assert history.lake_files() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2026-10-31"), "DOUYIN_START_DATE=2026-11-01"),
        (("--to", "2026-11-19"), "has not begun"),
        (("--from", "2026-11-17", "--to", "2026-11-16"), "lies before --from"),
        (("-s", "nonsense"), "no table, domain or operation"),
    ],
)
def test_what_cannot_be_meant_is_refused(replayed, words: tuple[str, ...], said: str):
    reported = replayed(*words)
    assert reported.exit_code == 2
    assert said in reported.stderr

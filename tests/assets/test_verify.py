"""Damage of every kind is found, named, and repaired where the archive allows."""

from __future__ import annotations

import shutil
from datetime import timedelta

import duckdb
import pyarrow.compute as pc
import pytest
from installation import START, TODAY, YESTERDAY, World

from catalog import TABLES
from resources.storage.partition import LakeCorrupt
from resources.storage.segments import ArchiveCorrupt
from services.ingest.replay import replay
from services.maintenance.verification import VerificationReport
from services.maintenance.verify import set_aside, verify
from services.marts.publishing import publish

SOME = ("hot_words", "videos", "video_totals", "item_base", "item_play", "user_fans", "comments", "comment_reads")
FIRST = TODAY - timedelta(days=40)


PLATFORM = {"accounts": 2, "videos": 12}


@pytest.fixture(scope="module")
def whole(platforms, tmp_path_factory):
    """A published day of several tables, with the whole window of its series.

    Loaded once, since it takes 2 to 4 s. Tests must not modify it.
    """
    world = World(*platforms(**PLATFORM), home=tmp_path_factory.mktemp("whole"), options={"start_date": FIRST})
    world.clear()
    world.open().at(START).authorize()
    for table in SOME:
        days = [TODAY - timedelta(days=n) for n in range(30, 0, -1)] if TABLES[table].history == "window" else []
        world.ingest(table, *days)
    publish(world.runtime)
    world.runtime.close()
    return world


@pytest.fixture
def kept(whole, make_world, tmp_path):
    """A copy of it for each test; the files keep their times, by which the published file knows the partitions."""
    shutil.copytree(whole.home, tmp_path / "home")
    world = make_world(platform=PLATFORM, start_date=FIRST, authorize=False)
    world.accounts = whole.accounts
    return world


def look(world, *tables: str) -> VerificationReport:
    return verify(world.runtime, tables or SOME, FIRST, TODAY)


def spoil(path, at: float = 0.5, width: int = 64) -> None:
    data = bytearray(path.read_bytes())
    start = min(int(len(data) * at), len(data) - width)
    for n in range(start, start + width):
        data[n] ^= 0xFF
    path.write_bytes(data)


def segment_of(world, operation: str):
    return next((world.runtime.archive.root / operation).rglob("*.zst"))


@pytest.mark.slow
def test_what_is_whole_agrees(kept):
    found = look(kept)
    assert found.findings == []
    assert found.segments >= len(SOME) - 2
    assert found.days == 6 + 30 + len(kept.runtime.lake.days("item_play")), (
        "no video of the first days of the window is left to be requested"
    )
    assert found.published == found.days
    assert found.totals > 30
    assert not found.alone


@pytest.mark.slow
@pytest.mark.parametrize("at", [0.0, 0.4, 0.99])
def test_a_single_spoilt_byte_is_found_and_the_file_made_again(kept, at: float):
    path = kept.runtime.lake.path("item_play", YESTERDAY)
    whole = path.read_bytes()
    spoil(path, at, width=1)
    (finding,) = look(kept, "item_play").wrong[:1]
    assert str(path) in finding.where + finding.what
    assert finding.mend == f"douyin replay --select item_play --from {YESTERDAY} --to {YESTERDAY}"
    for one in replay(kept.runtime, TABLES["item_play"], YESTERDAY, YESTERDAY):
        one.land(kept.runtime)
    assert path.read_bytes() == whole
    publish(kept.runtime)
    assert look(kept, "item_play").findings == []


def test_a_run_mends_a_damaged_file_and_says_so(kept):
    path = kept.runtime.lake.path("user_fans", YESTERDAY)
    whole = path.read_bytes()
    spoil(path)
    done = kept.ingest("user_fans")
    assert done.changes[YESTERDAY].damaged == 1
    assert "damaged files replaced" in str(done.changes[YESTERDAY])
    assert path.read_bytes() == whole


def test_what_goes_through_a_damaged_file_says_what_to_do(kept):
    spoil(kept.runtime.lake.path("videos", TODAY), at=0.3)
    kept.at("2026-11-16T23:00:00+08:00")
    with pytest.raises(LakeCorrupt, match=f"douyin replay --select videos --from {TODAY} --to {TODAY}"):
        kept.ingest("item_base")


@pytest.mark.slow
def test_rows_that_were_not_observed_and_rows_that_are_gone(kept):
    lake = kept.runtime.lake
    rows = lake.read("item_play", YESTERDAY)
    changed = rows.set_column(
        rows.schema.get_field_index("plays"), rows.schema.field("plays"), pc.add(rows["plays"], 1)
    )
    lake.write("item_play", YESTERDAY, changed)
    lake.write("user_fans", YESTERDAY, lake.read("user_fans", YESTERDAY).slice(1))
    lake.remove("hot_words", TODAY)
    publish(kept.runtime)
    found = {f.table: f.what for f in look(kept).wrong}
    assert found["item_play"] == f"differs from the archive: making it again means {rows.num_rows} altered"
    assert found["user_fans"] == "differs from the archive: making it again means 1 added"
    assert found["hot_words"] == "is missing: the archive has 50 rows of that day"
    assert len(found) == 3


@pytest.mark.slow
def test_a_damaged_segment_stops_its_table_alone_and_is_moved_aside(kept):
    segment = segment_of(kept, "hotsearch_sentences")
    spoil(segment)
    found = look(kept)
    (finding,) = found.wrong
    assert str(segment) in finding.where
    assert finding.mend == "douyin verify --repair"
    assert found.alone == {"hot_words": 1}, "the lake has its rows, they cannot be compared"
    with pytest.raises(ArchiveCorrupt, match="douyin verify --repair"):
        kept.ingest("hot_words")
    assert kept.ingest("user_fans").missing == []

    ((_, target),) = set_aside(kept.runtime, found.wrong)
    assert target.exists()
    assert not segment.exists()
    before = kept.rows("hot_words", TODAY)
    kept.clear()
    done = kept.ingest("hot_words")
    assert kept.calls("hotsearch_sentences") == done.calls == 1, "the slot is not over: the list is requested again"
    assert done.changes[TODAY].removed == len(before) or kept.rows("hot_words", TODAY) == before
    assert look(kept, "hot_words").wrong[1:] == []


def test_a_damaged_day_without_answers_says_to_restore_it(kept):
    kept.runtime.archive.remove_day("hotsearch_sentences", TODAY)
    spoil(kept.runtime.lake.path("hot_words", TODAY))
    (finding,) = look(kept, "hot_words").wrong[:1]
    assert "restore it from a copy" in finding.mend


def test_a_flipped_bit_in_a_mart_is_named(kept):
    mart = next((kept.runtime.lake.root / "marts").rglob("dt=*/data.parquet"))
    spoil(mart, width=1)
    finding, behind = look(kept, "hot_words").wrong
    assert (finding.where, finding.mend) == (str(mart), "douyin verify --repair, then douyin publish")
    assert behind.mend == "douyin publish", "the time of the mart's file is another one"
    set_aside(kept.runtime, [finding])
    publish(kept.runtime)
    assert look(kept, "hot_words").findings == []


@pytest.mark.slow
def test_a_warehouse_that_is_behind_lost_or_other_is_named(kept):
    path = kept.runtime.warehouse.path
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE item_play SET plays = plays + 1 WHERE dt = ?", [YESTERDAY])
    (finding,) = look(kept).wrong
    assert (finding.table, finding.mend) == ("item_play", "douyin publish --rebuild")
    assert str(YESTERDAY) in finding.what
    publish(kept.runtime, rebuild=True)
    assert look(kept).findings == []
    kept.ingest("user_like")
    assert [f.mend for f in look(kept).wrong] == ["douyin publish"]
    path.unlink()
    assert [f.mend for f in look(kept).wrong] == ["douyin publish"]


def test_totals_that_do_not_add_up_are_hints(kept):
    lake = kept.runtime.lake
    rows = lake.read("item_base", TODAY)
    doubled = rows.set_column(
        rows.schema.get_field_index("plays_30d"), rows.schema.field("plays_30d"), pc.multiply(rows["plays_30d"], 2)
    )
    lake.write("item_base", TODAY, doubled)
    hints = [f for f in look(kept, "item_base").findings if f.is_hint]
    assert hints
    assert all("over 30 days, the platform states" in f.what for f in hints)


@pytest.mark.slow
def test_the_check_shows_it_in_dagster(kept):
    import dagster as dg

    from assets.archive import ARCHIVE
    from pipelines.definitions import build_definitions

    spoil(kept.runtime.lake.path("item_play", YESTERDAY))
    definitions = build_definitions(kept.runtime, kept.runtime.settings)
    with dg.DagsterInstance.ephemeral() as instance:
        ran = definitions.resolve_job_def("verify_job").execute_in_process(instance=instance, raise_on_error=False)
        (evaluation,) = ran.get_asset_check_evaluations()
    assert (evaluation.asset_key.path[-1], evaluation.check_name, evaluation.passed) == (ARCHIVE, "holds", False)
    reported = evaluation.metadata["findings"].records
    assert any("item_play" in r.data["table"] and "douyin replay" in r.data["mend"] for r in reported)

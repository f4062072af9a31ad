"""The archive is lost, or an older copy of it was restored.

No run removes rows that it cannot account for, and ``verify`` reports the loss.
"""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from installation import TODAY, YESTERDAY

from catalog import TABLES
from resources.config.settings_parts import Keep
from resources.state.load_status import Outcome
from services.ingest.replay import replay
from services.maintenance.verify import verify

LATER = "2026-11-16T13:05:00+08:00"


@pytest.fixture
def loaded(make_world):
    world = make_world(platform={"accounts": 2, "videos": 8})
    for name in ("hot_words", "videos", "user_fans"):
        world.ingest(name)
    return world


def lose(world) -> None:
    shutil.rmtree(world.runtime.archive.root)


def test_a_run_after_the_archive_was_lost_keeps_the_rows_and_names_the_gap(loaded):
    before = loaded.lake_files()
    lose(loaded)
    done = loaded.at(LATER).ingest("hot_words")
    assert loaded.lake_files() == before
    assert done.partitions == {}
    said = done.refused[TODAY]
    assert "the archive lacks the answers that 50 of its rows came from (hotsearch_sentences of 2026-11-16)" in said
    assert "restore archive/ from a copy" in said
    assert f"`douyin replay --select hot_words --from {TODAY} --to {TODAY} --accept-loss`" in said
    (line,) = loaded.status("hot_words", TODAY).values()
    assert (line.status, line.reason, line.rows) == (Outcome.FAILED, said, 50)


def test_an_older_copy_of_the_archive_takes_nothing_away(loaded, tmp_path):
    """The copy has the morning, and lacks the hour after it."""
    shutil.copytree(loaded.runtime.archive.root, tmp_path / "copy")
    loaded.at(LATER).ingest("hot_words")
    before = loaded.lake_files()
    lose(loaded)
    shutil.copytree(tmp_path / "copy", loaded.runtime.archive.root)
    done = loaded.at("2026-11-16T15:05:00+08:00").ingest("hot_words")
    assert "the archive lacks the answers that 50 of its rows came from" in done.refused[TODAY]
    assert loaded.lake_files() == before
    assert [one.left_alone is not None for one in replay(loaded.runtime, TABLES["hot_words"], TODAY, TODAY)] == [True]


def test_with_the_archive_back_the_next_run_has_everything(loaded, tmp_path):
    shutil.copytree(loaded.runtime.archive.root, tmp_path / "copy")
    lose(loaded)
    loaded.at(LATER).ingest("hot_words")
    shutil.copytree(tmp_path / "copy", loaded.runtime.archive.root, dirs_exist_ok=True)
    assert loaded.ingest("hot_words").refused == {}
    assert len(loaded.rows("hot_words", TODAY)) == 100
    found = verify(loaded.runtime, ["hot_words"], YESTERDAY, TODAY)
    assert [f for f in found.wrong if f.table == "hot_words"] == []


def test_rows_that_newer_answers_repeat_are_replaced(loaded):
    """A listing that is read again has the same rows with today's values: none of them is lost."""
    lose(loaded)
    done = loaded.at(LATER).ingest("videos")
    assert done.refused == {}
    assert done.changes[TODAY].removed == 0
    assert {r["observed_at"] for r in loaded.rows("videos", TODAY)} == {loaded.runtime.clock.now()}


def test_who_accepts_the_loss_gets_the_day_and_keeps_the_file(loaded):
    lose(loaded)
    loaded.at(LATER).ingest("hot_words")
    own = loaded.runtime.lake.path("hot_words", TODAY)
    before = own.read_bytes()
    (one,) = replay(loaded.runtime, TABLES["hot_words"], TODAY, TODAY)
    with pytest.raises(ValueError, match="the archive lacks the answers"):
        one.land(loaded.runtime)
    one.land(loaded.runtime, accept_loss=True)
    assert len(loaded.rows("hot_words", TODAY)) == 50
    assert (loaded.runtime.lake.root / "_damaged" / own.relative_to(loaded.runtime.lake.root)).read_bytes() == before
    assert loaded.at("2026-11-16T14:05:00+08:00").ingest("hot_words").refused == {}
    assert len(loaded.rows("hot_words", TODAY)) == 100


def test_verify_without_an_archive_is_an_error(loaded):
    lose(loaded)
    found = verify(loaded.runtime, ["hot_words", "videos", "user_fans"], TODAY - timedelta(days=15), TODAY)
    assert {f.table for f in found.wrong if "the archive lacks the answers" in f.what} == {
        "hot_words",
        "videos",
        "user_fans",
    }
    assert not found.alone


def test_answers_that_are_not_kept_on_purpose_are_no_error(loaded):
    loaded.runtime.archive.remove_day("hotsearch_sentences", TODAY)
    loaded.at("2026-11-20T11:00:00+08:00")
    loaded.runtime.settings.keep["hot_words"] = Keep(archive_days=2)
    loaded.runtime.settings.keep["hot_words_rising"] = Keep(archive_days=2)
    found = verify(loaded.runtime, ["hot_words"], TODAY, TODAY)
    assert found.alone == {"hot_words": 1}
    assert [f for f in found.wrong if f.table == "hot_words"] == []


def test_a_damaged_day_that_is_made_again_is_kept_aside(loaded):
    """Its file may contain more rows than the archive."""
    own = loaded.runtime.lake.path("hot_words", TODAY)
    data = bytearray(own.read_bytes())
    data[len(data) // 2] ^= 1
    own.write_bytes(data)
    done = loaded.at(LATER).ingest("hot_words")
    assert done.changes[TODAY].damaged == 1
    assert len(loaded.rows("hot_words", TODAY)) == 100
    assert (loaded.runtime.lake.root / "_damaged" / own.relative_to(loaded.runtime.lake.root)).read_bytes() == bytes(
        data
    )

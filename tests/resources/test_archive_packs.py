"""The segments of a day in one file: the same records under the same addresses, also after interruptions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from stopping import stops_at
from syncing import hold_whole, syncs

from resources.storage.archive import Archive
from resources.storage.segments import PACK, ArchiveCorrupt, ArchiveEntry

DAY, AT = date(2026, 11, 16), datetime(2026, 11, 16, 3, tzinfo=UTC)


def entry(n: int) -> ArchiveEntry:
    at = AT + timedelta(seconds=n)
    return ArchiveEntry(
        "user_fans",
        "app",
        f"account {n}",
        {"date_type": 7},
        {},
        "slot",
        f"sequence {n}",
        1,
        at,
        at,
        200,
        0,
        "logid",
        items=1,
    )


@pytest.fixture
def archive(tmp_path) -> Archive:
    made = Archive(tmp_path)
    for n in range(12):
        made.append(entry(n), b'{"n": %d}' % n)
        if n % 2:
            made.flush()
    return made


def content(archive: Archive) -> list:
    return [(str(address), e, body) for address, e, body in archive.records("user_fans", [DAY])]


def files(archive: Archive) -> list[str]:
    return sorted(p.name for p in archive.root.rglob("*") if p.is_file())


def test_records_and_addresses_stay(archive):
    before = content(archive)
    assert archive.pack("user_fans", DAY) == 6
    assert files(archive) == [PACK]
    assert content(archive) == before
    assert [e.open_id for e in archive.index("user_fans", [DAY])] == [f"account {n}" for n in range(12)]
    assert archive.days("user_fans") == [DAY]
    assert list(archive.damaged("user_fans", [DAY])) == []
    assert archive.pack("user_fans", DAY) == 0


def test_later_segments_lie_beside_and_are_packed_again(archive):
    archive.pack("user_fans", DAY)
    archive.append(entry(20), b"{}")
    archive.flush()
    before = content(archive)
    assert len(before) == 13
    assert archive.pack("user_fans", DAY) == 1
    assert content(archive) == before
    assert files(archive) == [PACK]


def test_a_reader_that_looked_before_finds_them_in_the_pack(archive):
    before = content(archive)
    looked = list(archive.segments("user_fans", [DAY]))
    archive.pack("user_fans", DAY)
    assert [(str(a), e, b) for s in looked for a, e, b in s.records()] == before


@pytest.mark.slow
@pytest.mark.parametrize("step", range(6))
def test_interrupted_at_any_step_nothing_is_lost_or_doubled(archive, step: int):
    before = content(archive)
    stops_at(step, ("fsync", "replace", "unlink"), lambda: archive.pack("user_fans", DAY))
    assert content(archive) == before
    archive.pack("user_fans", DAY)
    assert content(archive) == before


def test_a_damaged_part_of_a_pack_is_named_and_copied_aside(archive):
    archive.pack("user_fans", DAY)
    stored = list(archive.stored("user_fans", [DAY]))
    data = bytearray(stored[2].path.read_bytes())
    for n in range(stored[2].offset + 20, stored[2].offset + stored[2].size - 20):
        data[n] ^= 0xFF
    stored[2].path.write_bytes(data)
    (error,) = archive.damaged("user_fans", [DAY])
    assert stored[2].name in str(error)
    assert str(stored[2].path) in str(error)
    with pytest.raises(ArchiveCorrupt):
        content(archive)
    target = archive.set_aside(error.segment)
    assert target.exists()
    assert len(content(archive)) == 10
    assert [s.name for s in archive.stored("user_fans", [DAY])] == [s.name for s in stored if s is not stored[2]]
    assert archive.operations() == ["user_fans"]


def test_a_day_is_forgotten(archive):
    archive.remove_day("user_fans", DAY)
    assert archive.days("user_fans") == []
    archive.remove_day("user_fans", DAY)


def test_a_pack_is_on_disk_before_its_parts_go(archive):
    folder = archive.root / "user_fans" / DAY.isoformat()
    with syncs() as seen:
        stops_at(0, ("unlink",), lambda: archive.pack("user_fans", DAY))
        assert len(files(archive)) == 7, "the pack, and all its parts"
    hold_whole(seen, folder / PACK, f".{PACK}.")
    assert seen[-1][:2] == ("fsync", folder.name)
    with syncs() as seen:
        archive.pack("user_fans", DAY)
        (folder / "x.zst").write_bytes(next(archive.stored("user_fans", [DAY])).read())
    assert files(archive) == [PACK, "x.zst"]


def test_a_segment_set_aside_is_in_its_folder_on_disk(archive):
    first = next(archive.stored("user_fans", [DAY]))
    with syncs() as seen:
        archive.set_aside(first)
    assert [one[:2] for one in seen] == [("replace", first.path.name), ("fsync", DAY.isoformat())]

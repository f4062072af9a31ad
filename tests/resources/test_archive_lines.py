"""Index lines that were appended are read back, also those of other releases; any other line is damage."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
import zstandard
from syncing import hold_whole, syncs

from resources.storage.archive import Archive
from resources.storage.segments import ArchiveCorrupt, ArchiveEntry

DAY, AT = date(2026, 11, 16), datetime(2026, 11, 16, 3, 0, 0, 123456, UTC)
ENTRY = ArchiveEntry(
    "user_fans",
    "app",
    "account",
    {"date_type": 7, "tags": ["a", "b"], "cursor": "视频"},
    {"item_id": "@1=="},
    "slot",
    "sequence",
    3,
    AT,
    AT + timedelta(milliseconds=5),
    200,
    0,
    None,
    last=False,
    whole=False,
    cursor=40,
    items=20,
    offset=40,
    newest="2026-11-15",
)


@pytest.fixture
def archive(tmp_path) -> Archive:
    made = Archive(tmp_path)
    made.append(ENTRY, b'{"n":1}')
    made.flush()
    return made


def rewrite(archive: Archive, change) -> None:
    """Put another index line in front of the same bodies."""
    (path,) = archive.root.rglob("*.zst")
    reader = zstandard.ZstdDecompressor().decompressobj()
    head, line = reader.decompress(path.read_bytes()).splitlines()
    lines = [head, orjson.dumps(change(orjson.loads(line)))]
    path.write_bytes(
        zstandard.ZstdCompressor(write_checksum=True).compress(b"\n".join(lines) + b"\n") + reader.unused_data
    )


def read(archive: Archive) -> ArchiveEntry:
    ((_, entry, body),) = archive.records("user_fans", [DAY])
    assert body == b'{"n":1}'
    return entry


def test_what_was_appended_comes_back(archive):
    assert read(archive) == ENTRY._replace(length=7)
    assert {type(read(archive).began_at), type(read(archive).observed_at)} == {datetime}


def test_a_line_in_another_order_reads_the_same(archive):
    rewrite(archive, lambda line: dict(reversed(line.items())))
    assert read(archive) == ENTRY._replace(length=7)


def test_a_line_from_before_a_member_was_added_has_its_default(archive):
    defaults = {"last": True, "whole": True, "cursor": None, "items": None, "offset": 0, "newest": None}
    rewrite(archive, lambda line: {name: value for name, value in line.items() if name not in defaults})
    assert read(archive) == ENTRY._replace(length=7, **defaults)


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line | {"unheard": 1},
        lambda line: {name: value for name, value in line.items() if name != "sequence"},
        lambda line: {name: value for name, value in line.items() if name != "observed_at"},
        lambda line: line | {"began_at": "yesterday"},
        lambda line: line | {"began_at": 5},
        lambda line: list(line),
        lambda line: 1,
        lambda line: None,
    ],
)
def test_what_is_no_index_line_is_damage(archive, change):
    rewrite(archive, change)
    with pytest.raises(ArchiveCorrupt, match="index does not read back"):
        list(archive.index("user_fans", [DAY]))
    assert len(list(archive.damaged("user_fans", [DAY]))) == 1


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        ({"code": 10**30}, {"code": None}),
        ({"cursor": -(10**30)}, {"cursor": None}),
        ({"cursor": -(2**63) - 1, "items": -(2**63)}, {"cursor": None, "items": -(2**63)}),
        ({"cursor": 2**64, "items": 2**64 - 1}, {"cursor": None, "items": 2**64 - 1}),
        ({"logid": "a\ud800b"}, {"logid": "a?b"}),
        ({"params": {"n": 2**64, "t": ["\ud800"]}}, {"params": {"n": None, "t": ["?"]}}),
        ({"cursor": {1, 2}}, {"cursor": None}),
    ],
)
def test_what_json_cannot_say_is_said_as_far_as_it_can_be(tmp_path, odd: dict, kept: dict):
    archive = Archive(tmp_path)
    archive.append(ENTRY, b"1")
    archive.append(ENTRY._replace(**odd), b"\xff\x00")
    archive.append(ENTRY, b"3")
    archive.flush()
    records = [(entry, body) for _, entry, body in archive.records("user_fans", [DAY])]
    assert records == [
        (ENTRY._replace(length=1), b"1"),
        (ENTRY._replace(length=2, **kept), b"\xff\x00"),
        (ENTRY._replace(length=1), b"3"),
    ]


def test_a_line_with_the_platforms_words_reads_back(tmp_path):
    archive = Archive(tmp_path)
    archive.append(ENTRY._replace(code=28001003, said="没有权限"), b"{}")
    archive.flush()
    ((_, entry, _),) = archive.records("user_fans", [DAY])
    assert entry == ENTRY._replace(code=28001003, said="没有权限", length=2)


def test_a_folder_that_cannot_be_written_delays_no_other(tmp_path):
    archive = Archive(tmp_path)
    (tmp_path / "a_first").write_text("in the way")
    for operation in ("a_first", "user_fans"):
        archive.append(ENTRY._replace(operation=operation), b"{}")
    with pytest.raises(OSError, match="a_first"):
        archive.flush()
    assert len(list(archive.index("user_fans", [DAY]))) == 1
    (tmp_path / "a_first").unlink()
    archive.flush()
    assert [len(list(archive.index(o, [DAY]))) for o in ("a_first", "user_fans")] == [1, 1]


def test_a_segment_is_on_disk_before_it_has_its_name_and_its_folder_afterwards(tmp_path):
    archive = Archive(tmp_path)
    archive.append(ENTRY, b"{}")
    with syncs() as seen:
        archive.flush()
    (path,) = tmp_path.rglob("*.zst")
    hold_whole(seen, path, f".{path.name}.")
    assert seen[-1][:2] == ("fsync", DAY.isoformat())


def test_answers_are_on_disk_when_they_are_due_and_not_before(tmp_path):
    def segments() -> int:
        return len(list(tmp_path.rglob("*.zst")))

    late, soon = Archive(tmp_path, flush_s=3600), Archive(tmp_path, flush_s=0)
    late.append(ENTRY, b"{}")
    late.flush_if_due()
    assert segments() == 0
    late.append(ENTRY, bytes(8 << 20))
    assert segments() == 1, "so many bytes are not buffered"
    late.append(ENTRY, b"{}")
    assert segments() == 1, "they are counted from 0 again"
    soon.append(ENTRY, b"{}")
    assert segments() == 2
    soon.flush_if_due()
    assert segments() == 2

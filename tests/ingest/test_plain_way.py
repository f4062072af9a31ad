"""The fast path from bodies to rows gives the same as the general path, and takes the documented bodies."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from contract_bodies import Bodies
from contract_reading import SAMPLES
from hypothesis import HealthCheck, Phase, given, settings
from normalising import TODAY, params_of, reach_of

from catalog import ENDPOINTS, TABLES
from catalog.records import Endpoint, Envelope, Output
from resources.storage.segments import Address, ArchiveEntry
from services.ingest.extract import Batch, Source, connect, extract, read_batches
from services.ingest.fast_path import is_simple, plain_rows
from services.ingest.rows import parse_rows

AT = datetime(2026, 11, 16, 3, tzinfo=UTC)
SIMPLE = {
    f"{e.name}-{o.table}": (e, o)
    for e in ENDPOINTS.values()
    for o in e.outputs
    if e.envelope is not Envelope.WEBHOOK and is_simple(o)
}


def by_hand(bodies: list[bytes], folder: Path) -> Path:
    """Write the bodies as the general path reads them."""
    lines = [
        b'{"r":%d,"b":%s}\n' % (n, body.replace(b"\r", b" ").replace(b"\n", b" ")) for n, body in enumerate(bodies)
    ]
    (folder / "bodies.ndjson").write_bytes(b"".join(lines))
    return folder / "bodies.ndjson"


def both_ways(bodies: list[bytes], endpoint: Endpoint, output: Output, at_once: int = 1000) -> bool:
    """Compare what both paths land and quarantine; report whether the fast one took all bodies."""
    plain = plain_rows(endpoint, [output])
    taken = [
        is_plain for some in range(0, len(bodies), at_once) for is_plain in plain.take(bodies[some : some + at_once])
    ]
    kept = [body for body, is_plain in zip(bodies, taken, strict=True) if is_plain]
    if kept:
        entry = ArchiveEntry(endpoint.name, "app", "", params_of(endpoint, 1), {}, "", "", 1, AT, AT, 200, 0, None)
        sources = [Source(Address("s", n), entry) for n in range(len(kept))]
        connection = connect()
        with tempfile.TemporaryDirectory() as folder:
            long = extract(connection, Batch(sources, by_hand(kept, Path(folder))), endpoint, output)
        connection.close()
        assert not long.unknown
        landed = [
            parse_rows(TABLES[output.table], endpoint, output, rows, sources)
            for rows in (plain.tables()[output], long.rows)
        ]
        for short_way, long_way in zip(*landed, strict=True):
            assert (short_way is None) == (long_way is None)
            if short_way is not None:
                numbers = {name: pd.ArrowDtype(pa.int64()) for name in long_way.columns if "ordinal" in name}
                pd.testing.assert_frame_equal(
                    short_way.reset_index(drop=True), long_way.reset_index(drop=True).astype(numbers), check_exact=True
                )
    return all(taken)


@pytest.mark.parametrize("name", [n for n, (e, _) in SIMPLE.items() if (SAMPLES / f"{e.name}.json").exists()])
def test_what_the_contract_shows_goes_the_short_way(name: str):
    endpoint, output = SIMPLE[name]
    sample = (SAMPLES / f"{endpoint.name}.json").read_bytes()
    assert both_ways([sample, sample], endpoint, output)


def taken_of(endpoint: Endpoint, output: Output) -> int:
    """Count the random responses that took the fast path; each gave the same rows on both."""
    taken = 0

    @settings(
        max_examples=8,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=Bodies(endpoint, TODAY, reach_of(endpoint)).strategy)
    def compare(body: Any) -> None:
        nonlocal taken
        taken += both_ways([json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")], endpoint, output)

    compare()
    return taken


@pytest.mark.parametrize("every", [45, pytest.param(9, marks=pytest.mark.slow)])
def test_random_answers_give_the_same_rows_either_way(every: int):
    assert sum(taken_of(*one) for one in list(SIMPLE.values())[::every]) > 90 // every


VIDEOS = next(o for o in ENDPOINTS["video_list"].outputs if o.table == "videos")
TOTALS = next(o for o in ENDPOINTS["video_list"].outputs if o.table == "video_totals")
BOARD = ENDPOINTS["billboard_live"].outputs[0]


def listed(rows: Iterable[str]) -> bytes:
    return b'{"data": {"list": [%s]}, "extra": {"error_code": 0}}' % ", ".join(rows).encode()


def ranked(numbers: Iterable[str]) -> bytes:
    return listed(f'{{"rank": {n}, "hot_value": {number}}}' for n, number in enumerate(numbers, 1))


ODD_ROWS = [
    '{"item_id": "a", "never_seen": 1}',
    "null",
    "[]",
    '"x"',
    '{"item_id": "a", "title": {"a": 1}}',
    '{"item_id": "a", "title": []}',
    '{"item_id": "a", "item_id": "b"}',
    '{"item_id": "a", "item_id": "a"}',
    '{"item_id": "a:b", "item_id": "\\u003a\\u003A"}',
    '{"item_id": "a", "statistics": {"play_count": 1, "play_count": 2}}',
    '{"item_id": "a", "title": 1.5}',
    '{"item_id": "a", "create_time": 1763262000.0}',
    '{"item_id": "a", "create_time": 1e9}',
    '{"item_id": "a", "media_type": 36893488147419103232}',
    '{"item_id": "a", "title": 123456789012345678901234567890}',
    '{"item_id": "a", "is_top": 0.0}',
    '{"item_id": "a", "media_type": 1e400}',
    '{"item_id": "a", "title": "\\ud800"}',
    '{"item_id": "a", "title": -0.0}',
]


@pytest.mark.parametrize("row", ODD_ROWS)
def test_a_body_with_an_odd_row_is_left_to_the_long_way(row: str):
    assert not both_ways([listed(['{"item_id": "z"}', row])], ENDPOINTS["video_list"], VIDEOS)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": {"list": [], "never_seen": 1}}',
        b'{"data": {"list": "[]"}}',
        b'{"data": {"list": {}}}',
        b'{"data": {"list": 0}}',
        b'{"data": []}',
        b'{"data": "x"}',
        b'{"data": null}',
        b"{}",
        b"[]",
        b"",
        b'{"data": {"list": []}',
        b'{"data": {"list": []}, "data": {"list": []}}',
        b'{"data": {"list": [{"item_id": "a"}], "list": []}}',
        b'{"data": {"list": [{"item_id": "\xff"}]}}',
        b'{"data": {"list": []}, "extra": ' + b"[" * 400 + b"]" * 400 + b"}",
    ],
)
def test_an_odd_body_is_left_to_the_long_way(body: bytes):
    assert not both_ways([body], ENDPOINTS["video_list"], VIDEOS)


@pytest.mark.parametrize(
    "row",
    [
        '{"item_id": "a", "statistics": []}',
        '{"item_id": "a", "statistics": "x"}',
        '{"item_id": "a", "statistics": {"play_count": {}}}',
        '{"item_id": "a", "statistics": {"play_count": 1.0}}',
    ],
)
def test_what_is_odd_in_a_nested_object_is_left_to_the_long_way(row: str):
    assert not both_ways([listed([row])], ENDPOINTS["video_list"], TOTALS)


PLAIN_ROWS = [
    '{"item_id": "a", "title": "[赞]"}',
    '{"item_id": "b", "title": "{不是"}',
    '{"item_id": "c", "title": null}',
    '{"item_id": 12, "title": true}',
    '{"item_id": -0, "title": "[1]"}',
    '{"title": "no key"}',
    "{}",
    '{"item_id": "d", "media_type": "4", "is_top": "true", "create_time": "1763262000"}',
    '{"item_id": "e", "media_type": -0, "is_top": 1, "create_time": -1}',
    '{"item_id": "f", "is_top": false, "create_time": 0}',
    '{"item_id": "g", "media_type": 9223372036854775807, "create_time": 1763262000123}',
    '{"item_id": "h", "media_type": 9223372036854775808}',
    '{"item_id": "i", "media_type": -9223372036854775808}',
    '{"item_id": "j", "media_type": "007", "create_time": true}',
    '{"item_id": "k", "title": "a\\u0026b \\/ \\ud83d\\ude00 \\u0000 \\u2028 \u202e \u0300", "media_type": "x"}',
    '{"item_id": "l", "title": ""}',
    '{"item_id": 18446744073709551615}',
    '{"item_id": "m", "is_top": null, "media_type": null, "create_time": null}',
    '{ "item_id" :\t"n:o" ,\r\n"share_url":"https://a.cn/?x=1:2" }',
    '{"item_id": "p", "statistics": {"never_seen": [1, {"a": 2.5}]}}',
    '{"item_id": "q", "is_top": "yes"}',
]


@pytest.mark.parametrize("row", PLAIN_ROWS)
def test_what_is_unusual_but_plain_gives_the_same_rows(row: str):
    assert both_ways([listed([row])], ENDPOINTS["video_list"], VIDEOS)


def test_values_of_every_kind_stand_together():
    bodies = [
        listed(PLAIN_ROWS),
        listed([]),
        b'{"data": {"list": null}}',
        b'{"data": {}}',
        *(listed([row]) for row in PLAIN_ROWS),
    ]
    assert both_ways(bodies, ENDPOINTS["video_list"], VIDEOS)
    assert both_ways(bodies, ENDPOINTS["video_list"], VIDEOS, at_once=1)


@pytest.mark.parametrize(
    "statistics",
    [
        "null",
        "{}",
        '{"play_count": null}',
        '{"play_count": "12", "digg_count": 1}',
        '{"play_count": 3, "digg_count": true}',
        '{"play_count": -0, "share_count": 99999999999999999999}',
    ],
)
def test_nested_objects_give_the_same_rows(statistics: str):
    row = f'{{"item_id": "a", "statistics": {statistics}}}'
    assert both_ways([listed([row, '{"item_id": "b"}'])], ENDPOINTS["video_list"], TOTALS) == (
        "99999" not in statistics
    )


NUMBERS = [
    "1",
    "-0",
    "-0.0",
    "3.70",
    "1e2",
    "1E-7",
    "0.1e-7",
    "1e22",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551616",
    "123456789012345678901234567890",
    "5e-324",
    "1.7976931348623157e308",
    "0.1",
    "100000.5",
    "null",
]


@pytest.mark.parametrize(
    "number", [*NUMBERS, '"3.70"', '"1e3"', '"1e400"', '"-0"', '"+1"', '".5"', '"9007199254740993"', "true", '""']
)
def test_numbers_give_the_same_doubles(number: str):
    assert both_ways([ranked([number])], ENDPOINTS["billboard_live"], BOARD)


def test_numbers_of_every_kind_stand_together():
    """Also where the contract mixes them, as numbers and as texts."""
    written = [*NUMBERS, *(f'"{n}"' for n in NUMBERS if n != "null"), "true", '"x"']
    in_turn = [n for pair in zip(written, reversed(written), strict=True) for n in pair]
    for numbers in (
        NUMBERS,
        written,
        in_turn,
        ["1.5", "true"],
        ["true", "1.5"],
        ["1.5", "18446744073709551615"],
        ["9007199254740993", "1.5"],
    ):
        assert both_ways([ranked(numbers)], ENDPOINTS["billboard_live"], BOARD)
        assert both_ways([ranked([n]) for n in numbers], ENDPOINTS["billboard_live"], BOARD)
        assert both_ways([ranked([n]) for n in numbers], ENDPOINTS["billboard_live"], BOARD, at_once=1)


@pytest.mark.parametrize("number", ["{}", "[]", "1e400", "[1.5]"])
def test_numbers_that_are_none_are_left_to_the_long_way(number: str):
    assert not both_ways([ranked(["1.5", number])], ENDPOINTS["billboard_live"], BOARD)


def test_one_odd_answer_among_many_goes_the_long_way_alone():
    entry = ArchiveEntry("video_list", "app", "", {}, {}, "", "", 1, AT, AT, 200, 0, None)
    bodies = [
        listed([f'{{"item_id": "a{n}"}}', '{"item_id": "b", "never_seen": 1}'][: 1 + (n == 7)]) for n in range(20)
    ]
    batches = read_batches(
        [(Address("s", n), entry, body) for n, body in enumerate(bodies)], ENDPOINTS["video_list"], [VIDEOS, TOTALS]
    )
    connection = connect()
    read = [
        (
            [s.address.number for s in b.sources],
            b.rows is not None,
            [extract(connection, b, ENDPOINTS["video_list"], o) for o in (VIDEOS, TOTALS)],
        )
        for b in batches
    ]
    connection.close()
    assert [(numbers, plain) for numbers, plain, _ in read] == [([n for n in range(20) if n != 7], True), ([7], False)]
    assert [[r.rows.num_rows for r in found] for *_, found in read] == [[19, 19], [2, 2]]
    assert [[dict(r.unknown) for r in found] for *_, found in read] == [
        [{}, {}],
        [{("data.list.never_seen", 0): 1}] * 2,
    ]

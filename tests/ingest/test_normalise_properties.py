"""Whatever the platform sends, every row that was seen lands, goes to quarantine, or repeats one that landed; nothing crashes."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.ingest.normalise import Normalised, land, normalise
from catalog import ENDPOINTS, TABLES
from catalog.envelopes import member
from catalog.records import Endpoint, History, Origin, Output, Parse
from resources.archive import Archive
from resources.douyin.exchange import Exchange
from resources.douyin.recorder import SEQUENCE, Recorder, Sequence
from resources.lake import Lake

AT = datetime(2026, 11, 16, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 16)
REACH = 30

OPERATIONS = ("hotsearch_sentences", "hotsearch_trending_sentences", "hotsearch_videos", "billboard_food_new", "billboard_prop", "fans_data", "fans_source", "video_list", "item_base", "item_play", "user_item")
"""Paged and not, lists and single objects, nested lists, values of the body, percentages, series."""

# --------------------------------------------------------------------------- bodies

texts = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(["", "[", "{", "{}", "[1]", "null", "热点词 #😀", "a\nb\r\nc", "\0", "\u2028", '"', "\\", "'", "$.list", "x" * 3000, "18~23", "<nil>", "@9+DUj/3w=="]),
)
numbers = st.one_of(st.integers(-3, 5000), st.integers(-(2**66), 2**66), st.floats(allow_nan=False, allow_infinity=False), st.just(10**60))
odd = st.one_of(
    st.none(), st.booleans(), numbers, texts, st.lists(st.integers(0, 3), max_size=2), st.dictionaries(texts, st.integers(0, 3), max_size=2),
)  # fmt: skip
FITTING = {
    Parse.TEXT: texts, Parse.BUCKET: texts, Parse.INT: st.integers(0, 10**12), Parse.INT_OR_NULL: st.one_of(st.integers(-5, 5).map(str), texts),
    Parse.NUMBER: st.one_of(st.integers(0, 10**6), st.floats(0, 1e9).map(str)), Parse.PERCENT: st.integers(0, 100).map("{}%".format), Parse.BOOL: st.booleans(),
    Parse.DATE: st.integers(1, REACH).map(lambda n: str(TODAY - timedelta(days=n))), Parse.EPOCH: st.integers(0, 2 * 10**9),
    Parse.BEIJING_DATE: st.just("2026-11-16 10:00:00"), Parse.BEIJING_INSTANT: st.just("2026-11-16 10:00:00"),
}  # fmt: skip


@st.composite
def row_of(draw, columns: list[tuple[str, Parse]], nested: dict[str, st.SearchStrategy]) -> Any:
    """A row that mostly fits, with odd, missing and unknown members now and then; rarely something else than an object."""
    if draw(st.integers(0, 15)) == 0:
        return draw(odd)
    row: dict[str, Any] = {}
    for path, parse in columns:
        chance = draw(st.integers(0, 19))
        if chance == 0:
            continue
        value = draw(odd if chance == 1 else FITTING[parse] if chance < 19 else st.none())
        *outer, last = path.split(".")
        place = row
        for name in outer:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                break
        else:
            place[last] = value
    for name, strategy in nested.items():
        row[name] = draw(strategy)
    if draw(st.integers(0, 9)) == 0:
        row[draw(texts)] = draw(odd)
    return row


def list_of(rows: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(*[st.lists(rows, max_size=6)] * 8, st.none(), odd)


@st.composite
def body_of(draw, endpoint: Endpoint) -> dict[str, Any]:
    """A successful body of ``endpoint``."""
    data: dict[str, Any] = {"error_code": draw(st.sampled_from([0, "0"])), "description": ""}
    for path in dict.fromkeys(o.rows for o in endpoint.outputs):
        here = [o for o in endpoint.outputs if o.rows == path]
        columns = {(c.path, c.parse) for o in here if not o.explode for c in o.columns if c.origin is Origin.MEMBER}
        columns |= {(c.path, c.parse) for o in here for c in o.columns if c.origin is Origin.PARENT}
        nested = {o.explode: list_of(row_of(sorted((c.path, c.parse) for c in o.columns if c.origin is Origin.MEMBER), {})) for o in here if o.explode}
        row = row_of(sorted(columns), nested)
        single = any(o.single for o in here)
        *outer, last = path.split(".")[1:]
        place = data
        for name in outer:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                break
        else:
            value = draw(st.one_of(*[row] * 8, st.none(), odd) if single else list_of(row))
            if isinstance(place.get(last), dict) and isinstance(value, dict):
                value = place[last] | value
            if draw(st.integers(0, 19)):
                place[last] = value
    if endpoint.paging:
        data |= {"has_more": False, "cursor": 0}
    for column in (c for o in endpoint.outputs for c in o.columns if c.origin is Origin.BODY):
        data[column.path.removeprefix("data.")] = draw(st.one_of(FITTING[column.parse], odd))
    return {"data": data, "extra": {"error_code": 0, "logid": "x"}}


# --------------------------------------------------------------------------- the oracle


def seen(body: Any, output: Output) -> int:
    """Rows of one output that a reader of the body sees; a list that is no list is one."""
    value = member(body, output.rows)
    if value is None:
        return 0
    if output.single:
        return 1
    if not output.explode:
        return len(value) if isinstance(value, list) else 1
    nested = [row.get(output.explode) for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    return sum(0 if v is None else len(v) if isinstance(v, list) else 1 for v in nested)


# --------------------------------------------------------------------------- the code under test


def through_the_archive(endpoint: Endpoint, bodies: list[bytes], folder: Path) -> dict[str, dict[date, Normalised]]:
    """Archive bodies as a run does, one for each of some accounts, and normalise all tables of the endpoint over all days."""
    archive = Archive(folder / "archive")
    recorder = Recorder(archive)
    for n, body in enumerate(bodies):
        params: dict[str, Any] = {p.name: p.const or f"{p.name} {n}" for p in endpoint.params}
        if endpoint.windows:
            params["date_type"] = REACH
        tag = {SEQUENCE: Sequence(AT, {})}
        recorder.record(
            Exchange(
                operation=endpoint.name, client_key="app", open_id=params.get("open_id", ""), params=params, sent_at=AT, observed_at=AT,
                http_status=200, body=body, code=0, logid="x", attempt=1, tag=tag,
            )
        )  # fmt: skip
    archive.flush()
    series = [TODAY - timedelta(days=n) for n in range(1, REACH + 1)]
    return {t: normalise(archive, TABLES[t], series if TABLES[t].history is History.WINDOW else [TODAY]) for t in endpoint.tables}


def check(endpoint: Endpoint, bodies: list[Any], raw: list[bytes] | None = None) -> None:
    raw = raw or [json.dumps(b, ensure_ascii=n % 2 == 0).encode() for n, b in enumerate(bodies)]
    with tempfile.TemporaryDirectory() as folder:
        found = through_the_archive(endpoint, raw, Path(folder))
        lake = Lake(Path(folder) / "lake")
        for table, partitions in found.items():
            outputs = [o for o in endpoint.outputs if o.table == table]
            expected = sum(seen(b, o) for b in bodies for o in outputs)
            assert sum(p.seen for p in partitions.values()) == expected, table
            for dt, part in partitions.items():
                assert part.rows["dt"].to_pylist() == [dt] * part.rows.num_rows
                key = ["dt", *TABLES[table].primary_key]
                assert part.rows.group_by(key).aggregate([]).num_rows == part.rows.num_rows
                assert all(part.rows[name].null_count == 0 for name in TABLES[table].not_null)
                assert all(part.quarantine["reason"].to_pylist())
                assert sum(part.landed_by.values()) == part.rows.num_rows
                assert sum(part.quarantined_by.values()) == part.quarantine.num_rows
                land(lake, part)
                assert lake.read(table, dt).equals(part.rows)


# --------------------------------------------------------------------------- the properties


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_row_is_accounted_for(operation: str):
    endpoint = ENDPOINTS[operation]

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bodies=st.lists(body_of(endpoint), min_size=1, max_size=3))
    def property_(bodies: list[Any]) -> None:
        check(endpoint, bodies)

    property_()


@settings(max_examples=30, deadline=None)
@given(data=odd)
@example(data=[])
@example(data={"list": {"0": 1}})
@example(data={"list": [[]], "active_time": [1]})
def test_data_that_is_anything(data: Any):
    for operation in ("hotsearch_sentences", "billboard_food_new", "fans_data"):
        check(ENDPOINTS[operation], [{"data": data, "extra": {"error_code": 0}}])


@pytest.mark.parametrize(
    "row",
    [
        b'{"sentence": "a", "hot_level": 123456789012345678901234567890}', b'{"sentence": "a", "hot_level": 1.0}',
        b'{"sentence": "a", "hot_level": -0}', b'{"sentence": "a", "sentence": "b", "hot_level": 1}', b'{"sentence": "\\u0000", "hot_level": 1}',
        b'{"sentence": "\\ud83d\\ude00", "hot_level": 1}', b'{"": 1, "sentence": "a", "hot_level": 1}', b'{"a.b": 1, "sentence": "a", "hot_level": 1}',
        b'{"sentence": "a", "hot_level": 1, "x\\"y": 1}', b'{"sentence": "a"\r\n,\n"hot_level": 1}', b'{"sentence": 5, "hot_level": "7"}',
        b'{"sentence": true, "hot_level": true}', b"[]", b"[[]]", b"null", b"5", b'"text"',
        b'{"x": ' + b"[" * 200 + b"]" * 200 + b', "sentence": "a", "hot_level": 1}',
    ],
)  # fmt: skip
def test_json_that_is_odd_and_legal(row: bytes):
    body = b'{"data": {"error_code": 0, "active_time": "2026-11-16", "list": [%s, {"sentence": "fine", "hot_level": 3}]}}' % row
    check(ENDPOINTS["hotsearch_sentences"], [orjson.loads(body)], [body])


def test_a_wide_batch_keeps_answers_apart():
    """Rows of many answers, some broken, in one batch: each is told by its own account."""
    endpoint = ENDPOINTS["fans_source"]
    bodies = [{"data": {"list": [{"source": f"s{k}", "percent": "x" if (n + k) % 7 == 0 else f"{k}%"} for k in range(n % 5)]}} for n in range(200)]
    with tempfile.TemporaryDirectory() as folder:
        part = through_the_archive(endpoint, [json.dumps(b).encode() for b in bodies], Path(folder))["fans_sources"][TODAY]
    for n, body in enumerate(bodies):
        rows = body["data"]["list"]
        bad = sum(r["percent"] == "x" for r in rows)
        key = ("fans_source", "app", f"open_id {n}")
        assert (part.landed_by[key], part.quarantined_by[key]) == (len(rows) - bad, bad)

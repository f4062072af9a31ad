"""Malformed bodies of legal JSON: every row lands, goes to quarantine, or repeats a landed one; nothing crashes.

Bodies in the contract's shape, and the landed values, are tested in ``test_contract_bodies.py``.
"""

from __future__ import annotations

import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from contract_bodies import odd
from hypothesis import example, given, settings
from normalising import TODAY, hold_partition, through_the_archive
from patience import tries

from catalog import ENDPOINTS
from catalog.envelopes import member
from catalog.records import Endpoint, Output
from resources.storage.lake import Lake

# --------------------------------------------------------------------------- the oracle


def seen(body: Any, output: Output) -> int:
    """Count the rows of one output that a reader of the body sees; a list that is no list is one."""
    value = member(body, output.rows)
    if value is None:
        return 0
    if output.single:
        return 1
    if not output.explode:
        return len(value) if isinstance(value, list) else 1
    nested = [row.get(output.explode) for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    return sum(0 if v is None else len(v) if isinstance(v, list) else 1 for v in nested)


# --------------------------------------------------------------------------- what must hold


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
                hold_partition(lake, dt, part)


# --------------------------------------------------------------------------- the properties


@settings(max_examples=tries(30), deadline=None)
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
        b'{"sentence": "a", "hot_level": 123456789012345678901234567890}',
        b'{"sentence": "a", "hot_level": 1.0}',
        b'{"sentence": "a", "hot_level": -0}',
        b'{"sentence": "a", "sentence": "b", "hot_level": 1}',
        b'{"sentence": "\\u0000", "hot_level": 1}',
        b'{"sentence": "\\ud83d\\ude00", "hot_level": 1}',
        b'{"": 1, "sentence": "a", "hot_level": 1}',
        b'{"a.b": 1, "sentence": "a", "hot_level": 1}',
        b'{"sentence": "a", "hot_level": 1, "x\\"y": 1}',
        b'{"sentence": "a"\r\n,\n"hot_level": 1}',
        b'{"sentence": 5, "hot_level": "7"}',
        b'{"sentence": true, "hot_level": true}',
        b"[]",
        b"[[]]",
        b"null",
        b"5",
        b'"text"',
        b'{"x": ' + b"[" * 200 + b"]" * 200 + b', "sentence": "a", "hot_level": 1}',
    ],
)
def test_json_that_is_odd_and_legal(row: bytes):
    body = (
        b'{"data": {"error_code": 0, "active_time": "2026-11-16", "list": [%s, {"sentence": "fine", "hot_level": 3}]}}'
        % row
    )
    check(ENDPOINTS["hotsearch_sentences"], [orjson.loads(body)], [body])


def test_a_wide_batch_keeps_answers_apart():
    """Rows of many responses, some malformed, in one batch: each is attributed to its own account."""
    endpoint = ENDPOINTS["fans_source"]
    bodies = [
        {
            "data": {
                "list": [
                    {"source": [] if (n + k) % 7 == 0 else f"s{k}", "percent": "x" if (n + k) % 5 == 0 else f"{k}%"}
                    for k in range(n % 5)
                ]
            }
        }
        for n in range(200)
    ]
    with tempfile.TemporaryDirectory() as folder:
        part = through_the_archive(endpoint, [json.dumps(b).encode() for b in bodies], Path(folder))["fans_sources"][
            TODAY
        ]
    for n, body in enumerate(bodies):
        rows = body["data"]["list"]
        bad = sum(r["source"] == [] for r in rows)
        key = ("fans_source", "app", f"open_id {n}")
        assert (part.landed_by[key], part.quarantined_by[key]) == (len(rows) - bad, bad)
    assert part.nulled == sum(
        r["percent"] == "x" and r["source"] != [] for body in bodies for r in body["data"]["list"]
    )


@pytest.mark.parametrize("days", [-1, 0, 31, 8000])
def test_a_day_that_no_partition_takes_is_reported(days: int):
    """A row of the current day, of the future or from before the longest window would otherwise be lost."""
    sent = [{"date": str(TODAY - timedelta(days=n)), "new_fans": n} for n in (1, 30, days)]
    with tempfile.TemporaryDirectory() as folder:
        body = json.dumps({"data": {"result_list": sent}}).encode()
        found = through_the_archive(ENDPOINTS["user_fans"], [body], Path(folder))["user_fans"]
    assert {(TODAY - dt).days: p.rows["new_fans"].to_pylist() for dt, p in found.items() if p.rows.num_rows} == {
        1: [1],
        30: [30],
    }
    assert [(r["position"], r["reason"]) for r in found[TODAY - timedelta(days=1)].quarantine.to_pylist()] == [
        (3, "stat_date: a day that was not asked for, which no partition would take")
    ]


@pytest.mark.parametrize(
    ("operation", "row"),
    [("ent_rank_item", {"type": 1, "release_date": []}), ("billboard_prop", {"rank": 1, "rank_change": {}})],
)
def test_a_list_is_no_text_also_where_text_may_be_anything(operation: str, row: dict[str, Any]):
    """Free text that is no day or number becomes null; a list or object there would be lost with it."""
    with tempfile.TemporaryDirectory() as folder:
        (found,) = through_the_archive(
            ENDPOINTS[operation], [json.dumps({"data": {"list": [row]}}).encode()], Path(folder)
        ).values()
    assert {r["reason"].split(":")[0] for r in found[TODAY].quarantine.to_pylist()} == {list(row)[1]}
    assert found[TODAY].rows.num_rows == 1


def test_an_answer_without_shape_says_nothing_of_its_listing():
    with tempfile.TemporaryDirectory() as folder:
        found = through_the_archive(ENDPOINTS["item_comment_list"], [b'{"data": "no object"}'], Path(folder))[
            "comment_reads"
        ][TODAY]
    assert (found.rows.num_rows, found.quarantine["reason"].to_pylist()) == (0, ["data is VARCHAR, not an object"])

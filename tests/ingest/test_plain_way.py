"""The short way from bodies to rows gives what the long way gives, and is taken for what the platform documents."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from contract_bodies import Bodies
from contract_reading import SAMPLES
from hypothesis import HealthCheck, Phase, given, settings
from normalising import TODAY, reach_of

from assets.ingest.extract import Batch, connect, extract, spool_batches
from assets.ingest.plain import is_simple, plain_check, read_rows
from catalog import ENDPOINTS
from catalog.records import Endpoint, Envelope, Output
from resources.archive import Address, Entry

AT = datetime(2026, 11, 16, 3, tzinfo=UTC)
SIMPLE = {
    f"{e.name}-{o.table}": (e, o) for e in ENDPOINTS.values() for o in e.outputs if e.envelope is not Envelope.WEBHOOK and is_simple(o)
}  # fmt: skip


def batch_of(bodies: list[bytes], endpoint: Endpoint, output: Output, folder: Path) -> Batch:
    """The bodies as one spooled batch, in a file that stays."""
    entry = Entry(endpoint.name, "app", "", {}, {}, "", "", 1, AT, AT, 200, 0, None)
    batches = spool_batches(((Address("s", n), entry, body) for n, body in enumerate(bodies)), plain_check(endpoint, [output]))
    batch = next(batches)
    return Batch(batch.sources, batch.spool.rename(folder / "bodies.ndjson"), batch.plain)


def both_ways(bodies: list[bytes], endpoint: Endpoint, output: Output) -> bool:
    """Compare the rows of both ways; says whether the short one was taken."""
    connection = connect()
    with tempfile.TemporaryDirectory() as folder:
        batch = batch_of(bodies, endpoint, output, Path(folder))
        short = read_rows(connection, batch.reading, output) if batch.plain else None
        long = extract(connection, Batch(batch.sources, batch.spool), endpoint, output)
    connection.close()
    if short is None:
        return False
    assert not long.unknown
    assert short.select(long.rows.column_names).cast(long.rows.schema).to_pylist() == long.rows.to_pylist()
    return True


@pytest.mark.parametrize("name", [n for n, (e, _) in SIMPLE.items() if (SAMPLES / f"{e.name}.json").exists()])
def test_what_the_contract_shows_goes_the_short_way(name: str):
    endpoint, output = SIMPLE[name]
    sample = (SAMPLES / f"{endpoint.name}.json").read_bytes()
    assert both_ways([sample, sample], endpoint, output)


def taken_of(endpoint: Endpoint, output: Output) -> int:
    """How many of some random answers went the short way; each gave the same rows either way."""
    taken = 0

    @settings(max_examples=8, derandomize=True, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(body=Bodies(endpoint, TODAY, reach_of(endpoint)).strategy)
    def compare(body: Any) -> None:
        nonlocal taken
        taken += both_ways([json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")], endpoint, output)

    compare()
    return taken


def test_random_answers_give_the_same_rows_either_way():
    assert sum(taken_of(*one) for one in list(SIMPLE.values())[::9]) > 10


VIDEOS = next(o for o in ENDPOINTS["video_list"].outputs if o.table == "videos")


@pytest.mark.parametrize(
    "data",
    [
        '{"list": [{"item_id": "a", "never_seen": 1}]}', '{"list": [{"item_id": "a"}], "never_seen": 1}', '{"list": [null]}', '{"list": [[]]}', '{"list": "[]"}', '{"list": {}}',
        '{"list": [{"item_id": "a", "title": {"a": 1}}]}', '{"list": [{"item_id": "a", "title": "[1]"}]}', '{"list": [{"item_id": "a", "item_id": "b"}]}', "[]", '"x"', "null",
    ],
)  # fmt: skip
def test_what_is_odd_is_left_to_the_long_way(data: str):
    assert not both_ways([b'{"data": %s, "extra": {"error_code": 0}}' % data.encode()], ENDPOINTS["video_list"], VIDEOS)


def test_a_title_in_brackets_is_a_text():
    body = '{"data": {"list": [{"item_id": "a", "title": "[赞]"}, {"item_id": "b", "title": "{不是"}, {"item_id": "c", "title": null}]}}'
    assert both_ways([body.encode()], ENDPOINTS["video_list"], VIDEOS)

"""Responses in the contract's shape with malformed values in random members.

A minor member never rejects its row, a key always does, and all counts add up. ``test_contract_bodies.py`` checks
values; this file checks decisions about rows, over many more malformed values a body.
"""

from __future__ import annotations

import json
import random
import tempfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract_reading import SAMPLES
from normalising import TODAY, hold_partition, through_the_archive

from catalog import ENDPOINTS, FIELDS, TABLES
from catalog.envelopes import member
from catalog.records import BEIJING, Endpoint, History, Origin, Output
from resources.storage.lake import Lake

ODD: tuple[Any, ...] = (
    0,
    1,
    -1,
    7.0,
    1.5,
    1e300,
    2**70,
    -(2**63) - 1,
    True,
    "",
    "<nil>",
    "7.0",
    "12.3w",
    "1.2万",
    "1,234",
    "1,23",
    "61.32%",
    "0.5",
    "9999-12-31",
    "2026-02-30",
    "abc",
    "\x00\x1b[31m",
    "٣",
    "x" * 500,
    {},
    {"a": [1]},
    [],
    [[]],
    [None],
    None,
)
SAMPLED = [
    e
    for e in ENDPOINTS.values()
    if (SAMPLES / f"{e.name}.json").exists()
    and any(isinstance(member(json.loads((SAMPLES / f"{e.name}.json").read_bytes()), o.rows), list) for o in e.outputs)
]


def spoilt(endpoint: Endpoint, chance: random.Random) -> dict[str, Any]:
    """Repeat the rows of an operation's sample, half of them with a malformed value in a random member."""
    body = json.loads((SAMPLES / f"{endpoint.name}.json").read_bytes())
    if endpoint.paging:  # else the listing is not whole
        *way, last = endpoint.paging.has_more.split(".")
        member(body, ".".join(way))[last] = False
    for path in sorted({o.rows for o in endpoint.outputs}):
        rows = member(body, path)
        if not isinstance(rows, list) or not rows:
            continue
        rows[:] = [json.loads(json.dumps(rows[n % len(rows)])) for n in range(60)]
        for row in (r for r in rows if isinstance(r, dict) and chance.random() < 0.5):
            names = [
                c.path
                for o in endpoint.outputs
                if o.rows == path
                for c in o.columns
                if c.origin is Origin.MEMBER and "|" not in c.path
            ]
            *way, last = chance.choice(names or list(row)).split(".")
            place = member(row, ".".join(way)) if way else row
            if isinstance(place, dict):
                place[last] = chance.choice(ODD)
            elif chance.random() < 0.2:
                row[way[0]] = chance.choice(ODD)
    return body


def seen(body: Any, output: Output) -> int:
    value = member(body, output.rows)
    if output.once or output.single:
        return int(output.once or value is not None)
    if not output.explode:
        return len(value or [])
    inner = [row.get(output.explode) for row in value or [] if isinstance(row, dict)]
    return sum(len(one) if isinstance(one, list) else one is not None for one in inner)


@pytest.mark.parametrize("endpoint", [pytest.param(e, id=e.name) for e in SAMPLED[::4]])
def test_rows_add_up_and_only_keys_take_a_row(endpoint: Endpoint):
    chance = random.Random(endpoint.name)
    bodies = [spoilt(endpoint, chance) for _ in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        found = through_the_archive(endpoint, [json.dumps(b).encode() for b in bodies], Path(folder))
        lake = Lake(Path(folder) / "lake")
        for name, partitions in found.items():
            table = TABLES[name]
            outputs = [o for o in endpoint.outputs if o.table == name]
            assert sum(p.seen for p in partitions.values()) == sum(seen(b, o) for b in bodies for o in outputs), name
            for dt, part in partitions.items():
                hold_partition(lake, dt, part)
                for line in part.quarantine.to_pylist():
                    column = line["column_name"]
                    assert column not in table.not_null, "a row without its key has landed"
                    assert column is None or line["value"] is None or FIELDS[column].pii == "none"
                    if column is None and not line["reason"].startswith("the row is "):
                        blamed = {c.path for o in outputs for c in o.columns if c.field in table.not_null} | set(
                            table.not_null
                        )
                        assert line["reason"].split(":")[0] in blamed or table.history is History.WINDOW, line["reason"]


@pytest.mark.parametrize("hour", [0, 7, 8, 23])
@pytest.mark.parametrize(("operation", "dt"), [("video_list", TODAY), ("user_fans", TODAY - timedelta(days=1))])
def test_an_unknown_member_stands_on_its_answers_day_in_beijing(tmp_path: Path, operation: str, dt: date, hour: int):
    """Before eight in the morning it is still yesterday in UTC."""
    body = json.loads((SAMPLES / f"{operation}.json").read_bytes())
    body["data"] |= {"has_more": False, "never_heard_of": 1}
    at = datetime.combine(TODAY, time(hour, 30), BEIJING).astimezone(UTC)
    found = through_the_archive(ENDPOINTS[operation], [json.dumps(body).encode()], tmp_path, at)
    for partitions in found.values():
        drift = [
            (day, line)
            for day, p in partitions.items()
            for line in p.drift.to_pylist()
            if line["member"] == "data.never_heard_of"
        ]
        assert [(day, line["dt"]) for day, line in drift] == [(dt, dt)]

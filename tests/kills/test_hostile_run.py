"""A hundred hostile bodies through the real ``douyin run``: it ends as it should.

Accounts without a hostile body have the rows of an undisturbed day.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import children
import pytest
from hostile import MOST, hostile_bodies, in_front_of
from installation import TODAY, YESTERDAY, World
from patience import scaled

from apps.cli.develop import environment
from catalog import ENDPOINTS
from resources.state.load_status import Outcome, read_load_status

ROOT = Path(__file__).parents[2]
ACCOUNTS, GOOD, BODIES = 56, 6, 100
TABLES = {"videos": ("video_list", TODAY), "user_fans": ("user_fans", YESTERDAY)}
SELECT = ",".join((*TABLES, "hot_words"))


def run(world: World) -> tuple[int, str]:
    world.runtime.close()
    settings = {k: v for k, v in environment(world.runtime.settings).items() if k.startswith("DOUYIN_")}
    here = {"PATH": os.environ["PATH"], "HOME": str(world.home), "PYTHONPATH": str(ROOT), "COLUMNS": "300"} | settings
    process = children.start(
        [sys.executable, "-m", "apps.cli.main", "run", "--select", SELECT],
        env=here,
        cwd=world.home.parent,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = process.communicate(timeout=scaled(1200))[0]
    world.open()
    return process.returncode, said


def rows_of(world: World, table: str, dt, accounts: set[str]) -> list[dict]:
    return [
        {k: v for k, v in row.items() if k != "observed_at"}
        for row in world.rows(table, dt)
        if row.get("open_id", "") in accounts or not row.get("open_id")
    ]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_hostile_bodies(make_world):
    many, quick = {"accounts": ACCOUNTS, "videos": 6}, {"qps": 10_000, "answer_bytes": MOST}
    good, world = make_world(platform=many, home="good", **quick), make_world(platform=many, home="bad", **quick)
    code, said = run(good)
    assert code in (0, 1), said
    seed = int(os.environ.get("SEED", "14"))
    with in_front_of(world.url) as platform:
        world.options |= {"base_url": platform.url}
        world.restart()
        reported: dict[tuple[str, str], str] = {}
        bodies = iter(hostile_bodies(seed, BODIES))
        for operation, _ in TABLES.values():
            for account in world.accounts[: ACCOUNTS - GOOD]:
                name, fault = next(bodies)
                platform.faults[ENDPOINTS[operation].path, account] = fault
                reported[operation, account] = name
        began = time.monotonic()
        code, said = run(world)
        took = time.monotonic() - began
        assert code in (0, 1), said
        assert "Traceback" not in said
        assert "\x1b" not in said
        not_hit = [
            reported[operation, account]
            for operation, account in reported
            if (ENDPOINTS[operation].path, account) not in platform.hits
        ]
        assert not_hit == []
    outcomes: Counter[str] = Counter()
    others = set(world.accounts[ACCOUNTS - GOOD :])
    for table, (operation, dt) in TABLES.items():
        assert rows_of(world, table, dt, others) == rows_of(good, table, dt, others), table
        lines = {
            s.open_id: s
            for s in read_load_status(world.runtime.state, table=table, dts=[dt])
            if s.operation == operation
        }
        for account in world.accounts[: ACCOUNTS - GOOD]:
            line = lines[account]
            outcomes[str(line.status)] += 1
            assert line.status is not Outcome.FAILED or line.reason, reported[operation, account]
    assert rows_of(world, "hot_words", TODAY, others) == rows_of(good, "hot_words", TODAY, others)
    kept = sum(1 for operation, account in reported if any(e.open_id == account for e in world.archived(operation)))
    print(
        f"{BODIES} hostile bodies (seed {seed}) in one run of {took:.0f} s, exit {code}: "
        f"{dict(outcomes)}; {kept} in the archive; others unaffected; no traceback"
    )

"""Homes of older releases open, are upgraded, replay to the same bytes, publish, and continue."""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
from datetime import date
from hashlib import blake2b
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))

import make_home  # noqa: E402

HOMES = sorted(p.name.removeprefix("home-").removesuffix(".tar.xz") for p in HERE.glob("home-*.tar.xz"))
_EMPTY = "an id that the platform leaves empty is null"
CHANGED: dict[str, str] = {
    "comment_events": _EMPTY,
    "ent_ranks": _EMPTY,
    "im_consents": _EMPTY,
    "im_consent_status": _EMPTY,
    "webhook_events": "has the trace id of each event",
    "im_consent_events": "has its trace id and the members of `extra`",
    "hot_words": (
        "a row of which one minor member does not parse lands without it, and its line of quarantine names "
        "column and value"
    ),
}
"""Tables whose replay differs from the release that made the home, with the reason; no other table may differ."""
FIRST, LAST, NEXT = date(2026, 11, 14), date(2026, 11, 17), "2026-11-18T16:40:00+08:00"


@pytest.fixture(params=HOMES)
def old_home(request, tmp_path: Path) -> tuple[str, Path]:
    with tarfile.open(HERE / f"home-{request.param}.tar.xz") as tar:
        tar.extractall(tmp_path / "home", filter="data")
    return request.param, tmp_path / "home"


@pytest.fixture
def world(old_home, make_world):
    from resources.config.clock import Clock

    world = make_world(platform=make_home.SANDBOX, start_date=date.fromisoformat(make_home.START_DATE), authorize=False)
    world.runtime.set_clock(Clock.parse(make_home.DAYS[-1]))
    return world


def sums(lake: Path) -> dict[str, str]:
    """Checksums of the data of every table, quarantine and drift included."""
    found = (p for p in sorted(lake.rglob("data.parquet")) if p.relative_to(lake).parts[0] != "marts")
    return {str(p.relative_to(lake)): blake2b(p.read_bytes(), digest_size=16).hexdigest() for p in found}


def table_of(name: str) -> str:
    parts = Path(name).parts
    return parts[1] if parts[0].startswith("_") else parts[0]


@pytest.mark.slow
def test_an_old_archive_replays_to_the_same_bytes(old_home, world):
    from catalog import TABLES
    from services.ingest.replay import replay

    release, home = old_home
    expected = json.loads((HERE / f"home-{release}.json").read_bytes())["lake"]
    assert sums(home / "lake") == expected, "the home is as it was made"
    for emptied in (False, True):
        if emptied:
            shutil.rmtree(home / "lake")
        for table in TABLES.values():
            for one in replay(world.runtime, table, FIRST, LAST):
                if one.left_alone is None:
                    one.land(world.runtime)
        found = sums(home / "lake")
        # A day of events on which none came is known from the receiver, not from the archive.
        missing = {n for n in expected.keys() - found.keys() if TABLES[table_of(n)].history != "event"}
        assert not missing
        different = {table_of(n) for n in expected.keys() & found.keys() if found[n] != expected[n]}
        assert different == set(CHANGED).intersection(map(table_of, expected)), (
            "replayed into an empty lake" if emptied else "replayed over the old lake"
        )


@pytest.mark.slow
def test_an_old_home_opens_publishes_and_runs(old_home, world):
    from apps.cli.simulation import authorize_all
    from resources.state.accounts import list_accounts
    from services.marts.publishing import publish

    lake = world.runtime.lake
    assert len(list_accounts(world.runtime.state, world.config.client_key)) == 2
    done = publish(world.runtime)
    with world.runtime.warehouse.connect() as connection:
        for name in ("hot_words", "videos", "comments", "user_fans", "webhook_events"):
            stored = sum(lake.row_count(p) for p in lake.partitions(name))
            assert stored > 0
            assert connection.execute(f'SELECT count(*) FROM "{name}"').fetchone() == (stored,), name
    assert done.path.exists()

    authorize_all(world.runtime)  # tokens of another sandbox than the one that runs now
    world.at(NEXT)
    before = sums(lake.root)
    for name in ("hot_words", "videos", "item_base", "user_fans"):
        assert world.ingest(name, *([LAST] if name == "user_fans" else [])).missing == [], name
    after = sums(lake.root)
    assert before.keys() < after.keys()
    assert {n for n in before if before[n] != after[n]} <= {n for n in before if table_of(n) == "user_fans"}, (
        "past days stay"
    )
    assert publish(world.runtime).changed.keys() >= {"hot_words", "videos", "item_base", "user_fans"}
    with world.runtime.warehouse.connect() as connection:
        assert connection.execute("SELECT count(DISTINCT dt) FROM hot_words").fetchone() == (3,)

"""Fill a home as an agency has it after a year: 1,000 accounts × 365 days of lake, state, marts and warehouse.

All tables that marts read are filled; core tables that no mart reads stay empty. The product itself builds the marts of
the last two weeks. Of marts that other marts read it builds as many days as a new day looks back. Earlier days are
copies of the built ones with the dates moved, in turn: listings and the warehouse thus have the size of a year without
computing one. ``load_status`` has the rows of 70 days, since marts read 60. Run it with ``python -m benchmarks.big_home
HOME [--accounts 1000] [--days 365]``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import SecretStr
from sqlalchemy import insert

from apps.cli.simulation import SANDBOX_TOKEN_KEY
from benchmarks.big_tables import observed, series
from benchmarks.big_world import APP, PERSONS, World, make_world
from catalog import TABLES, endpoints_of
from catalog.records import History
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state.engine import State
from resources.state.tables import accounts, load_status, outbox, plans, quotas
from resources.state.tokens import UserToken, save_user_token
from resources.storage.lake import Lake
from services.marts.build import Marts
from services.marts.publishing import publish

LAST = date(2026, 11, 21)
"""Last day of the home. The day after it is the new one that ``benchmarks.marts`` adds."""
SEED = 7
RECENT = 14
"""The product builds at least so many days of every mart."""
SPARE = 6
"""Days that a late correction rebuilds before the new one; they look back themselves."""
STATUS_DAYS = 70
PLANS, PEOPLE = 12, 2_000
"""Plans of campaigns, and the people of each."""
_world: World


def settings_of(home: Path, today: date, days: int) -> Settings:
    """Return the settings of a home of so many days whose clock stands at 23:30 of ``today``."""
    return Settings(
        _env_file=None,
        home=home,
        client_key=APP,
        client_secret=SecretStr("bench-secret"),
        token_key=SecretStr(SANDBOX_TOKEN_KEY),
        clock=f"{today}T23:30:00+08:00",
        start_date=LAST - timedelta(days=days - 1),
    )


def days_of(days: int) -> list[date]:
    """Return the days of a home, ascending."""
    return [LAST - timedelta(days=n) for n in reversed(range(days))]


def write_core(home: Path, size: int, days: int, seed: int) -> int:
    """Write the core tables, two processes at a time, and return the number of rows."""
    work = [(home, dt) for dt in days_of(days)]
    with multiprocessing.get_context("spawn").Pool(2, _begin, (size, days, seed)) as pool:
        return sum(pool.imap_unordered(_write_day, work, chunksize=4))


def world_of(size: int, days: int, seed: int) -> World:
    """Return the world of a home, which lasts a month longer than it."""
    return make_world(size, LAST - timedelta(days=days - 1), days + 30, seed)


def write_rows(lake: Lake, dt: date, tables: Iterable[tuple[str, pa.Table]]) -> int:
    """Write one day of some tables into the lake and return the number of rows."""
    count = 0
    for name, rows in tables:
        lake.write(name, dt, rows)
        count += rows.num_rows
    return count


def _begin(size: int, days: int, seed: int) -> None:
    global _world
    _world = world_of(size, days, seed)


def _write_day(work: tuple[Path, date]) -> int:
    home, dt = work
    lake = Lake(home / "lake")
    count = write_rows(lake, dt, observed(_world, dt))
    return count + (write_rows(lake, dt, series(_world, dt, LAST)) if dt < LAST else 0)  # series come a day late


# ------------------------------------------------------------------ the state


def write_state(state: State, world: World, days: int) -> int:
    """Write accounts with tokens, quotas, plans of campaigns, and ``load_status``; return the rows of the latter."""
    now = datetime(LAST.year, LAST.month, LAST.day, 15, 30, tzinfo=UTC)
    ids, names = world.accounts.to_pylist(), world.nicknames.to_pylist()
    with state.begin() as db:
        db.execute(
            insert(accounts),
            [
                {
                    "client_key": APP,
                    "open_id": o,
                    "name": n,
                    "status": "active",
                    "added_at": now.timestamp() - 86400 * days,
                    "tags": f"team{k % 12}",
                }
                for k, (o, n) in enumerate(zip(ids, names, strict=True))
            ],
        )
        db.execute(
            insert(quotas),
            [
                {"client_key": APP, "scope": scope, "day": dt.isoformat(), "calls": len(ids) * 3, "exhausted": 0}
                for dt in days_of(min(days, 365))
                for scope in ("video.list", "data.external.user", "item.comment", "fans.data")
            ],
        )
    for n, open_id in enumerate(ids):
        left = timedelta(days=5 + n % 20)
        save_user_token(
            state,
            APP,
            UserToken(
                open_id, f"access-{n}", now + timedelta(days=15), f"refresh-{n}", now + left, n % 5, "user_info", now
            ),
        )
    with state.begin() as db:
        for plan in range(1, PLANS + 1):
            at = now.timestamp() - plan * 20 * 86400
            db.execute(
                insert(plans).values(
                    id=plan,
                    kind="messages",
                    name=f"campaign-{plan}",
                    occasion="bench",
                    planned_at=at,
                    good_until=at + 86400,
                    hash="",
                    state="done",
                    rules="{}",
                    effect_hours=48,
                )
            )
            db.execute(insert(outbox), list(_lines(world, plan, at)))
    return _write_status(state, ids, days)


def _lines(world: World, plan: int, at: float) -> Iterator[dict]:
    rng = np.random.default_rng([world.seed, 17, plan])
    for n, person in enumerate(rng.choice(world.size * PERSONS, min(PEOPLE, world.size * PERSONS // 2), replace=False)):
        kind = "control" if n % 5 == 0 else "sent"
        sent = kind == "sent"
        yield {
            "plan_id": plan,
            "operation": "im_send_msg",
            "campaign": f"campaign-{plan}",
            "client_key": APP,
            "open_id": world.accounts[int(person) // PERSONS].as_py(),
            "person_open_id": world.persons[int(person)].as_py(),
            "reason": "bench",
            "messages": 1,
            "request": "",
            "fingerprint": "bench",
            "state": kind,
            "key": f"{plan}-{n}",
            "claim": f"{plan}-{n}" if sent else None,
            "planned_at": at,
            "claimed_at": at + n if sent else None,
            "delivered_at": at + n + 5 if sent else None,
        }


def _write_status(state: State, ids: list[str], days: int) -> int:
    """Write a row per table of accounts, account and day, in key order: SQLite then appends to its index."""
    kinds = [
        (name, endpoints_of(name)[0].name)
        for name, t in sorted(TABLES.items())
        if "open_id" in t.columns and t.history is not History.EVENT
    ]
    columns = [c.name for c in load_status.columns]
    days_asked = days_of(min(days, STATUS_DAYS))
    lines = (
        (
            name,
            dt.isoformat(),
            operation,
            APP,
            open_id,
            "loaded" if (n * 31 + k) % 97 else "failed",
            1,
            30,
            0,
            None,
            None,
            0.0,
        )
        for k, (name, operation) in enumerate(kinds)
        for dt in days_asked
        for n, open_id in enumerate(ids)
    )
    raw = state.engine.raw_connection()
    try:
        raw.cursor().execute("BEGIN")  # else SQLite commits each of the millions of rows by itself
        raw.cursor().executemany(
            f"INSERT INTO load_status ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", lines
        )
        raw.commit()
    finally:
        raw.close()
    return len(kinds) * len(days_asked) * len(ids)


# ------------------------------------------------------------------ marts


def made_days(marts: Marts) -> dict[str, int]:
    """Return the number of days of each incremental mart that the product builds.

    They are the days that a new day of its dependent marts reads, and at least two weeks.
    """
    found = dict.fromkeys(marts.bound, RECENT)
    for bound in marts.bound.values():
        for name in bound.marts:
            found[name] = max(found[name], bound.mart.days_before(name) + SPARE)
    return found


def write_marts(runtime: Runtime) -> None:
    """Write all marts of all days, so that none is stale."""
    marts = Marts(runtime)
    wanted = made_days(marts)
    for name, bound in marts.bound.items():
        began = time.monotonic()
        dts = marts.days(name) if bound.mart.incremental else marts.stale(name)
        made = dts[-wanted[name] :] if bound.mart.incremental else dts
        for _ in marts.build(name, made):
            pass
        moved = dts[: -len(made)] if made else []
        _move(marts, name, made, moved)
        print(f"  {name}: {len(made)} days made, {len(moved)} moved, {time.monotonic() - began:.0f} s", flush=True)


def _move(marts: Marts, name: str, made: list[date], dts: list[date]) -> None:
    """Write copies of built days with every date moved, and record today's inputs as theirs."""
    bound, lake = marts.bound[name], marts.lake
    for n, source in enumerate(made[:RECENT]):
        if not dts[n::RECENT]:
            break
        rows = lake.read(bound.mart.dataset, source)
        for dt in dts[n::RECENT]:
            by = pa.scalar(dt - source, pa.duration("us"))
            columns = [
                pc.add(c, by)
                if pa.types.is_timestamp(f.type)
                else pc.add(c.cast(pa.timestamp("us")), by).cast(f.type)
                if pa.types.is_date(f.type)
                else c
                for f, c in zip(rows.schema, rows.columns, strict=True)
            ]
            lake.write(bound.mart.dataset, dt, pa.table(columns, schema=rows.schema))
    adopt(marts, name, dts)


def adopt(marts: Marts, name: str, dts: Iterable[date]) -> None:
    """Record that these days of a mart in the lake were built by today's SQL from today's inputs."""
    marts._listed.clear()
    marts._keep_inputs(name, {dt.isoformat(): marts._fingerprint(marts.bound[name], dt) for dt in dts})


# ------------------------------------------------------------------ all of it


def make(home: Path, size: int, days: int, seed: int) -> None:
    """Fill an empty folder with a home."""
    if home.exists() and any(home.iterdir()):
        raise SystemExit(f"{home} is not empty: choose another folder, or remove it")
    runtime = Runtime(settings_of(home, LAST, days))
    with _timed("core tables") as said:
        said.append(f"{write_core(home, size, days, seed):,} rows, {_size(runtime.settings.lake_dir)}")
    with _timed("state") as said:
        said.append(
            f"{write_state(runtime.state, world_of(size, days, seed), days):,} lines of load_status, "
            f"{_size(home / 'state.db')}"
        )
    with _timed("marts") as said:
        write_marts(runtime)
        said.append(_size(runtime.settings.lake_dir / "marts"))
    with _timed("warehouse") as said:
        said.append(f"{publish(runtime, marts=False).bytes / 1e9:.1f} GB")
    runtime.close()


class _timed:
    """A timer that prints how long a part took."""

    def __init__(self, name: str) -> None:
        self._name, self._said = name, []

    def __enter__(self) -> list[str]:
        self._began = time.monotonic()
        return self._said

    def __exit__(self, kind, *_: object) -> None:
        if kind is None:
            print(f"{self._name}: {' '.join(self._said)}, {time.monotonic() - self._began:.0f} s", flush=True)


def _size(path: Path) -> str:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return f"{sum(p.stat().st_size for p in files) / 1e9:.1f} GB in {len(files):,} files"


def main() -> None:
    """Make the home that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    make(chosen.home, chosen.accounts, chosen.days, chosen.seed)


if __name__ == "__main__":
    main()

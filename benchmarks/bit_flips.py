"""Flip random bits of the lake: is a wrong value ever published, each damage named, and all else published?

python -m benchmarks.bit_flips [--rounds 40] [--mart-flips 20] [--seed 1] [--home FOLDER]

A sandbox fills five tables and those that they depend on. In each round a random bit flips in a random file of each of
the five, and a file of another table is touched, so that it must be published. Every published row of every table and
mart is compared with those of a publication of the intact lake. Every second round rebuilds the published file from
scratch, so that nothing stays from before, and leaves the times of the flipped files as they were. Then the files are
restored. After that bits flip in files of marts, which must be rebuilt.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

from apps.cli.simulation import authorize_all, move_clock, running_sandbox, sandbox_settings
from catalog import TABLES
from catalog.records import History
from resources.config.settings import Settings
from resources.runtime import Runtime
from sandbox.config import SandboxConfig
from services.ingest.run import ingest
from services.marts.publishing import publish

FIVE = ("hot_words", "videos", "item_play", "user_fans", "comments")
FILLED = (
    "hot_words",
    "videos",
    "video_totals",
    "item_base",
    "item_play",
    "item_like",
    "user_fans",
    "comments",
    "comment_reads",
    "account_profiles",
)
FIRST = datetime.fromisoformat("2026-11-16T11:00:00+08:00")
DAYS = 2


def fill(runtime: Runtime) -> None:
    """Fill some days of ten tables."""
    authorize_all(runtime)
    for n in range(DAYS):
        move_clock(runtime, FIRST + timedelta(days=n))
        today = runtime.clock.today()
        for name in FILLED:
            ingest(
                runtime,
                TABLES[name],
                [today - timedelta(days=k) for k in range(1, 8)] if TABLES[name].history is History.WINDOW else [today],
            )


def published(runtime: Runtime) -> dict[tuple[str, date | None], tuple]:
    """Return number and hash of the rows of each table and mart, by day where there are days."""
    found: dict[tuple[str, date | None], tuple] = {}
    names = [f'main."{t}"' for t in TABLES] + ["meta.quarantine", "meta.drift"]
    with runtime.warehouse.connect() as connection:
        names += [
            f'marts."{n}"'
            for (n,) in connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts'"
            ).fetchall()
        ]
        for name in names:
            where, _, table = name.replace('"', "").partition(".")
            columns = [
                c
                for (c,) in connection.execute(
                    "SELECT column_name FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?", [where, table]
                ).fetchall()
            ]
            day = "dt" if "dt" in columns else "NULL::DATE"
            for dt, rows, total in connection.execute(
                f"SELECT {day}, count(*), sum(hash(t)::HUGEINT) FROM (SELECT * FROM {name}) t GROUP BY 1"
            ).fetchall():
                found[name, dt] = (rows, total)
    # its numbers depend on the current minute
    return {key: total for key, total in found.items() if "data_health" not in key[0]}


def flip(path: Path, chance: random.Random, *, silently: bool) -> None:
    """Flip one bit anywhere in the file; ``silently`` restores the file's times."""
    stat, data = path.stat(), bytearray(path.read_bytes())
    at = chance.randrange(len(data) * 8)
    data[at // 8] ^= 1 << at % 8
    path.write_bytes(data)
    if silently:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def flip_tables(runtime: Runtime, chance: random.Random, rounds: int, truth: dict) -> Counter:
    """Flip bits in files of the five tables and count the outcomes."""
    n: Counter[str] = Counter()
    others = [p for name in FILLED if name not in FIVE for p in runtime.lake.partitions(name)]
    for number in range(rounds):
        anew = number % 2 == 1
        chosen = [chance.choice(list(runtime.lake.partitions(name))) for name in FIVE]
        whole = {one: one.path.read_bytes() for one in chosen}
        for one in chosen:
            flip(one.path, chance, silently=anew)
        os.utime((other := chance.choice(others)).path)
        done = publish(runtime, rebuild=anew)
        now = published(runtime)
        flipped = {(one.table, one.dt) for one in chosen}
        named = {
            (d.table, d.dt)
            for d in done.damaged
            if f"douyin replay --select {d.table} --from {d.dt} --to {d.dt}" in str(d)
        }
        n["flips"] += len(chosen)
        n["named"] += len(named & flipped)
        n["falsely named"] += len(named - flipped) + len(done.damaged) - len(named)
        n["days of wrong values"] += sum(truth.get(key) != total for key, total in now.items())
        n["other days missing"] += len(truth.keys() - now.keys() - {(f'main."{table}"', dt) for table, dt in flipped})
        n["other tables not published"] += other.dt not in done.changed.get(other.table, [])
        n["left out of a file made anew"] += sum(anew and (f'main."{table}"', dt) not in now for table, dt in flipped)
        for one, data in whole.items():
            one.path.write_bytes(data)
        print(f"round {number + 1}: {dict(n)}", flush=True)
    assert publish(runtime, rebuild=True).damaged == []
    assert published(runtime) == truth, "put back, all is as it was"
    return n


def flip_marts(runtime: Runtime, chance: random.Random, flips: int, truth: dict) -> Counter:
    """Flip bits in files of marts and count the outcomes."""
    n: Counter[str] = Counter()
    files = sorted((runtime.lake.root / "marts").rglob("data.parquet"))
    for _ in range(flips):
        flip(path := chance.choice(files), chance, silently=False)
        done = publish(runtime)
        n["flips in marts"] += 1
        n["named and made again"] += any(d.path == path for d in done.made_again) and not done.damaged
        n["wrong values"] += published(runtime) != truth
    return n


def main() -> None:
    """Run the rounds that the command line chooses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--mart-flips", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path)
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)
    config = SandboxConfig(accounts=3, videos=12, most_fans=5_000, now=FIRST)
    with tempfile.TemporaryDirectory() as folder, running_sandbox(config) as url:
        home = (chosen.home or Path(folder)).resolve()
        runtime = Runtime(
            sandbox_settings(
                Settings(_env_file=None), url, config, home=home, start_date=date(2026, 11, 1), clock=FIRST.isoformat()
            )
        )
        fill(runtime)
        publish(runtime)
        truth = published(runtime)
        print(f"{sum(rows for rows, _ in truth.values()):,} published rows of {len(truth)} tables and days", flush=True)
        print(dict(flip_tables(runtime, chance, chosen.rounds, truth)))
        print(dict(flip_marts(runtime, chance, chosen.mart_flips, truth)))
        runtime.close()


if __name__ == "__main__":
    main()

"""Measure replays of 30, 90 and 365 days: peak memory, which must not grow with the days, and rows per second.

The archive is made from responses of the sandbox: one day of each table is really requested. Then every body is put
into the real archive again for each of the days, with its time and the dates in it moved. Series are thus observed
every day over their whole window, which is the largest replay possible. Each replay is one command in a process of its
own with an empty lake; peak memory is the kernel's ``ru_maxrss``. Repeat with ``python -m benchmarks.replay [--days 30
90 365] [--accounts 5]``; about three minutes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

TABLES = (
    "hot_words",
    "billboard_creators",
    "fans_profile",
    "fans_distributions",
    "videos",
    "video_totals",
    "user_fans",
    "user_like",
    "item_play",
    "item_like",
)
"""Tables of every history that can be replayed, with the heaviest ones."""
LAST = date(2026, 11, 16)
INSTANT = f"{LAST}T11:00:00+08:00"
_DATE = re.compile(rb"20\d\d-\d\d-\d\d")


def main() -> None:
    """Make the archive and measure the replays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, nargs="+", default=[30, 90, 365])
    parser.add_argument("--accounts", type=int, default=5)
    parser.add_argument("--videos", type=int, default=60)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="douyin-bench-") as folder:
        source, home = Path(folder) / "source", Path(folder) / "home"
        bodies = ask_one_day(source, chosen.accounts, chosen.videos)
        answers, size = redate(bodies, home, max(chosen.days))
        print(
            f"archive: {max(chosen.days)} days, {answers:,} answers, {size / 1e6:,.0f} MB of bodies, "
            f"{chosen.accounts} accounts, {len(TABLES)} tables"
        )
        peaks = {days: replay(home, days) for days in sorted(chosen.days)}
    least, most = min(peaks), max(peaks)
    print(f"peak RSS at {most} days / at {least} days: {peaks[most] / peaks[least]:.2f}")


def ask_one_day(home: Path, accounts: int, videos: int) -> list[tuple]:
    """Return every successful response of one day, as (entry, body)."""
    from apps.cli.simulation import authorize_all, move_clock, running_sandbox, sandbox_settings
    from catalog import ENDPOINTS
    from catalog import TABLES as CATALOGUE
    from catalog.records import History
    from resources.config.settings import Settings
    from resources.runtime import Runtime
    from sandbox.config import SandboxConfig
    from services.ingest.run import ingest

    config = SandboxConfig(accounts=accounts, videos=videos, most_fans=60_000, now=datetime.fromisoformat(INSTANT))
    with running_sandbox(config) as url:
        runtime = Runtime(
            sandbox_settings(Settings(_env_file=None), url, config, home=home, start_date=LAST - timedelta(days=400))
        )
        move_clock(runtime, datetime.fromisoformat(INSTANT))
        authorize_all(runtime)
        for name in TABLES:
            table = CATALOGUE[name]
            ingest(runtime, table, [LAST - timedelta(days=30 if table.history is History.WINDOW else 0)])
        runtime.close()
        archive = runtime.archive
        return [
            (entry, body)
            for name in ENDPOINTS
            for _, entry, body in archive.records(name, archive.days(name))
            if entry.ok
        ]


def redate(bodies: list[tuple], home: Path, days: int) -> tuple[int, int]:
    """Archive the bodies for each of the days until ``LAST``; return the number of responses and bytes."""
    from resources.storage.archive import Archive

    archive = Archive(home / "archive", flush_s=3600)
    size = 0
    for back in range(days):
        moved = timedelta(days=back)

        def earlier(text: bytes, moved=moved) -> bytes:
            return _DATE.sub(lambda found: str(date.fromisoformat(found[0].decode()) - moved).encode(), text)

        for entry, body in bodies:
            body = earlier(body)
            size += len(body)
            params = {k: earlier(v.encode()).decode() if isinstance(v, str) else v for k, v in entry.params.items()}
            archive.append(
                replace(
                    entry,
                    params=params,
                    began_at=entry.began_at - moved,
                    observed_at=entry.observed_at - moved,
                    sequence=f"{entry.sequence}-{back}",
                    newest=entry.newest and earlier(entry.newest.encode()).decode(),
                ),
                body,
            )
        archive.flush()
    return len(bodies) * days, size


def replay(home: Path, days: int) -> int:
    """Replay the last ``days`` days into an empty lake in a fresh process; print and return its peak in KiB."""
    shutil.rmtree(home / "lake", ignore_errors=True)
    (home / "warehouse.duckdb").unlink(missing_ok=True)
    first = LAST - timedelta(days=days - 1)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "DAGSTER_"))} | {
        "DOUYIN_HOME": str(home),
        "DOUYIN_CLOCK": INSTANT,
        "DOUYIN_START_DATE": "2025-01-01",
    }
    words = [sys.executable, "-c", _CHILD, first.isoformat(), LAST.isoformat(), *TABLES]
    began = time.monotonic()
    run = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
    said = run.stdout.read()
    _, status, usage = os.wait4(run.pid, 0)
    took = time.monotonic() - began
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"the replay of {days} days failed:\n{said}")
    files = list((home / "lake").glob("[!_]*/dt=*/data.parquet"))
    rows = sum(pq.read_metadata(f).num_rows for f in files)
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f"{days:4} days: {len(files):,} partitions, {rows:,} rows, {took:.1f} s, {rows / took:,.0f} "
        f"rows/s, {rows / cpu:,.0f} rows per CPU second, "
        f"peak RSS {usage.ru_maxrss / 1024:,.0f} MiB",
        flush=True,
    )
    return usage.ru_maxrss


_CHILD = """
import sys
from datetime import date
from services.ingest.replay import replay
from catalog import TABLES
from resources.runtime import Runtime
first, last, *tables = sys.argv[1:]
runtime = Runtime()
for name in tables:
    for one in replay(runtime, TABLES[name], date.fromisoformat(first), date.fromisoformat(last)):
        one.land(runtime)
runtime.close()
"""
"""The part of ``douyin replay`` before publication, whose memory and time are measured elsewhere."""


if __name__ == "__main__":
    main()

"""Measure a day of 1,000 accounts with about 30 videos each, at 200 requests/s.

Measured is how much of the limit a whole command uses, and its time. Serves a sandbox that counts calls per scope and
second as the platform does, authorises its accounts, and runs ``douyin run`` over videos, their five series and the
accounts' six, from process start to the published warehouse. The least time is calls ÷ rate: every call belongs to a
scope with the same limit, and tables are filled one after the other. Only videos younger than 30 days have series: 30
of 160 in the full form, which takes a quarter of an hour; 7 of 40 in the short one, with 100 accounts.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import duckdb
import httpx

from benchmarks.results import Figure, Table, save

INSTANT = "2026-11-17T11:30:00+08:00"
RATE = 200
TABLES = (
    "videos,video_totals,item_base,item_like,item_comment,item_play,item_share,"
    "user_item,user_fans,user_like,user_comment,user_share,user_profile"
)
TOO_FREQUENT = "28003018"
AUTHORIZE = """
from apps.cli.simulation import authorize_all
from resources.runtime import Runtime
runtime = Runtime()
print(len(authorize_all(runtime)))
runtime.close()
"""


def main() -> None:
    """Run the day that the command line chooses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    accounts, videos = (1000, 160) if parser.parse_args().full else (100, 40)
    with tempfile.TemporaryDirectory(prefix="douyin-bench-") as home:
        box = subprocess.Popen(
            douyin(
                "sandbox", "--port", "0", "--accounts", accounts, "--videos", videos, "--now", INSTANT, "--qps", RATE
            ),
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"COLUMNS": "400"},
        )
        try:
            url = next(found[0] for line in box.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            report(url, Path(home), accounts)
        finally:
            box.terminate()
            box.wait()


def report(url: str, home: Path, accounts: int) -> None:
    """Authorise the accounts, run the commands, and save the figures."""
    from apps.cli.simulation import SANDBOX_TOKEN_KEY

    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "DAGSTER_"))} | {
        "DOUYIN_HOME": str(home),
        "DOUYIN_BASE_URL": url,
        "DOUYIN_CLIENT_KEY": "sandbox-key",
        "DOUYIN_CLIENT_SECRET": "sandbox-secret",
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
        "DOUYIN_CLOCK": INSTANT,
        "DOUYIN_QPS": str(RATE),
        "COLUMNS": "200",
    }
    known = int(
        subprocess.run(
            [sys.executable, "-c", AUTHORIZE], env=environment, check=True, capture_output=True, text=True
        ).stdout
    )
    assert known == accounts, f"{known} accounts of {accounts} are authorised"
    httpx.delete(f"{url}/_sandbox/stats", trust_env=False).raise_for_status()
    began = time.monotonic()
    run = subprocess.Popen(
        douyin("run", "--select", TABLES), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = run.stdout.read()
    _, status, usage = os.wait4(run.pid, 0)
    took = time.monotonic() - began
    stats = httpx.get(f"{url}/_sandbox/stats", timeout=60, trust_env=False).json()
    rows, landed = counted(home)
    codes: Counter[str] = Counter()
    for operation in stats["operations"].values():
        codes.update(operation["codes"])
    print(said)
    assert os.waitstatus_to_exitcode(status) == 0, "the run failed"
    assert landed == codes["0"], f"{landed:,} answers are recorded in load_status, {codes['0']:,} were given"
    calls, cpu = stats["total"], usage.ru_utime + usage.ru_stime
    least, used, share = calls / RATE, calls / took / RATE, cpu / took
    enough = took >= 300
    save(
        "day",
        [
            Figure(
                f"fraction of a {RATE}/s limit, a whole command of {took / 60:.1f} minutes",
                "≥ 0.97, 5 minutes or more",
                f"{used:.3f}",
                used >= 0.97 and enough,
                "" if used >= 0.97 and enough else WHY if enough else "the short form is too short for it",
            ),
            Figure(
                'answers "too frequent" in it',
                "none",
                f"{codes[TOO_FREQUENT]} of {calls:,}",
                not codes[TOO_FREQUENT],
                "" if not codes[TOO_FREQUENT] else "slots were used later than the headroom covers",
            ),
            Figure(
                f"share of a core at {RATE} requests/s, the whole command",
                "≤ 0.15",
                f"{share:.3f}",
                share <= 0.15,
                "" if share <= 0.15 else WHY_SHARE,
            ),
        ],
        [
            Table(
                f"A day of {accounts:,} accounts, {rows['item_base']:,} videos with series",
                ["", "value"],
                [
                    ["calls", f"{calls:,}"],
                    ["rows landed", f"{sum(rows.values()):,}"],
                    [f"least time, calls ÷ {RATE}/s, s", f"{least:.1f}"],
                    ["the whole command, s", f"{took:.1f}"],
                    ["against the least time", f"{took / least:.3f}×"],
                    ["CPU, s", f"{cpu:.1f}"],
                    ["CPU per call, µs", f"{cpu / calls * 1e6:.0f}"],
                    ["peak memory, MiB", f"{usage.ru_maxrss / 1024:,.0f}"],
                    ["most calls of a scope within a second", str(max(stats["max_per_second"].values()))],
                ],
                "The command is `douyin run --select …` with Dagster, from process start to the published warehouse.",
            )
        ],
    )


WHY = (
    "tables are made one after the other: start-up, and between two tables the work on the first one's rows, "
    "are time without calls"
)


WHY_SHARE = (
    "a call at this rate costs half as much again as one in a row of calls (see the table of the "
    "client): between two groups of calls the process sleeps, "
    "and every wake-up of event loop and transport finds cold caches; the rest is archive, rows, marts and start-up"
)


def counted(home: Path) -> tuple[dict[str, int], int]:
    """Return the rows of each published table, and the calls that load_status counts."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES.split(",")}
        recorded = connection.execute(
            "SELECT sum(calls) FROM (SELECT max(calls) AS calls FROM meta.load_status GROUP BY "
            "operation, client_key, open_id)"
        ).fetchone()[0]
    return rows, int(recorded)


def douyin(*words: object) -> list[str]:
    """Return the command line of a ``douyin`` command."""
    return [sys.executable, "-m", "apps.cli.main", *map(str, words)]


if __name__ == "__main__":
    main()

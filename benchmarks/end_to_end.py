"""Compare with dlt end to end: videos of some accounts from the same server into Parquet and DuckDB.

Each way is a process of its own:

- ``ours``: archive, lake (``videos`` and ``video_totals``) and the published warehouse, without Dagster
  (``benchmarks/our_job.py``).
- ``douyin run``: the same with Dagster, as a person or a schedule starts it, with the marts that depend on those
  tables.
- ``dlt → Parquet`` and ``dlt → DuckDB``: ``benchmarks/with_dlt.py`` by the Python of ``.venv-bench`` (``make bench``
  installs it), or of ``BENCH_DLT``.

Measured are wall time from process start to end, CPU and peak memory as the kernel counts them (``wait4``; of the
largest process), and the files that it wrote or changed and left. Counts and sums of the landed rows are compared with
those of the server. Accounts are authorised before. A response has 20 videos, as many as requested.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from apps.cli.simulation import SANDBOX_TOKEN_KEY
from benchmarks.results import Figure, Table, save
from benchmarks.server import serving, video

PER_PAGE, PAGES = 20, 10
PER_ACCOUNT = PER_PAGE * PAGES
IN_FLIGHT = 32
"""Requests at once, for both: of 5, 10, 16 and 32, dlt is fastest with 32."""
OURS, COMMAND, PARQUET, DUCKDB = "ours", "douyin run", "dlt → Parquet", "dlt → DuckDB"
ROOT = Path(__file__).resolve().parents[1]
DLT = Path(os.environ.get("BENCH_DLT", ROOT / ".venv-bench/bin/python"))


@dataclass(frozen=True)
class Case:
    """One measurement: rows to fetch, conditions, number of runs, and ways."""

    rows: int
    runs: int = 3
    latency: float = 0.0
    qps: int = 0
    faults: float = 0.0
    ways: tuple[str, ...] = (OURS, COMMAND, PARQUET, DUCKDB)

    @property
    def accounts(self) -> int:
        """Number of accounts that together have the rows."""
        return self.rows // PER_ACCOUNT

    @property
    def condition(self) -> str:
        """The condition of the server in short."""
        return (
            f"{self.latency * 1000:.0f} ms"
            if self.latency
            else f"{self.qps}/s"
            if self.qps
            else f"{self.faults:.0%} faults"
            if self.faults
            else "zero latency"
        )


SHORT = (Case(10_000, 1), Case(100_000, 1, ways=(OURS, PARQUET)))
FULL = (
    Case(1_000),
    Case(10_000),
    Case(100_000),
    Case(1_000_000, 1, ways=(OURS, PARQUET)),
    *(
        Case(rows, runs, ways=(OURS, PARQUET, DUCKDB), **condition)
        for condition in ({"latency": 0.05}, {"qps": 200}, {"faults": 0.01})
        for rows, runs in ((1_000, 3), (10_000, 3), (100_000, 1))
    ),
)


@dataclass(frozen=True)
class Run:
    """Time and memory of one process, and the files that it left."""

    wall: float
    cpu: float
    rss: float
    bytes: int
    files: int
    calls: int
    refused: int


def main() -> None:
    """Measure the chosen cases and save figures and tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rows", type=int, help="only cases of so many rows")
    options = parser.parse_args()
    if not DLT.exists():
        sys.exit(f"{DLT} is not there: `make bench` installs dlt beside us, or BENCH_DLT names a Python that has it")
    cases = [case for case in (FULL if options.full else SHORT) if options.rows in (None, case.rows)]
    found: dict[Case, dict[str, Run]] = {}
    with tempfile.TemporaryDirectory(prefix="douyin-bench-") as folder:
        for case in cases:
            found[case] = measured(case, Path(folder))
            for way, run in found[case].items():
                print(
                    f"{case.rows:>9,} rows, {case.condition:12}  {way:14} {run.wall:8.2f} s  CPU "
                    f"{run.cpu:7.2f} s  {run.rss:6.0f} MiB",
                    flush=True,
                )
    save("end_to_end", list(figures(found)), list(tables(found)))


# --------------------------------------------------------------------------- measuring


def measured(case: Case, folder: Path) -> dict[str, Run]:
    """Return the median run of each way, the ways in turns."""
    conditions = [
        word for name in ("latency", "qps", "faults") if (value := getattr(case, name)) for word in (f"--{name}", value)
    ]
    with serving("--rows", PER_PAGE, "--pages", PAGES, *conditions) as url:
        runs: dict[str, list[Run]] = {way: [] for way in case.ways}
        for _ in range(case.runs):
            for way in case.ways:
                runs[way].append(one_run(way, case, url, folder))
    return {
        way: sorted(several, key=lambda run: run.wall)[len(several) // 2] if len(several) < 3 else median(several)
        for way, several in runs.items()
    }


def median(runs: list[Run]) -> Run:
    """Return the median of each measured number."""
    return Run(*(statistics.median(getattr(run, name) for run in runs) for name in Run.__dataclass_fields__))


def one_run(way: str, case: Case, url: str, folder: Path) -> Run:
    """Run one way in a copy of its prepared home, and check what landed."""
    home = folder / "run"
    shutil.copytree(prepared(way, case, folder), home)
    before = files(home)
    httpx.get(f"{url}/reset", trust_env=False)
    took, usage = finish(way, case.accounts, case.qps, url, home)
    stats = httpx.get(f"{url}/stats", trust_env=False).json()
    left = [size for path, (size, changed) in files(home).items() if before.get(path) != (size, changed)]
    run = Run(
        took,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        sum(left),
        len(left),
        stats["calls"],
        stats["refused"],
    )
    landed, given = (landed_of_ours if way in (OURS, COMMAND) else landed_of_dlt)(home), expected(case.accounts)
    assert landed == given, f"{way} landed {landed}, the server gave {given}"
    shutil.rmtree(home)
    return run


def prepared(way: str, case: Case, folder: Path) -> Path:
    """Return a home that is copied for each run.

    It was run once without accounts, so that it has its layout; in ours, the accounts then gave their consent.
    """
    home = folder / f"{way}-{case.accounts}"
    if not home.exists():
        running = folder / "run"  # a run stores paths of its home, so prepare it under the name of the measured one
        running.mkdir()
        with serving() as url:
            finish(way, 0, 0, url, running)
            if way in (OURS, COMMAND):
                words = [sys.executable, "-m", "benchmarks.our_job", "authorize", str(case.accounts)]
                subprocess.run(words, env=our_environment(0, url, running), cwd=ROOT, check=True)
        running.rename(home)
    return home


def finish(way: str, accounts: int, qps: int, url: str, home: Path) -> tuple[float, resource.struct_rusage]:
    """Run one way as a process; return its wall time and its resource usage."""
    if way in (OURS, COMMAND):
        job = (
            ["benchmarks.our_job", *([] if accounts else ["publish"])]
            if way == OURS
            else ["apps.cli.main", "run", "--select", "videos,video_totals"]
        )
        words, environment, place = [sys.executable, "-m", *job], our_environment(qps, url, home), ROOT
    else:
        words = [str(DLT), str(ROOT / "benchmarks/with_dlt.py"), url, str(accounts), way.split()[-1].lower(), str(home)]
        environment, place = dlt_environment(home), home
    with open(home.with_name("said.txt"), "w+") as said:
        began = time.monotonic()
        process = subprocess.Popen(words, env=environment, cwd=place, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        nothing_to_ask = way == COMMAND and not accounts  # the command reports that as an error, and still publishes
        assert process.returncode == nothing_to_ask, f"{way} failed:\n{said.read()[-3000:]}"
    return took, usage


def files(home: Path) -> dict[Path, tuple[int, int]]:
    """Return size and time of each file except locks, which are empty."""
    found = {path: path.stat() for path in home.rglob("*") if path.is_file() and path.parent.name != "locks"}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


def our_environment(qps: int, url: str, home: Path) -> dict[str, str]:
    """Return the environment of our processes."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "DAGSTER_"))} | {
        "PYTHONPATH": str(ROOT),
        "DOUYIN_HOME": str(home),
        "DOUYIN_BASE_URL": url,
        "DOUYIN_CLIENT_KEY": "bench-key",
        "DOUYIN_CLIENT_SECRET": "bench-secret",
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
        "DOUYIN_QPS": str(qps or 100_000),
        "DOUYIN_CONCURRENCY": str(IN_FLIGHT),
        "DOUYIN_RETRY_BASE_S": "0.2",
        "COLUMNS": "200",
    }


def dlt_environment(home: Path) -> dict[str, str]:
    """Return dlt's settings, without telemetry.

    Threads fetch, and a process on each core normalises files of 25,000 rows ("Optimizing dlt"). Larger buffers cost
    the same and need twice the memory; spawned processes and a resource for each account cost a third more.
    """
    return {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "PYTHONPATH"))} | {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DLT_DATA_DIR": str(home / "dlt"),
        "EXTRACT__WORKERS": str(IN_FLIGHT),
        "EXTRACT__MAX_PARALLEL_ITEMS": str(2 * IN_FLIGHT),
        "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "25000",
        "NORMALIZE__WORKERS": "2",
    }


# --------------------------------------------------------------------------- what landed

SUMS = ("comment_count", "digg_count", "download_count", "forward_count", "play_count", "share_count")


def expected(accounts: int) -> list[int]:
    """Return the expected videos, different ids, the sum of their instants in Unix seconds, and of each count."""
    listed = [video("0" * 8, i) for i in range(PER_ACCOUNT)]
    sums = [sum(v["create_time"] for v in listed), *(sum(v["statistics"][name] for v in listed) for name in SUMS)]
    return [accounts * PER_ACCOUNT, accounts * PER_ACCOUNT, *(accounts * one for one in sums)]


_READ = """
import duckdb, glob, json, sys
home = sys.argv[1]
parquet = glob.glob(f"{home}/lake/bench/videos/*.parquet")
connection = duckdb.connect() if parquet else duckdb.connect(f"{home}/warehouse.duckdb", read_only=True)
place = f"read_parquet({parquet})" if parquet else sys.argv[3]
print(json.dumps([int(v) for v in connection.execute(sys.argv[2] + place).fetchall()[0]]))
"""


def read(python: str, home: Path, query: str, place: str) -> list[int]:
    """Run a query in a process of its own.

    The peak memory of a process begins with that of its parent, so this process must stay small.
    """
    return json.loads(
        subprocess.run(
            [python, "-c", _READ, str(home), query, place], check=True, capture_output=True, text=True
        ).stdout
    )


def landed_of_ours(home: Path) -> list[int]:
    """Return the same numbers from our published warehouse."""
    query = (
        "SELECT count(*), count(DISTINCT (open_id, item_id)), sum(epoch(created_at))::BIGINT, "
        f"{', '.join(f'sum({name})' for name in SUMS)} FROM "
    )
    return read(sys.executable, home, query, "videos JOIN video_totals USING (dt, client_key, open_id, item_id)")


def landed_of_dlt(home: Path) -> list[int]:
    """Return the same numbers from dlt's files, by dlt's own DuckDB, whose files ours need not read."""
    query = (
        "SELECT count(*), count(DISTINCT (_accounts_open_id, item_id)), sum(create_time), "
        f"{', '.join(f'sum(statistics__{name})' for name in SUMS)} FROM "
    )
    return read(str(DLT), home, query, "bench.videos")


# --------------------------------------------------------------------------- reporting


def figures(found: dict[Case, dict[str, Run]]) -> Iterator[Figure]:
    """Yield the figures that have a bar."""
    plain = {case.rows: runs for case, runs in found.items() if case.condition == "zero latency"}
    if (at := plain.get(100_000)) is not None:
        ours, theirs = at[OURS], [run for way, run in at.items() if way in (PARQUET, DUCKDB)]
        beside = "; with Dagster {:.1f}×" if COMMAND in at else ""
        for name, what, bar in (("wall", "time", 10), ("cpu", "CPU", 8)):
            least = min(getattr(run, name) for run in theirs)
            ratio = least / getattr(ours, name)
            also = beside.format(least / getattr(at[COMMAND], name)) if beside else ""
            yield Figure(
                f"{what} against dlt, 100,000 rows, zero latency",
                f"≥ {bar}×",
                f"{ratio:.1f}×{also}",
                ratio >= bar,
                "" if ratio >= bar else WHY[name],
            )
        least = min(run.rss for run in theirs)
        yield Figure(
            "peak memory against dlt, 100,000 rows",
            "≤ dlt's",
            f"{ours.rss:.0f} MiB, dlt {least:.0f}",
            ours.rss <= least,
            "" if ours.rss <= least else WHY["rss"],
        )
        if (more := plain.get(1_000_000)) is not None:
            ratio = more[OURS].rss / ours.rss
            yield Figure(
                "peak memory from 100,000 to 1,000,000 rows",
                "≤ 1.1×",
                f"{ratio:.2f}×",
                ratio <= 1.1,
                "" if ratio <= 1.1 else WHY["flat"],
            )


WHY = {
    "wall": (
        "of ours, start and publication grow little with the rows; of the rest most is the calls with token, "
        "limit and archive, then reading the answers into two tables"
    ),
    "cpu": (
        "beside start and publication, each answer is archived, put into order and read into two tables, and "
        "the rows are published, which dlt does not do"
    ),
    "rss": (
        "Arrow, pandas, DuckDB, SQLAlchemy and the client are 175 MiB before the first call, as much as dlt "
        "takes in all"
    ),
    "flat": (
        "DuckDB's INSERT while publishing, which buffers the row groups of its threads; a limit that keeps it "
        "small makes a file of two years fail: see the notes"
    ),
}


def tables(found: dict[Case, dict[str, Run]]) -> Iterator[Table]:
    """Yield the tables of all cases."""
    rows = []
    for case, runs in found.items():
        for way, run in runs.items():
            rows.append(
                [
                    f"{case.rows:,}, {case.condition}",
                    way,
                    f"{run.wall:.2f}",
                    f"{run.cpu:.2f}",
                    f"{run.rss:.0f}",
                    f"{run.bytes / 1e6:.1f}",
                    f"{run.files:.0f}",
                    f"{run.calls / run.wall:.0f}",
                    f"{run.refused:.0f}",
                ]
            )
    yield Table(
        "The videos of accounts, end to end",
        ["rows", "way", "wall, s", "CPU, s", "peak, MiB", "MB left", "files left", "calls/s", "too frequent"],
        rows,
        "Ours leaves the archive, the lake and the warehouse; dlt one of the two, and its load packages. "
        "Medians of three runs, in turns; the largest cases once.",
    )


if __name__ == "__main__":
    main()

"""Measure a run over thousands of accounts with faults, and check that all other data lands.

Serves a sandbox as one process, authorises its accounts as a second, and runs ``douyin run`` over all tables as a
third, whose peak of memory it reports (the kernel's ``ru_maxrss``). 3 % of the accounts have dead tokens, 1 % are
private, and two operations are withdrawn. 2,000 accounts take about 12 minutes on two idle cores: ``python -m
benchmarks.many_accounts [--accounts 200]``.
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

import httpx

INSTANT = "2026-11-16T11:30:00+08:00"
WITHDRAWN = ("user_share", "fans_source")
DEAD, PRIVATE = 0.03, 0.01
AUTHORIZE = """
from apps.cli.simulation import authorize_all
from resources.runtime import Runtime
runtime = Runtime()
print(len(authorize_all(runtime)))
runtime.close()
"""


def main() -> None:
    """Serve the sandbox and run over its accounts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=2000)
    accounts = parser.parse_args().accounts
    with tempfile.TemporaryDirectory(prefix="douyin-bench-") as home:
        box = subprocess.Popen(
            douyin(
                "sandbox",
                "--port",
                "0",
                "--accounts",
                accounts,
                "--videos",
                4,
                "--most-fans",
                800,
                "--dead-tokens",
                DEAD,
                "--private",
                PRIVATE,
                "--now",
                INSTANT,
                "--qps",
                100_000,
                *(word for name in WITHDRAWN for word in ("--withdrawn", name)),
            ),
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"COLUMNS": "400"},
        )
        try:
            url = next(found[0] for line in box.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            report(url, Path(home))
        finally:
            box.terminate()
            box.wait()


def report(url: str, home: Path) -> None:
    """Authorise the accounts, run the command, and print what landed."""
    from apps.cli.simulation import SANDBOX_TOKEN_KEY

    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "DAGSTER_"))} | {
        "DOUYIN_HOME": str(home),
        "DOUYIN_BASE_URL": url,
        "DOUYIN_CLIENT_KEY": "sandbox-key",
        "DOUYIN_CLIENT_SECRET": "sandbox-secret",
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
        "DOUYIN_CLOCK": INSTANT,
        "DOUYIN_QPS": "1000",
        "DOUYIN_RETRY_BASE_S": "0.05",
        "COLUMNS": "200",
    }
    troubles = Counter(a["trouble"] for a in httpx.get(f"{url}/_sandbox/accounts", timeout=60, trust_env=False).json())
    known = subprocess.run(
        [sys.executable, "-c", AUTHORIZE], env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()
    httpx.delete(f"{url}/_sandbox/stats", trust_env=False).raise_for_status()
    began = time.monotonic()
    run = subprocess.Popen(douyin("run"), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = run.stdout.read()
    _, status, usage = os.wait4(run.pid, 0)
    took = time.monotonic() - began
    calls = httpx.get(f"{url}/_sandbox/stats", timeout=60, trust_env=False).json()["total"]
    print(said)
    began = time.monotonic()
    print(subprocess.run(douyin("status"), env=environment, check=True, capture_output=True, text=True).stdout)
    print(
        f"{known} accounts, of them {troubles['dead_token']} with dead tokens and {troubles['private']} "
        f"private; {' and '.join(WITHDRAWN)} withdrawn"
    )
    print(
        f"exit code {os.waitstatus_to_exitcode(status)}, {calls:,} calls in {took:.0f} s "
        f"({calls / took:.0f}/s), peak RSS {usage.ru_maxrss / 1024:,.0f} MiB (bar 1,024)"
    )
    print(f"`douyin status` took {time.monotonic() - began:.1f} s")


def douyin(*words: object) -> list[str]:
    """Return the command line of a ``douyin`` command."""
    return [sys.executable, "-m", "apps.cli.main", *map(str, words)]


if __name__ == "__main__":
    main()

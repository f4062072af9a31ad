"""Measure one new day on top of a year of 1,000 accounts: build all stale marts, and publish.

The home is made by ``benchmarks.big_home`` and stays as it is. A copy beside it (files of the lake as hard links) gets
the new day, the series of the day before, and corrections of the three days before that, which make marts of those days
stale, too. Building and publishing are a process each, so that their peak memory (``VmHWM`` of Linux) is their own. The
bar: all of it in 60 s and 2 GiB on two cores.

``python -m benchmarks.marts HOME [--corrected 3]``. ``--save FILE`` saves hashes of the built marts, and ``--compare
FILE`` reports whether another version of the code builds the same bytes. With ``--adopt`` the days of the home count as
built by today's SQL, although the home was made before the SQL was changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.big_home import LAST, SEED, adopt, settings_of, world_of, write_rows
from benchmarks.big_tables import observed, series
from resources.runtime import Runtime
from resources.storage.lake import Lake
from services.marts.build import Marts
from services.marts.publishing import publish

BAR_S, BAR_BYTES = 60, 2 << 30
NEW = LAST + timedelta(days=1)


def main() -> None:
    """Copy the home, add the day, and measure building and publishing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--accounts", type=int, default=1000, help="those that the home was made with")
    parser.add_argument("--days", type=int, default=365, help="those that the home was made with")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--corrected", type=int, default=3, help="so many days of series come again with other numbers")
    parser.add_argument(
        "--only", choices=("build", "publish"), help="one part, in this process, on a home that has the new day"
    )
    parser.add_argument("--no-publish", action="store_true")
    parser.add_argument("--adopt", action="store_true")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--compare", type=Path)
    chosen = parser.parse_args()
    if chosen.only == "build":
        build(chosen.home, chosen.days, chosen.save, chosen.compare)
    elif chosen.only == "publish":
        publish_day(chosen.home, chosen.days)
    else:
        measure(chosen)


def measure(chosen: argparse.Namespace) -> None:
    """Measure in the copied home."""
    work = chosen.home.with_name(chosen.home.name + ".measured")
    began = time.monotonic()
    copy(chosen.home, work)
    if chosen.adopt:
        runtime = Runtime(settings_of(work, LAST, chosen.days))
        marts = Marts(runtime)
        for name, bound in marts.bound.items():
            if bound.mart.incremental:
                adopt(marts, name, marts.lake.days(bound.mart.dataset))
        runtime.close()
    rows = add_day(work, chosen.accounts, chosen.days, chosen.seed, chosen.corrected)
    print(
        f"new day {NEW}, {chosen.corrected} days corrected: {rows:,} rows ({time.monotonic() - began:.0f} "
        "s with copying the home)",
        flush=True,
    )
    kept = [
        word for name in ("save", "compare") if (path := getattr(chosen, name)) for word in (f"--{name}", str(path))
    ]
    for part in ("build",) if chosen.no_publish else ("build", "publish"):
        subprocess.run(
            [sys.executable, "-m", "benchmarks.marts", str(work), "--days", str(chosen.days), "--only", part, *kept],
            check=True,
        )
    shutil.rmtree(work)


def copy(home: Path, work: Path) -> None:
    """Copy a home for the measurement.

    Files of the lake and the warehouse become hard links, since they are always replaced as a whole. The state is
    copied, since it is modified in place.
    """
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(
        home, work, copy_function=os.link, ignore=shutil.ignore_patterns("state.db*", "locks", "pins", "tmp")
    )
    for path in home.glob("state.db*"):
        shutil.copyfile(path, work / path.name)


def add_day(home: Path, size: int, days: int, seed: int, corrected: int) -> int:
    """Write the data that a run on the new day fetches, and return the number of rows."""
    world, lake = world_of(size, days, seed), Lake(home / "lake")
    count = write_rows(lake, NEW, observed(world, NEW))
    for n in range(1, corrected + 2):
        count += write_rows(lake, NEW - timedelta(days=n), series(world, NEW - timedelta(days=n), NEW))
    return count


def build(home: Path, days: int, save: Path | None, compare: Path | None) -> None:
    """Build the stale marts as ``Marts.build_stale`` does, and print time and memory of each mart."""
    runtime = Runtime(settings_of(home, NEW, days))
    began, cpu = time.monotonic(), time.process_time()
    marts, digests, peak, checking = Marts(runtime), {}, 0, 0.0
    _ = marts.bound
    print(f"  {'mart':<20}{'days':>5}{'rows':>10}{'wall s':>9}{'CPU s':>8}{'peak MiB':>10}")
    print(
        "  "
        f"{'(binding)':<20}{'':>15}{time.monotonic() - began:>9.2f}{time.process_time() - cpu:>8.2f}"
        f"{_peak() >> 20:>10,}"
    )
    for name in marts.bound:
        _reset_peak()
        t, c = time.monotonic(), time.process_time()
        stale = marts.stale(name)
        checking += time.monotonic() - t
        rows = made = 0
        for built in marts.build(name, stale):
            rows, made = rows + built.row_count, made + 1
        print(
            "  "
            f"{name:<20}{made:>5}{rows:>10,}{time.monotonic() - t:>9.2f}{time.process_time() - c:>8.2f}"
            f"{_peak() >> 20:>10,}",
            flush=True,
        )
        peak = max(peak, _peak())
        digests |= {f"{name} {dt}": hashlib.sha256(marts.path(name, dt).read_bytes()).hexdigest() for dt in stale}
    wall = time.monotonic() - began
    print(
        "  "
        f"{'all':<20}{len(digests):>5}{'':>10}{wall:>9.2f}{time.process_time() - cpu:>8.2f}{peak >> 20:>10,} "
        f"  of it {checking:.2f} s to find what is out of date"
    )
    print(
        f"making marts: {wall:.1f} s (bar {BAR_S}), peak {peak / 2**20:,.0f} MiB (bar "
        f"{BAR_BYTES >> 20:,}): {'met' if wall < BAR_S and peak < BAR_BYTES else 'NOT MET'}",
        flush=True,
    )
    runtime.close()
    if save:
        save.write_text(json.dumps(digests, indent=0))
    if compare:
        before = json.loads(compare.read_text())
        other = sorted(k for k in before.keys() | digests.keys() if before.get(k) != digests.get(k))
        print(
            f"{len(digests) - len(other)} of {len(digests)} files are byte for byte those of {compare}"
            + (f"; others: {', '.join(other)}" if other else ""),
            flush=True,
        )


def publish_day(home: Path, days: int) -> None:
    """Publish the new day and print time and memory."""
    runtime = Runtime(settings_of(home, NEW, days))
    began, cpu = time.monotonic(), time.process_time()
    done = publish(runtime, marts=False)
    print(
        f"publishing {done.partitions} changed partitions into {done.bytes / 1e9:.1f} GB: "
        f"{time.monotonic() - began:.1f} s (of it {done.seconds:.1f} s for the file), "
        f"{time.process_time() - cpu:.1f} s of CPU, peak {_peak() / 2**20:,.0f} MiB",
        flush=True,
    )
    runtime.close()


def _peak() -> int:
    """Return the highest resident memory of this process since the last reset, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main()

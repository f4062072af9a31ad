"""Run all measurements of docs/performance.md one after the other, each in a process of its own.

``python -m benchmarks.all`` is the short form, about five minutes, and prints its results. ``--full`` takes about 50
minutes, saves the figures in ``benchmarks/measured`` and writes docs/performance.md. ``--only NAME`` repeats some of
them; ``--page`` writes the page from the saved figures alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.page import PAGE, machine, page

SCRIPTS = ("client", "normalise", "scheduled_run", "day", "end_to_end", "publish")
"""In the order of the page. Each takes ``--full``."""
MEASURED = Path(__file__).with_name("measured")


def main() -> int:
    """Run the chosen measurements and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", action="append", choices=SCRIPTS)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    failed = []
    if not options.page:
        results = MEASURED if options.full else Path("data/bench/results")
        for name in options.only or SCRIPTS:
            print(f"\n=== {name}", flush=True)
            began = time.monotonic()
            words = [sys.executable, "-m", f"benchmarks.{name}", *(["--full"] if options.full else [])]
            if subprocess.run(words, env=os.environ | {"BENCH_RESULTS": str(results)}).returncode:
                failed.append(name)
            print(f"=== {name}: {time.monotonic() - began:.0f} s", flush=True)
        if options.full and not failed:
            (MEASURED / "machine.txt").write_text(machine())
    if options.page or (options.full and not failed):
        PAGE.write_text(page(MEASURED, SCRIPTS))
        print(f"{PAGE} written")
    if failed:
        print(f"did not end well: {', '.join(failed)}; the page was left as it was")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())

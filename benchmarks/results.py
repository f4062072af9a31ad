"""Record the results of a benchmark: figures with their bars, and tables.

They are saved as JSON, from which docs/performance.md is made.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(os.environ.get("BENCH_RESULTS", "data/bench/results"))


@dataclass(frozen=True)
class Figure:
    """One line of the page's first table.

    ``measured`` is text with its unit; ``why`` explains a bar that was missed.
    """

    measure: str
    reach: str
    measured: str
    met: bool
    why: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the page; cells are text, ready to be read."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def save(name: str, figures: Sequence[Figure] = (), tables: Sequence[Table] = ()) -> None:
    """Print the results and save them as ``NAME.json``, with the command that repeats them."""
    command = " ".join(["python -m", f"benchmarks.{name}", *sys.argv[1:]])
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = {
        "command": command,
        "python": platform.python_version(),
        "figures": [asdict(f) for f in figures],
        "tables": [asdict(t) for t in tables],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(found, ensure_ascii=False, indent=1))
    for table in tables:
        print(f"\n{table.title}")
        for row in aligned([table.head, *table.rows]):
            print(f"  {row}")
        if table.note:
            print(f"  {table.note}")
    for figure in figures:
        print(
            f"{'met   ' if figure.met else 'MISSED'} {figure.measure}: {figure.measured} (reach "
            f"{figure.reach}) {figure.why}"
        )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Format rows as lines, the first column to the left and the others to the right."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]

"""Write docs/performance.md from the saved figures, the machine that they ran on, and benchmarks/notes.md."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).parents[1]
PAGE = _ROOT / "docs" / "performance.md"
NOTES = Path(__file__).with_name("notes.md")
_LIBRARIES = ("dagster", "duckdb", "pandas", "pyarrow", "httpx", "pyreqwest", "orjson", "zstandard", "uvloop")
_HEAD = """\
# Performance

[README](../README.md) · [architecture](architecture.md) · [benchmarks](../benchmarks/README.md)

Made by `make bench-full` from one run of the scripts in `benchmarks/`; do not edit it. \
Ratios of one run are what counts: single times depend on the machine.
CPU time is that of all threads and children of a process. Medians of interleaved runs; row counts and values \
are checked in every one.
The platform was the sandbox or a server with fixed answers, on the same machine. The live platform is unverified.
"""


def page(measured: Path, scripts: Sequence[str]) -> str:
    """Return the page as text; scripts without saved figures are omitted and listed."""
    found = {name: json.loads(path.read_text()) for name in scripts if (path := measured / f"{name}.json").exists()}
    parts = [_HEAD, "## What should be reached, and what is\n"]
    figures = [(f, name) for name, one in found.items() for f in one["figures"]]
    parts.append(
        _table(
            ["measure", "reach", "measured", "", "script"],
            [
                [f["measure"], f["reach"], f"**{f['measured']}**", "yes" if f["met"] else "no", f"`{name}`"]
                for f, name in figures
            ],
        )
    )
    if short := [f for f, _ in figures if not f["met"]]:
        parts.append("\nWhat falls short, and why:\n")
        parts += [f"- **{f['measure']}**: {f['why']}" for f in short]
    parts.append(f"\n## The machine\n\n{(measured / 'machine.txt').read_text().strip()}\n")
    for name, one in found.items():
        parts.append(f"## `{name}`\n\n`{one['command']}`\n")
        for table in one["tables"]:
            parts += [
                f"### {table['title']}\n",
                _table(table["head"], table["rows"]),
                f"\n{table['note']}\n" if table["note"] else "",
            ]
    if missing := [name for name in scripts if name not in found]:
        parts.append(f"Not measured: {', '.join(missing)}.\n")
    return "\n".join([*parts, NOTES.read_text().strip(), ""])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def machine() -> str:
    """Describe the machine of the run."""
    import os

    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next(
        (line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB of memory, {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}; {libraries}."
    )

"""Small faults are put into the critical modules, one at a time: which of them does no test notice?

    make mutants [SAMPLE=300] [SEED=1] [MODULES=lake,paging]
    python tests/mutants.py [--sample 300] [--seed 1] [--modules lake,paging] [--skip 40] [--until 02:30]

A mutant is one change of one expression or statement (see ``OPERATORS``). All that there can be are listed, shuffled by
the seed and taken from the front, so that any beginning of a longer sample is a smaller one. Each is tried in a copy of
the tree, never here: of the tests that ``TESTS`` names for its module, those that run its line (``mutants_lines.py``
records them, once per file of tests), quick ones first, until one fails. Survivors are listed with their change; those
in ``mutants_equivalent.txt``, which no test could notice, do not count. What cannot even be imported counts as killed,
as does what never ends. The test that failed must have passed without the mutant. A process that has imported the
libraries, and nothing of ours, forks for each mutant: otherwise most of the time were imports.
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import os
import py_compile
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mutants_lines import HITS, SITECUSTOMIZE, ChosenTests, Recorded, Recorder, RecordingPlugin
from mutation import ROOT, Key, Mutant, mutants_of

EQUIVALENT = Path(__file__).with_name("mutants_equivalent.txt")

_ARCHIVE = ("resources/test_archive_lines.py", "resources/test_archive_packs.py")
_LAKE = ("resources/test_lake_months.py", "publishing/test_damaged_lake.py")
_CLIENT = tuple(f"resources/client/test_douyin_{name}.py" for name in ("refusals", "client"))
_TOKENS = tuple(
    f"resources/client/test_douyin_{name}.py" for name in ("tokens", "refreshes", "business_tokens", "token_races")
)
_INGEST = tuple(
    f"ingest/test_{name}.py"
    for name in ("values_properties", "plain_way", "odd_members", "normalise_properties", "contract_bodies")
)
_NORMALISE = (
    *_INGEST[1:4],
    "catalog/test_samples.py",
    "ingest/test_order_properties.py",
    "assets/test_spoiled_answers.py",
    "assets/test_idempotence.py",
)

TESTS: dict[str, tuple[str, ...]] = {
    "resources/storage/archive.py": (*_ARCHIVE, "assets/test_archive_lost.py", "assets/test_verify.py"),
    "resources/storage/segments.py": (*_ARCHIVE, "assets/test_archive_lost.py", "assets/test_verify.py"),
    "resources/storage/parquet.py": (*_LAKE, "ingest/test_gathering.py", "publishing/test_publish.py"),
    "resources/storage/lake.py": (
        *_LAKE,
        "publishing/test_publish.py",
        "marts/test_mart_files.py",
        "assets/test_verify.py",
    ),
    "resources/warehouse/publisher.py": tuple(
        f"publishing/test_{n}.py"
        for n in ("publish", "nothing_new", "damaged_lake", "publish_hazards", "load_status_by_day", "outreach_tables")
    ),
    "resources/warehouse/layout.py": ("publishing/test_publish.py", "publishing/test_nothing_new.py"),
    "resources/storage/atomic.py": ("resources/test_pending.py", *_ARCHIVE, *_LAKE),
    "resources/storage/file_copy.py": ("resources/test_file_copy.py", "publishing/test_publish.py"),
    "resources/client/client.py": (
        *_CLIENT,
        *_TOKENS,
        "resources/client/test_douyin_limits.py",
        "outreach/test_other_ways.py",
    ),
    "resources/client/calls.py": (*_CLIENT, "outreach/test_other_ways.py"),
    "resources/client/limits.py": (
        "resources/client/test_douyin_limits.py",
        "resources/state/test_state_limits.py",
        *_CLIENT,
    ),
    "resources/client/tokens.py": (*_TOKENS, *_CLIENT),
    "resources/client/token_source.py": (*_TOKENS, *_CLIENT),
    "resources/client/paging.py": ("resources/client/test_douyin_paging.py",),
    "resources/state/engine.py": tuple(
        f"resources/state/test_{n}.py"
        for n in ("state_engine", "state_accounts", "state_limits", "state_sealing", "inbox_ids")
    ),
    "resources/state/limits.py": (
        "resources/state/test_state_limits.py",
        "resources/client/test_douyin_limits.py",
        _CLIENT[1],
    ),
    "services/ingest/covered_days.py": _NORMALISE,
    "services/ingest/normalise.py": _NORMALISE,
    "services/ingest/values.py": (_INGEST[0], "catalog/test_samples_values.py", *_INGEST[1:]),
    "services/ingest/subjects.py": tuple(
        f"assets/test_{n}.py" for n in ("comments", "capabilities", "faults", "history", "inbox_events", "standing")
    ),
    "services/ingest/upstream.py": tuple(
        f"assets/test_{n}.py" for n in ("comments", "capabilities", "faults", "history", "inbox_events", "standing")
    ),
    "services/ingest/video_subjects.py": tuple(
        f"assets/test_{n}.py" for n in ("comments", "capabilities", "faults", "history", "inbox_events", "standing")
    ),
    "services/outreach/replies.py": ("outreach/test_replies.py", "outreach/test_reply_opt_outs.py"),
    "services/marts/build.py": ("marts/test_mart_building.py", "marts/test_mart_files.py"),
}
"""Module -> its tests, those that are quick and near first; slow ones are left out."""

LONGEST_TEST_S, LONGEST_S = 90, 900
"""After so long a test counts as failed, and all tests of a mutant as stopped by it."""


# --------------------------------------------------------------------------- mutants


def equivalent() -> dict[Key, str]:
    """Return mutants that no test could detect, with the reason.

    A line has module, place, old, new and reason, with tabs between. Old and new are the changed expression, or its
    whole lines.
    """
    lines = [
        line.split("\t")
        for line in EQUIVALENT.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    return {(module, where, old, new): why for module, where, old, new, why in lines}


def sample(modules: list[str], size: int, seed: int) -> list[Mutant]:
    """So many mutants that are not equivalent; a smaller sample of the same seed is the beginning of a larger one."""
    everything = [m for module in modules for m in mutants_of(module)]
    random.Random(seed).shuffle(everything)
    known = equivalent()
    return [m for m in everything if not known.keys() & m.keys][:size]


# --------------------------------------------------------------------------- trying them


def copy_of_tree(folder: Path) -> Path:
    """The tree without what is made from it, compiled so that a changed source is noticed by its content."""
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "data", "__pycache__", "*.egg-info"))
    for package in ("catalog", "sandbox", "resources", "services", "assets", "pipelines", "apps"):
        compileall.compile_dir(tree / package, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    (tree / "sitecustomize.py").write_text(SITECUSTOMIZE, encoding="utf-8")
    return tree


LIBRARIES = (
    "anyio.from_thread",
    "cryptography.fernet",
    "dagster",
    "duckdb",
    "filelock",
    "httpx",
    "hypothesis",
    "orjson",
    "pandas",
    "pydantic_settings",
    "pyarrow.compute",
    "pyarrow.parquet",
    "pytest",
    "requests",
    "sqlalchemy",
    "sqlglot",
    "starlette.applications",
    "uvicorn",
    "yaml",
    "zstandard",
)
"""What most tests import and no mutant changes."""

UNUSED_PLUGINS = ("schemathesis", "syrupy", "xdist", "xdist.looponfail")
"""Plugins of pytest that take long to load, and that no test in ``TESTS`` uses."""


def import_libraries() -> None:
    """Import what is then there in every fork; no threads may be running afterwards."""
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    for name in LIBRARIES:
        importlib.import_module(name)


def run_tests(tree: Path, tests: list[str], log: Path, plugin: Any = None, *more: str) -> tuple[str, float]:
    """``passed``, ``failed`` or ``timed out``, and how long it took."""
    began = time.monotonic()
    if (pid := os.fork()) == 0:
        _be_tested(tree, [*more, *tests], log, plugin)
    done, status = 0, 0
    try:
        while not done and time.monotonic() - began < LONGEST_S:
            done, status = os.waitpid(pid, os.WNOHANG)
            time.sleep(0.05)
    finally:  # who stops us stops them
        _end_group(pid)
        if not done:
            os.waitpid(pid, 0)
    return "timed out" if not done else "passed" if status == 0 else "failed", time.monotonic() - began


def _end_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _be_tested(tree: Path, arguments: list[str], log: Path, plugin: Any) -> None:
    status = 70
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_DATA, (12 << 30, 12 << 30))  # a mutant may gather for ever
        output = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(tree)
        os.environ |= {"PYTHONPATH": str(tree), "TMPDIR": str(log.parent)}
        tempfile.tempdir = None
        ours = {str(ROOT), str(ROOT / "tests")}
        sys.path[:] = [str(tree), *(p for p in sys.path if p and p not in ours)]
        import pytest

        options = (
            "-q",
            "-m",
            "not slow",
            "-p",
            "no:cacheprovider",
            *(part for name in UNUSED_PLUGINS for part in ("-p", f"no:{name}")),
            "--hypothesis-seed=1",
            "--no-header",
            "--tb=line",
            f"--timeout={LONGEST_TEST_S}",
        )
        status = pytest.main([*options, *arguments], plugins=[plugin] if plugin else [])
    finally:
        sys.stdout.flush()
        os._exit(int(status))


def killer(log: Path) -> str:
    """The test that failed."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    failed = [
        line.split(" ", 1)[1].partition(" - ")[0]
        for line in text.splitlines()
        if line.startswith(("FAILED ", "ERROR "))
    ]
    return (
        failed[0].strip().removeprefix("tests/")
        if failed
        else text.strip().splitlines()[-1][:120]
        if text.strip()
        else "nothing was said"
    )


def main() -> int:
    """Try a sample; exit with 1 where mutants survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=300, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modules", default="", help="parts of modules' names, with commas between; all by default")
    parser.add_argument("--skip", type=int, default=0, help="leave out so many of the sample, which were tried before")
    parser.add_argument("--until", help="begin with none after this time (HH:MM)")
    parser.add_argument("--list", action="store_true", help="show the sample and try nothing")
    given = parser.parse_args()
    wanted = [part for part in given.modules.split(",") if part]
    modules = [m for m in TESTS if not wanted or any(part in m for part in wanted)]
    chosen = sample(modules, given.sample, given.seed)[given.skip :]
    if given.list:
        print(*chosen, sep="\n")
        return 0
    ends = None
    if given.until:
        ends = datetime.combine(datetime.now().date(), datetime.strptime(given.until, "%H:%M").time())
        ends += timedelta(days=ends < datetime.now())
    import_libraries()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        found = _try_all(chosen, Path(folder), ends)
    print(_report(found, len(chosen), given.seed))
    return int(any(what == "survived" for _, what in found))


class Trial:
    """A copy of the tree in which mutants are tried, with what is known about its tests."""

    def __init__(self, folder: Path) -> None:
        self.tree, self._log, self._hits = copy_of_tree(folder), folder / "log", folder / "hits"
        self._hits.mkdir()
        self._recorded: set[str] = set()
        self._sound: dict[str, bool] = {}

    def try_mutant(self, mutant: Mutant) -> tuple[str, float, str]:
        """``killed``, ``timed out`` or ``survived``, how long it took, and the test that noticed."""
        tests = self._tests_for(mutant)
        path = self.tree / mutant.module
        source = path.read_bytes()
        path.write_bytes(source[: mutant.start] + mutant.new.encode() + source[mutant.end :])
        try:
            what, took = self._run(tests, "-x")
        finally:
            path.write_bytes(source)
        if what == "passed":
            return "survived", took, ""
        by = killer(self._log)
        if what == "failed" and "Timeout (>" in self._log.read_text(errors="replace"):
            what = "timed out"
        if what == "failed" and "::" in by:
            if by not in self._sound:
                self._sound[by] = (
                    f"tests/{by}" in Recorded(self._hits).passed or self._run([f"tests/{by}"], "-x")[0] == "passed"
                )
            if not self._sound[by]:
                raise SystemExit(f"{by} fails without a mutant, too:\n{self._log.read_text(errors='replace')[-2000:]}")
        return "killed" if what == "failed" else what, took, by

    def _run(self, tests: list[str], *options: str) -> tuple[str, float]:
        files = dict.fromkeys(test.partition("::")[0] for test in tests)
        return run_tests(self.tree, [*files], self._log, ChosenTests(tests, LONGEST_TEST_S), *options)

    def _tests_for(self, mutant: Mutant) -> list[str]:
        """Those that run its line; all of its module's where it runs on import, or no test is known to run it."""
        files = [f"tests/{name}" for name in TESTS[mutant.module]]
        for file in files:
            if file not in self._recorded:
                self._recorded.add(file)
                os.environ[HITS] = str(self._hits)
                recorder = Recorder(self.tree, TESTS, self._hits)
                run_tests(self.tree, [file], self._log, RecordingPlugin(recorder, self._hits))
                del os.environ[HITS]
        known = Recorded(self._hits)
        lines = range(mutant.line, mutant.line + mutant.old.count("\n") + 1)
        inside = mutant.where.rpartition(".")[2]
        found = known.tests(mutant.module, lines) if inside.lower() == inside and inside != "module" else []
        found = [test for test in found if test.partition("::")[0] in files]
        return found or [t for file in files for t in known.times if t.partition("::")[0] == file]


def _try_all(chosen: list[Mutant], folder: Path, ends: datetime | None) -> list[tuple[Mutant, str]]:
    trial = Trial(folder)
    found: list[tuple[Mutant, str]] = []
    for n, mutant in enumerate(chosen, 1):
        if ends is not None and datetime.now() >= ends:
            break
        what, took, by = trial.try_mutant(mutant)
        found.append((mutant, what))
        print(f"{n:4} {took:5.0f} s  {what:9}  {mutant}" + (f"  by {by}" if by else ""), flush=True)
    return found


def _report(found: list[tuple[Mutant, str]], wanted: int, seed: int) -> str:
    counts = Counter(what for _, what in found)
    killed = counts["killed"] + counts["timed out"]
    lines = [
        f"{len(found)} of {wanted} mutants tried (seed {seed}): {counts['killed']} killed, "
        f"{counts['timed out']} timed out, {counts['survived']} survived"
    ]
    if found:
        lines[0] += f"; {100 * killed / len(found):.0f} % noticed"
    lines += ["", "| module | tried | noticed |", "|---|--:|--:|"]
    for module in TESTS:
        own = [what for mutant, what in found if mutant.module == module]
        if own:
            lines.append(f"| {module} | {len(own)} | {sum(what != 'survived' for what in own)} |")
    lines += ["", "Survivors, as lines for mutants_equivalent.txt (a reason is missing):", ""]
    lines += ["\t".join(mutant.key) + f"\t(line {mutant.line})" for mutant, what in found if what == "survived"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

"""Record which lines of the critical modules each test runs, so that a mutant is tried with those tests alone.

Child processes of a test are recorded, too: ``sitecustomize`` of the copied tree starts the recording in them.
Lines that run while a fixture of a wider scope is set up count for every test of its file, and lines that run on import
for none: a mutant of such a line is tried with all tests.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

HITS = "MUTANTS_HITS"
"""The directory that recorded lines are written to; the mark of a process that records."""

SITECUSTOMIZE = f"""
import os, sys
if os.environ.get({HITS!r}) and os.environ.get("PYTEST_CURRENT_TEST"):
    sys.path.insert(0, os.environ["PYTHONPATH"].split(os.pathsep)[0] + "/tests")
    import mutants_lines
    mutants_lines.record_child()
"""


class Recorder:
    """Write each line of a module that a test is the first time seen to run: test, module, line, with tabs between."""

    def __init__(self, tree: Path, modules: Iterable[str], folder: Path) -> None:
        self.test = ""
        self._modules = {str(tree / module): module for module in modules}
        self._folder = folder
        self._seen: set[tuple[str, str, int]] = set()

    def start(self) -> None:
        """Record what all threads run from now on."""
        threading.settrace(self._called)
        sys.settrace(self._called)

    def _called(self, frame: FrameType, event: str, arg: Any) -> Any:
        module = self._modules.get(frame.f_code.co_filename)
        if module is None or not self.test:
            return None
        self._note(module, frame.f_lineno)

        def ran(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "line":
                self._note(module, frame.f_lineno)
            return ran

        return ran

    def _note(self, module: str, line: int) -> None:
        if (self.test, module, line) not in self._seen:
            self._seen.add((self.test, module, line))
            with open(self._folder / f"{os.getpid()}.lines", "a", encoding="utf-8") as file:
                file.write(f"{self.test}\t{module}\t{line}\n")


class RecordingPlugin:
    """Name the running test for the recorder, and write how long each took and whether it passed."""

    def __init__(self, recorder: Recorder, folder: Path) -> None:
        self._recorder, self._folder = recorder, folder
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        for module in list(sys.modules.values()):  # what one test left in a cache, the next would not run
            if "/tests/" in (getattr(module, "__file__", None) or ""):
                for kept in list(vars(module).values()):
                    if hasattr(kept, "cache_clear"):
                        kept.cache_clear()
        self._recorder.test, began = item.nodeid, time.monotonic()
        self._recorder.start()
        yield
        self._recorder.test = ""
        with open(self._folder / "times", "a", encoding="utf-8") as file:
            outcome = "failed" if item.nodeid in self._failed else "passed"
            file.write(f"{item.nodeid}\t{time.monotonic() - began:.3f}\t{outcome}\n")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
        before = self._recorder.test
        if fixturedef.scope != "function":
            self._recorder.test = before.partition("::")[0]
        yield
        self._recorder.test = before


def record_child() -> None:
    """Record in a process that a test has started."""
    tree = Path(__file__).resolve().parent.parent
    import mutants

    recorder = Recorder(tree, mutants.TESTS, Path(os.environ[HITS]))
    recorder.test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" (")[0]
    recorder.start()


class Recorded:
    """What was recorded: the tests of a line, how long each test took, and which passed."""

    def __init__(self, folder: Path) -> None:
        self.times: dict[str, float] = {}
        self.passed: set[str] = set()
        self._tests: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        for line in (folder / "times").read_text(encoding="utf-8").splitlines() if (folder / "times").exists() else ():
            test, took, outcome = line.rsplit("\t", 2)
            self.times[test] = float(took)
            if outcome == "passed":
                self.passed.add(test)
        for path in folder.glob("*.lines"):
            for line in path.read_text(encoding="utf-8").splitlines():
                test, module, number = line.rsplit("\t", 2)
                self._tests[module, int(number)].add(test)

    def tests(self, module: str, lines: Iterable[int]) -> list[str]:
        """The tests that run one of the lines: files with quick tests first, the quick ones of a file first."""
        hit = set().union(*(self._tests[module, line] for line in lines))
        found = [test for test in self.times if test in hit or test.partition("::")[0] in hit]
        files: defaultdict[str, list[float]] = defaultdict(list)
        for test in found:
            files[test.partition("::")[0]].append(self.times[test])
        return sorted(
            found, key=lambda test: (min(files[test.partition("::")[0]]), test.partition("::")[0], self.times[test])
        )


class ChosenTests:
    """Run these tests alone, in this order, and end one that takes too long."""

    def __init__(self, tests: Iterable[str], longest_s: float) -> None:
        self._rank = {test: n for n, test in enumerate(tests)}
        self._timeout = pytest.mark.timeout(longest_s)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self._rank), key=lambda i: self._rank[i.nodeid])
        for item in items:
            item.add_marker(self._timeout, append=False)

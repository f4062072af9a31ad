"""From the platform to the archive: ask once for whatever the archive does not hold yet.

What is held is read from the archive's own index, so a second run of the same day asks nothing, and a
restarted one asks for what is missing. What became of each account is told per day, for ``load_status``.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta

from assets.ingest.held import Held
from assets.ingest.outcomes import Told, tell, told_by
from assets.ingest.subjects import Subject, subjects_of
from catalog.records import Endpoint, Fill
from resources.douyin.client import DouyinClient
from resources.douyin.errors import CallFailed, PagingError
from resources.douyin.paging import pages
from resources.douyin.recorder import SEQUENCE, Sequence
from resources.runtime import Runtime
from resources.state.load_status import Outcome


@dataclass
class Fetched:
    """Result of one endpoint: what every subject told per day, and what was asked for it."""

    endpoint: Endpoint
    told: dict[date, dict[tuple, list[Told]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    """Per day and open_id."""
    calls: Counter = field(default_factory=Counter)
    """Requests made per open_id."""
    codes: Counter = field(default_factory=Counter)
    """Codes answered; HTTP failures count as their status."""

    @property
    def total_calls(self) -> int:
        return self.calls.total()

    def add(self, subject: Subject, dts: Iterable[date], told: Told) -> None:
        for dt in dts:
            self.told[dt][subject.open_id].append(told)


@dataclass(frozen=True)
class _Question:
    """One subject to ask one endpoint for, and the days that it is asked about."""

    endpoint: Endpoint
    subject: Subject
    dts: list[date]
    held: Held
    result: Fetched


def fetch(runtime: Runtime, endpoints: Iterable[Endpoint], dts: Iterable[date]) -> list[Fetched]:
    """Ask for what the partitions ``dts`` need and the archive lacks, all endpoints at once.

    Snapshots and listings can be asked only for today; past days are left to what is archived. A series
    asks each subject once for the shortest window that reaches the oldest missing day.

    Raises:
        NothingToAsk: what an endpoint iterates over is not loaded yet.
    """
    wanted = sorted(set(dts))
    results, questions = [], []
    for endpoint in endpoints:
        result = Fetched(endpoint)
        results.append(result)
        questions += _questions(runtime, endpoint, wanted, result)
    if questions:
        runtime.run(_ask_all(runtime, runtime.client, _mixed(questions)))
    return results


def _questions(runtime: Runtime, endpoint: Endpoint, wanted: list[date], result: Fetched) -> Iterator[_Question]:
    """What is still to be asked; what the archive settles goes into ``result`` at once."""
    if not endpoint.windows:
        wanted = [d for d in wanted if d == runtime.clock.today()]
    if not wanted:
        return
    subjects = subjects_of(runtime, endpoint)
    held = Held(runtime, endpoint, wanted)
    for subject in subjects:
        if subject.told is not None:
            result.add(subject, wanted, subject.told)
            continue
        open_days = []
        for dt in _days_for(subject, wanted):
            told = held.tell(subject, dt)
            if told is not None and told.outcome.settled:
                result.add(subject, [dt], told)
            else:
                open_days.append(dt)
        if open_days:
            yield _Question(endpoint, subject, open_days, held, result)
    _tell_of_days_before(runtime, endpoint, subjects, wanted, result)


def _tell_of_days_before(runtime: Runtime, endpoint: Endpoint, subjects: list[Subject], wanted: list[date], result: Fetched) -> None:
    """Accounts none of whose objects existed on a day: there is nothing to ask for, and that is an outcome too."""
    first: dict[str, date] = {}
    for subject in subjects:
        first[subject.open_id] = min(first.get(subject.open_id, date.max), subject.since or date.min)
    for open_id, day in first.items():
        for dt in (d for d in wanted if d < day):
            told = _too_old(runtime, endpoint, dt) or Told(Outcome.EMPTY, None, "none of its young videos existed then")
            result.add(Subject(open_id), [dt], told)


def _too_old(runtime: Runtime, endpoint: Endpoint, dt: date) -> Told | None:
    """Why a day cannot be asked for, if it cannot."""
    if not endpoint.windows or dt >= runtime.clock.today() - timedelta(days=max(endpoint.windows)):
        return None
    return Told(Outcome.FAILED, None, f"older than the platform's window of {max(endpoint.windows)} days and not in the archive")


def _days_for(subject: Subject, dts: list[date]) -> list[date]:
    """Days on which the subject existed: a video has no row for a day before it was published."""
    return dts if subject.since is None else [d for d in dts if d >= subject.since]


def _mixed(questions: list[_Question]) -> list[_Question]:
    """In turns by account: an account answers one call at a time, and the others must not wait behind it."""
    turns: dict[str, int] = defaultdict(int)
    ordered = []
    for number, question in enumerate(questions):
        open_id = question.subject.open_id
        ordered.append((turns[open_id] if open_id else 0, number, question))
        turns[open_id] += 1
    return [question for _, _, question in sorted(ordered, key=lambda item: item[:2])]


async def _ask_all(runtime: Runtime, client: DouyinClient, questions: list[_Question]) -> None:
    """Ask all questions, as many at once as settings allow; whatever came is on disk at the end."""
    queue = iter(questions)
    flusher = asyncio.create_task(_flush_regularly(runtime))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(runtime.settings.concurrency, len(questions))):
                group.create_task(_work(runtime, client, queue))
    finally:
        flusher.cancel()
        with suppress(asyncio.CancelledError):
            await flusher
        runtime.archive.flush()


async def _flush_regularly(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(runtime.settings.flush_s / 2)
        runtime.archive.flush_if_due()


async def _work(runtime: Runtime, client: DouyinClient, queue: Iterator[_Question]) -> None:
    for question in queue:
        await _ask(runtime, client, question)


async def _ask(runtime: Runtime, client: DouyinClient, question: _Question) -> None:
    endpoint, subject, result, dts = question.endpoint, question.subject, question.result, question.dts
    for dt in dts:
        if (told := _too_old(runtime, endpoint, dt)) is not None:
            result.add(subject, [dt], told)
    dts = [d for d in dts if _too_old(runtime, endpoint, d) is None]
    if not dts:
        return
    begun = question.held.unfinished(subject)
    sequence, resume = begun or (Sequence(endpoint.cadence.slot(runtime.clock.now()), dict(subject.params)), None)
    params = _params(runtime, endpoint, subject, dts)
    calls = 0
    try:
        async for answer in pages(client, endpoint, params, subject.open_id, resume=resume, tag={SEQUENCE: sequence}):
            calls += answer.calls
    except CallFailed as error:
        # The error of a broken listing counts the pages that came before it, which are counted here already.
        calls = error.calls if isinstance(error, PagingError) else calls + error.calls
        result.add(subject, dts, told_by(error))
    else:
        for dt in dts:
            result.add(subject, [dt], tell(endpoint, sequence.items, sequence.newest, dt))
    result.calls[subject.open_id] += calls
    result.codes.update(sequence.codes)


def _params(runtime: Runtime, endpoint: Endpoint, subject: Subject, dts: list[date]) -> dict[str, str | int]:
    """Request parameters without the cursor, which paging adds."""
    values: dict[str, str | int] = {}
    for p in endpoint.params:
        if p.fill is Fill.ACCOUNT:
            values[p.name] = subject.open_id
        elif p.fill is Fill.SUBJECT:
            values[p.name] = subject.params[p.name]
        elif p.fill is Fill.WINDOW:
            reach = (runtime.clock.today() - min(dts)).days
            values[p.name] = next(w for w in endpoint.windows if w >= reach)
        elif p.fill in (Fill.COUNT, Fill.CONST):
            values[p.name] = p.const
    return values

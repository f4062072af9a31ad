"""From the platform to the archive: ask once for whatever the archive does not hold yet.

What is held is read from the archive's own index, so a second run of the same day asks nothing, and a
restarted one asks for what is missing. What became of each account is told per day, for ``load_status``.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from assets.ingest.normalise import complete_sequences
from assets.ingest.subjects import Subject, subjects_of
from catalog.errors import Action, error_for
from catalog.records import Empty, Endpoint, Fill, beijing_day
from resources.archive import Entry
from resources.douyin.client import DouyinClient
from resources.douyin.errors import CallFailed
from resources.douyin.paging import FIRST_CURSOR, Resume, pages
from resources.douyin.recorder import SEQUENCE, Sequence
from resources.runtime import Runtime
from resources.state.load_status import Outcome


@dataclass
class Told:
    """What one subject's answer told about one day."""

    outcome: Outcome
    code: int | None = None
    reason: str | None = None


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


_ACTION_OUTCOMES = {
    Action.SKIP: Outcome.SKIPPED,
    Action.QUOTA: Outcome.QUOTA,
    Action.DISABLE: Outcome.UNAVAILABLE,
    Action.RECONSENT: Outcome.NEEDS_CONSENT,
    Action.REFRESH: Outcome.NEEDS_CONSENT,
    Action.STOP_ACCOUNT: Outcome.STOPPED,
}

_EMPTY_OUTCOMES = {Empty.NOT_READY: Outcome.NOT_READY, Empty.BELOW_THRESHOLD: Outcome.BELOW_THRESHOLD, Empty.LEGAL: Outcome.EMPTY}


def fetch(runtime: Runtime, endpoint: Endpoint, dts: Iterable[date]) -> Fetched:
    """Ask for what the partitions ``dts`` need and the archive lacks.

    Snapshots and listings can be asked only for today; past days are left to what is archived. A series
    asks each subject once for the shortest window that reaches the oldest missing day.

    Raises:
        NothingToAsk: what the endpoint iterates over is not loaded yet.
    """
    wanted = sorted(set(dts))
    result = Fetched(endpoint)
    today = runtime.clock.today()
    if not endpoint.windows:
        wanted = [d for d in wanted if d == today]
    if not wanted:
        return result
    subjects = subjects_of(runtime, endpoint)
    held = _Held(runtime, endpoint, wanted)
    missing: list[tuple[Subject, list[date]]] = []
    for subject in subjects:
        if subject.stopped is not None:
            result.add(subject, wanted, Told(Outcome.STOPPED, None, subject.stopped))
            continue
        open_days = []
        for dt in _days_for(subject, wanted):
            told = held.tell(subject, dt)
            if told is not None and told.outcome.settled:
                result.add(subject, [dt], told)
            else:
                open_days.append(dt)
        if open_days:
            missing.append((subject, open_days))
    if missing:
        runtime.run(_ask_all(runtime, runtime.client, endpoint, missing, held, result))
    return result


def _days_for(subject: Subject, dts: list[date]) -> list[date]:
    """Days on which the subject existed: a video has no row for a day before it was published."""
    return dts if subject.since is None else [d for d in dts if d >= subject.since]


# --------------------------------------------------------------------------- what is held


class _Held:
    """The archive's answers that count for the wanted days, by subject."""

    def __init__(self, runtime: Runtime, endpoint: Endpoint, dts: list[date]) -> None:
        self._endpoint = endpoint
        self._slot = endpoint.cadence.slot(runtime.clock.now()).isoformat()
        days = _observed_on(runtime, endpoint, dts)
        entries = list(runtime.archive.index(endpoint.name, days))
        self._complete = complete_sequences(entries)
        self._by_subject: dict[tuple, list[Entry]] = defaultdict(list)
        key = runtime.settings.client_key
        for entry in entries:
            if entry.client_key == key:
                self._by_subject[(entry.open_id, *sorted(entry.subject.items()))].append(entry)

    def tell(self, subject: Subject, dt: date) -> Told | None:
        """What the archive tells about one day, or None when it has no settled answer."""
        for entry in reversed(self._by_subject.get(subject.key, [])):
            if entry.ok and entry.sequence in self._complete and entry.last and self._covers(entry, dt):
                return tell(self._endpoint, entry.offset + (entry.items or 0), entry.newest, dt)
            if not entry.ok and entry.slot == self._slot and entry.code is not None:
                error = error_for(entry.code)
                if error.action is Action.SKIP:
                    return Told(Outcome.SKIPPED, error.code, error.meaning)
        return None

    def _covers(self, entry: Entry, dt: date) -> bool:
        if not self._endpoint.windows:
            return entry.slot == self._slot
        return entry.newest is not None and dt.isoformat() <= entry.newest and dt >= _first_day(self._endpoint, entry)

    def unfinished(self, subject: Subject) -> tuple[Sequence, Resume] | None:
        """A listing of this slot that broke off, and where it goes on."""
        if self._endpoint.paging is None:
            return None
        pages_ = defaultdict(dict)
        for entry in self._by_subject.get(subject.key, []):
            if entry.ok and entry.slot == self._slot and entry.sequence not in self._complete:
                pages_[entry.sequence][entry.page] = entry
        for sequence_id, found in pages_.items():
            if sorted(found) != list(range(1, len(found) + 1)):
                continue
            last = found[len(found)]
            sent = {str(FIRST_CURSOR), *(str(found[n].cursor) for n in range(1, last.page))}
            if last.cursor is None or str(last.cursor) in sent:
                continue  # it broke off because the cursor came again: begin anew
            sequence = Sequence(
                self._endpoint.cadence.slot(last.began_at), dict(subject.params), sequence_id, last.began_at,
                pages=last.page, items=last.offset + (last.items or 0), newest=last.newest,
            )  # fmt: skip
            return sequence, Resume(last.cursor, last.page, frozenset(sent))
        return None


def _observed_on(runtime: Runtime, endpoint: Endpoint, dts: list[date]) -> list[date]:
    """Archive days that can hold an answer about ``dts``."""
    archived = set(runtime.archive.days(endpoint.name))
    if not endpoint.windows:
        return sorted(archived.intersection(dts))
    return sorted({d + timedelta(days=n) for d in dts for n in range(1, max(endpoint.windows) + 1)} & archived)


def _first_day(endpoint: Endpoint, entry: Entry) -> date:
    """The oldest day that a series answer covers."""
    name = next(p.name for p in endpoint.params if p.fill is Fill.WINDOW)
    return beijing_day(entry.began_at) - timedelta(days=int(entry.params[name]))


def tell(endpoint: Endpoint, items: int, newest: str | None, dt: date) -> Told:
    """What a complete successful answer tells about ``dt``."""
    if endpoint.windows:
        if newest is None or newest < dt.isoformat():
            return Told(Outcome.NOT_READY, 0, f"the series ends on {newest or 'no day'}, {dt} is not produced yet")
        return Told(Outcome.LOADED, 0)
    if items:
        return Told(Outcome.LOADED, 0)
    return Told(_EMPTY_OUTCOMES[endpoint.empty], 0, "the platform sent no rows")


# --------------------------------------------------------------------------- asking


async def _ask_all(
    runtime: Runtime, client: DouyinClient, endpoint: Endpoint, missing: list[tuple[Subject, list[date]]], held: _Held, result: Fetched
) -> None:
    """Ask for every missing subject, as many at once as the client allows; whatever came is on disk at the end."""
    queue = iter(missing)
    workers = min(runtime.settings.concurrency, len(missing))
    flusher = asyncio.create_task(_flush_regularly(runtime))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(_work(runtime, client, endpoint, queue, held, result))
    finally:
        flusher.cancel()
        with suppress(asyncio.CancelledError):
            await flusher
        runtime.archive.flush()


async def _flush_regularly(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(runtime.settings.flush_s / 2)
        runtime.archive.flush_if_due()


async def _work(
    runtime: Runtime, client: DouyinClient, endpoint: Endpoint, queue: Iterator[tuple[Subject, list[date]]], held: _Held, result: Fetched
) -> None:
    for subject, dts in queue:
        await _ask_one(runtime, client, endpoint, subject, dts, held, result)


async def _ask_one(
    runtime: Runtime, client: DouyinClient, endpoint: Endpoint, subject: Subject, dts: list[date], held: _Held, result: Fetched
) -> None:
    now = runtime.clock.now()
    begun = held.unfinished(subject)
    sequence, resume = begun or (Sequence(endpoint.cadence.slot(now), dict(subject.params)), None)
    obtainable = dts
    if endpoint.windows:
        oldest = runtime.clock.today() - timedelta(days=max(endpoint.windows))
        obtainable = [d for d in dts if d >= oldest]
        too_old = Told(Outcome.FAILED, None, f"older than the platform's window of {max(endpoint.windows)} days and not in the archive")
        result.add(subject, [d for d in dts if d < oldest], too_old)
        if not obtainable:
            return
    params = _params(runtime, endpoint, subject, obtainable)
    calls = 0
    try:
        async for answer in pages(client, endpoint, params, subject.open_id, resume=resume, tag={SEQUENCE: sequence}):
            calls += answer.calls
    except CallFailed as error:
        calls += error.calls
        told = told_by(error)
        result.add(subject, obtainable, told)
    else:
        for dt in obtainable:
            result.add(subject, [dt], tell(endpoint, sequence.items, sequence.newest, dt))
    result.calls[subject.open_id] += calls
    result.codes.update(sequence.codes)


def told_by(error: CallFailed) -> Told:
    """The outcome of a call that failed for good."""
    trace = f" [logid {error.logid}]" if error.logid else ""
    return Told(_ACTION_OUTCOMES.get(error.action, Outcome.FAILED), error.code, f"{error.reason}{trace}. {error.advice}".strip())


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


# --------------------------------------------------------------------------- per account


def summarise(told: list[Told]) -> Told:
    """One outcome for an account from those of its objects; failures are never hidden behind successes."""
    failed = [t for t in told if t.outcome.is_failure]
    fine = [t for t in told if not t.outcome.is_failure]
    if failed and fine:
        return Told(Outcome.PARTIAL, failed[0].code, f"{len(failed)} of {len(told)} failed: {failed[0].reason}")
    if failed:
        common, _ = Counter(t.outcome for t in failed).most_common(1)[0]
        return next(t for t in failed if t.outcome is common)
    for outcome in (Outcome.LOADED, Outcome.NOT_READY, Outcome.BELOW_THRESHOLD, Outcome.SKIPPED, Outcome.EMPTY):
        same = [t for t in fine if t.outcome is outcome]
        if same:
            rest = len(told) - len(same)
            return replace(same[0], reason=f"{rest} of {len(told)} without rows" if rest and outcome is Outcome.LOADED else same[0].reason)
    return Told(Outcome.EMPTY, None, "there was nothing to ask for")


"""From the platform to the archive: ask once for whatever the archive does not hold yet.

What is held is read from the archive's own index, so a second run of the same day asks nothing, and a
restarted one asks for what is missing. What became of each account is told per day, for ``load_status``.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from assets.ingest.held import Held
from assets.ingest.inbox import drain
from assets.ingest.outcomes import Told, tell, told_by, told_by_surprise
from assets.ingest.subjects import Asking, NothingToAsk, Subject, subjects_of
from catalog.envelopes import member
from catalog.iterations import Over
from catalog.records import BEIJING, Empty, Endpoint, beijing_day
from catalog.requests import Fill, Moment, Param
from resources.douyin.errors import CallFailed, PagingError
from resources.douyin.paging import pages
from resources.douyin.recorder import SEQUENCE, Sequence
from resources.redaction import redact
from resources.runtime import Runtime
from resources.state import OUT_OF_ORDER
from resources.state.capabilities import Capability, read_capabilities
from resources.state.load_status import Outcome, read_load_status

if TYPE_CHECKING:  # loaded by the first call: most runs of an hour have none to make
    from resources.douyin.client import DouyinClient

_log = logging.getLogger(__name__)

RETRY_BELOW_THRESHOLD = timedelta(days=7)
"""An account that was too small is asked again after so long."""


@dataclass
class Fetched:
    """Result of one endpoint: what every subject told per day, and what was asked for it."""

    endpoint: Endpoint
    told: dict[date, dict[tuple[str, str], list[Told]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    """Per day and (client_key, open_id)."""
    calls: Counter = field(default_factory=Counter)
    """Requests made per (client_key, open_id)."""
    codes: Counter = field(default_factory=Counter)
    """Codes answered; HTTP failures count as their status."""
    planned: Counter = field(default_factory=Counter)
    """Calls that were planned per client_key, before the first was made; a listing counts once, whatever its pages."""

    @property
    def total_calls(self) -> int:
        return self.calls.total()

    def add(self, client_key: str, open_id: str, dts: Iterable[date], told: Told) -> None:
        for dt in dts:
            self.told[dt][client_key, open_id].append(told)


@dataclass(frozen=True, slots=True)
class _Question:
    """One request to make, or one listing: an account's subject, or a batch of them, and the days that it is about."""

    asking: Asking
    subjects: tuple[Subject, ...]
    dts: list[date]
    held: Held
    result: Fetched

    @property
    def open_id(self) -> str:
        return self.subjects[0].open_id

    def add(self, dts: Iterable[date], told: Told) -> None:
        for _ in self.subjects:
            self.result.add(self.asking.client_key, self.open_id, dts, told)

    def split(self) -> tuple[list[date], dict[date, Told]]:
        """Days that the platform still reaches, and why it does not reach the others."""
        too_old = {dt: old for dt in self.dts if (old := _too_old(self.asking, dt))} if self.asking.endpoint.windows else {}
        return [dt for dt in self.dts if dt not in too_old], too_old


def fetch(runtime: Runtime, endpoints: Iterable[Endpoint], dts: Iterable[date]) -> list[Fetched]:
    """Ask for what the partitions ``dts`` need and the archive lacks, all endpoints and apps at once.

    Snapshots and listings can be asked only for today; past days are left to what is archived. A series
    asks each subject of which a day is missing once, for the shortest window that reaches the oldest wanted day. An operation that stands in
    for another one is asked afterwards, where that other one turned out not to be had.

    Raises:
        NothingToAsk: what the endpoints iterate over is not loaded yet, for any app.
    """
    wanted = tuple(sorted(set(dts)))
    results = [Fetched(e) for e in endpoints]
    lacking: list[NothingToAsk] = []
    _drain(runtime, results, wanted)
    for stage in _stages(results):
        if questions := _questions_of(runtime, stage, wanted, lacking):
            for question in questions:
                question.result.planned[question.asking.client_key] += bool(question.split()[0])
            clients = {key: runtime.client(key) for key in {q.asking.client_key for q in questions}}
            runtime.run(_ask_all(runtime, clients, _mixed(questions)))
    if lacking and not any(one.told for one in results):
        raise lacking[0]
    return results


@dataclass(frozen=True, slots=True)
class Planned:
    """What one call, or one listing, will be about; ``dts`` are the days that it can fill."""

    client_key: str
    endpoint: Endpoint
    dts: tuple[date, ...]


def plan_calls(runtime: Runtime, endpoints: Iterable[Endpoint], dts: Iterable[date]) -> tuple[list[Fetched], list[Planned]]:
    """What :func:`fetch` would ask, without asking: what is told already, and the calls. A listing counts once, whatever its pages.

    Raises:
        NothingToAsk: as :func:`fetch` does.
    """
    wanted = tuple(sorted(set(dts)))
    results = [Fetched(e) for e in endpoints]
    lacking: list[NothingToAsk] = []
    planned = []
    for stage in _stages(results):
        for question in _questions_of(runtime, stage, wanted, lacking):
            if days := question.split()[0]:
                planned.append(Planned(question.asking.client_key, question.asking.endpoint, tuple(days)))
    if lacking and not planned and not any(one.told for one in results):
        raise lacking[0]
    return results, planned


def _stages(results: list[Fetched]) -> tuple[list[Fetched], list[Fetched]]:
    """Operations that stand in for others are asked after those."""
    asked = [r for r in results if r.endpoint.over is not Over.INBOX]
    return [r for r in asked if r.endpoint.instead_of is None], [r for r in asked if r.endpoint.instead_of is not None]


def _drain(runtime: Runtime, results: list[Fetched], wanted: tuple[date, ...]) -> None:
    """What was pushed needs no question: it is taken from the inbox. With today goes yesterday, whose last events came after its last run."""
    doors = {r.endpoint.name: r for r in results if r.endpoint.over is Over.INBOX}
    if not doors:
        return
    today = runtime.clock.today()
    dts = sorted({*wanted, today - timedelta(days=1)} if today in wanted else wanted)
    for name, days in drain(runtime, [r.endpoint for r in doors.values()], dts).items():
        for (client_key, dt), told in days.items():
            doors[name].add(client_key, "", [dt], told)


def _questions_of(runtime: Runtime, stage: list[Fetched], wanted: tuple[date, ...], lacking: list[NothingToAsk]) -> list[_Question]:
    """What every app has to ask; what cannot be asked because something is not loaded goes into ``lacking``."""
    questions: list[_Question] = []
    for client_key in runtime.app_keys:
        app_type = runtime.settings.for_app(client_key).app_type
        capabilities = read_capabilities(runtime.state, client_key)
        for result in stage:
            asking = Asking(runtime, client_key, result.endpoint, wanted)
            if app_type not in result.endpoint.apps or not _is_due(result.endpoint, capabilities):
                continue
            try:
                questions += _questions(asking, result, capabilities.get(result.endpoint.name))
            except NothingToAsk as error:
                lacking.append(error)
    return questions


def _is_due(endpoint: Endpoint, capabilities: dict[str, Capability]) -> bool:
    """An operation that stands in for another waits until the app is known not to own that one."""
    if endpoint.instead_of is None:
        return True
    known = capabilities.get(endpoint.instead_of)
    return known is not None and not known.owned


def _questions(asking: Asking, result: Fetched, capability: Capability | None) -> Iterator[_Question]:
    """What is still to be asked; what is known without asking goes into ``result`` at once."""
    endpoint, app = asking.endpoint, asking.client_key
    asking = replace(asking, dts=_askable(asking))
    if not asking.dts:
        return
    if capability is not None and not capability.owned:
        since = capability.since.astimezone(BEIJING).date()
        reason = f"switched off since {since}: {capability.reason}. To try it again: `douyin coverage --enable {endpoint.name}`"
        result.add(app, "", asking.dts, Told(Outcome.UNAVAILABLE, capability.code, reason))
        return
    subjects = subjects_of(asking)
    held = Held(asking)
    too_small = _lately_too_small(asking)
    open_days: list[tuple[Subject, list[date]]] = []
    for subject in subjects:
        days = _days_for(subject, asking.dts)
        if subject.told is not None:
            result.add(app, subject.open_id, days, subject.told)
            continue
        unsettled, answers = [], held.answers(subject)
        for dt in days:
            told = held.tell(answers, dt) or too_small.get(subject.open_id)
            if told is not None and told.outcome.settled:
                result.add(app, subject.open_id, [dt], told)
            else:
                unsettled.append(dt)
        if unsettled:
            open_days.append((subject, unsettled))
    yield from _grouped(asking, open_days, held, result)
    _tell_of_days_before(asking, subjects, result)


def _askable(asking: Asking) -> tuple[date, ...]:
    """The partitions that the platform can be asked about: series and published weeks have a past, the rest shows only now."""
    if asking.endpoint.windows:
        return asking.dts
    if asking.endpoint.over is Over.VERSIONS:
        return tuple(d for d in asking.dts if d <= asking.today)
    return tuple(d for d in asking.dts if d == asking.today)


def _grouped(asking: Asking, open_days: list[tuple[Subject, list[date]]], held: Held, result: Fetched) -> Iterator[_Question]:
    """A question for each subject, or for as many of an account's as one request takes."""
    size = next((p.batch for p in asking.endpoint.params if p.batch), None)
    if size is None:
        for subject, days in open_days:
            yield _Question(asking, (subject,), days, held, result)
        return
    alike: dict[tuple, list[Subject]] = defaultdict(list)
    for subject, days in open_days:
        alike[subject.open_id, tuple(days)].append(subject)
    for (_, days), subjects in alike.items():
        for start in range(0, len(subjects), size):
            yield _Question(asking, tuple(subjects[start : start + size]), list(days), held, result)


def _lately_too_small(asking: Asking) -> dict[str, Told]:
    """Accounts that were below the platform's threshold within the last week: growing takes longer than a day."""
    endpoint = asking.endpoint
    if endpoint.empty is not Empty.BELOW_THRESHOLD:
        return {}
    days = [asking.today - timedelta(days=n) for n in range(1, RETRY_BELOW_THRESHOLD.days)]
    asked: dict[str, date] = {}
    for s in read_load_status(asking.runtime.state, table=endpoint.tables[0], dts=days):
        # An answer has a code; what is told here has none, or an account would never be asked again.
        if (s.client_key, s.operation) == (asking.client_key, endpoint.name) and s.status is Outcome.BELOW_THRESHOLD and s.code is not None:
            asked[s.open_id] = max(asked.get(s.open_id, date.min), s.dt)
    return {
        open_id: Told(Outcome.BELOW_THRESHOLD, None, f"too small on {day}; asked again on {day + RETRY_BELOW_THRESHOLD}")
        for open_id, day in asked.items()
    }  # fmt: skip


def _tell_of_days_before(asking: Asking, subjects: list[Subject], result: Fetched) -> None:
    """Accounts none of whose objects existed on a day: there is nothing to ask for, and that is an outcome too."""
    first: dict[str, date] = {}
    for subject in subjects:
        first[subject.open_id] = min(first.get(subject.open_id, date.max), subject.since or date.min)
    for open_id, day in first.items():
        for dt in (d for d in asking.dts if d < day):
            told = _too_old(asking, dt) or Told(Outcome.EMPTY, None, "none of its young videos existed then")
            result.add(asking.client_key, open_id, [dt], told)


def _too_old(asking: Asking, dt: date) -> Told | None:
    """Why a day cannot be asked for, if it cannot."""
    windows = asking.endpoint.windows
    if not windows or (asking.today - dt).days <= max(windows):
        return None
    return Told(Outcome.FAILED, None, f"older than the platform's window of {max(windows)} days and not in the archive")


def _days_for(subject: Subject, dts: Iterable[date]) -> list[date]:
    """Days that the subject is about: a video has no row for a day before it was published, a list of a week only its week."""
    if subject.week is not None:
        return [d for d in dts if d == subject.week]
    return [d for d in dts if subject.since is None or d >= subject.since]


def _mixed(questions: list[_Question]) -> list[_Question]:
    """In turns by account: an account answers one call at a time, and the others must not wait behind it."""
    turns: dict[tuple[str, str], int] = defaultdict(int)
    ordered = []
    for number, question in enumerate(questions):
        account = (question.asking.client_key, question.open_id)
        ordered.append((turns[account] if question.open_id else 0, number, question))
        turns[account] += 1
    return [question for _, _, question in sorted(ordered, key=lambda item: item[:2])]


async def _ask_all(runtime: Runtime, clients: Mapping[str, DouyinClient], questions: list[_Question]) -> None:
    """Ask all questions, as many at once as settings allow; whatever came is on disk at the end."""
    queue = iter(questions)
    flusher = asyncio.create_task(_flush_regularly(runtime))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(runtime.settings.concurrency, len(questions))):
                group.create_task(_work(clients, queue))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        flusher.cancel()
        with suppress(asyncio.CancelledError, OSError):  # what it could not write is tried here once more
            await flusher
        runtime.archive.flush()


async def _flush_regularly(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(runtime.settings.flush_s / 10)
        runtime.archive.flush_if_due()


async def _work(clients: Mapping[str, DouyinClient], queue: Iterator[_Question]) -> None:
    for question in queue:
        await _ask(clients[question.asking.client_key], question)


_DAY_OVER = Told(Outcome.FAILED, None, "the day ended before it was asked for, and the platform shows only the present")
"""A run that goes on over midnight in Beijing: what is seen from then on belongs to the next day, and its run asks for it."""


async def _ask(client: DouyinClient, question: _Question) -> None:
    asking, subject, result = question.asking, question.subjects[0], question.result
    endpoint, app = asking.endpoint, asking.client_key
    dts, too_old = question.split()
    for dt, told in too_old.items():
        question.add([dt], told)
    if not dts:
        return
    shows_only_now = not endpoint.windows and endpoint.over is not Over.VERSIONS
    if shows_only_now and asking.today not in dts:
        question.add(dts, _DAY_OVER)
        return
    sequence, resume = question.held.unfinished(subject) or (
        Sequence(endpoint.cadence.slot(asking.runtime.clock.now()), {} if len(question.subjects) > 1 else subject.named), None
    )  # fmt: skip
    sequence.until = _all_known(endpoint, subject)
    calls = 0
    try:
        async for answer in pages(client, endpoint, _params(question), subject.open_id, resume=resume, tag={SEQUENCE: sequence}):
            calls += answer.calls
            if sequence.reached:
                break
    except CallFailed as error:
        # The error of a broken listing counts the pages that came before it, which are counted here already.
        calls = error.calls if isinstance(error, PagingError) else calls + error.calls
        question.add(dts, told_by(error))
    except OUT_OF_ORDER:
        raise
    except Exception as error:  # each request fails alone
        _log.debug("%s: %s", endpoint.name, redact("".join(traceback.format_exception(error))))
        calls = max(calls, sequence.codes.total())
        question.add(dts, told_by_surprise(error))
    else:
        missed = shows_only_now and beijing_day(sequence.began_at) not in dts
        for dt in dts:
            question.add([dt], _DAY_OVER if missed else tell(endpoint, sequence.items, sequence.newest, dt))
    result.calls[app, subject.open_id] += calls
    result.codes.update(sequence.codes)


def _all_known(endpoint: Endpoint, subject: Subject) -> Callable[[Any], bool] | None:
    """Tells of a page whether all its rows, but for pinned ones, are older than what is surely known."""
    if endpoint.incremental is None or subject.until is None:
        return None
    created, pinned, until = endpoint.incremental.created, endpoint.incremental.pinned, subject.until.timestamp()
    path = endpoint.outputs[0].rows

    def known(document: Any) -> bool:
        rows = member(document, path)
        times = [row.get(created) for row in rows if isinstance(row, Mapping) and not row.get(pinned)] if isinstance(rows, list) else []
        return bool(times) and all(str(t).isdecimal() and int(t) < until for t in times)

    return known


def _params(question: _Question) -> dict[str, Any]:
    """Request parameters without the cursor, which paging adds."""
    asking = question.asking
    endpoint, subject, today = asking.endpoint, question.subjects[0], asking.today
    days = endpoint.period_days
    if endpoint.windows:
        # The shortest window that reaches the oldest wanted day, also where that one is known already: the platform corrects
        # its series for some days, and the same call tells.
        oldest = min(d for d in _days_for(subject, asking.dts) if _too_old(asking, d) is None)
        days = next(w for w in endpoint.windows if w >= (today - oldest).days)
    values: dict[str, Any] = {}
    for p in endpoint.params:
        if p.fill is Fill.ACCOUNT:
            values[p.name] = subject.open_id
        elif p.batch:
            values[p.name] = [s.params[p.name] for s in question.subjects]
        elif p.fill is Fill.SUBJECT:
            if p.name in subject.params:
                values[p.name] = subject.params[p.name]
        elif p.fill is Fill.WINDOW:
            values[p.name] = days
        elif p.fill is Fill.SINCE:
            values[p.name] = _moment(p, today - timedelta(days=days), None)
        elif p.fill is Fill.UNTIL:
            values[p.name] = _moment(p, today - timedelta(days=1), asking.runtime.clock.now())
        elif p.fill in (Fill.COUNT, Fill.CONST):
            values[p.name] = p.const
    return values


def _moment(param: Param, day: date, instant: datetime | None) -> str | int:
    """A day, or an instant (by default the day's beginning in Beijing), as the request writes it."""
    if param.moment is Moment.DAY:
        return day.isoformat()
    if param.moment is Moment.COMPACT_DAY:
        return f"{day:%Y%m%d}"
    seconds = int((instant or datetime.combine(day, time(), BEIJING)).timestamp())
    return seconds * 1000 if param.moment is Moment.MILLISECONDS else seconds

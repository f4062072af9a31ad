"""Plan the fetches: one task for each subject, batch or period that is incomplete in the archive.

Outcomes that need no API call are recorded at once, per day and account.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from catalog.iterations import IterateBy
from catalog.records import EmptyMeaning, Endpoint
from resources.runtime import Runtime
from resources.state.capabilities import Capability, read_capabilities
from resources.state.load_status import Outcome, read_load_status
from services.capabilities.standing import Lack, switched_off, way_to_capabilities
from services.ingest.archive_index import ArchiveIndex, known_until
from services.ingest.fetch_context import FetchContext, Subject, UpstreamMissing
from services.ingest.outcomes import SubjectResult
from services.ingest.periods import Period, longest_period, periods_to_request
from services.ingest.spans import chunks
from services.ingest.subjects import subjects_of

RETRY_BELOW_THRESHOLD = timedelta(days=7)
"""An account below the platform's threshold is requested again after this time."""


@dataclass
class FetchResult:
    """Result of one endpoint: the outcome of every subject per day, and the calls that were made."""

    endpoint: Endpoint
    results: dict[date, dict[tuple[str, str], list[SubjectResult]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    """Outcomes per day and (client_key, open_id)."""
    calls: Counter = field(default_factory=Counter)
    """Requests made per (client_key, open_id)."""
    codes: Counter = field(default_factory=Counter)
    """Codes of the responses; HTTP failures count as their status."""
    planned: Counter = field(default_factory=Counter)
    """Planned calls per client_key, counted before the first call; a listing counts once, whatever its pages."""

    @property
    def total_calls(self) -> int:
        """Return the number of requests made."""
        return self.calls.total()

    def add(self, client_key: str, open_id: str, dts: Iterable[date], outcome: SubjectResult) -> None:
        """Record an outcome of an account for some days."""
        for dt in dts:
            self.results[dt][client_key, open_id].append(outcome)


@dataclass(frozen=True, slots=True)
class FetchTask:
    """One request or listing to make: a subject of an account, or a batch of them, and the days that it is about."""

    context: FetchContext
    subjects: tuple[Subject, ...]
    dts: list[date]
    index: ArchiveIndex
    result: FetchResult
    periods: tuple[Period | None, ...] = (None,)
    """Requested one after the other; several if the last run is longer ago than one request may reach back."""

    @property
    def open_id(self) -> str:
        """Return the account of all subjects."""
        return self.subjects[0].open_id

    def add(self, dts: Iterable[date], outcome: SubjectResult) -> None:
        """Record an outcome for each subject."""
        for _ in self.subjects:
            self.result.add(self.context.client_key, self.open_id, dts, outcome)

    def split(self) -> tuple[list[date], dict[date, SubjectResult]]:
        """Split the days into those that the platform still has, and the others with their outcome."""
        too_old = (
            {dt: old for dt in self.dts if (old := why_too_old(self.context, dt))}
            if self.context.endpoint.windows
            else {}
        )
        return [dt for dt in self.dts if dt not in too_old], too_old


class FetchPlan:
    """What some endpoints must be requested for, so that the archive has what the partitions ``dts`` need.

    ``results`` has one result per endpoint, in their order.
    """

    def __init__(self, runtime: Runtime, endpoints: Iterable[Endpoint], dts: Iterable[date]) -> None:
        self.runtime = runtime
        self.dts = tuple(sorted(set(dts)))
        self.results = [FetchResult(e) for e in endpoints]

    def stages(self) -> Iterator[list[FetchTask]]:
        """Yield the tasks of all apps: first those of normal operations, then those of substitutes.

        A substitute is due if the original turned out to be unavailable, which the first stage may find out.

        Raises:
            UpstreamMissing: what the endpoints iterate over is not loaded yet, for any app.
        """
        self._record_unserved()
        missing_upstreams: list[UpstreamMissing] = []
        for is_substitute in (False, True):
            tasks: list[FetchTask] = []
            for client_key in self.runtime.app_keys:
                app_type = self.runtime.settings.for_app(client_key).app_type
                capabilities = read_capabilities(self.runtime.state, client_key)
                for result in self.results:
                    endpoint = result.endpoint
                    if endpoint.over is IterateBy.INBOX or (endpoint.instead_of is not None) != is_substitute:
                        continue
                    if app_type not in endpoint.apps or not _is_due(endpoint, capabilities):
                        continue
                    context = FetchContext(self.runtime, client_key, endpoint, self.dts)
                    try:
                        tasks += _tasks(context, result, capabilities.get(endpoint.name))
                    except UpstreamMissing as error:
                        missing_upstreams.append(error)
            for task in tasks:
                if task.split()[0]:
                    task.result.planned[task.context.client_key] += len(task.periods)
            if tasks:
                yield tasks
        if missing_upstreams and not any(one.results or one.planned for one in self.results):
            raise missing_upstreams[0]

    def _record_unserved(self) -> None:
        """Record the outcome of each app where the platform has no endpoint for apps of any of their types."""
        types = {key: self.runtime.settings.for_app(key).app_type for key in self.runtime.app_keys}
        if not any(app_type in one.endpoint.apps for app_type in types.values() for one in self.results):
            lack = Lack(has_endpoint=False)
            for client_key in types:
                self.results[0].add(client_key, "", self.dts, SubjectResult(lack.outcome, lack.code, str(lack)))


def _is_due(endpoint: Endpoint, capabilities: dict[str, Capability]) -> bool:
    """Return whether an operation can run: a substitute waits until the app is known not to own the original."""
    if endpoint.instead_of is None:
        return True
    known = capabilities.get(endpoint.instead_of)
    return known is not None and not known.owned


def _tasks(context: FetchContext, result: FetchResult, capability: Capability | None) -> Iterator[FetchTask]:
    """Yield the tasks of one endpoint and app; record outcomes that need no call in ``result``."""
    endpoint, app = context.endpoint, context.client_key
    context = replace(context, dts=_available_days(context))
    if not context.dts:
        return
    if capability is not None and not capability.owned:
        off = switched_off(endpoint, capability, context.runtime.settings.for_app(app).app_type)
        reason = f"switched off since {off.since}: {capability.reason}; {way_to_capabilities([off])}"
        result.add(app, "", context.dts, SubjectResult(Outcome.UNAVAILABLE, capability.code, reason))
        return
    subjects = subjects_of(context)
    index = ArchiveIndex(context)
    too_small = _lately_too_small(context)
    open_days: list[tuple[Subject, list[date]]] = []
    for subject in subjects:
        days = days_for(subject, context.dts)
        if subject.known_outcome is not None:
            result.add(app, subject.open_id, days, subject.known_outcome)
            continue
        unsettled, answers = [], index.answers(subject)
        for dt in days:
            outcome = index.outcome_of(answers, dt) or too_small.get(subject.open_id)
            if outcome is not None and outcome.outcome.settled:
                result.add(app, subject.open_id, [dt], outcome)
            elif subject.last is not None:
                result.add(app, subject.open_id, [dt], _gone(endpoint))
            else:
                unsettled.append(dt)
        if unsettled:
            open_days.append((subject, unsettled))
    yield from _grouped(context, open_days, index, result)
    _record_days_before(context, subjects, result)


def _available_days(context: FetchContext) -> tuple[date, ...]:
    """Return the partitions that the platform still has.

    Series, published weeks and listings by period have past days; all others show only the present.
    """
    if context.endpoint.windows:
        return context.dts
    if context.endpoint.over is IterateBy.VERSIONS or context.endpoint.has_past_days:
        return tuple(d for d in context.dts if d <= context.today)
    return tuple(d for d in context.dts if d == context.today)


def _grouped(
    context: FetchContext, open_days: list[tuple[Subject, list[date]]], index: ArchiveIndex, result: FetchResult
) -> Iterator[FetchTask]:
    """Yield a task for each subject, or for as many subjects of an account as one request takes."""
    size = next((p.batch for p in context.endpoint.params if p.batch), None)
    if context.endpoint.reaches_back:
        yield from _by_period(context, open_days, index, result)
        return
    if size is None:
        for subject, days in open_days:
            yield FetchTask(context, (subject,), days, index, result)
        return
    alike: dict[tuple, list[Subject]] = defaultdict(list)
    for subject, days in open_days:
        alike[subject.open_id, tuple(days)].append(subject)
    for (_, days), subjects in alike.items():
        for start in range(0, len(subjects), size):
            yield FetchTask(context, tuple(subjects[start : start + size]), list(days), index, result)


def _by_period(
    context: FetchContext, open_days: list[tuple[Subject, list[date]]], index: ArchiveIndex, result: FetchResult
) -> Iterator[FetchTask]:
    """Yield a task for today per subject, from its newest known instant on, and one for each period of past days."""
    endpoint, today = context.endpoint, context.today
    accounts = {subject.open_id for subject, days in open_days if today in days}
    known = known_until(context.runtime.archive, endpoint, context.client_key, accounts, today) if accounts else {}
    for subject, days in open_days:
        # Rows without the time at which they happened belong to the day that was requested, each day on its own.
        for span in chunks([d for d in days if d < today], longest_period(endpoint) if endpoint.happened else 1):
            about = replace(subject, days=span)
            yield FetchTask(
                context, (about,), days_for(about, days), index, result, periods_to_request(endpoint, span, today, None)
            )
        if today in days:
            yield FetchTask(
                context,
                (subject,),
                [today],
                index,
                result,
                periods_to_request(endpoint, None, today, known.get(subject.open_id)),
            )


def _lately_too_small(context: FetchContext) -> dict[str, SubjectResult]:
    """Return the accounts that were below the platform's threshold in the last week; they grow slowly."""
    endpoint = context.endpoint
    if endpoint.empty is not EmptyMeaning.BELOW_THRESHOLD:
        return {}
    days = [context.today - timedelta(days=n) for n in range(1, RETRY_BELOW_THRESHOLD.days)]
    pulled: dict[str, date] = {}
    for s in read_load_status(context.runtime.state, table=endpoint.tables[0], dts=days):
        # Outcomes of responses have a code. Outcomes of this function have none, or the account would never be
        # requested again.
        if (
            (s.client_key, s.operation) == (context.client_key, endpoint.name)
            and s.status is Outcome.BELOW_THRESHOLD
            and s.code is not None
        ):
            pulled[s.open_id] = max(pulled.get(s.open_id, date.min), s.dt)
    return {
        open_id: SubjectResult(
            Outcome.BELOW_THRESHOLD, None, f"too small on {day}; requested again on {day + RETRY_BELOW_THRESHOLD}"
        )
        for open_id, day in pulled.items()
    }


def _record_days_before(context: FetchContext, subjects: list[Subject], result: FetchResult) -> None:
    """Record an outcome for accounts none of whose objects existed on a day: there is nothing to request."""
    if not context.endpoint.windows:
        return
    first: dict[str, date] = {}
    for subject in subjects:
        if subject.last is None:
            first[subject.open_id] = min(first.get(subject.open_id, date.max), subject.since or date.min)
    for open_id, day in first.items():
        for dt in (d for d in context.dts if d < day):
            outcome = why_too_old(context, dt) or SubjectResult(
                Outcome.EMPTY, None, "none of its young videos existed then"
            )
            result.add(context.client_key, open_id, [dt], outcome)


def _gone(endpoint: Endpoint) -> SubjectResult:
    """Return the outcome of a day on which a video was young enough, if it is too old now."""
    return SubjectResult(
        Outcome.GONE,
        None,
        f"older than {endpoint.max_age_days} days by now: the platform no longer shows its series, and "
        "this day is not in the archive",
    )


def why_too_old(context: FetchContext, dt: date) -> SubjectResult | None:
    """Return the outcome of a day that is beyond the platform's windows, or None."""
    windows = context.endpoint.windows
    if not windows or (context.today - dt).days <= max(windows):
        return None
    return SubjectResult(
        Outcome.FAILED, None, f"older than the platform's window of {max(windows)} days and not in the archive"
    )


def days_for(subject: Subject, dts: Iterable[date]) -> list[date]:
    """Select the days that a subject is about.

    A video has no row for a day before it was published, and a weekly list only its week.
    """
    if subject.week is not None:
        return [d for d in dts if d == subject.week]
    if subject.days is not None:
        return [d for d in dts if subject.days[0] <= d <= subject.days[1]]
    return [
        d for d in dts if (subject.since is None or d >= subject.since) and (subject.last is None or d <= subject.last)
    ]


def mixed(tasks: list[FetchTask]) -> list[FetchTask]:
    """Order tasks round-robin by account: an account takes one call at a time, and the others must not wait for it."""
    turns: dict[tuple[str, str], int] = defaultdict(int)
    ordered = []
    for number, task in enumerate(tasks):
        account = (task.context.client_key, task.open_id)
        ordered.append((turns[account] if task.open_id else 0, number, task))
        turns[account] += 1
    return [task for _, _, task in sorted(ordered, key=lambda item: item[:2])]

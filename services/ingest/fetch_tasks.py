"""What has to be asked: a question for each subject, batch or period of which the archive lacks something.

What is known without asking is told at once, per day and account.
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
from services.ingest.archive_index import ArchiveIndex, known_until
from services.ingest.outcomes import SubjectResult
from services.ingest.periods import Period, periods_to_request
from services.ingest.spans import chunks
from services.ingest.subjects import FetchContext, Subject, UpstreamMissing, subjects_of
from services.reporting.capabilities import switched_off, way_to_capabilities

RETRY_BELOW_THRESHOLD = timedelta(days=7)
"""An account that was too small is asked again after so long."""


@dataclass
class FetchResult:
    """Result of one endpoint: what every subject told per day, and what was asked for it."""

    endpoint: Endpoint
    told: dict[date, dict[tuple[str, str], list[SubjectResult]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
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

    def add(self, client_key: str, open_id: str, dts: Iterable[date], told: SubjectResult) -> None:
        for dt in dts:
            self.told[dt][client_key, open_id].append(told)


@dataclass(frozen=True, slots=True)
class Question:
    """One request to make, or one listing: an account's subject, or a batch of them, and the days that it is about."""

    asking: FetchContext
    subjects: tuple[Subject, ...]
    dts: list[date]
    held: ArchiveIndex
    result: FetchResult
    periods: tuple[Period | None, ...] = (None,)
    """Requested one after the other; several where a run was not made for longer than one request may ask for."""

    @property
    def open_id(self) -> str:
        return self.subjects[0].open_id

    def add(self, dts: Iterable[date], told: SubjectResult) -> None:
        for _ in self.subjects:
            self.result.add(self.asking.client_key, self.open_id, dts, told)

    def split(self) -> tuple[list[date], dict[date, SubjectResult]]:
        """Days that the platform still reaches, and why it does not reach the others."""
        too_old = (
            {dt: old for dt in self.dts if (old := why_too_old(self.asking, dt))}
            if self.asking.endpoint.windows
            else {}
        )
        return [dt for dt in self.dts if dt not in too_old], too_old


def stages(results: list[FetchResult]) -> tuple[list[FetchResult], list[FetchResult]]:
    """Operations that stand in for others are asked after those."""
    asked = [r for r in results if r.endpoint.over is not IterateBy.INBOX]
    return [r for r in asked if r.endpoint.instead_of is None], [r for r in asked if r.endpoint.instead_of is not None]


def questions_of(
    runtime: Runtime, stage: list[FetchResult], wanted: tuple[date, ...], lacking: list[UpstreamMissing]
) -> list[Question]:
    """What every app has to ask; what cannot be asked because something is not loaded goes into ``lacking``."""
    questions: list[Question] = []
    for client_key in runtime.app_keys:
        app_type = runtime.settings.for_app(client_key).app_type
        capabilities = read_capabilities(runtime.state, client_key)
        for result in stage:
            asking = FetchContext(runtime, client_key, result.endpoint, wanted)
            if app_type not in result.endpoint.apps or not _is_due(result.endpoint, capabilities):
                continue
            try:
                questions += _questions(asking, result, capabilities.get(result.endpoint.name))
            except UpstreamMissing as error:
                lacking.append(error)
    return questions


def _is_due(endpoint: Endpoint, capabilities: dict[str, Capability]) -> bool:
    """An operation that stands in for another waits until the app is known not to own that one."""
    if endpoint.instead_of is None:
        return True
    known = capabilities.get(endpoint.instead_of)
    return known is not None and not known.owned


def _questions(asking: FetchContext, result: FetchResult, capability: Capability | None) -> Iterator[Question]:
    """What is still to be asked; what is known without asking goes into ``result`` at once."""
    endpoint, app = asking.endpoint, asking.client_key
    asking = replace(asking, dts=_askable(asking))
    if not asking.dts:
        return
    if capability is not None and not capability.owned:
        off = switched_off(endpoint, capability, asking.runtime.settings.for_app(app).app_type)
        reason = f"switched off since {off.since}: {capability.reason}; {way_to_capabilities([off])}"
        result.add(app, "", asking.dts, SubjectResult(Outcome.UNAVAILABLE, capability.code, reason))
        return
    subjects = subjects_of(asking)
    held = ArchiveIndex(asking)
    too_small = _lately_too_small(asking)
    open_days: list[tuple[Subject, list[date]]] = []
    for subject in subjects:
        days = days_for(subject, asking.dts)
        if subject.told is not None:
            result.add(app, subject.open_id, days, subject.told)
            continue
        unsettled, answers = [], held.answers(subject)
        for dt in days:
            told = held.outcome_of(answers, dt) or too_small.get(subject.open_id)
            if told is not None and told.outcome.settled:
                result.add(app, subject.open_id, [dt], told)
            elif subject.last is not None:
                result.add(app, subject.open_id, [dt], _gone(endpoint))
            else:
                unsettled.append(dt)
        if unsettled:
            open_days.append((subject, unsettled))
    yield from _grouped(asking, open_days, held, result)
    _tell_of_days_before(asking, subjects, result)


def _askable(asking: FetchContext) -> tuple[date, ...]:
    """The partitions that the platform can be asked about: series, published weeks and listings by period have a past, the rest shows only now."""
    if asking.endpoint.windows:
        return asking.dts
    if asking.endpoint.over is IterateBy.VERSIONS or asking.endpoint.has_past_days:
        return tuple(d for d in asking.dts if d <= asking.today)
    return tuple(d for d in asking.dts if d == asking.today)


def _grouped(
    asking: FetchContext, open_days: list[tuple[Subject, list[date]]], held: ArchiveIndex, result: FetchResult
) -> Iterator[Question]:
    """A question for each subject, or for as many of an account's as one request takes."""
    size = next((p.batch for p in asking.endpoint.params if p.batch), None)
    if asking.endpoint.reaches_back:
        yield from _by_period(asking, open_days, held, result)
        return
    if size is None:
        for subject, days in open_days:
            yield Question(asking, (subject,), days, held, result)
        return
    alike: dict[tuple, list[Subject]] = defaultdict(list)
    for subject, days in open_days:
        alike[subject.open_id, tuple(days)].append(subject)
    for (_, days), subjects in alike.items():
        for start in range(0, len(subjects), size):
            yield Question(asking, tuple(subjects[start : start + size]), list(days), held, result)


def _by_period(
    asking: FetchContext, open_days: list[tuple[Subject, list[date]]], held: ArchiveIndex, result: FetchResult
) -> Iterator[Question]:
    """A question for each subject about today, from its newest known instant on, and one for each period of past days."""
    endpoint, today = asking.endpoint, asking.today
    accounts = {subject.open_id for subject, days in open_days if today in days}
    known = known_until(asking.runtime.archive, endpoint, asking.client_key, accounts, today) if accounts else {}
    for subject, days in open_days:
        # Rows that do not say when they happened stand on the day that was requested by itself.
        for span in chunks([d for d in days if d < today], endpoint.period_days if endpoint.happened else 1):
            about = replace(subject, days=span)
            yield Question(
                asking, (about,), days_for(about, days), held, result, periods_to_request(endpoint, span, today, None)
            )
        if today in days:
            yield Question(
                asking,
                (subject,),
                [today],
                held,
                result,
                periods_to_request(endpoint, None, today, known.get(subject.open_id)),
            )


def _lately_too_small(asking: FetchContext) -> dict[str, SubjectResult]:
    """Accounts that were below the platform's threshold within the last week: growing takes longer than a day."""
    endpoint = asking.endpoint
    if endpoint.empty is not EmptyMeaning.BELOW_THRESHOLD:
        return {}
    days = [asking.today - timedelta(days=n) for n in range(1, RETRY_BELOW_THRESHOLD.days)]
    asked: dict[str, date] = {}
    for s in read_load_status(asking.runtime.state, table=endpoint.tables[0], dts=days):
        # An answer has a code; what is told here has none, or an account would never be asked again.
        if (
            (s.client_key, s.operation) == (asking.client_key, endpoint.name)
            and s.status is Outcome.BELOW_THRESHOLD
            and s.code is not None
        ):
            asked[s.open_id] = max(asked.get(s.open_id, date.min), s.dt)
    return {
        open_id: SubjectResult(
            Outcome.BELOW_THRESHOLD, None, f"too small on {day}; asked again on {day + RETRY_BELOW_THRESHOLD}"
        )
        for open_id, day in asked.items()
    }


def _tell_of_days_before(asking: FetchContext, subjects: list[Subject], result: FetchResult) -> None:
    """Accounts none of whose objects existed on a day: there is nothing to ask for, and that is an outcome too."""
    if not asking.endpoint.windows:
        return
    first: dict[str, date] = {}
    for subject in subjects:
        if subject.last is None:
            first[subject.open_id] = min(first.get(subject.open_id, date.max), subject.since or date.min)
    for open_id, day in first.items():
        for dt in (d for d in asking.dts if d < day):
            told = why_too_old(asking, dt) or SubjectResult(
                Outcome.EMPTY, None, "none of its young videos existed then"
            )
            result.add(asking.client_key, open_id, [dt], told)


def _gone(endpoint: Endpoint) -> SubjectResult:
    """What is told of a day of a video that was young enough then and is not now."""
    return SubjectResult(
        Outcome.GONE,
        None,
        f"older than {endpoint.max_age_days} days by now: the platform no longer shows its series, and "
        "this day is not in the archive",
    )


def why_too_old(asking: FetchContext, dt: date) -> SubjectResult | None:
    """Why a day cannot be asked for, if it cannot."""
    windows = asking.endpoint.windows
    if not windows or (asking.today - dt).days <= max(windows):
        return None
    return SubjectResult(
        Outcome.FAILED, None, f"older than the platform's window of {max(windows)} days and not in the archive"
    )


def days_for(subject: Subject, dts: Iterable[date]) -> list[date]:
    """Days that the subject is about: a video has no row for a day before it was published, a list of a week only its week."""
    if subject.week is not None:
        return [d for d in dts if d == subject.week]
    if subject.days is not None:
        return [d for d in dts if subject.days[0] <= d <= subject.days[1]]
    return [
        d for d in dts if (subject.since is None or d >= subject.since) and (subject.last is None or d <= subject.last)
    ]


def mixed(questions: list[Question]) -> list[Question]:
    """In turns by account: an account answers one call at a time, and the others must not wait behind it."""
    turns: dict[tuple[str, str], int] = defaultdict(int)
    ordered = []
    for number, question in enumerate(questions):
        account = (question.asking.client_key, question.open_id)
        ordered.append((turns[account] if question.open_id else 0, number, question))
        turns[account] += 1
    return [question for _, _, question in sorted(ordered, key=lambda item: item[:2])]

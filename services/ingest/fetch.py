"""Fetch from the platform into the archive whatever the archive lacks.

The archive's own index decides what is missing: a second run of the same day makes no calls, and a restarted run
continues. The outcome of each account is recorded per day, for ``load_status``.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from catalog.envelopes import member
from catalog.iterations import IterateBy
from catalog.records import Endpoint, beijing_day
from catalog.requests import ParamSource
from resources.client.errors import CallFailed, PagingError
from resources.client.paging import pages
from resources.client.recorder import SEQUENCE, Sequence
from resources.config.redaction import redact
from resources.runtime import Runtime
from resources.state import OUT_OF_ORDER
from resources.state.load_status import Outcome
from services.ingest.fetch_context import Subject
from services.ingest.fetch_tasks import FetchPlan, FetchResult, FetchTask, days_for, mixed, why_too_old
from services.ingest.inbox import drain
from services.ingest.outcomes import SubjectResult, outcome_of, outcome_of_error, outcome_of_unexpected
from services.ingest.periods import Period, longest_period, written

if TYPE_CHECKING:  # loaded at the first call: most hourly runs make none
    from resources.client.client import DouyinClient

_log = logging.getLogger(__name__)


def fetch(runtime: Runtime, endpoints: Iterable[Endpoint], dts: Iterable[date]) -> list[FetchResult]:
    """Fetch what the partitions ``dts`` need and the archive lacks, for all endpoints and apps concurrently.

    Snapshots and most listings can be requested only for today; past days depend on the archive. For a series, each
    subject with a missing day is requested once, with the shortest window that reaches the oldest wanted day. A
    substitute operation is requested after the original, if the original turned out to be unavailable.

    Returns:
        One result per endpoint, in their order: outcomes by day and account, calls, and codes of the responses.

    Raises:
        UpstreamMissing: what the endpoints iterate over is not loaded yet, for any app.
    """
    plan = FetchPlan(runtime, endpoints, dts)
    _drain(runtime, plan.results, plan.dts)
    for tasks in plan.stages():
        clients = {key: runtime.client(key) for key in {task.context.client_key for task in tasks}}
        runtime.run(_run_tasks(runtime, clients, mixed(tasks)))
    return plan.results


def _drain(runtime: Runtime, results: list[FetchResult], wanted: tuple[date, ...]) -> None:
    """Read pushed events from the inbox; they need no call.

    With today, yesterday is read, too: its last events came after its last run.
    """
    event_results = {r.endpoint.name: r for r in results if r.endpoint.over is IterateBy.INBOX}
    if not event_results:
        return
    today = runtime.clock.today()
    dts = sorted({*wanted, today - timedelta(days=1)} if today in wanted else wanted)
    for name, days in drain(runtime, [r.endpoint for r in event_results.values()], dts).items():
        for (client_key, dt), outcome in days.items():
            event_results[name].add(client_key, "", [dt], outcome)


async def _run_tasks(runtime: Runtime, clients: Mapping[str, DouyinClient], tasks: list[FetchTask]) -> None:
    """Run all tasks, as concurrently as settings allow; at the end every response is on disk."""
    queue = iter(tasks)
    flusher = asyncio.create_task(_flush_regularly(runtime))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(runtime.settings.concurrency, len(tasks))):
                group.create_task(_work(clients, queue))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        flusher.cancel()
        with suppress(asyncio.CancelledError, OSError):  # what it could not write is retried below
            await flusher
        runtime.archive.flush()


async def _flush_regularly(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(runtime.settings.flush_s / 10)
        runtime.archive.flush_if_due()


async def _work(clients: Mapping[str, DouyinClient], queue: Iterator[FetchTask]) -> None:
    for task in queue:
        await _run_task(clients[task.context.client_key], task)


_DAY_OVER = SubjectResult(
    Outcome.FAILED, None, "the day ended before it was requested, and the platform shows only the present"
)
"""Outcome when a run goes on past midnight in Beijing: what is seen then belongs to the next day, and to its run."""


async def _run_task(client: DouyinClient, task: FetchTask) -> None:
    context, subject, result, endpoint = task.context, task.subjects[0], task.result, task.context.endpoint
    dts, too_old = task.split()
    for dt, outcome in too_old.items():
        task.add([dt], outcome)
    if not dts:
        return
    shows_only_now = not endpoint.windows and endpoint.over is not IterateBy.VERSIONS and subject.days is None
    if shows_only_now and context.today not in dts:
        task.add(dts, _DAY_OVER)
        return
    items, missed = 0, False
    for period in task.periods:
        sequence, failure = await _list(client, task, period)
        result.codes.update(sequence.codes)
        if failure is not None:  # a gap before newer data would go unnoticed
            task.add(dts, failure)
            return
        items += sequence.items
        if shows_only_now:
            assert sequence.began_at is not None, "a listing that did not fail has a first response"
            missed |= beijing_day(sequence.began_at) not in dts
    for dt in dts:
        task.add([dt], _DAY_OVER if missed else outcome_of(endpoint, items, sequence.newest, dt))


async def _list(client: DouyinClient, task: FetchTask, period: Period | None) -> tuple[Sequence, SubjectResult | None]:
    """Request all pages of one listing, or resume an incomplete one; also return the outcome of a failure."""
    context, subject, result = task.context, task.subjects[0], task.result
    endpoint, app = context.endpoint, context.client_key
    sequence, resume, period = task.index.unfinished(subject, period) or (
        Sequence(endpoint.cadence.slot(context.runtime.clock.now()), {} if len(task.subjects) > 1 else subject.named),
        None,
        period,
    )
    sequence.until = _all_known(endpoint, subject)
    calls, failure = 0, None
    try:
        async for answer in pages(
            client, endpoint, _params(task, period), subject.open_id, resume=resume, tag={SEQUENCE: sequence}
        ):
            calls += answer.calls
            if sequence.reached:
                break
    except CallFailed as error:
        # The error of a listing includes the calls of its earlier pages, which are counted already.
        calls = error.calls if isinstance(error, PagingError) else calls + error.calls
        failure = outcome_of_error(error)
    except OUT_OF_ORDER:
        raise
    except Exception as error:  # each request fails on its own
        _log.debug("%s: %s", endpoint.name, redact("".join(traceback.format_exception(error))))
        calls = max(calls, sequence.codes.total())
        failure = outcome_of_unexpected(error)
    result.calls[app, subject.open_id] += calls
    return sequence, failure


def _all_known(endpoint: Endpoint, subject: Subject) -> Callable[[Any], bool] | None:
    """Return a function that decides whether all unpinned rows of a page are older than what is certainly known."""
    if endpoint.incremental is None or subject.until is None:
        return None
    created, pinned, until = endpoint.incremental.created, endpoint.incremental.pinned, subject.until.timestamp()
    path = endpoint.outputs[0].rows

    def known(document: Any) -> bool:
        rows = member(document, path)
        times: list[Any] = (
            [row.get(created) for row in rows if isinstance(row, Mapping) and not row.get(pinned)]
            if isinstance(rows, list)
            else []
        )
        return bool(times) and all(str(t).isdecimal() and int(t) < until for t in times)

    return known


def _days_back(task: FetchTask) -> int:
    """Return the length in days of the window or period to request."""
    context, endpoint = task.context, task.context.endpoint
    if not endpoint.windows:
        return longest_period(endpoint)
    # The shortest window that reaches the oldest wanted day, even if that day is known: the platform corrects its
    # series for some days, and the same call returns the corrections.
    oldest = min(d for d in days_for(task.subjects[0], context.dts) if why_too_old(context, d) is None)
    return next(w for w in endpoint.windows if w >= (context.today - oldest).days)


def _params(task: FetchTask, period: Period | None) -> dict[str, Any]:
    """Build the request parameters without the cursor, which paging adds."""
    context = task.context
    endpoint, subject, today = context.endpoint, task.subjects[0], context.today
    values: dict[str, Any] = {}
    for p in endpoint.params:
        if p.fill is ParamSource.ACCOUNT:
            values[p.name] = subject.open_id
        elif p.batch:
            values[p.name] = [s.params[p.name] for s in task.subjects]
        elif p.fill is ParamSource.SUBJECT:
            if p.name in subject.params:
                values[p.name] = subject.params[p.name]
        elif p.fill is ParamSource.WINDOW:
            values[p.name] = _days_back(task)
        elif p.fill is ParamSource.SINCE:
            values[p.name] = written(p, today - timedelta(days=_days_back(task)), period.since if period else None)
        elif p.fill is ParamSource.UNTIL:
            values[p.name] = written(
                p, today - timedelta(days=1), (period.until if period else None) or context.runtime.clock.now()
            )
        elif p.fill in (ParamSource.COUNT, ParamSource.CONST):
            values[p.name] = p.const
    return values

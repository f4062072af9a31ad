"""Define asset checks from the catalogue: what must be true of every partition of a core table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING

import dagster as dg

from catalog import FIELDS, endpoints_of
from catalog.records import Field, Table, beijing_day
from resources.runtime import Runtime
from resources.state.load_status import Outcome
from resources.storage.atomic import CorruptFile

if TYPE_CHECKING:  # Arrow is imported by the step that checks rows
    import pyarrow as pa

    from resources.storage.lake import Lake
    from services.ingest.run import IngestResult

VALID, FRESH, COMPLETE = "valid", "fresh", "complete"
"""Checks of every table. Each costs a run about 50 ms, so related checks share a result."""
RECONCILED, RECEIVED, SUBSCRIBED = "reconciled", "received", "subscribed"
"""Checks of one table each, which compare two statements of the platform."""

_OWN = {
    "comment_reads": (
        RECONCILED,
        "Videos read to the end list about as many comments as they state / "
        "完整读取的视频，列出的评论数与视频显示的评论数相符",
    ),
    "lead_events": (
        RECEIVED,
        "Entries of the interaction log since the first receiver arrived as events, too / "
        "接收服务启动以来，互动日志中的事件均已收到推送",
    ),
    "event_subscriptions": (
        SUBSCRIBED,
        "No event that was subscribed on an earlier day has lost its subscription / 此前已订阅的事件仍在订阅中",
    ),
}
"""Checks of single tables, by table."""


def check_specs(table: Table) -> list[dg.AssetCheckSpec]:
    """List the checks of one table; the asset itself yields their results, for the rows it just landed."""
    return [
        dg.AssetCheckSpec(
            VALID,
            asset=table.name,
            description=(
                f"Key unique ({', '.join(table.primary_key)}), nothing empty that must not be, values in the "
                "accepted ranges, no row and no value in quarantine / 主键唯一、必填非空、取值在范围内、无隔离数据"
            ),
        ),
        dg.AssetCheckSpec(
            FRESH, asset=table.name, description="max(observed_at) is as recent as the partition can be / 数据新鲜"
        ),
        dg.AssetCheckSpec(
            COMPLETE,
            asset=table.name,
            description=(
                "Every account and operation has exactly one outcome, and nothing failed that could have "
                "been had / 每个账号与接口有且仅有一个结果，可获取的均未失败"
            ),
        ),
        *(
            [dg.AssetCheckSpec(_OWN[table.name][0], asset=table.name, description=_OWN[table.name][1])]
            if table.name in _OWN
            else []
        ),
    ]


def check_results(ingested: IngestResult, runtime: Runtime) -> Iterator[dg.AssetCheckResult]:
    """Check all partitions that landed, and yield one result per check.

    Quarantined rows and failed accounts are warnings; broken keys and ranges are errors. Every check has a result, even
    if nothing landed: Dagster fails a step that leaves one out.
    """
    if ingested.partitions:
        yield _valid(ingested)
        yield _fresh(ingested, runtime.clock.now())
    else:
        yield dg.AssetCheckResult(
            check_name=VALID, passed=True, description="nothing landed, nothing to judge", metadata={"rows": 0}
        )
        yield dg.AssetCheckResult(
            check_name=FRESH, passed=False, severity=dg.AssetCheckSeverity.WARN, description="nothing landed"
        )
    yield _complete(ingested)
    own, _ = _OWN.get(ingested.table.name, (None, None))
    try:
        if own == RECONCILED:
            yield _reconciled(ingested, runtime.lake)
        elif own == RECEIVED:
            yield _received(ingested, runtime)
        elif own == SUBSCRIBED:
            yield _subscribed(ingested, runtime.lake)
    except CorruptFile as error:
        yield dg.AssetCheckResult(
            check_name=own, passed=False, severity=dg.AssetCheckSeverity.WARN, description=f"not compared: {error}"
        )


def _valid(ingested: IngestResult) -> dg.AssetCheckResult:
    import pyarrow as pa

    table = ingested.table
    counted: Counter[str] = Counter()
    keys, rows = [], 0
    for part in (part for p in ingested.partitions.values() for part in p.day.parts()):
        keys.append(part.select(["dt", *table.primary_key]))
        counted.update({f"empty {name}": part[name].null_count for name in table.not_null})
        counted.update({f"{name} outside its range": _outside(FIELDS[name], part[name]) for name in table.columns})
        rows += part.num_rows
    broken = {what: n for what, n in ({"duplicate keys": _duplicates(pa.concat_tables(keys))} | counted).items() if n}
    quarantined = sum(p.quarantined for p in ingested.partitions.values())
    nulled = sum(p.nulled for p in ingested.partitions.values())
    reasons = Counter(r for p in ingested.partitions.values() for r in p.quarantine["reason"].to_pylist())
    problems = (
        broken
        | ({"rows in quarantine": quarantined} if quarantined else {})
        | ({"values in quarantine": nulled} if nulled else {})
    )
    return dg.AssetCheckResult(
        check_name=VALID,
        passed=not problems,
        severity=dg.AssetCheckSeverity.ERROR if broken else dg.AssetCheckSeverity.WARN,
        description=", ".join(f"{n} {what}" for what, n in problems.items()),
        metadata={"rows": rows} | problems | ({"reasons": dict(reasons.most_common(5))} if reasons else {}),
    )


def _duplicates(keys: pa.Table) -> int:
    return keys.num_rows - keys.group_by(keys.column_names).aggregate([]).num_rows


def _outside(field: Field, values: pa.ChunkedArray) -> int:
    """Count the values that the catalogue does not accept."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bad = 0
    if field.minimum is not None:
        bad += pc.sum(pc.less(values, field.minimum)).as_py() or 0
    if field.maximum is not None:
        bad += pc.sum(pc.greater(values, field.maximum)).as_py() or 0
    if field.allowed is not None:
        bad += pc.sum(pc.invert(pc.is_in(pc.drop_null(values), pa.array(field.allowed, values.type)))).as_py() or 0
    return bad


def _fresh(ingested: IngestResult, now: datetime) -> dg.AssetCheckResult:
    """Check that the newest partition was observed within its cadence.

    A backfill of old days does not affect freshness and passes.
    """
    from services.ingest.changes import newest_observation

    table = ingested.table
    dt = max(ingested.partitions)
    newest = newest_observation(ingested.partitions[dt].day)
    cadence = endpoints_of(table.name)[0].cadence
    latest = table.latest_partition(beijing_day(now))
    metadata = {"observed_at": str(newest), "cadence": cadence.doc_en}
    passed = dt < latest or newest is None or newest >= cadence.slot(now) or newest >= now - timedelta(days=1, hours=1)
    return dg.AssetCheckResult(check_name=FRESH, passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


def _complete(ingested: IngestResult) -> dg.AssetCheckResult:
    """Check that every account has one outcome and that no failure is unexpected.

    Data known to be unavailable to an app or an account passes: the check of the warehouse reports it, once.
    """
    seen = Counter((s.dt, s.operation, s.client_key, s.open_id) for s in ingested.statuses)
    twice = sum(1 for n in seen.values() if n > 1)
    failed = Counter(str(s.status) for s in ingested.failures())
    first = next((s.reason for s in ingested.failures()), None)
    return dg.AssetCheckResult(
        check_name=COMPLETE,
        passed=not failed and not twice,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"outcomes": dict(Counter(str(s.status) for s in ingested.statuses)), "listed_twice": twice},
        description=f"{dict(failed)}; first: {first}" if failed else "",
    )


def _reconciled(ingested: IngestResult, lake: Lake) -> dg.AssetCheckResult:
    """Check that comment lists are as long as the videos state; only ids of videos are shown."""
    from services.maintenance.reconcile import reconcile_comments

    found = [reconcile_comments(lake, dt) for dt in ingested.partitions]
    short = [d for one in found for d in one.short]
    worst = [f"{d.item_id}: {d.listed} of {d.stated}" for d in short[:5]]
    return dg.AssetCheckResult(
        check_name=RECONCILED,
        passed=not short,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "videos": sum(one.videos for one in found),
            "stated": sum(one.stated for one in found),
            "listed": sum(one.listed for one in found),
            "short": len(short),
            "worst": worst,
        },
        description=f"{len(short)} videos list fewer comments than they state" if short else "",
    )


def _received(ingested: IngestResult, runtime: Runtime) -> dg.AssetCheckResult:
    """Check that the events in the platform's log were pushed to us, too; only ids are shown, no message texts."""
    from resources.state.inbox import receiving_since
    from services.maintenance.reconcile import reconcile_events

    since = {app: at for app in runtime.app_keys if (at := receiving_since(runtime.state, app)) is not None}
    found = [reconcile_events(runtime.lake, dt, since, runtime.clock.now()) for dt in ingested.partitions]
    lost = [one for day in found for one in day.lost]
    missing = sum(one.missing for one in lost)
    examples = [
        f"{one.event} to {one.open_id[:8]}…: {one.missing} of {one.logged}, such as {', '.join(one.examples)}"
        for one in lost[:20]
    ]
    return dg.AssetCheckResult(
        check_name=RECEIVED,
        passed=not lost,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "logged": sum(day.logged for day in found),
            "missing": missing,
            "not_landed_yet": sum(day.unlanded for day in found),
            "lost": examples,
        },
        description=(
            f"{missing} events of the log never arrived: look at the receiver of that time and at `douyin "
            "receive status`; "
            "they cannot be requested again, the log's own rows in `lead_events` fill the gap"
            if lost
            else ""
        ),
    )


def _subscribed(ingested: IngestResult, lake: Lake) -> dg.AssetCheckResult:
    """Check that subscribed events still are: the platform cancels subscriptions of slow or failing receivers."""
    from services.maintenance.reconcile import LostSubscription, lost_subscriptions

    lost: list[LostSubscription] = []
    for dt in ingested.partitions:
        answered = {
            s.client_key for s in ingested.statuses if s.dt == dt and s.status in (Outcome.LOADED, Outcome.EMPTY)
        }
        lost += lost_subscriptions(lake, dt, answered)
    events: dict[str, list[str]] = {}
    for one in lost:
        if one.event not in events.setdefault(one.client_key, []):
            events[one.client_key].append(one.event)
    commands = [
        f"douyin receive subscribe {' '.join(map(quote, names))}" + (f" --app {quote(app)}" if len(events) > 1 else "")
        for app, names in events.items()
    ]
    return dg.AssetCheckResult(
        check_name=SUBSCRIBED,
        passed=not lost,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "lost": [
                f"{one.event}: last on {one.last_on}, now {'not listed' if one.status is None else one.status}"
                for one in lost
            ],
            "commands": commands,
        },
        description=f"no longer subscribed: {', '.join(e for names in events.values() for e in names)}. `{commands[0]}`"
        if lost
        else "",
    )

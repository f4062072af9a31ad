"""Define one Dagster asset per core table and one external node per operation of the platform, from the catalogue."""

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, cast

import dagster as dg
from sqlalchemy.exc import DBAPIError

from assets.checks import check_results, check_specs
from catalog import FIELDS, SOURCES, TABLES, endpoints_of
from catalog.iterations import ITERATIONS
from catalog.records import Endpoint, History, Status, Table
from resources.runtime import Runtime
from resources.state.load_status import Outcome
from resources.state.sealing import TokenKeyError
from resources.storage.atomic import RUN_PROCESS, CorruptFile, this_process

if TYPE_CHECKING:
    # Imported by the first step: other jobs, and the server of the definitions, do not need them.
    from services.ingest.price import ScopePrice
    from services.ingest.run import IngestResult

# Backfill policies and pools are beta in this pinned release; tests cover what they do here.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

NOTHING = cast(dg.DagsterType, dg.Nothing)  # Dagster annotates it as the class of None
UNMARKED = {"__source_asset_observation__": True}
"""Metadata of an output that marks no partition as materialised.

Without an output Dagster skips all later steps, so they would have no outcome and nothing would be published. An
ordinary output would mark each requested day, even those that do not exist.
"""
PATIENCE_S = 5
OWNER = "team:data-platform"
PLATFORM = "platform"
"""Key prefix of the nodes of the platform's operations."""

INBOX = "inbox"
"""Pool of the tables that are filled from the inbox."""

_HISTORY_DOCS = {
    History.SNAPSHOT: "Snapshot: shows only now. A past day comes from the archive or not at all.",
    History.WINDOW: (
        "Window series: a past day can be requested as long as the platform's window reaches it; later it "
        "comes from the archive."
    ),
    History.LISTING: (
        "Listing: what exists now. Its past state comes from the archive; leads and the interaction log can "
        "be requested for any period."
    ),
    History.EVENT: "Events: pushed by the platform, from the inbox. A day on which no receiver ran cannot be had.",
    History.VERSION: "Published weeks: any of them can be requested. The running week shows only now.",
}


def partitions_of(table: Table, start: date) -> dg.TimeWindowPartitionsDefinition:
    """Define the partitions of a table: days in Beijing time, or weeks for published issues.

    Days include today for data that shows only now, and end with yesterday for T+1 series. Weeks begin on Monday.
    """
    if table.history is History.VERSION:
        return dg.WeeklyPartitionsDefinition(start.isoformat(), timezone="Asia/Shanghai", day_offset=1, end_offset=1)
    end_offset = 0 if table.history is History.WINDOW else 1
    return dg.DailyPartitionsDefinition(start.isoformat(), timezone="Asia/Shanghai", end_offset=end_offset)


def operation_specs() -> list[dg.AssetSpec]:
    """List the platform's operations as external nodes of the graph, with scope and status."""
    return [
        dg.AssetSpec(
            key=[PLATFORM, e.name],
            group_name=e.domain,
            description=_operation_doc(e),
            kinds={"douyin"},
            owners=[OWNER],
            tags={"status": str(e.status), "token": str(e.token)},
            metadata={
                "path": f"{e.method} {e.path}",
                "scope": e.scope or "none",
                "status": str(e.status),
                "cadence": e.cadence.doc_en,
                "requested_once_for": ITERATIONS[e.over].en,
                "apps": ", ".join(e.apps),
            },
        )
        for e in SOURCES.values()
    ]


def _operation_doc(endpoint: Endpoint) -> str:
    note = ""
    if endpoint.status is Status.WITHDRAWN:
        note = "\n\n**Withdrawn** for mobile and web apps since 2024-11-29 / 自 2024-11-29 起对移动与网站应用收回。"
    elif endpoint.status is not Status.ACTIVE:
        note = f"\n\nState on the platform: **{endpoint.status}**."
    return f"{endpoint.zh} / {endpoint.en}\n\n{endpoint.doc_zh}\n\n{endpoint.doc_en}{note}"


def table_assets(start: date, names: Iterable[str] = tuple(TABLES)) -> list[dg.AssetsDefinition]:
    """Define an asset for each core table, or for some."""
    return [_table_asset(TABLES[name], partitions_of(TABLES[name], start)) for name in names]


def _table_asset(table: Table, partitions: dg.TimeWindowPartitionsDefinition) -> dg.AssetsDefinition:
    endpoints = endpoints_of(table.name)
    scopes = sorted({e.quota for e in endpoints})

    @dg.asset(
        name=table.name,
        group_name=table.domain,
        description=f"{table.zh} / {table.en}\n\n{table.doc_zh}\n\n{table.doc_en}\n\n{_HISTORY_DOCS[table.history]}",
        deps=_deps(table, endpoints),
        partitions_def=partitions,
        # One call may fill many days, and unavailable days are one failure.
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"pandas", "parquet"},
        owners=[OWNER],
        tags={"history": str(table.history), "cadence": endpoints[0].cadence.name},
        metadata={
            "dagster/column_schema": column_schema(table),
            "dagster/table_name": table.name,
            "primary_key": ", ".join(table.primary_key),
            "operations": len(endpoints),
            "scopes": ", ".join(scopes),
        },
        pool=_pool(table, scopes),
        check_specs=check_specs(table),
        output_required=False,
        dagster_type=NOTHING,
    )
    def _asset(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]):
        from services.ingest.fetch_context import UpstreamMissing
        from services.ingest.run import ingest

        dts = [date.fromisoformat(key) for key in context.partition_keys]
        if RUN_PROCESS not in context.run.tags:  # launched by the daemon; its process can be found dead
            context.instance.add_run_tags(context.run.run_id, {RUN_PROCESS: this_process()})
        try:
            ingested = _twice(context, lambda: ingest(runtime, table, dts))
        except (UpstreamMissing, TokenKeyError, CorruptFile) as error:
            raise dg.Failure(f"{table.name}: {error}", allow_retries=False) from error
        for listener in runtime.listeners:
            listener(ingested)
        yield from _report(context, ingested, runtime)

    return _asset


def _pool(table: Table, scopes: list[str]) -> str:
    """Choose the pool: calls of one scope share its limits, and tables of events share the inbox."""
    if table.history is History.EVENT:
        return INBOX
    return scopes[0].replace(".", "_") if len(scopes) == 1 else table.domain


def _twice(context: dg.AssetExecutionContext, work: Callable[[], "IngestResult"]) -> "IngestResult":
    """Run ``work`` again after a busy disk or database; the client itself retries calls, and none is repeated.

    Dagster's retry policy is not used: it restarts interrupted runs, so a run could not be stopped.
    """
    try:
        return work()
    except (OSError, DBAPIError) as error:
        context.log.warning(f"{error}: once more in {PATIENCE_S} s")
        time.sleep(PATIENCE_S)
        return work()


def _deps(table: Table, endpoints: tuple[Endpoint, ...]) -> list:
    """List the operations of a table, and the table that they iterate over."""
    deps: list = [dg.AssetKey([PLATFORM, e.name]) for e in endpoints]
    for upstream in sorted({ITERATIONS[e.over].table or "" for e in endpoints} - {"", table.name}):
        if TABLES[upstream].history in (History.WINDOW, History.VERSION) or table.history in (
            History.WINDOW,
            History.VERSION,
        ):
            # Which videos are young depends on now, whatever day is filled.
            deps.append(dg.AssetDep(upstream, partition_mapping=dg.LastPartitionMapping()))
        else:
            deps.append(dg.AssetKey(upstream))
    return deps


def column_schema(table: Table) -> dg.TableSchema:
    """Describe the columns for the UI: type, both descriptions, key and unit."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                type=str(FIELDS[name].type),
                description=f"{FIELDS[name].zh}：{FIELDS[name].doc_zh} {FIELDS[name].doc_en}",
                constraints=dg.TableColumnConstraints(
                    nullable=name not in table.not_null,
                    other=[f"unit: {FIELDS[name].unit}"] if FIELDS[name].unit else [],
                ),
                tags={"pii": str(FIELDS[name].pii)} if FIELDS[name].pii != "none" else {},
            )
            for name in table.columns
        ]
    )


def _report(context: dg.AssetExecutionContext, ingested: "IngestResult", runtime: Runtime) -> Iterator:
    """Materialise the days that landed; report why the others did not."""
    from services.ingest.changes import total
    from services.ingest.price import scope_prices
    from services.ingest.spans import grouped, span_text

    checks = list(check_results(ingested, runtime))
    if ingested.backfilled:
        context.log.info(
            f"the same responses cover {len(ingested.backfilled)} more days that are in the lake: "
            f"{total(ingested.backfilled.values())}"
        )
    price = {"price": [_plain(line) for line in scope_prices(runtime, ingested.planned)]}
    if ingested.partitions and not ingested.missing:
        for dt in ingested.partitions:
            context.add_asset_metadata(_metadata(ingested, dt) | price, partition_key=dt.isoformat())
        yield dg.MaterializeResult(check_results=checks)
        return
    # Log each day separately: a run over several days must not mark days without data as materialised.
    for dt in (d for d in ingested.partitions if d not in ingested.missing):
        context.log_event(
            dg.AssetMaterialization(
                context.asset_key, partition=dt.isoformat(), metadata=_metadata(ingested, dt) | price
            )
        )
    reasons = {dt: why_missing(ingested, dt) for dt in ingested.missing}
    for dt, reason in reasons.items():
        metadata = _metadata(ingested, dt) | price | {"not_materialised": reason}
        context.log_event(dg.AssetObservation(context.asset_key, partition=dt.isoformat(), metadata=metadata))
    said = [f"{ingested.table.name} {span_text(days)}: {reason}" for reason, days in grouped(reasons).items()]
    for line in said:
        context.log.warning(line)
    is_backfill = (
        "dagster/backfill" in context.run.tags
        or ingested.table.latest_partition(runtime.clock.today()) not in ingested.dts
    )
    if ingested.refused or not _only_waiting(ingested, is_backfill):
        raise dg.Failure(
            "; ".join(said),
            metadata=_metadata(ingested, ingested.missing[0]) | price,
            allow_retries=False,
        )
    yield dg.Output(None, metadata=UNMARKED)
    yield from checks


def _plain(line: "ScopePrice") -> dict:
    """Describe the price of a scope for the UI, as planned before the first call."""
    return {
        "scope": line.scope,
        "calls": line.calls,
        "seconds_at_least": round(line.seconds, 1),
        "share_of_daily_quota": line.share,
    }


def _only_waiting(ingested: "IngestResult", is_backfill: bool = False) -> bool:
    """Return whether no missing day had a real error: each has no data yet, no data, or is not available to the app.

    Failing the run would not help: it would fail every day, and no action could fix it. A backfill of days that the
    platform no longer shows fails. A daily run does not, although it requests the whole window now and then.
    """
    statuses_by_day = {d: {s.status for s in ingested.statuses if s.dt == d} for d in ingested.missing}
    failing = {Outcome.LOADED, *(o for o in Outcome if o.is_failure), *({Outcome.GONE} if is_backfill else ())}
    return all(statuses and not statuses & failing for statuses in statuses_by_day.values())


def why_missing(ingested: "IngestResult", dt: date) -> str:
    """Explain in one sentence why a day has no partition."""
    from services.ingest.price import NO_RECEIVER

    if dt in ingested.refused:
        return ingested.refused[dt]
    statuses = [s for s in ingested.statuses if s.dt == dt]
    if not statuses:
        if ingested.table.history is History.VERSION:
            return "nothing was archived of that week, and it could not be requested"
        if ingested.table.history is History.EVENT:
            return NO_RECEIVER
        if ingested.table.history is History.WINDOW:
            return "nothing to request: no account, or no video young enough"
        if any(e.has_past_days for e in endpoints_of(ingested.table.name)):
            return "nothing to request: no account, or nothing of what it iterates over"
        return (
            "nothing was archived on that day, and the platform shows only the present: this day cannot be had any more"
        )
    counts = Counter(str(s.status) for s in statuses)
    reason = next((s.reason for s in sorted(statuses, key=lambda s: not s.rows) if s.reason), "no reason given")
    return f"{', '.join(f'{n} {status}' for status, n in counts.items())}: {reason}"


def _metadata(ingested: "IngestResult", dt: date) -> dict:
    """Collect the metadata of one day for the UI; calls and codes are those of the whole run."""
    from services.ingest.changes import Changes

    part = ingested.partitions.get(dt)
    metadata = {
        "dagster/partition_row_count": part.day.num_rows if part else 0,
        "calls": ingested.calls,
        "codes": {str(k): v for k, v in sorted(ingested.codes.items())},
        "quarantined": part.quarantined if part else 0,
        "values_quarantined": part.nulled if part else 0,
        "duplicates": part.duplicates if part else 0,
        "unknown_members": sorted(set(part.drift["member"].to_pylist())) if part else [],
        "outcomes": dict(Counter(str(s.status) for s in ingested.statuses if s.dt == dt)),
        "changed": str(ingested.changes.get(dt, Changes())),
        "rows_changed": asdict(ingested.changes.get(dt, Changes())),
    }
    failed = ingested.failures([dt])
    if failed:
        metadata["failures"] = dg.TableMetadataValue(
            [
                dg.TableRecord(
                    {
                        "operation": s.operation,
                        "open_id": s.open_id,
                        "status": str(s.status),
                        "code": s.code or 0,
                        "reason": s.reason or "",
                    }
                )
                for s in failed[:100]
            ],
            dg.TableSchema(
                [
                    dg.TableColumn(n, "string" if n != "code" else "int")
                    for n in ("operation", "open_id", "status", "code", "reason")
                ]
            ),
        )
    return metadata

"""A Dagster asset for every mart: dependencies and column lineage from its SQL, columns and comments from its description."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import pyarrow as pa

from assets.marts.binding import Bound, bind
from assets.marts.build import Built, Marts
from resources.marts import ALL_DAYS, ROOM, BadMart, load_marts
from resources.publishing_marts import WHOLE, mart_partitions
from resources.runtime import Runtime

GRAIN, ROWS = "grain", "rows"
GROUP = "marts"


def mart_key(name: str) -> dg.AssetKey:
    """Marts have a key of their own schema: ``marts/video_daily``."""
    return dg.AssetKey([ROOM, name])


def mart_assets(start: date) -> list[dg.AssetsDefinition]:
    """An asset for each file of ``sql/marts``.

    Raises:
        BadMart: a file names a table or column that does not exist; definitions do not load, and the message tells file and line.
    """
    return [_mart_asset(one, mart_days(start)) for one in bind(load_marts()).values()]


def mart_days(start: date) -> dg.DailyPartitionsDefinition:
    """Beijing days, today included."""
    return dg.DailyPartitionsDefinition(start.isoformat(), timezone="Asia/Shanghai", end_offset=1)


def _mart_asset(one: Bound, days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    mart = one.mart

    @dg.asset(
        key=mart_key(mart.name),
        group_name=GROUP,
        description=f"{mart.title}\n\n{mart.zh}\n\n{mart.en}\n\nGrain: {mart.grain}.",
        deps=_deps(one),
        partitions_def=days if mart.incremental else None,
        backfill_policy=dg.BackfillPolicy.single_run() if mart.incremental else None,
        kinds={"duckdb", "sql", "parquet"},
        owners=[mart.owner],
        tags={"mode": str(mart.mode), "cadence": mart.cadence},
        metadata={
            "dagster/column_schema": column_schema(one),
            "dagster/table_name": f"{ROOM}.{mart.name}",
            "grain": mart.grain,
            "primary_key": ", ".join(mart.key),
            "sql": dg.MetadataValue.md(f"```sql\n{_body(mart.sql)}\n```"),
        },
        pool=GROUP,
        check_specs=[
            dg.AssetCheckSpec(GRAIN, asset=mart_key(mart.name), description=f"{mart.grain}: key unique ({', '.join(mart.key)}), nothing empty that must not be / 粒度：主键唯一、必填非空"),
            *(
                [dg.AssetCheckSpec(ROWS, asset=mart_key(mart.name), description=f"rows change by at most {mart.rows_may_change:.0%} from one day to the next / 行数环比变化在范围内")]
                if mart.rows_may_change is not None
                else []
            ),
        ],
    )  # fmt: skip
    def _asset(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> Iterator:
        marts = Marts(runtime)
        dts = [date.fromisoformat(k) for k in context.partition_keys] if mart.incremental else [WHOLE]
        rows, changed = {}, 0
        try:
            for built in marts.build(mart.name, dts):
                rows[built.dt] = built.rows.num_rows
                changed += built.changed
                if mart.incremental:
                    context.add_asset_metadata(_metadata(built), partition_key=built.dt.isoformat())
        except BadMart as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        yield dg.MaterializeResult(
            metadata={"dagster/column_lineage": column_lineage(one), "days": len(dts), "days_changed": changed}
            | ({} if mart.incremental else _metadata(built)),
            check_results=[_grain(rows), *([_rows(one, marts, rows)] if mart.rows_may_change is not None else [])],
        )

    return _asset


def _deps(one: Bound) -> list[dg.AssetDep]:
    """Core tables and marts that the SQL reads, with the days that one of its own days needs."""
    found = []
    for source in (*(f"main.{t}" for t in one.tables), *(f"{ROOM}.{m}" for m in one.marts)):
        name = source.partition(".")[2]
        key = mart_key(name) if source.startswith(f"{ROOM}.") else dg.AssetKey(name)
        mapping = None
        if one.mart.incremental:
            back = one.mart.days_before(name)
            mapping = (
                dg.AllPartitionMapping()
                if back >= ALL_DAYS
                else dg.TimeWindowPartitionMapping(start_offset=-back, end_offset=one.mart.lookahead, allow_nonexistent_upstream_partitions=True)
            )
        found.append(dg.AssetDep(key, partition_mapping=mapping))
    return found


def column_schema(one: Bound) -> dg.TableSchema:
    """Columns for the UI: type, meaning, key and unit."""
    columns = []
    for field in one.schema:
        meaning = one.mart.meaning(field.name)
        other = [f"unit: {meaning.unit}"] if meaning.unit else []
        columns.append(
            dg.TableColumn(
                field.name, type=_type(field.type), description=f"{meaning.zh} / {meaning.en}",
                constraints=dg.TableColumnConstraints(nullable=field.nullable, other=other),
            )
        )
    return dg.TableSchema(columns=columns)


def _type(kind: pa.DataType) -> str:
    return {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE"}.get(str(kind), "TIMESTAMPTZ")


def column_lineage(one: Bound) -> dg.TableColumnLineage:
    """For each column the columns of upstream assets that it is made of; what comes from the state has no asset."""
    found = {}
    for column, pairs in one.lineage.items():
        deps = [
            dg.TableColumnDep(asset_key=mart_key(source.partition(".")[2]) if source.startswith(f"{ROOM}.") else dg.AssetKey(source.partition(".")[2]), column_name=name)
            for source, name in pairs
            if source.startswith(("main.", f"{ROOM}."))
        ]
        if deps:
            found[column] = deps
    return dg.TableColumnLineage(found)


def _metadata(built: Built) -> dict:
    return {
        ("dagster/partition_row_count" if built.bound.mart.incremental else "dagster/row_count"): built.rows.num_rows,
        "changed": built.changed,
    }


def _grain(rows: dict[date, int]) -> dg.AssetCheckResult:
    """Rows that break the promise are never written: the step fails with an example. What is here has been counted."""
    return dg.AssetCheckResult(check_name=GRAIN, passed=True, metadata={"rows": sum(rows.values()), "days": len(rows)})


def _rows(one: Bound, marts: Marts, rows: dict[date, int]) -> dg.AssetCheckResult:
    """Each day's rows against those of the day before, where both have some."""
    limit = one.mart.rows_may_change
    held = {p.dt: p for p in mart_partitions(marts.lake, one.mart)}
    jumps = {}
    for dt, n in rows.items():
        before = rows.get(dt - timedelta(days=1))
        if before is None and (partition := held.get(dt - timedelta(days=1))) is not None:
            before = marts.lake.row_count(partition)
        if before and abs(n - before) > limit * before:
            jumps[dt.isoformat()] = f"{before} → {n}"
    return dg.AssetCheckResult(check_name=ROWS, passed=not jumps, severity=dg.AssetCheckSeverity.WARN, metadata={"jumps": jumps, "limit": f"{limit:.0%}"})


def _body(sql: str) -> str:
    lines = sql.splitlines()
    return "\n".join(lines[next((n for n, line in enumerate(lines) if not line.startswith("--")), 0) :])

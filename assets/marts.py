"""Define a Dagster asset for every mart.

Dependencies and column lineage come from its SQL, columns and comments from its description.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pyarrow as pa

from assets.mart_keys import mart_days, mart_key
from assets.tables import NOTHING, UNMARKED
from resources.runtime import Runtime
from resources.warehouse.mart_files import ALL_DAYS, DATASET, BadMart, load_marts
from services.marts.binding import CompiledMart, bind

if TYPE_CHECKING:
    from resources.storage.partition import LakeCorrupt, Partition
    from services.marts.build import Marts

GRAIN, ROWS = "grain", "rows"
GROUP = "marts"


def mart_assets(start: date, known: Path | None = None, folders: tuple[Path, ...] = ()) -> list[dg.AssetsDefinition]:
    """Define an asset for each mart file of the folders: the shipped ones if none is given.

    ``known`` is the cache file of an earlier run with the compiled marts.

    Raises:
        BadMart: a file names a missing table or column; definitions do not load, and the message has file and line.
    """
    return [_mart_asset(one, mart_days(start)) for one in bind(load_marts(*folders), known).values()]


def _mart_asset(one: CompiledMart, days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
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
            "dagster/table_name": f"{DATASET}.{mart.name}",
            "grain": mart.grain,
            "primary_key": ", ".join(mart.key),
            "sql": dg.MetadataValue.md(f"```sql\n{_body(mart.sql)}\n```"),
        },
        pool=GROUP,
        dagster_type=NOTHING,
        check_specs=[
            dg.AssetCheckSpec(
                GRAIN,
                asset=mart_key(mart.name),
                description=(
                    f"{mart.grain}: key unique ({', '.join(mart.key)}), nothing empty that must not be / 粒度："
                    "主键唯一、必填非空"
                ),
            ),
            *(
                [
                    dg.AssetCheckSpec(
                        ROWS,
                        asset=mart_key(mart.name),
                        description=(
                            f"rows change by at most {mart.rows_may_change:.0%} from one day to the next / "
                            "行数环比变化在范围内"
                        ),
                    )
                ]
                if mart.rows_may_change is not None
                else []
            ),
        ],
    )
    def _asset(context: dg.AssetExecutionContext, config: MartConfig, runtime: dg.ResourceParam[Runtime]) -> Iterator:
        from resources.warehouse.published_marts import WHOLE
        from services.marts.build import Marts

        marts = Marts(runtime)
        try:
            made = _make(
                marts,
                one,
                [date.fromisoformat(k) for k in context.partition_keys] if mart.incremental else [WHOLE],
                config.again,
            )
        except BadMart as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        # The open-source UI draws no column graph, so the column table includes the lineage.
        lineage = {
            "dagster/column_lineage": column_lineage(one),
            "dagster/column_schema": column_schema(one, sources=True),
        }
        checks = [_grain(made, marts.damaged)]
        if mart.rows_may_change is not None:
            checks.append(_rows(one, marts, made, mart.rows_may_change))
        for one_damaged in marts.damaged:
            context.log.error(str(one_damaged))
        if not mart.incremental and made:
            yield dg.MaterializeResult(
                metadata=lineage | made[WHOLE].metadata("dagster/row_count"), check_results=checks
            )
            return
        # Log each day separately: days of the range without data must not be marked as materialised.
        for dt, day in made.items():
            metadata = (lineage if dt == max(made) else {}) | day.metadata("dagster/partition_row_count")
            context.log_event(dg.AssetMaterialization(context.asset_key, partition=dt.isoformat(), metadata=metadata))
        if mart.incremental and (left := len(context.partition_keys) - len(made)):
            context.log.info(
                f"{left} of the requested days lie outside of the days that {mart.name} has data for: "
                "they are not materialised"
            )
        yield dg.Output(None, metadata=UNMARKED)
        yield from checks

    return _asset


class MartConfig(dg.Config):
    """Options of a mart's run.

    ``again``: rebuild up-to-date days, too; the result is the same.
    """

    again: bool = False


@dataclass(frozen=True)
class _Day:
    rows: int
    made: bool
    changed: bool

    def metadata(self, name: str) -> dict:
        return {name: self.rows, "made": self.made, "changed": self.changed}


def _make(marts: "Marts", one: CompiledMart, requested: list[date], again: bool) -> dict[date, _Day]:
    """Build those of the requested days that the mart has and that are out of date; return the outcome of each."""
    from resources.warehouse.published_marts import WHOLE, mart_partitions

    name = one.mart.name
    there = sorted(set(requested).intersection(marts.days(name))) if one.mart.incremental else requested
    stale = set(there if again or one.reads_state else marts.stale(name)) | (
        {WHOLE} if not one.mart.incremental else set()
    )
    found = {}
    for built in marts.build(name, [dt for dt in there if dt in stale]):
        found[built.dt] = _Day(built.row_count, True, built.changed)
    if one.mart.incremental:
        built_before = {p.dt: p for p in mart_partitions(marts.lake, one.mart)}
        # A day still out of date needs a damaged file: it is neither marked nor checked.
        found |= {
            dt: _Day(_stored_rows(marts, built_before[dt]), False, False)
            for dt in there
            if dt not in found and dt not in stale and dt in built_before
        }
    return dict(sorted(found.items()))


def _stored_rows(marts: "Marts", partition: "Partition") -> int:
    """Count the rows of a day built earlier; 0 for a damaged one, which publishing moves aside."""
    from resources.storage.partition import LakeCorrupt

    try:
        return marts.lake.row_count(partition)
    except LakeCorrupt as error:
        marts.damaged.append(error)
        return 0


def _deps(one: CompiledMart) -> list[dg.AssetDep]:
    """List the core tables and marts that the SQL reads, with the days that each of its days needs."""
    found = []
    for source in (*(f"main.{t}" for t in one.tables), *(f"{DATASET}.{m}" for m in one.marts)):
        name = source.partition(".")[2]
        key = mart_key(name) if source.startswith(f"{DATASET}.") else dg.AssetKey(name)
        mapping = None
        if one.mart.incremental:
            back = one.mart.days_before(name)
            mapping = (
                dg.AllPartitionMapping()
                if back >= ALL_DAYS
                else dg.TimeWindowPartitionMapping(
                    start_offset=-back, end_offset=one.mart.lookahead, allow_nonexistent_upstream_partitions=True
                )
            )
        found.append(dg.AssetDep(key, partition_mapping=mapping))
    return found


def column_schema(one: CompiledMart, *, sources: bool = False) -> dg.TableSchema:
    """Describe the columns for the UI: type, meaning, key and unit; with ``sources`` their lineage, too."""
    columns = []
    for field in one.schema:
        meaning = one.mart.meaning(field.name)
        assert meaning is not None, f"{one.mart.name}.{field.name} has no description"  # compilation refuses that
        other = [f"unit: {meaning.unit}"] if meaning.unit else []
        columns.append(
            dg.TableColumn(
                field.name,
                type=_type(field.type),
                description=f"{meaning.zh} / {meaning.en}{_came_from(one, field.name) if sources else ''}",
                constraints=dg.TableColumnConstraints(nullable=field.nullable, other=other),
            )
        )
    return dg.TableSchema(columns=columns)


def _came_from(one: CompiledMart, column: str) -> str:
    pairs = one.lineage.get(column, [])
    return f" ← {', '.join(f'{source}.{name}' for source, name in pairs)}" if pairs else ""


def _type(kind: pa.DataType) -> str:
    return {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE"}.get(
        str(kind), "TIMESTAMPTZ"
    )


def column_lineage(one: CompiledMart) -> dg.TableColumnLineage:
    """Map each column to the columns of upstream assets it is derived from; columns of the state have no asset."""
    found = {}
    for column, pairs in one.lineage.items():
        deps = [
            dg.TableColumnDep(
                asset_key=mart_key(source.partition(".")[2])
                if source.startswith(f"{DATASET}.")
                else dg.AssetKey(source.partition(".")[2]),
                column_name=name,
            )
            for source, name in pairs
            if source.startswith(("main.", f"{DATASET}."))
        ]
        if deps:
            found[column] = deps
    return dg.TableColumnLineage(found)


def _grain(made: dict[date, _Day], damaged: "list[LakeCorrupt]") -> dg.AssetCheckResult:
    """Report rows and days, and the damaged files that prevented days from being built.

    Rows that break the mart's description are never written: the step fails with an example.
    """
    problems = "\n".join(dict.fromkeys(map(str, damaged)))
    return dg.AssetCheckResult(
        check_name=GRAIN,
        passed=not problems,
        description=problems or None,
        metadata={"rows": sum(d.rows for d in made.values()), "days": len(made)},
    )


def _rows(one: CompiledMart, marts: "Marts", made: dict[date, _Day], limit: float) -> dg.AssetCheckResult:
    """Compare each day's row count with the previous day's, where both have rows; it may differ by ``limit``."""
    from resources.warehouse.published_marts import mart_partitions

    built_before = {p.dt: p for p in mart_partitions(marts.lake, one.mart)}
    jumps = {}
    for dt, day in made.items():
        earlier = built_before.get(dt - timedelta(days=1))
        before = _stored_rows(marts, earlier) if earlier is not None else 0
        if before and abs(day.rows - before) > limit * before:
            jumps[dt.isoformat()] = f"{before} → {day.rows}"
    return dg.AssetCheckResult(
        check_name=ROWS,
        passed=not jumps,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"jumps": jumps, "limit": f"{limit:.0%}"},
    )


def _body(sql: str) -> str:
    lines = sql.splitlines()
    return "\n".join(lines[next((n for n, line in enumerate(lines) if not line.startswith("--")), 0) :])

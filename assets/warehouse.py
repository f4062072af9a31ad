"""Define the asset that publishes the lake for analysts."""

from collections.abc import Iterable

import dagster as dg

from assets.mart_keys import mart_key
from assets.tables import OWNER
from catalog import TABLES
from resources.runtime import Runtime

WAREHOUSE, OBTAINABLE = "warehouse", "obtainable"


def warehouse_asset(marts: Iterable[str]) -> dg.AssetsDefinition:
    """Define the asset that publishes all tables and these marts."""

    @dg.asset(
        name=WAREHOUSE,
        group_name="warehouse",
        deps=[*(dg.AssetKey(name) for name in TABLES), *map(mart_key, marts)],
        kinds={"duckdb"},
        owners=[OWNER],
        description=(
            "分析师使用的 warehouse.duckdb：复制上一版、更新有变化的分区后原子替换。\n\n"
            "`warehouse.duckdb`, what analysts open: the last file copied, changed partitions upserted, then replaced."
        ),
        pool=WAREHOUSE,
        check_specs=[
            dg.AssetCheckSpec(
                OBTAINABLE,
                asset=WAREHOUSE,
                description=(
                    "The apps own every operation and the accounts granted every scope; what is missing is "
                    "listed with the way out / 应用拥有全部能力、账号已授予全部权限，缺失项及办法见详情"
                ),
            )
        ],
    )
    def warehouse(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        """Publish the lake to ``warehouse.duckdb``, and report damaged files as a failure."""
        from services.marts.publishing import publish  # its imports would delay loading of definitions by a second

        done = publish(runtime, marts=False, again=False)  # marts are assets of their own
        result: dg.MaterializeResult[None] = dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(done.path),
                "bytes": done.bytes,
                "seconds": round(done.seconds, 3),
                "partitions_changed": done.partitions,
                "changed": {name: [d.isoformat() for d in days] for name, days in done.changed.items()},
                "rebuilt": done.rebuilt,
                "marts_left_out": done.left_out,
            },
            check_results=[_obtainable(runtime)],
        )
        if done.damaged:  # all other data is published
            raise dg.Failure("\n".join(map(str, done.damaged)), metadata=result.metadata, allow_retries=False)
        return result

    return warehouse


def _obtainable(runtime: Runtime) -> dg.AssetCheckResult:
    """Warn about what no run can fix: what is missing, what that affects, and what to do."""
    from services.capabilities.standing import named, standings

    found = standings(runtime)
    rows = [
        (s.client_key, one.what, named((*one.tables, *one.follows), 8), one.way_out) for s in found for one in s.missing
    ]
    rows += [
        (s.client_key, f"consent of {one.account.open_id}", named(one.operations, 8), one.way_out)
        for s in found
        for one in s.consents
    ]
    names = ("app", "missing", "tables or operations", "way_out")
    records = [dg.TableRecord(dict(zip(names, row, strict=True))) for row in rows[:200]]
    return dg.AssetCheckResult(
        check_name=OBTAINABLE,
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "missing": dg.TableMetadataValue(records, dg.TableSchema([dg.TableColumn(name) for name in names])),
            "causes": len(rows),
        },
        description="; ".join(f"app {s.client_key}: {s.summary()}" for s in found) if rows else "",
    )

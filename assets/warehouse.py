"""The asset that publishes the lake for analysts."""

import dagster as dg

from assets.marts.keys import mart_key
from assets.tables import OWNER
from catalog import TABLES
from resources.marts import MARTS_DIR
from resources.runtime import Runtime

WAREHOUSE = "warehouse"


@dg.asset(
    name=WAREHOUSE,
    group_name="warehouse",
    deps=[*(dg.AssetKey(name) for name in TABLES), *(mart_key(path.stem) for path in sorted(MARTS_DIR.glob("*.sql")))],
    kinds={"duckdb"},
    owners=[OWNER],
    description=(
        "分析师使用的 warehouse.duckdb：复制上一版、更新有变化的分区后原子替换。\n\n"
        "`warehouse.duckdb`, what analysts open: the last file copied, changed partitions upserted, then swapped in."
    ),
    pool=WAREHOUSE,
)
def warehouse(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
    from assets.publishing import publish  # with its imports definitions would take a second more to load

    done = publish(runtime, marts=False, again=False)  # marts are assets of their own
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(done.path),
            "bytes": done.bytes,
            "seconds": round(done.seconds, 3),
            "partitions_changed": done.partitions,
            "changed": {name: [d.isoformat() for d in days] for name, days in done.changed.items()},
            "rebuilt": done.rebuilt,
            "marts_left_out": done.left_out,
        }
    )

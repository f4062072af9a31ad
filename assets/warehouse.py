"""The asset that publishes the lake for analysts."""

import dagster as dg

from assets.tables import OWNER
from catalog import TABLES
from resources.outreach_tables import read_outreach
from resources.runtime import Runtime
from resources.state.load_status import all_load_status
from resources.warehouse import Published

WAREHOUSE = "warehouse"


def publish(runtime: Runtime, *, rebuild: bool = False) -> Published:
    """Bring ``warehouse.duckdb`` up to the lake, the load status and what was sent, or make it anew."""
    return runtime.warehouse.publish(all_load_status(runtime.state), outreach=read_outreach(runtime.state), rebuild=rebuild)


@dg.asset(
    name=WAREHOUSE,
    group_name="warehouse",
    deps=[dg.AssetKey(name) for name in TABLES],
    kinds={"duckdb"},
    owners=[OWNER],
    description=(
        "分析师使用的 warehouse.duckdb：复制上一版、更新有变化的分区后原子替换。\n\n"
        "`warehouse.duckdb`, what analysts open: the last file copied, changed partitions upserted, then swapped in."
    ),
    pool=WAREHOUSE,
)
def warehouse(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
    done = publish(runtime)
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

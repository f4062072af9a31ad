"""The asset that publishes the lake for analysts."""

from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from assets.tables import OWNER
from catalog import TABLES
from resources.marts import MARTS_DIR, ROOM
from resources.runtime import Runtime

if TYPE_CHECKING:
    from resources.warehouse import Published

WAREHOUSE = "warehouse"


def publish(runtime: Runtime, *, marts: bool = True, rebuild: bool = False) -> "Published":
    """Make the marts that are out of date, then bring ``warehouse.duckdb`` up to the lake and the state, or make it anew."""
    from assets.dictionary import dictionary, first_days
    from assets.marts.binding import keep
    from assets.marts.build import Marts
    from resources.state.load_status import changed_days
    from resources.state_tables import load_status_batches, read_state_tables
    from resources.warehouse import DaysHandedOver

    answers = Marts(runtime)
    if marts:
        answers.build_stale()
    handed_over = {
        "meta.load_status": DaysHandedOver(changed_days(runtime.state), partial(load_status_batches, runtime.state)),
        "meta.dictionary": dictionary(answers.bound, first_days(runtime.lake, answers.bound)),
        **read_state_tables(runtime.state, runtime.settings, runtime.clock.now()),
    }
    keep(answers.bound, runtime.settings.marts_known_path)
    return runtime.warehouse.publish(handed_over, rebuild=rebuild)


@dg.asset(
    name=WAREHOUSE,
    group_name="warehouse",
    deps=[*(dg.AssetKey(name) for name in TABLES), *(dg.AssetKey([ROOM, path.stem]) for path in sorted(MARTS_DIR.glob("*.sql")))],
    kinds={"duckdb"},
    owners=[OWNER],
    description=(
        "分析师使用的 warehouse.duckdb：复制上一版、更新有变化的分区后原子替换。\n\n"
        "`warehouse.duckdb`, what analysts open: the last file copied, changed partitions upserted, then swapped in."
    ),
    pool=WAREHOUSE,
)
def warehouse(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
    done = publish(runtime, marts=False)  # marts are assets of their own
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

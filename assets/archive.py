"""The archive as a node of the graph, and the check that what was kept still says what was seen.

The check hangs on the archive and not on the warehouse: whoever materialises an asset runs its checks, and this one
reads everything.
"""

from datetime import timedelta

import dagster as dg

from assets.tables import OWNER
from catalog import TABLES
from resources.runtime import Runtime

ARCHIVE, HOLDS = "archive", "holds"
VERIFIED_DAYS = timedelta(days=35)
"""So far back the weekly check looks: what runs can still have changed."""

archive_spec = dg.AssetSpec(
    key=ARCHIVE,
    group_name="warehouse",
    kinds={"file"},
    owners=[OWNER],
    description=(
        "归档：平台的每个响应，逐字节保存。\n\nThe archive: every response of the platform, byte for byte. Lake and warehouse "
        "can be made again from it (`replay_job`)."
    ),
)


@dg.asset_check(
    asset=ARCHIVE,
    name=HOLDS,
    description=(
        "Archive, lake and warehouse of the last weeks agree, by checksums and content; as `douyin verify` / "
        "归档、数据湖与仓库一致"
    ),
)
def holds(runtime: dg.ResourceParam[Runtime]) -> dg.AssetCheckResult:
    from services.maintenance.verify import verify

    today = runtime.clock.today()
    found = verify(runtime, TABLES, today - VERIFIED_DAYS, today)
    schema = dg.TableSchema([dg.TableColumn(name) for name in ("table", "what", "mend")])
    told = [
        dg.TableRecord({"table": f.table, "what": f"{f.where}: {f.what}", "mend": f.mend})
        for f in [*found.wrong, *(f for f in found.findings if f.is_hint)]
    ]
    return dg.AssetCheckResult(
        passed=not found.wrong,
        metadata={
            "segments": found.segments,
            "partitions": found.days,
            "rows": found.rows,
            "published_days": found.published,
            "stated_totals": found.totals,
            "not_comparable": found.alone.total(),
            "findings": dg.TableMetadataValue(told[:200], schema),
        },
        description="; ".join(f"{f.table}: {f.what}. `{f.mend}`" for f in found.wrong[:3]),
    )

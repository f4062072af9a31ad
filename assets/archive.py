"""Define the archive asset and its check, which verifies archive, lake and warehouse.

The check is attached to the archive asset because checks run on every materialisation and this one is expensive.
"""

from datetime import timedelta

import dagster as dg

from assets.tables import OWNER
from catalog import TABLES
from resources.runtime import Runtime

ARCHIVE, HOLDS = "archive", "holds"
VERIFIED_DAYS = timedelta(days=35)
"""Range of the weekly check: partitions that runs may still have changed."""

archive_spec = dg.AssetSpec(
    key=ARCHIVE,
    group_name="warehouse",
    kinds={"file"},
    owners=[OWNER],
    description=(
        "归档：平台的每个响应，逐字节保存。\n\n"
        "The archive: every response of the platform, byte for byte. Lake and warehouse can be made again from it "
        "(`replay_job`)."
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
    """Verify archive, lake and warehouse of the last weeks against each other."""
    from services.maintenance.verify import verify

    today = runtime.clock.today()
    found = verify(runtime, TABLES, today - VERIFIED_DAYS, today)
    schema = dg.TableSchema([dg.TableColumn(name) for name in ("table", "what", "mend")])
    records = [
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
            "findings": dg.TableMetadataValue(records[:200], schema),
        },
        description="; ".join(f"{f.table}: {f.what}. `{f.mend}`" for f in found.wrong[:3]),
    )

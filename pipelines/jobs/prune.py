"""Define the Dagster job that prunes data past its retention, as ``douyin storage prune`` does."""

from collections import Counter

import dagster as dg

from catalog import TABLES
from resources.runtime import Runtime


@dg.op(
    description="删除超过保留期限的数据 / forgets what the keep-for settings keep no longer; with none of them, nothing"
)
def prune_kept(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
    """Prune everything past its retention, and publish if anything was pruned."""
    from services.maintenance.retention import expired, prune
    from services.marts.publishing import publish

    found = list(expired(runtime, TABLES))
    prune(runtime, found)
    if found:
        publish(runtime)
    context.add_output_metadata(
        {
            "days": len(found),
            "by_name": {f"{store} {name}": n for (store, name), n in Counter((e.store, e.name) for e in found).items()},
        }
    )


@dg.job(description="按保留期限清理 / applies the keep-for settings", executor_def=dg.in_process_executor)
def prune_job() -> None:
    """Apply the retention settings."""
    prune_kept()

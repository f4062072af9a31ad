"""Define the Dagster job that rebuilds days of the lake from the archive, as ``douyin replay`` does.

It is launched from the UI.
"""

from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from catalog import TABLES
from resources.runtime import Runtime

if TYPE_CHECKING:
    from services.ingest.replay import Replay

_COLUMNS = ("table", "day", "added", "removed", "altered", "confirmed", "note")
_SHOWN = 500
"""Lines of the table in the UI: days that change, then days that were skipped. The log has all."""


class ReplayConfig(dg.Config):
    """What to replay.

    ``tables`` empty: all; ``first`` and ``last`` are Beijing days, both included, e.g. ``2026-11-01``.
    """

    tables: list[str] = Field(default_factory=list)
    first: str
    last: str
    dry_run: bool = False


# No pool: the platform is not called.
@dg.op(description="从归档重新生成分区，不调用平台 / partitions again from the archive, without a call")
def replay_partitions(context: dg.OpExecutionContext, config: ReplayConfig, runtime: dg.ResourceParam[Runtime]) -> None:
    """Rebuild partitions from the archive, report what changed by day, and publish if anything changed.

    With ``dry_run`` nothing is written.

    Raises:
        dg.Failure: the configuration names unknown tables or impossible days.
    """
    from services.ingest.changes import Changes
    from services.ingest.replay import replay
    from services.marts.publishing import publish

    first, last = _span(config, runtime)
    changed, alone = [], []
    totals: Counter[str] = Counter()
    for name in [t for t in TABLES if t in config.tables] or list(TABLES):
        for one in replay(runtime, TABLES[name], first, last):
            if one.left_alone is not None:
                context.log.warning(f"{name} {one.dt} is left alone: {one.left_alone}")
                alone.append(_record(one, one.left_alone))
                continue
            totals.update(days=1, **asdict(one.changes))
            if one.replaces:
                context.log.info(f"{name} {one.dt}: {one.changes}")
                changed.append(_record(one, "new" if one.is_new else ""))
            if not config.dry_run:
                one.land(runtime)
                if one.replaces:
                    context.log_event(
                        dg.AssetMaterialization(
                            dg.AssetKey(name), partition=one.dt.isoformat(), metadata=_metadata(one)
                        )
                    )
    schema = dg.TableSchema([dg.TableColumn(c, "int" if c in Changes.__slots__ else "string") for c in _COLUMNS])
    context.add_output_metadata(
        {
            "dry_run": config.dry_run,
            "calls": 0,
            "days_replayed": totals["days"],
            "days_changed": len(changed),
            "days_left_alone": len(alone),
            "rows_changed": {n: totals[n] for n in Changes.__slots__},
            "changes": dg.TableMetadataValue([*changed, *alone][:_SHOWN], schema),
        }
    )
    if changed and not config.dry_run:
        publish(runtime)


def _span(config: ReplayConfig, runtime: Runtime) -> tuple[date, date]:
    """Return the days of the configuration; an invalid value fails with what to write instead."""
    if unknown := sorted(set(config.tables) - TABLES.keys()):
        raise dg.Failure(
            f"no such tables: {', '.join(unknown)}. Leave `tables` empty for all of them", allow_retries=False
        )
    try:
        first, last = date.fromisoformat(config.first), date.fromisoformat(config.last)
    except ValueError as error:
        raise dg.Failure(f"first and last are days such as 2026-11-01: {error}", allow_retries=False) from error
    start, today = runtime.settings.start_date, runtime.clock.today()
    if not start <= first <= last <= today:
        raise dg.Failure(
            f"{first} to {last}: choose days from DOUYIN_START_DATE={start} to today, {today}, the earlier one first",
            allow_retries=False,
        )
    return first, last


def _record(one: "Replay", note: str) -> dg.TableRecord:
    c = one.changes
    return dg.TableRecord(
        dict(
            zip(
                _COLUMNS,
                (one.table.name, one.dt.isoformat(), c.added, c.removed, c.altered, c.confirmed, note),
                strict=True,
            )
        )
    )


def _metadata(one: "Replay") -> dict:
    return {
        "dagster/partition_row_count": one.partition.day.num_rows,
        "calls": 0,
        "replayed": True,
        "quarantined": one.partition.quarantined,
        "duplicates": one.partition.duplicates,
        "changed": str(one.changes),
        "rows_changed": asdict(one.changes),
    }


@dg.job(
    description=(
        "从归档重放一段日期：在 Launchpad 中给出表与日期 / "
        "replays days from the archive: give tables and days in the Launchpad"
    ),
    executor_def=dg.in_process_executor,
)
def replay_job() -> None:
    """Replay days from the archive."""
    replay_partitions()

"""Read the state of an installation's schedules: which are on, their next runs, and the daemon's health."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg

from catalog.records import BEIJING
from pipelines.code_location import make_repository
from pipelines.dagster_compat.names import InstigatorStatus, InstigatorType, schedule_execution_time_iterator
from resources.config.settings import Settings
from resources.runtime import Runtime


@dataclass(frozen=True)
class ScheduleStatus:
    """The schedules of an installation and the daemon.

    ``next_runs``: schedule -> its next time (Beijing), of those that are on; ``off``: names of the others.
    """

    next_runs: dict[str, datetime]
    off: list[str]
    daemon_is_healthy: bool
    last_heartbeat: datetime | None


def read_schedule_status(settings: Settings, dagster_home: Path) -> ScheduleStatus:
    """Read the schedules of the installation from Dagster's storage in ``dagster_home``."""
    os.environ["DAGSTER_HOME"] = str(dagster_home)
    with dg.DagsterInstance.get() as instance:
        states = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
        daemon = instance.get_daemon_statuses(["SCHEDULER"])["SCHEDULER"]
    running = {s.instigator_name for s in states if s.status is InstigatorStatus.RUNNING}
    schedules = (
        sorted(make_repository(Runtime(settings), settings).schedule_defs, key=lambda s: s.name) if running else []
    )
    last = daemon.last_heartbeat
    return ScheduleStatus(
        next_runs={s.name: _next_run(s) for s in schedules if s.name in running},
        off=[s.name for s in schedules if s.name not in running],
        daemon_is_healthy=bool(daemon.healthy),
        last_heartbeat=datetime.fromtimestamp(last.timestamp, BEIJING) if last else None,
    )


def _next_run(schedule: dg.ScheduleDefinition) -> datetime:
    return next(
        iter(schedule_execution_time_iterator(time.time(), schedule.cron_schedule, schedule.execution_timezone))
    ).astimezone(BEIJING)

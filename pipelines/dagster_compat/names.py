"""Private names of Dagster that are used as they are; each has a contract test."""

from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.events import RunFailureReason
from dagster._core.scheduler.instigation import InstigatorStatus
from dagster._utils.schedules import schedule_execution_time_iterator

__all__ = [
    "SINGLETON_REPOSITORY_NAME",
    "InstigatorStatus",
    "InstigatorType",
    "RunFailureReason",
    "schedule_execution_time_iterator",
]

"""What Dagster loads: a repository whose jobs of cadences can be had without all the rest.

The server of the definitions, which the UI and the daemon ask, makes all of them once. Every run has a process of its
own, which needs one job, and would make 150 assets with the columns of each for it: two thirds of what the definitions
take.

``repository``, which Dagster asks for, is made on first use: it reads ``DOUYIN_START_DATE`` and refuses a home that
does not belong to ``DAGSTER_HOME``. Marts' descriptions are read when a job is made; everything else is read by the
process that runs.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property

import dagster as dg
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME

from assets.mart_keys import mart_days, mart_key
from assets.tables import partitions_of, table_assets
from assets.warehouse import warehouse
from catalog import TABLES
from catalog.cadences import CADENCES
from pipelines.home import begin_dagster_process, check_home
from pipelines.jobs.tables import JOB_NAMES, make_job, tables_of
from resources.config.settings import Settings, read_settings
from resources.runtime import Runtime
from resources.warehouse.mart_files import load_marts

_CADENCES = {job: cadence for cadence, job in JOB_NAMES.items()}


def job_alone(name: str, runtime: Runtime, settings: Settings) -> dg.JobDefinition | None:
    """The job of a cadence with its own assets; of those that they read it has names and partitions, which is what Dagster writes down
    of inputs. None for other jobs."""
    if name not in _CADENCES:
        return None
    own = tables_of(CADENCES[_CADENCES[name]])
    start = settings.start_date
    others = [
        dg.AssetSpec(t.name, partitions_def=partitions_of(t, start)) for t in TABLES.values() if t.name not in own
    ]
    marts = [
        dg.AssetSpec(mart_key(m.name), partitions_def=mart_days(start) if m.incremental else None)
        for m in load_marts().values()
    ]
    return dg.Definitions(
        assets=[*table_assets(start, own), warehouse, *others, *marts],
        jobs=[make_job(_CADENCES[name])],
        resources={"runtime": runtime},
        executor=dg.in_process_executor,
    ).resolve_job_def(name)


class JobsByName(dg.RepositoryData):
    """All definitions, made when somebody asks for more than the job of a cadence."""

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self._runtime, self._settings = runtime, settings

    @cached_property
    def _all(self) -> dg.RepositoryDefinition:
        from pipelines.definitions import build_definitions

        with _for_good():
            return build_definitions(self._runtime, self._settings).get_repository_def()

    @cached_property
    def _alone(self) -> dict[str, dg.JobDefinition | None]:
        return {}

    def get_job(self, job_name: str) -> dg.JobDefinition:
        if "_all" not in self.__dict__ and job_name not in self._alone:
            with _for_good():
                self._alone[job_name] = job_alone(job_name, self._runtime, self._settings)
        return self._alone.get(job_name) or self._all.get_job(job_name)

    def get_all_jobs(self):
        return self._all.get_all_jobs()

    def get_all_schedules(self):
        return self._all.schedule_defs

    def get_all_sensors(self):
        return self._all.sensor_defs

    def get_source_assets_by_key(self):
        return self._all.source_assets_by_key

    def get_assets_defs_by_key(self):
        return self._all.assets_defs_by_key

    def get_asset_checks_defs_by_key(self):
        return self._all.asset_checks_defs_by_key

    def get_top_level_resources(self):
        return self._all.get_top_level_resources()

    def get_env_vars_by_top_level_resource(self):
        return self._all.get_env_vars_by_top_level_resource()

    def get_component_tree(self):
        return self._all.get_component_tree()


@contextmanager
def _for_good() -> Iterator[None]:
    """What is made here lives as long as its process, and every run makes it in a new one: the collector of garbage need not look
    through it again and again, which took a sixth of a settled run's CPU."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def make_repository(runtime: Runtime, settings: Settings) -> dg.RepositoryDefinition:
    """All definitions over ``runtime``, each made when it is asked for.

    ``settings`` as :func:`pipelines.definitions.build_definitions` takes them.
    """
    return dg.RepositoryDefinition(SINGLETON_REPOSITORY_NAME, repository_data=JobsByName(runtime, settings))


@cache
def _make_own() -> dg.RepositoryDefinition:
    """Make the repository of this process's environment. Raises BadSettings."""
    begin_dagster_process()
    settings = read_settings()
    check_home(settings)
    return make_repository(Runtime(read_settings), settings)


def __getattr__(name: str) -> dg.RepositoryDefinition:
    if name == "repository":
        return _make_own()
    raise AttributeError(name)


def __dir__() -> list[str]:
    return [*globals(), "repository"]

"""Define the code location that Dagster loads: a repository that builds a cadence's job without everything else.

The code server, which serves the UI and the daemon, builds all definitions once. Every run has a process of its own and
needs one job; it would build 150 assets with the columns of each for it, which is two thirds of the time that the
definitions take.

``repository``, the name that Dagster loads, is built on first use: it reads ``DOUYIN_START_DATE`` and refuses a home
that does not belong to ``DAGSTER_HOME``. Descriptions of marts are read when a job is built; the process of a run reads
everything else.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property

import dagster as dg

from assets.mart_keys import mart_days, mart_key
from assets.tables import partitions_of, table_assets
from assets.warehouse import warehouse_asset
from catalog import TABLES
from catalog.cadences import CADENCES
from pipelines.dagster_compat.names import SINGLETON_REPOSITORY_NAME
from pipelines.home import begin_dagster_process, check_home
from pipelines.jobs.tables import JOB_NAMES, make_job, tables_of
from resources.config.settings import Settings, read_settings
from resources.runtime import Runtime
from resources.warehouse.mart_files import load_marts, mart_folders

_CADENCES = {job: cadence for cadence, job in JOB_NAMES.items()}


def job_alone(name: str, runtime: Runtime, settings: Settings) -> dg.JobDefinition | None:
    """Build the job of a cadence with its own assets; return None for other jobs.

    Of the assets that it only reads, the job knows names and partitions: Dagster records no more of inputs.
    """
    if name not in _CADENCES:
        return None
    own = tables_of(CADENCES[_CADENCES[name]])
    start = settings.start_date
    others = [
        dg.AssetSpec(t.name, partitions_def=partitions_of(t, start)) for t in TABLES.values() if t.name not in own
    ]
    known = load_marts(*mart_folders(settings.project))
    marts = [
        dg.AssetSpec(mart_key(m.name), partitions_def=mart_days(start) if m.incremental else None)
        for m in known.values()
    ]
    return dg.Definitions(
        assets=[*table_assets(start, own), warehouse_asset(known), *others, *marts],
        jobs=[make_job(_CADENCES[name])],
        resources={"runtime": runtime},
        executor=dg.in_process_executor,
    ).resolve_job_def(name)


class JobsByName(dg.RepositoryData):
    """All definitions, built when more than the job of a cadence is requested."""

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self._runtime, self._settings = runtime, settings

    @cached_property
    def _all(self) -> dg.RepositoryDefinition:
        return _whole(self._runtime, self._settings)

    @cached_property
    def _alone(self) -> dict[str, dg.JobDefinition | None]:
        return {}

    def get_job(self, job_name: str) -> dg.JobDefinition:
        """Return a job: the job of a cadence is built alone unless all definitions exist already."""
        if "_all" not in self.__dict__ and job_name not in self._alone:
            with _for_good():
                self._alone[job_name] = job_alone(job_name, self._runtime, self._settings)
        return self._alone.get(job_name) or self._all.get_job(job_name)

    def get_all_jobs(self):
        """Return all jobs."""
        return self._all.get_all_jobs()

    def get_all_schedules(self):
        """Return all schedules."""
        return self._all.schedule_defs

    def get_all_sensors(self):
        """Return all sensors."""
        return self._all.sensor_defs

    def get_source_assets_by_key(self):
        """Return all source assets by their keys."""
        return self._all.source_assets_by_key

    def get_assets_defs_by_key(self):
        """Return the definitions of all assets by their keys."""
        return self._all.assets_defs_by_key

    def get_asset_checks_defs_by_key(self):
        """Return the definitions of all asset checks by their keys."""
        return self._all.asset_checks_defs_by_key

    def get_top_level_resources(self):
        """Return the resources of the definitions by name."""
        return self._all.get_top_level_resources()

    def get_env_vars_by_top_level_resource(self):
        """Return the names of environment variables that each resource reads."""
        return self._all.get_env_vars_by_top_level_resource()

    def get_component_tree(self):
        """Return the tree of Dagster components."""
        return self._all.get_component_tree()


def _whole(runtime: Runtime, settings: Settings) -> dg.RepositoryDefinition:
    from pipelines.definitions import build_definitions

    with _for_good():
        return build_definitions(runtime, settings).get_repository_def()


@contextmanager
def _for_good() -> Iterator[None]:
    """Build what lives as long as its process without the garbage collector looking through it.

    Every run builds its definitions in a new process; repeated collections took a sixth of the CPU of a run that had
    nothing left to load.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def make_repository(runtime: Runtime, settings: Settings) -> dg.RepositoryDefinition:
    """Create a repository over ``runtime`` whose definitions are built on first request.

    ``settings`` as :func:`pipelines.definitions.build_definitions` takes them; ``DOUYIN_DAGSTER_STOCK`` with ``jobs``
    builds Dagster's own repository of all definitions at once.
    """
    if "jobs" in settings.dagster_stock:
        return _whole(runtime, settings)
    return dg.RepositoryDefinition(SINGLETON_REPOSITORY_NAME, repository_data=JobsByName(runtime, settings))


@cache
def _make_own() -> dg.RepositoryDefinition:
    """Create the repository of this process's environment. Raises BadSettings."""
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

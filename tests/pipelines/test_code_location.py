"""A job that Dagster loads alone equals the same job in the complete definitions."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from patience import scaled

from pipelines.code_location import JobsByName, job_alone, repository
from pipelines.definitions import build_definitions
from pipelines.jobs.tables import JOB_NAMES
from resources.config.settings import Settings
from resources.runtime import Runtime

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(start_date=date(2026, 10, 1))


@pytest.fixture(scope="module")
def whole(settings: Settings) -> dg.RepositoryDefinition:
    return build_definitions(Runtime(settings), settings).get_repository_def()


@pytest.mark.parametrize("name", JOB_NAMES.values())
def test_a_job_alone_has_the_assets_of_the_whole_and_what_they_read(
    name: str, settings: Settings, whole: dg.RepositoryDefinition
):
    alone, full = job_alone(name, Runtime(settings), settings), whole.get_job(name)
    ours, theirs = alone.asset_layer, full.asset_layer
    assert ours.selected_asset_keys == theirs.selected_asset_keys
    for key in ours.selected_asset_keys:
        mine, its = ours.get(key), theirs.get(key)
        assert mine.parent_keys == its.parent_keys
        assert (mine.partitions_def, mine.partition_mappings, mine.backfill_policy, mine.pools) == (
            its.partitions_def,
            its.partition_mappings,
            its.backfill_policy,
            its.pools,
        )
        assert (mine.description, mine.metadata, mine.tags, mine.kinds, mine.owners, mine.check_keys) == (
            its.description,
            its.metadata,
            its.tags,
            its.kinds,
            its.owners,
            its.check_keys,
        )
        # Dagster finds the input versions of a materialisation by its inputs' partitions.
        assert {k: ours.get(k).partitions_def for k in mine.parent_keys} == {
            k: theirs.get(k).partitions_def for k in its.parent_keys
        }
    assert {n.name for n in alone.nodes} == {n.name for n in full.nodes}
    assert (alone.tags, alone.description, alone.partitions_def, alone.run_config) == (
        full.tags,
        full.description,
        full.partitions_def,
        full.run_config,
    )


def test_the_rest_is_made_when_it_is_requested(settings: Settings, whole: dg.RepositoryDefinition):
    found = JobsByName(Runtime(settings), settings)
    assert found.get_job("hot_words_job").name == "hot_words_job"
    assert "_all" not in vars(found)
    assert found.get_job("publish_job").name == "publish_job"
    assert "_all" in vars(found)
    assert set(found.get_job_names()) == set(whole.job_names)
    assert set(found.get_assets_defs_by_key()) == set(whole.assets_defs_by_key)
    assert {s.name for s in found.get_all_schedules()} == {s.name for s in whole.schedule_defs}
    assert {s.name for s in found.get_all_sensors()} == {s.name for s in whole.sensor_defs}
    assert found.get_asset_checks_defs_by_key().keys() == whole.asset_checks_defs_by_key.keys()
    assert found.get_top_level_resources().keys() == {"runtime"}


def test_schedules_that_were_turned_on_stay_known(whole: dg.RepositoryDefinition):
    """Dagster keeps their state under the repository's name."""
    assert repository.name == whole.name


def test_a_cadence_s_job_loads_neither_arrow_nor_marts():
    heavy = ("pyarrow", "pandas", "duckdb", "httpx", "services.marts.binding", "pipelines.definitions")
    code = (
        "import sys; from pipelines.code_location import repository; repository.get_job('hot_words_job'); "
        f"print(sorted(set({heavy!r}) & sys.modules.keys()))"
    )
    plain = {
        k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER_", "DOUYIN_"))
    }  # other tests of this process have homes
    reported = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=plain,
        capture_output=True,
        text=True,
        timeout=scaled(120),
        check=True,
    )
    assert reported.stdout.strip() == "[]"

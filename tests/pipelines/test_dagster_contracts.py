"""The private names of Dagster that this project relies on exist with the form that it relies on.

A failure names what Dagster changed, what to adapt, and the setting that takes Dagster's own meanwhile.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.instance import config
from dagster._core.storage import sqlite
from dagster._core.storage.event_log.base import AssetEntry, AssetRecord
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._utils.concurrency import ConcurrencyClaimStatus
from installation import TODAY

from assets.tables import UNMARKED
from pipelines.code_location import JobsByName, make_repository
from pipelines.dagster_compat import names
from pipelines.dagster_compat.storage import KeptSqliteRunStorage
from pipelines.home import STORAGE, prepare_dagster_home
from pipelines.runner import Runner
from resources.config.settings import Settings
from resources.runtime import Runtime

ROOT = Path(__file__).resolve().parents[2]
OWN_STORAGE = (SqliteRunStorage, SqliteEventLogStorage, SqliteScheduleStorage)


def _adapt(what: str, module: str, setting: str = "") -> str:
    meanwhile = f'; until then set DOUYIN_DAGSTER_STOCK=["{setting}"], or keep the former release' if setting else ""
    return f"Dagster {dg.__version__} changed {what}: adapt {module}{meanwhile}"


STORAGE_SIGNATURES = {
    SqliteEventLogStorage: {
        "__init__": "self base_dir inst_data",
        "from_config_value": "inst_data config_value",
        "_connect": "self shard",
        "_initdb": "self engine for_index_shard",
        "conn_string_for_shard": "self shard_name",
        "index_connection": "self",
        "has_table": "self table_name",
        "dispose": "self",
        "get_asset_records": "self asset_keys",
        "_add_assets_wipe_filter_to_query": "self query assets_details asset_keys",
        "claim_concurrency_slot": "self concurrency_key run_id step_key priority",
        "has_unassigned_slots": "self concurrency_key",
        "assign_pending_steps": "self concurrency_keys",
        "free_concurrency_slot_for_step": "self run_id step_key",
        "free_concurrency_slots_for_run": "self run_id",
    },
    SqliteRunStorage: {
        "from_config_value": "inst_data config_value",
        "from_local": "base_dir inst_data",
        "connect": "self",
        "dispose": "self",
    },
    SqliteScheduleStorage: {
        "from_config_value": "inst_data config_value",
        "from_local": "base_dir inst_data",
        "connect": "self",
        "dispose": "self",
    },
    ConcurrencyClaimStatus: {"with_sleep_interval": "self interval"},
    sqlite: {"create_db_conn_string": "base_dir db_name"},
}


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, expected in STORAGE_SIGNATURES.items() for name in expected]
)
def test_what_the_storage_replaces_has_the_known_signature(owner: object, name: str):
    found = getattr(owner, name, None)
    assert found is not None, _adapt(f"{owner.__name__}.{name}", "pipelines/dagster_compat/", STORAGE)
    signature = inspect.signature(inspect.unwrap(found))
    assert " ".join(signature.parameters) == STORAGE_SIGNATURES[owner][name], _adapt(
        f"{owner.__name__}.{name}{signature}", "pipelines/dagster_compat/", STORAGE
    )


def test_the_storage_has_the_attributes_that_are_read(tmp_path: Path):
    event_log = SqliteEventLogStorage(str(tmp_path / "runs"))
    runs = SqliteRunStorage.from_local(str(tmp_path))
    for owner, name in (
        (event_log, "_base_dir"),
        (event_log, "_db_lock"),
        (event_log, "_initialized_dbs"),
        (event_log, "asset_records_have_last_observation"),
        (event_log, "has_instance"),
        (runs, "_conn_string"),
        (SqliteScheduleStorage.from_local(str(tmp_path / "schedules")), "_conn_string"),
    ):
        assert hasattr(owner, name), _adapt(f"{type(owner).__name__}.{name}", "pipelines/dagster_compat/", STORAGE)
    assert "asset_entry" in AssetRecord.__annotations__
    assert {"asset_details", "last_materialization_record", "last_observation_record"} <= set(
        AssetEntry.__annotations__
    ), _adapt("AssetEntry", "pipelines/dagster_compat/storage.py", STORAGE)


@pytest.mark.parametrize("module", [sqlite_run_storage, sqlite_event_log, sqlite_schedule_storage])
def test_each_storage_looks_up_the_address_of_its_file_under_the_replaced_name(module):
    used = "create_db_conn_string(" in inspect.getsource(module)  # an import of pipelines has set the name already
    assert used, _adapt(f"{module.__name__}.create_db_conn_string", "pipelines/dagster_compat/paths.py", STORAGE)


def test_the_configuration_is_read_under_the_replaced_name():
    changed = _adapt("how dagster.yaml is read", "pipelines/dagster_compat/paths.py", STORAGE)
    assert "load_yaml_from_globs(config_yaml_path)" in inspect.getsource(config), changed
    assert "from dagster_shared.yaml_utils import load_yaml_from_globs" in inspect.getsource(config), changed


def test_a_repository_reads_from_its_data_what_jobs_by_name_provides():
    known = {name for name in vars(dg.RepositoryData) if name.startswith("get_")}
    derived = {f"get_{n}{s}" for n in ("job", "schedule", "sensor") for s in ("", "_names")} | {"get_asset_job_nodes"}
    provided = {name for name in vars(JobsByName) if name.startswith("get_")}
    assert provided - {"get_job"} == known - derived, _adapt("RepositoryData", "pipelines/code_location.py", "jobs")
    assert names.SINGLETON_REPOSITORY_NAME == "__repository__"


def test_names_that_are_used_as_they_are():
    assert {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True} == UNMARKED, _adapt("the key", "assets/tables.py")
    assert names.RunFailureReason.UNEXPECTED_TERMINATION.value == "UNEXPECTED_TERMINATION"
    assert names.InstigatorType.SCHEDULE.value == "SCHEDULE"
    assert names.InstigatorStatus.RUNNING.value == "RUNNING"
    parameters = list(inspect.signature(names.schedule_execution_time_iterator).parameters)
    assert parameters[:3] == ["start_timestamp", "cron_schedule", "execution_timezone"]


def test_private_names_are_imported_in_one_package():
    private = re.compile(r"^\s*(?:from|import) dagster\w*(?:\.\w+)*(?:\._| import _)", re.MULTILINE)
    found = {
        path.parent.relative_to(ROOT).as_posix()
        for package in ("apps", "assets", "catalog", "pipelines", "resources", "sandbox", "services")
        for path in (ROOT / package).rglob("*.py")
        if private.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"pipelines/dagster_compat"}


# ---------------------------------------------------------------- Dagster's own instead


def _storages(instance: dg.DagsterInstance) -> tuple[type, ...]:
    return type(instance.run_storage), type(instance.event_log_storage), type(instance.schedule_storage)


def test_stock_storage_is_dagster_s_own_over_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAGSTER_HOME", "restored after the test")
    ours = Settings(_env_file=None, home=tmp_path)
    stock = Settings(_env_file=None, home=tmp_path, dagster_stock=["storage"])
    ids = []
    for settings in (ours, stock, ours):
        prepare_dagster_home(settings)
        with dg.DagsterInstance.get() as instance:
            assert (_storages(instance) == OWN_STORAGE) is (settings is stock)
            assert isinstance(instance.run_storage, KeptSqliteRunStorage) is (settings is ours)
            assert sorted(r.run_id for r in instance.get_runs()) == sorted(ids)
            assert instance.get_concurrency_config().pool_config.default_pool_limit == 1, "the rest of dagster.yaml"
            ids.append(instance.create_run_for_job(_nothing).run_id)


@dg.job
def _nothing() -> None:
    """No steps."""


@pytest.mark.slow
def test_stock_jobs_are_a_repository_of_dagster_s_own():
    settings = Settings(_env_file=None, dagster_stock=["jobs"])
    ours = make_repository(Runtime(settings), settings.model_copy(update={"dagster_stock": []}))
    stock = make_repository(Runtime(settings), settings)
    assert type(ours._repository_data) is JobsByName
    assert type(stock._repository_data).__module__.startswith("dagster.")
    assert (stock.name, set(stock.job_names)) == (ours.name, set(ours.job_names))


@pytest.mark.slow
def test_a_job_runs_on_dagster_s_own(make_world, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAGSTER_HOME", "restored after the test")
    world = make_world(dagster_stock=["storage", "jobs"])
    with Runner(world.runtime) as runner:
        assert _storages(runner._instance) == OWN_STORAGE
        ran = runner.run("hourly", TODAY, ["hot_words"])
    assert (ran.success, ran.problems) == (True, {})
    assert world.runtime.lake.day("hot_words", TODAY).num_rows > 0

"""The definitions for Dagster: assets, partitions, jobs, schedules, the sensor. No test here runs a job."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from installation import TODAY, YESTERDAY

from assets.tables import PLATFORM, partitions_of
from catalog import SOURCES, TABLES, endpoints_of
from catalog.cadences import CADENCES
from catalog.iterations import ITERATIONS
from catalog.records import BEIJING, History
from pipelines.definitions import build_definitions
from pipelines.jobs.tables import JOB_NAMES, partitions_due, tables_of, whole_window
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.warehouse.mart_files import load_marts
from services.marts.publishing import publish

pytestmark = pytest.mark.filterwarnings("ignore:Parameter .backfill_policy. of function")


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    return Settings(_env_file=None, home=tmp_path_factory.mktemp("definitions") / "home", start_date=date(2026, 1, 1))


@pytest.fixture(scope="module")
def definitions(settings: Settings) -> dg.Definitions:
    return build_definitions(Runtime(settings), settings)


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions):
    return definitions.resolve_asset_graph()


# --------------------------------------------------------------------------- assets


def _describe(graph, key: dg.AssetKey) -> dict[str, str]:
    node = graph.get(key)
    schema = node.metadata.get("dagster/column_schema")
    partitions = node.partitions_def
    facts = {
        "group": node.group_name,
        "deps": [k.to_user_string() for k in node.parent_keys],
        "partitions": (
            f"daily from {partitions.start:%Y-%m-%d}, {partitions.timezone}, end_offset {partitions.end_offset}"
        )
        if partitions
        else "",
        "kinds": node.kinds,
        "owners": node.owners,
        "tags": [f"{k}={v}" for k, v in node.tags.items() if not k.startswith("dagster/kind/")],
        "checks": [k.name for k in node.check_keys],
        "pools": node.pools or (),
        "backfill": f"{node.backfill_policy.policy_type.value}({node.backfill_policy.max_partitions_per_run})"
        if node.backfill_policy
        else "",
        "automation": str(node.automation_condition or ""),
        "metadata": [f"{k}={v}" for k, v in node.metadata.items() if isinstance(v, str | int)],
        "description": _digest(node.description),
    }
    if schema is not None:
        facts["columns"] = ", ".join(c.name for c in schema.columns)
        facts["schema"] = _digest(
            [
                (c.name, c.type, c.description, c.constraints.nullable, c.constraints.other, dict(c.tags))
                for c in schema.columns
            ]
        )
    # A line for each fact, so that a diff can be read.
    return {k: v if isinstance(v, str) else ", ".join(sorted(v)) for k, v in facts.items() if v}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, default=str).encode()).hexdigest()[:12]


def test_all_asset_specs(graph, snapshot):
    """One file shows every change of the definitions.

    Renew it with ``pytest --snapshot-update`` and read the diff.
    """
    assert {k.to_user_string(): _describe(graph, k) for k in sorted(graph.get_all_asset_keys())} == snapshot


def test_there_is_an_asset_for_every_table_and_operation(graph):
    keys = {tuple(k.path) for k in graph.get_all_asset_keys()}
    assert keys == {(t,) for t in TABLES} | {(PLATFORM, e) for e in SOURCES} | {("marts", m) for m in load_marts()} | {
        ("warehouse",),
        ("report",),
        ("archive",),
    }
    assert {k.path[-1] for k in graph.materializable_asset_keys} == {*TABLES, *load_marts(), "warehouse", "report"}


def test_events_stand_in_the_graph_like_operations(graph):
    node = graph.get(dg.AssetKey([PLATFORM, "webhook_im_receive_msg"]))
    assert not node.is_materializable
    assert (node.metadata["scope"], node.metadata["cadence"]) == (
        "im.direct_message",
        "every hour at :50, from the inbox",
    )
    assert {k.path[-1] for k in graph.get(dg.AssetKey("im_recalls")).parent_keys} == {"webhook_im_recall_msg"}
    pools = {name: graph.get(dg.AssetKey(name)).pools for name, t in TABLES.items() if t.history is History.EVENT}
    assert set().union(*pools.values()) == {"inbox"}, "only jobs with calls wait for the pool"


def test_tables_depend_on_what_they_iterate_over(graph):
    def tables_above(name: str) -> set[str]:
        return {k.path[-1] for k in graph.get(dg.AssetKey(name)).parent_keys if len(k.path) == 1}

    assert tables_above("hot_word_videos") == {"hot_words"}
    assert tables_above("comments") == {"video_totals"}
    assert tables_above("comment_replies") == {"comments"}
    assert tables_above("ent_ranks") == {"ent_rank_versions"}
    for name in TABLES:
        # A table that is read for its own earlier days does not depend on itself.
        expected = {ITERATIONS[e.over].table for e in endpoints_of(name)} - {None, name}
        assert tables_above(name) == expected, name


# --------------------------------------------------------------------------- partitions


def test_today_can_be_filled_with_what_shows_now_and_yesterday_last_with_series():
    noon = datetime(2026, 11, 16, 12, 0, tzinfo=BEIJING)
    for name, table in TABLES.items():
        partitions = partitions_of(table, date(2026, 11, 1))
        with dg.partition_loading_context(effective_dt=noon):
            keys = partitions.get_partition_keys()
        weekly = table.history is History.VERSION  # 2026-11-16 is a Monday, as is 2026-11-02
        assert keys[0] == ("2026-11-02" if weekly else "2026-11-01")
        assert keys[-1] == ((YESTERDAY if table.history is History.WINDOW else TODAY).isoformat()), name
        assert len(keys) == (3 if weekly else 15 if table.history is History.WINDOW else 16)


def test_a_day_begins_at_midnight_in_beijing():
    partitions = partitions_of(TABLES["hot_words"], date(2026, 11, 1))
    for at, last in (
        (datetime(2026, 11, 15, 15, 59, tzinfo=UTC), "2026-11-15"),
        (datetime(2026, 11, 15, 16, 1, tzinfo=UTC), "2026-11-16"),
    ):
        with dg.partition_loading_context(effective_dt=at):
            assert partitions.get_last_partition_key() == last


# --------------------------------------------------------------------------- jobs and schedules


def test_every_table_is_in_the_job_of_its_cadence_and_in_no_other(definitions):
    seen: dict[str, list[str]] = {}
    for cadence, job in JOB_NAMES.items():
        keys = {k.path[-1] for k in definitions.resolve_job_def(job).asset_layer.executable_asset_keys}
        assert "warehouse" in keys
        for table in keys - {"warehouse"}:
            seen.setdefault(table, []).append(cadence)
    assert seen == {t: [endpoints_of(t)[0].cadence.name] for t in TABLES}


@pytest.mark.parametrize("table", TABLES)
def test_the_endpoints_of_a_table_share_cadence(table: str):
    assert len({e.cadence.name for e in endpoints_of(table)}) == 1


TICKS = [
    ("hot_words_schedule", "2026-11-16T00:05:00+08:00", "2026-11-16"),
    ("hot_words_schedule", "2026-11-16T23:05:00+08:00", "2026-11-16"),
    ("billboards_schedule", "2026-11-16T10:30:00+08:00", "2026-11-16"),
    ("billboards_schedule", "2026-11-16T16:30:00+08:00", "2026-11-16"),
    ("snapshots_schedule", "2026-11-16T10:45:00+08:00", "2026-11-16"),
    ("snapshots_schedule", "2026-11-16T14:45:00+08:00", "2026-11-16"),
    # Three days, since the platform counts some late; on Mondays all days that it shows.
    ("daily_metrics_schedule", "2026-11-15T11:00:00+08:00", "2026-11-12...2026-11-14"),
    ("daily_metrics_schedule", "2026-11-16T11:00:00+08:00", "2026-10-17...2026-11-15"),
    ("daily_metrics_schedule", "2026-11-16T15:00:00+08:00", "2026-10-17...2026-11-15"),
    ("daily_metrics_schedule", "2027-01-01T11:00:00+08:00", "2026-12-29...2026-12-31"),
    ("people_schedule", "2026-11-16T11:30:00+08:00", "2026-11-16"),
    # The final list of the week before is published on Monday at noon; the running week is fetched late every day.
    ("film_lists_schedule", "2026-11-17T13:00:00+08:00", "2026-11-09"),
    ("film_lists_schedule", "2026-11-17T23:30:00+08:00", "2026-11-16"),
    ("film_lists_schedule", "2026-11-16T23:30:00+08:00", "2026-11-16"),
    ("film_lists_schedule", "2026-11-22T23:30:00+08:00", "2026-11-16"),
    ("events_schedule", "2026-11-16T00:50:00+08:00", "2026-11-16"),
    ("events_schedule", "2026-11-16T23:50:00+08:00", "2026-11-16"),
]


@pytest.mark.parametrize(("name", "at", "partition"), TICKS)
def test_a_tick_fills_the_right_day(definitions, name: str, at: str, partition: str):
    schedule = definitions.resolve_schedule_def(name)
    for instant in (datetime.fromisoformat(at), datetime.fromisoformat(at).astimezone(UTC)):
        with dg.build_schedule_context(
            scheduled_execution_time=instant, repository_def=definitions.get_repository_def()
        ) as context:
            data = schedule.evaluate_tick(context)
        (request,) = data.run_requests
        first, _, last = partition.partition("...")
        if last:
            assert (
                request.tags["dagster/asset_partition_range_start"],
                request.tags["dagster/asset_partition_range_end"],
            ) == (first, last)
        else:
            assert request.partition_key == first
        assert datetime.fromisoformat(request.run_key) == datetime.fromisoformat(at)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hot_words_schedule", {f"{hour:02}:05" for hour in range(24)}),
        ("billboards_schedule", {"10:30", "16:30"}),
        ("snapshots_schedule", {"10:45", "14:45"}),
        ("daily_metrics_schedule", {"11:00", "15:00"}),
        ("people_schedule", {"11:30", "15:30"}),
        ("film_lists_schedule", {"23:30"}),  # and on Tuesdays at 13:00
        ("events_schedule", {f"{hour:02}:50" for hour in range(24)}),
    ],
)
def test_schedules_tick_at_these_times_in_beijing(definitions, name: str, expected: set[str]):
    schedule = definitions.resolve_schedule_def(name)
    begin = datetime(2026, 11, 16, tzinfo=BEIJING)
    times = schedule_execution_time_iterator(begin.timestamp(), schedule.cron_schedule, schedule.execution_timezone)
    ticks = list(takewhile(lambda at: at < begin + timedelta(days=1), times))
    assert {f"{at.astimezone(BEIJING):%H:%M}" for at in ticks} == expected
    assert schedule.execution_timezone == "Asia/Shanghai"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


@pytest.mark.parametrize("cadence", CADENCES.values(), ids=lambda c: c.name)
def test_every_tick_falls_into_a_slot_of_its_own_or_requests_again(cadence):
    """A tick in a new slot observes again; one in the same slot requests only what was not ready."""
    assert tables_of(cadence)
    begin = datetime(2026, 11, 16, tzinfo=BEIJING)
    assert cadence.slot(begin) == begin
    for cron in cadence.crons:
        minute, hour, *_ = cron.split()
        at = begin.replace(hour=12 if hour == "*" else int(hour), minute=int(minute))
        assert cadence.slot(at) <= at
        assert partitions_due(cadence, at, Settings(_env_file=None)) == partitions_due(
            cadence, at.replace(tzinfo=None), Settings(_env_file=None)
        )


@pytest.mark.parametrize(("kind", "days"), [("web", 30), ("mini_app", 15), ("business", 15)])
def test_the_whole_window_is_what_every_series_of_the_app_reaches(kind: str, days: int):
    assert whole_window(Settings(_env_file=None, app_type=kind)) == days


def test_no_tick_reaches_before_the_first_day():
    settings = Settings(_env_file=None, start_date="2026-11-10")
    assert partitions_due(CADENCES["daily_t1"], datetime(2026, 11, 16, 11, tzinfo=BEIJING), settings) == (
        date(2026, 11, 10),
        date(2026, 11, 15),
    )
    assert partitions_due(CADENCES["daily_t1"], datetime(2026, 11, 11, 11, tzinfo=BEIJING), settings) == (
        date(2026, 11, 10),
        date(2026, 11, 10),
    )


# --------------------------------------------------------------------------- the sensor that publishes


def _tick(definitions, instance=None):
    sensor = definitions.resolve_sensor_def("publish_after_runs")
    with (
        dg.DagsterInstance.ephemeral() as ephemeral,
        dg.build_sensor_context(
            instance=instance or ephemeral, repository_def=definitions.get_repository_def()
        ) as context,
    ):
        return sensor.evaluate_tick(context)


def test_the_sensor_publishes_when_the_lake_is_ahead(world):
    definitions = build_definitions(world.runtime, world.runtime.settings)
    assert _tick(definitions).run_requests == []
    world.ingest("user_fans")
    (request,) = _tick(definitions).run_requests
    lake, _, hour = request.run_key.rpartition("-")
    assert request.job_name == "answers_job", "marts are made of the new days first"
    assert datetime.strptime(hour, "%Y%m%dT%H")
    assert _tick(definitions).run_requests[0].run_key.startswith(lake), "requested once an hour while nothing changes"

    publish(world.runtime)
    data = _tick(definitions)
    assert data.run_requests == []
    assert "hold all" in data.skip_message

    world.ingest("user_like")
    (ahead,) = _tick(definitions).run_requests
    assert not ahead.run_key.startswith(lake)


def test_the_sensor_waits_for_runs_that_write(world):
    definitions = build_definitions(world.runtime, world.runtime.settings)
    world.ingest("user_fans")
    with dg.DagsterInstance.ephemeral() as instance:
        for status in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING):
            run = instance.create_run_for_job(definitions.resolve_job_def("daily_metrics_job"), status=status)
            data = _tick(definitions, instance)
            assert data.run_requests == []
            assert "a run is writing" in data.skip_message
            instance.delete_run(run.run_id)
        assert len(_tick(definitions, instance).run_requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["lost", "garbage"])
def test_the_sensor_has_a_lost_file_published_again(world, damage: str):
    definitions = build_definitions(world.runtime, world.runtime.settings)
    world.ingest("user_fans")
    publish(world.runtime)
    path = world.runtime.warehouse.path
    path.unlink() if damage == "lost" else path.write_bytes(b"no database" * 1000)
    (request,) = _tick(definitions).run_requests
    assert request.job_name == "publish_job", "no mart is out of date"


@pytest.mark.slow
def test_the_job_that_the_sensor_starts_publishes(world, orchestrate):
    orchestra = orchestrate(world)
    world.ingest("user_fans")
    done = orchestra.runner.repository.get_job("publish_job").execute_in_process(
        instance=orchestra.instance, raise_on_error=False
    )
    assert done.success
    assert world.runtime.warehouse.is_current()
    with world.runtime.warehouse.connect() as connection:
        assert connection.execute("SELECT count(*) FROM user_fans").fetchone() == (3,)
        assert connection.execute("SELECT count(*) FROM meta.load_status").fetchone() == (3,)


# --------------------------------------------------------------------------- loading


def test_loading_definitions_writes_and_requests_nothing(settings, definitions):
    """It creates neither a state.db nor a folder: the process of a run opens them.

    (Importing alone is tested in test_architecture.)
    """
    definitions.resolve_asset_graph()
    for name in JOB_NAMES.values():
        definitions.resolve_job_def(name)
    dg.Definitions.validate_loadable(definitions)
    assert not settings.home.exists()

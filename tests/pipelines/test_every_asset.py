"""Every asset materialises from the sandbox with rows, through Dagster's own jobs, for each type of app."""

from __future__ import annotations

from datetime import date

import pytest
from installation import TODAY

from catalog import SOURCES, TABLES, endpoints_of
from catalog.records import AppType

WATCHED = (("keyword", "咖啡"), ("poi-keyword", "咖啡"), ("amap", "B0SANDBOX0001"), ("poi", "6600000000000000001"))


@pytest.fixture(scope="module")
def worked(request, platforms, tmp_path_factory):
    """One day's jobs of one app: the landed rows per table, and Dagster's view."""
    from installation import World

    from pipelines.runner import Runner, plan

    app_type, tables = request.param
    home = tmp_path_factory.mktemp(app_type)
    world = World(*platforms(accounts=3, videos=12), home=home, options={"app_type": app_type})
    world.clear()
    world.open().at("2026-11-16T11:30:00+08:00").authorize()
    videos = [(o, r["item_id"]) for o, r in _own_videos(world)]
    world.watch(*WATCHED)
    world.receive()
    if app_type is not AppType.WEB:  # mini-apps have no list of videos
        _watch_videos(world, videos)
    monkey = pytest.MonkeyPatch()
    monkey.setenv("DAGSTER_HOME", str(home / "dagster"))
    problems: dict[str, str] = {}
    with Runner(world.runtime) as runner:
        for due in plan(tables, TODAY, world.runtime.settings):
            problems |= runner.run(due.cadence, due.first, due.tables, last=due.last).problems
        import dagster as dg

        shown = {name: runner._instance.get_materialized_partitions(dg.AssetKey(name)) for name in TABLES}
        runner.publish()
    monkey.undo()
    yield app_type, [name for name in offered(app_type) if name in tables], world, shown, problems
    world.runtime.close()
    world.clear()


def _own_videos(world):
    """The accounts' videos, as another installation with a list of videos would know them."""
    import httpx

    accounts = httpx.get(f"{world.url}/_sandbox/accounts", trust_env=False).json()
    from services.ingest.run import ingest

    beside = type(world)(world.url, world.config, world.control, world.home / "beside", {}).open()
    beside.at(world.now).authorize()
    ingest(beside.runtime, TABLES["videos"], [TODAY])
    rows = beside.rows("videos", TODAY)
    beside.runtime.close()
    assert len(accounts) == 3
    return [(r["open_id"], r) for r in rows]


def _watch_videos(world, videos) -> None:
    from resources.state.watched import WatchedItem, watch

    watch(
        world.runtime.state,
        world.config.client_key,
        [WatchedItem("video", item, open_id) for open_id, item in videos],
        world.runtime.clock.now(),
    )


def offered(app_type: AppType) -> list[str]:
    return [name for name in TABLES if any(app_type in e.apps for e in endpoints_of(name))]


SOME = (
    "videos",
    "video_totals",
    "item_play",
    "user_fans",
    "fans_profile",
    "comments",
    "comment_reads",
    "account_profiles",
    "hot_words",
)
"""The short form: what an app with business consent has from its own endpoints, in series, lists, pages and profiles. A
whole day of one type takes 20 s, and one of a web app is also covered by ``test_dagster_runs.py`` and
``test_cli_run.py``.
"""
CASES = [
    pytest.param((AppType.BUSINESS, SOME), id="some-of-business"),
    *(pytest.param((kind, tuple(TABLES)), id=str(kind), marks=pytest.mark.slow) for kind in AppType),
]


@pytest.mark.slow
@pytest.mark.parametrize("worked", CASES, indirect=True)
def test_every_table_that_the_app_has_an_endpoint_for_has_rows(worked):
    _, mine, world, shown, problems = worked
    assert problems == {}
    empty = []
    for name in mine:
        dt = TABLES[name].latest_partition(TODAY)
        if dt.isoformat() not in shown[name] or world.read(name, dt).num_rows == 0:
            empty.append(name)
        quarantine = world.runtime.lake.path(f"_quarantine/{name}", dt)
        assert not quarantine.exists(), f"{name} has rows in quarantine"
    assert empty == []


@pytest.mark.parametrize("worked", CASES, indirect=True)
def test_every_row_came_through_an_endpoint_of_the_app(worked):
    app_type, mine, world, _, _ = worked
    for name in mine:
        sources = set(world.read(name, TABLES[name].latest_partition(TODAY))["source"].to_pylist())
        assert sources
        assert all(app_type in SOURCES[s].apps for s in sources), (name, sources)


@pytest.mark.parametrize("worked", CASES, indirect=True)
def test_the_published_warehouse_answers_for_every_table(worked):
    _, mine, world, _, _ = worked
    with world.runtime.warehouse.connect() as connection:
        counts = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in TABLES}
    assert all(counts[name] > 0 for name in mine)


def test_between_them_the_types_of_apps_reach_every_table():
    assert {name for kind in AppType for name in offered(kind)} == set(TABLES)
    assert offered(AppType.WEB) == list(TABLES)


def test_weeks_begin_on_monday():
    assert TABLES["ent_ranks"].latest_partition(date(2026, 11, 22)) == TODAY

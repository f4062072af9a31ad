"""Backfilling past partitions from the Dagster UI, click by click, as people do it."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest
from installation import TODAY
from patience import scaled

from catalog.records import beijing_day

pytestmark = pytest.mark.slow

DAYS = [TODAY - timedelta(days=n) for n in range(30, 0, -1)]
"""The days of the platform's window of 30 days."""
_BACKFILLS = """query($n: Int) { partitionBackfillsOrError(limit: $n) { ... on PartitionBackfills { results {
  id status numPartitions partitionNames runs { id status } error { message } } } } }"""
_PARTITIONS = """query($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
  assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } }
  partitionKeysByDimension { partitionKeys } } } }"""
_EVENTS = """query($id: ID!) { runOrError(runId: $id) { ... on Run {
  status eventConnection { events { __typename ... on MessageEvent { message } } } } } }"""


@pytest.fixture
def seen(make_world, monkeypatch):
    """Three accounts whose list of videos is known, and nothing else, on the 16th."""
    world = make_world(platform={"accounts": 3, "videos": 12}, start_date=date(2026, 10, 1))
    monkeypatch.setenv("DAGSTER_HOME", str(world.home / "dagster"))
    from pipelines.runner import Runner

    with Runner(world.runtime) as runner:
        assert runner.run("daily_snapshot", TODAY, ["videos"]).success
    world.clear()
    return world


def launch(page, ui, look, asset: str, first: date, last: date) -> None:
    """Open the asset, choose a range of partitions, launch."""
    page.goto(f"{ui.url}/assets/{asset}?view=partitions")
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_role("textbox").first
    field.fill(f"[{first}...{last}]")
    field.press("Enter")
    look(f"{asset}-dialog")
    dialog.get_by_role("button", name="Launch").last.click()
    dialog.wait_for(state="detached")


def ended(ui, number: int) -> dict[int, dict]:
    """Return all backfills by their number of partitions, once ``number`` of them have ended."""
    deadline = time.monotonic() + scaled(300)
    while True:
        found = ui.ask(_BACKFILLS, n=10)["partitionBackfillsOrError"]["results"]
        if len([b for b in found if b["status"].startswith(("COMPLETED", "FAILED", "CANCELED"))]) == number:
            return {b["numPartitions"]: b for b in found}
        assert time.monotonic() < deadline, found
        time.sleep(1)


def materialised(ui, asset: str) -> set[str]:
    """Return the partitions that the UI shows as materialised."""
    node = ui.ask(_PARTITIONS, path=[asset])["assetNodeOrError"]
    keys = node["partitionKeysByDimension"][0]["partitionKeys"]
    ranges = [r for r in node["assetPartitionStatuses"]["ranges"] if r["status"] == "MATERIALIZED"]
    return {k for r in ranges for k in keys if r["startKey"] <= k <= r["endKey"]}


def test_past_days_are_filled_where_they_can_be_had(seen, serve, page, look):
    ui = serve(seen)
    days = _days_of_young_videos(seen)
    launch(page, ui, look, "item_play", days[0], days[-1])
    launch(page, ui, look, "hot_words", DAYS[-3], DAYS[-1])
    done = ended(ui, 2)
    _series_took_one_call_for_each_video(seen, ui, done[len(days)], days)
    _snapshots_failed_visibly(ui, done[3])
    assert seen.calls() == seen.calls("item_play")

    page.goto(f"{ui.url}/assets/item_play?view=partitions")
    page.get_by_text(f"Materialized ({len(days)})").wait_for()
    look("item_play-partitions")
    page.goto(f"{ui.url}/runs/b/{done[len(days)]['id']}")
    page.get_by_text("100% completed").wait_for()
    look("item_play-backfill")
    page.goto(f"{ui.url}/runs/{done[3]['runs'][0]['id']}")
    page.get_by_text("this day cannot be had any more", exact=False).first.wait_for()
    look("hot_words-run")
    page.goto(f"{ui.url}/assets/hot_words?view=partitions")
    page.get_by_text("Failed (3)").wait_for()
    look("hot_words-partitions")


def _young_videos(world) -> dict[str, date]:
    """Return the videos whose series can be requested, each with the day it was created."""
    created = {r["item_id"]: beijing_day(r["created_at"]) for r in world.rows("videos", TODAY) if r["created_at"]}
    return {item: day for item, day in created.items() if day >= DAYS[0]}


def _days_of_young_videos(world) -> list[date]:
    """Return the days on which at least one of these videos existed; of earlier days the platform shows nothing."""
    first = min(_young_videos(world).values())
    days = [day for day in DAYS if day >= first]
    assert len(days) > 15
    return days


def _series_took_one_call_for_each_video(world, ui, done: dict, days: list[date]) -> None:
    assert done["status"] == "COMPLETED_SUCCESS", done
    assert len(done["runs"]) <= 2
    assert materialised(ui, "item_play") == {d.isoformat() for d in days}
    requested = world.requested("item_play")
    world.open()
    young = set(_young_videos(world))
    assert {key.split("item_id=")[1].split("&")[0] for key in requested} == young
    assert len(young) > 5
    assert set(requested.values()) == {1}, "all days are one window"


def _snapshots_failed_visibly(ui, done: dict) -> None:
    assert done["status"] == "COMPLETED_FAILED", done
    assert materialised(ui, "hot_words") == set()
    assert len(done["runs"]) == 1, "one red run for the whole range"
    for run in done["runs"]:
        said = ui.ask(_EVENTS, id=run["id"])["runOrError"]
        assert said["status"] == "FAILURE"
        named = f"hot_words {DAYS[-3]} … {DAYS[-1]}: nothing was archived"
        assert any(named in e.get("message", "") for e in said["eventConnection"]["events"])

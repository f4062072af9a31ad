"""Videos requested by id have the same numbers as in the list; private and deleted ones are omitted."""

from __future__ import annotations

import pytest
from people_requests import shown
from sandbox_platform import code_of


def numbers(video):
    return {k: int(v) for k, v in video["statistics"].items()}


def by_id(data):
    return {v["item_id"]: v for v in data["list"] or ()}


def test_given_videos_are_the_same_as_in_the_list(platform):
    listing = platform.videos(1)
    found = by_id(platform.data("video_data", 1, item_ids=[v["item_id"] for v in listing]))
    assert found.keys() == {v["item_id"] for v in listing}
    for video in listing:
        twin = found[video["item_id"]]
        assert numbers(twin) == numbers(video)
        assert (twin["title"], int(twin["create_time"]), twin["is_top"]) == (
            video["title"],
            int(video["create_time"]),
            video["is_top"],
        )


def test_clear_ids_name_the_same_videos(platform):
    listing = [v for v in shown(platform, 0) if "video_id" in v][:5]
    platform.at("2026-11-16T10:31:00+08:00")
    requested = [v["video_id"] for v in listing]
    assert by_id(platform.data("video_data", 0, video_ids=requested)).keys() == {v["item_id"] for v in listing}
    both = platform.data("video_basic_info", 0, video_ids=requested[:1], item_ids=[v["item_id"] for v in listing])
    assert by_id(both).keys() == {listing[0]["item_id"]}
    both = platform.data("video_data", 0, video_ids=requested[:1], item_ids=[v["item_id"] for v in listing])
    assert by_id(both).keys() == {v["item_id"] for v in listing}


@pytest.mark.parametrize("name", ["video_data", "video_basic_info"])
def test_ids_that_are_not_the_accounts_are_left_out(platform, name):
    own, other = shown(platform, 0)[0]["item_id"], shown(platform, 1)[0]["item_id"]
    assert by_id(platform.data(name, 0, item_ids=["@9x", own, other, own])).keys() == {own}
    assert not platform.data(name, 0, item_ids=[other])["list"]
    assert not platform.data(name, 0, video_ids=["12345", "x"])["list"]


def test_private_videos_have_no_time_or_are_left_out(platform):
    private = [v["item_id"] for v in platform.videos(0) if not int(v["create_time"])]
    assert private
    rows = by_id(platform.data("video_data", 0, item_ids=private))
    assert rows.keys() == set(private)
    assert all(int(v["create_time"]) == 0 and int(v["statistics"]["play_count"]) == 0 for v in rows.values())
    assert not platform.data("video_basic_info", 0, item_ids=private)["list"]


def test_mini_apps_see_what_is_mounted_on_some(platform):
    requested = [v["item_id"] for v in platform.videos(0)]
    rows = by_id(platform.data("video_query_apps_v1", 0, item_ids=requested))
    assert rows.keys() == set(requested)
    anchors = ["video_anchor" in v for v in rows.values()]
    assert 0 < sum(anchors) < len(anchors)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 28001007),
        ({"item_ids": []}, 28001007),
        ({"item_ids": "x"}, 2100005),
        ({"item_ids": [1]}, 2100005),
        ({"video_ids": ["1"] * 51}, 2100005),
    ],
)
def test_wrong_batches_are_refused(platform, body, code):
    for name in ("video_data", "video_basic_info"):
        assert code_of(platform.get(name, 0, **body)) == code

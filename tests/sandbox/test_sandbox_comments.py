"""Comments add up to the videos' counters, arrive, change and vanish over time, and are sorted as requested."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from people_requests import comments, pages, shown
from sandbox_platform import NOW, code_of

START = datetime.fromisoformat(NOW)


def listed(platform, account, video, sort_type="time"):
    return comments(platform, account, video["item_id"], sort_type)


def replies(platform, account, video, comment):
    found = pages(
        platform,
        "item_comment_reply_list",
        account,
        item_id=video["item_id"],
        comment_id=comment["comment_id"],
        count=50,
    )
    return [r for page in found for r in page["list"] or ()]


def counter(video):
    return int(video["statistics"]["comment_count"])


def busiest(platform, account, most=900):
    """The video with most comments, but not more than ``most``."""
    return max((v for v in shown(platform, account) if counter(v) <= most), key=counter)


def test_comments_and_replies_add_up_to_the_counter(platform):
    """Moderation hid a few on a few videos; everywhere else the numbers are the same."""
    fewer = same = 0
    for account in (0, 1, 2, 3):
        for video in shown(platform, account):
            if counter(video) > 1_200:
                continue
            rows = listed(platform, account, video)
            seen = len(rows) + sum(c["reply_comment_total"] for c in rows)
            assert seen <= counter(video)
            assert counter(video) - seen <= max(2, counter(video) * 0.1)
            fewer, same = fewer + (seen < counter(video)), same + (seen == counter(video))
    assert 1 <= fewer <= same / 8


def test_replies_match_the_stated_count_and_are_younger_than_what_they_answer(platform):
    video = busiest(platform, 1)
    talks = [c for c in listed(platform, 1, video) if c["reply_comment_total"]]
    assert len(talks) > 3
    by_author = parents = 0
    for comment in talks:
        rows = replies(platform, 1, video, comment)
        assert len(rows) == comment["reply_comment_total"]
        assert all(int(r["create_time"]) >= int(comment["create_time"]) for r in rows)
        assert all(r["reply_comment_total"] == 0 for r in rows)
        by_author += sum(r["comment_user_id"] == platform.tokens(1)["open_id"] for r in rows)
        named = {r["reply_comment_id"] for r in rows if "reply_comment_id" in r}
        assert named <= {comment["comment_id"]}
        parents += bool(named)
    assert by_author > 0
    assert parents > 0


def test_orders(platform):
    videos = [
        v for account in (0, 1) for v in [(account, v) for v in shown(platform, account) if 40 < counter(v) < 800]
    ]
    pinned = 0
    for account, video in videos[:12]:
        recommended, newest, oldest = (listed(platform, account, video, s) for s in (None, "time", "time_asc"))
        assert (
            {c["comment_id"] for c in recommended}
            == {c["comment_id"] for c in newest}
            == {c["comment_id"] for c in oldest}
        )
        assert len({c["comment_id"] for c in newest}) == len(newest)
        times = [int(c["create_time"]) for c in oldest]
        assert times == sorted(times)
        for rows, key in ((newest, "create_time"), (recommended, "digg_count")):
            tops = [c["top"] for c in rows]
            assert tops == sorted(tops, reverse=True)
            values = [int(c[key]) for c in rows if not c["top"]]
            assert values == sorted(values, reverse=True)
        pinned += sum(c["top"] for c in newest)
        assert max(times) <= START.timestamp()
        assert min(times) >= int(video["create_time"])
    assert pinned > 0


def test_pages_of_other_sizes_hold_the_same_comments(platform):
    video = busiest(platform, 1, 400)
    whole = [c["comment_id"] for c in listed(platform, 1, video)]
    small = pages(platform, "item_comment_list", 1, item_id=video["item_id"], count=7, sort_type="time")
    assert [c["comment_id"] for page in small for c in page["list"] or ()] == whole
    assert [int(p["cursor"]) for p in small[:3]] == [7, 14, 21]
    beyond = platform.data("item_comment_list", 1, item_id=video["item_id"], count=7, cursor=100_000)
    assert not beyond["list"]
    assert beyond["has_more"] is False


def test_comments_arrive_grow_change_and_vanish(platform):
    account = 4
    videos = [v for v in shown(platform, account) if counter(v) < 1_500][:6]
    before = {v["item_id"]: {c["comment_id"]: c for c in listed(platform, account, v)} for v in videos}
    platform.at(START + timedelta(days=6))
    later = {v["item_id"]: v for v in shown(platform, account)}
    lost, edited, kept, arrived, liked = [], 0, 0, 0, 0
    for item_id, old in before.items():
        now = {c["comment_id"]: c for c in listed(platform, account, later[item_id])}
        both, new = old.keys() & now.keys(), now.keys() - old.keys()
        assert (
            counter(later[item_id]) * 0.9
            < len(now) + sum(c["reply_comment_total"] for c in now.values())
            <= counter(later[item_id])
        )
        assert all(int(now[i]["create_time"]) >= START.timestamp() - 1 for i in new)
        assert all(now[i]["digg_count"] >= old[i]["digg_count"] for i in both)
        assert all(now[i]["reply_comment_total"] >= old[i]["reply_comment_total"] for i in both)
        assert all(str(now[i][m]) == str(old[i][m]) for i in both for m in ("comment_user_id", "create_time"))
        changed = [i for i in both if now[i]["content"] != old[i]["content"]]
        assert all(now[i]["content"].startswith(old[i]["content"]) for i in changed)
        liked += sum(now[i]["digg_count"] > old[i]["digg_count"] for i in both)
        lost += [(item_id, i) for i in old.keys() - now.keys()]
        edited, kept, arrived = edited + len(changed), kept + len(both), arrived + len(new)
    assert 0 < len(lost) < kept / 20
    assert 0 < edited < kept / 20
    assert arrived > 20 < liked
    item_id, comment_id = lost[0]
    assert (
        code_of(platform.get("item_comment_reply_list", account, item_id=item_id, comment_id=comment_id, count=5))
        == 2111003
    )


def test_what_people_write(platform):
    rows = [c for v in shown(platform, 1) if counter(v) < 600 for c in listed(platform, 1, v)]
    texts = " ".join(c["content"] for c in rows)
    assert all(word in texts for word in ("多少钱", "链接", "教程", "售后", "发货", "[赞]", "🔥", "@"))
    assert "{" not in texts
    ids = {c["comment_id"] for c in rows}
    assert len(ids) == len(rows)
    assert all(set("@/+=") <= set(i) for i in ids)
    people = {c["comment_user_id"] for c in rows}
    assert len(rows) / 3 < len(people) < len(rows)
    nameless = [c for c in rows if "nick_name" not in c]
    assert 0 < len(nameless) < len(rows) / 4
    assert all("avatar" not in c for c in nameless)


def test_some_commenters_are_leads(platform):
    people = {c["comment_user_id"] for v in shown(platform, 1)[:25] for c in listed(platform, 1, v)}
    found = [code_of(platform.get("leads_user_detail", 1, user_id=p)) for p in sorted(people)]
    assert 0 in found
    assert set(found) <= {0, 2100006}


def test_only_enterprise_accounts_have_the_enterprise_paths(platform):
    for account in range(5):
        video = shown(platform, account)[2]
        body = platform.get("video_comment_list", account, item_id=video["item_id"], count=20)
        if account in (2, 3):
            assert code_of(body) == 2112001
            refused = platform.get(
                "video_comment_reply_list", account, item_id=video["item_id"], comment_id="x", count=20
            )
            assert code_of(refused) == 2112001
        else:
            own = platform.data("item_comment_list", account, item_id=video["item_id"], count=20)
            assert [c["comment_id"] for c in body["data"]["list"] or ()] == [c["comment_id"] for c in own["list"] or ()]


def test_mini_app_path_gives_the_same_comments(platform):
    video = busiest(platform, 1, 200)
    twin = pages(platform, "item_comment_list_apps_v1", 1, item_id=video["item_id"], count=50, sort_type="time")
    assert [c["comment_id"] for p in twin for c in p["list"]] == [c["comment_id"] for c in listed(platform, 1, video)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"item_id": "@9nonsense"}, 2100006),
        ({"item_id": ""}, 28001007),
        ({"item_id": "other"}, 2100007),
        ({"item_id": "private"}, 28001047),
        ({"count": 51}, 2100005),
        ({"count": 0}, 2100005),
        ({"sort_type": "likes"}, 2100005),
        ({"cursor": -1}, 2100005),
    ],
)
def test_wrong_requests_are_refused(platform, change, code):
    ids = {"other": shown(platform, 1)[0]["item_id"]}
    ids["private"] = next(v["item_id"] for v in platform.videos(0) if not int(v["create_time"]))
    params = {"item_id": shown(platform, 0)[0]["item_id"], "count": 20} | change
    params["item_id"] = ids.get(params["item_id"], params["item_id"])
    assert code_of(platform.get("item_comment_list", 0, **params)) == code


def test_comments_of_another_video_are_refused(platform):
    videos = [v for v in shown(platform, 1) if 10 < counter(v) < 300]
    foreign = next(c for c in listed(platform, 1, videos[0]))["comment_id"]
    requested = {"item_id": videos[1]["item_id"], "count": 10}
    assert code_of(platform.get("item_comment_reply_list", 1, comment_id=foreign, **requested)) == 2111004
    assert code_of(platform.get("item_comment_reply_list", 1, comment_id="@cmnonsense", **requested)) == 2111003


def test_search_finds_videos_of_others_and_some_of_ones_own(platform):
    own = {v["item_id"] for account in range(5) for v in platform.videos(account)}
    found = [v for page in pages(platform, "video_search", 0, keyword="夜市", count=10) for v in page["list"] or ()]
    assert 10 < len(found) < 80
    assert all("夜市" in v["title"] for v in found)
    assert len({v["sec_item_id"] for v in found}) == len(found)
    assert not own & {v["sec_item_id"] for v in found}
    word = shown(platform, 0)[0]["title"].split("#")[1].strip()
    found = [v for page in pages(platform, "video_search", 1, keyword=word, count=20) for v in page["list"] or ()]
    mine = [v for v in found if v["item_id"] in own]
    assert 0 < len(mine) < len(found)
    totals = {v["item_id"]: {k: int(n) for k, n in v["statistics"].items()} for v in platform.videos(0)}
    reported = [
        ({k: int(n) for k, n in v["statistics"].items()}, totals[v["item_id"]]) for v in mine if v["item_id"] in totals
    ]
    assert reported
    assert all(search == listing for search, listing in reported)
    platform.at(START + timedelta(days=3))
    later = [v for page in pages(platform, "video_search", 0, keyword="夜市", count=10) for v in page["list"] or ()]
    assert any(int(v["create_time"]) > START.timestamp() for v in later)


def test_found_videos_have_comments(platform):
    found = platform.data("video_search", 0, keyword="露营", count=30)["list"]
    for video in [v for v in found if counter(v) < 300][:10]:
        rows = [
            c
            for p in pages(platform, "video_search_comment_list", 0, sec_item_id=video["sec_item_id"], count=50)
            for c in p["list"] or ()
        ]
        seen = len(rows) + sum(c["reply_comment_total"] for c in rows)
        assert counter(video) * 0.85 - 1 <= seen <= counter(video)
        for comment in [c for c in rows if c["reply_comment_total"]][:2]:
            requested = {"sec_item_id": video["sec_item_id"], "comment_id": comment["comment_id"], "count": 50}
            assert platform.data("video_search_comment_reply_list", 0, **requested)["list"]
    assert code_of(platform.get("video_search_comment_list", 0, sec_item_id=found[0]["item_id"], count=20)) == 2100006

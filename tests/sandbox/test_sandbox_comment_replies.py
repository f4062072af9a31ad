"""Replies to comments 回复评论 appear where comments are read."""

from __future__ import annotations

import pytest
from people_requests import comments, pages, shown

NOT_ENTERPRISE = 2


@pytest.fixture
def talk(fresh):
    """(item_id, a comment on it without replies, one with replies)."""
    for video in shown(fresh):
        found = comments(fresh, 0, video["item_id"])
        silent = next((c for c in found if not c["reply_comment_total"]), None)
        busy = next((c for c in found if 0 < c["reply_comment_total"] < 40), None)
        if silent and busy:
            return video["item_id"], silent, busy
    raise AssertionError("no video has both")


def replies(platform, item_id: str, comment_id: str, name: str = "item_comment_reply_list", **params) -> list[dict]:
    requested = {"item_id": item_id, "comment_id": comment_id, "count": 50, **params}
    return [r for page in pages(platform, name, **requested) for r in page["list"] or ()]


@pytest.mark.parametrize("kind", ["item", "video"])
def test_a_reply_is_read_afterwards(fresh, talk, kind):
    item_id, silent, busy = talk
    for comment in (silent, busy):
        before = replies(fresh, item_id, comment["comment_id"])
        written = [
            fresh.write(f"{kind}_comment_reply", item_id=item_id, comment_id=comment["comment_id"], content=content)[
                "data"
            ]
            for content in ("谢谢支持", "私信发你啦")
        ]
        assert {(w["nick_name"], w["avatar"]) for w in written} == {
            (a.nickname, a.avatar) for a in fresh.app.world.accounts[:1]
        }
        for name in ("item_comment_reply_list", "video_comment_reply_list"):
            after = replies(fresh, item_id, comment["comment_id"], name)
            assert after[: len(before)] == before or name.startswith("video")
            assert [(r["comment_id"], r["content"], r["comment_user_id"]) for r in after[len(before) :]] == [
                (w["comment_id"], content, fresh.open_id())
                for w, content in zip(written, ("谢谢支持", "私信发你啦"), strict=True)
            ]
        paged = replies(fresh, item_id, comment["comment_id"], count=1)
        assert [r["comment_id"] for r in paged] == [
            r["comment_id"] for r in replies(fresh, item_id, comment["comment_id"])
        ]
        row = next(c for c in comments(fresh, 0, item_id) if c["comment_id"] == comment["comment_id"])
        assert row["reply_comment_total"] == comment["reply_comment_total"] + 2


def test_a_comment_on_the_video_itself(fresh, talk):
    item_id = talk[0]
    before = comments(fresh, 0, item_id)
    written = fresh.write("item_comment_reply", item_id=item_id, content="今晚八点直播")["data"]
    for sort_type in ("time", "time_asc", None):
        found = comments(fresh, 0, item_id, sort_type)
        assert found[-1]["comment_id"] == written["comment_id"]
        assert found[-1]["content"] == "今晚八点直播"
        assert len(found) == len(before) + 1


def test_refusals(fresh, talk):
    item_id, silent, busy = talk
    reply = replies(fresh, item_id, busy["comment_id"])[0]["comment_id"]
    other = next(v["item_id"] for v in shown(fresh) if v["item_id"] != item_id and comments(fresh, 0, v["item_id"]))
    good = {"item_id": item_id, "comment_id": silent["comment_id"], "content": "谢谢支持"}
    for change, code in (
        ({"comment_id": comments(fresh, 0, other)[0]["comment_id"]}, 2111004),
        ({"comment_id": reply}, 2111003),
        ({"comment_id": "@9nothing"}, 2111003),
        ({"content": "代开发票，加微信"}, 2111001),
        ({"content": ""}, 28001007),
        ({"content": 5}, 2100005),
        ({"content": None}, 28001007),
        ({"comment_id": 5}, 2100005),
        ({"item_id": "@9nothing"}, 2100006),
        ({"item_id": 5}, 2100005),
        ({"item_id": shown(fresh, 1)[0]["item_id"]}, 2100007),
    ):
        for kind in ("item", "video"):
            assert fresh.refusal(f"{kind}_comment_reply", **good | change) == code, (kind, change)
    assert replies(fresh, item_id, silent["comment_id"]) == []
    own = shown(fresh, NOT_ENTERPRISE)[0]["item_id"]
    assert fresh.refusal("video_comment_reply", NOT_ENTERPRISE, item_id=own, content="谢谢") == 2112001
    fresh.write("item_comment_reply", NOT_ENTERPRISE, item_id=own, content="谢谢")

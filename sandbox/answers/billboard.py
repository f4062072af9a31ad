"""Serve today's billboards (榜单) from 10:00 Beijing on; before that the list is null or missing."""

from __future__ import annotations

from typing import Any

from sandbox.answers.call import Call
from sandbox.clock import day_of, day_start
from sandbox.hashing import DeterministicRng, mix, name
from sandbox.vocabulary import FRIENDS, LIVE_TITLES, NAME_HEADS, NAME_TAILS
from sandbox.world.accounts import SandboxAccount
from sandbox.world.boards import BoardEntry
from sandbox.world.videos import cover_url, share_url, title_of


def is_known(operation: str) -> bool:
    """Report whether entries exist for the list: the creator groups and the six lists of other things."""
    return operation.split("_")[1] in (*NAME_TAILS, "hot", "stars", "live", "topic", "prop", "music")


def answer(call: Call) -> dict[str, Any]:
    """Return any of the 39 lists."""
    if not call.ready:
        return {"list": None} if call.form.flag(20) else {}
    board, day = call.endpoint.name.removeprefix("billboard_"), day_of(call.instant)
    if board == "hot_video":
        return {"list": _hot_videos(call, day)}
    entries = call.world.boards.topics(day) if board == "topic" else call.world.boards.entries(board, day)
    row = _ROWS.get(board) or _ROWS.get(board.split("_")[0], _creator)
    return {"list": [row(call, e, day) for e in entries]}


def _avatar(key: int) -> str:
    return f"https://p{1 + key % 9}-avatar.example.cn/avatar/u-{key & 0xFFFFFFFFFF:010x}.jpeg"


def _creator(call: Call, entry: BoardEntry, day: int) -> dict[str, Any]:
    entrant, form = entry.entrant, call.form
    followers = call.world.series.fans(entrant.account, day_start(day)) if entrant.account else entrant.followers
    row = {
        "rank": entry.rank,
        "rank_change": entry.change,
        "nickname": entrant.title,
        "avatar": entrant.account.avatar if entrant.account else _avatar(entrant.key),
        "follower_count": form.whole(followers),
        "onbillbaord_times": entry.times,
        "effect_value": form.number(entry.score),
    }
    absent = mix(entrant.key, day, 3) % 16
    if absent == 0:
        row["video_list"] = None
    elif absent > 1:
        row["video_list"] = _own_videos(call, entrant.account, day) if entrant.account else _videos(call, entry, day)
    return row


def _own_videos(call: Call, account: SandboxAccount, day: int) -> list[dict[str, Any]]:
    video_store = call.world.video_store
    newest = [v for v in video_store.listed(account, day_start(day)) if v.private_at > call.instant][-3:]
    return [
        {"item_cover": cover_url(v.key), "share_url": share_url(v.key), "title": title_of(v.key, account.category)}
        for v in newest[::-1]
    ]


def _videos(call: Call, entry: BoardEntry, day: int) -> list[dict[str, Any]]:
    """Return two or three videos that stay for some days; some have no title, some no page."""
    group, rows = call.endpoint.name.split("_")[1], []
    for k in range(2 + entry.entrant.key % 2):
        key = mix(entry.entrant.key, name("board video"), (day + entry.entrant.key % 4) // 4, k)
        row = {"item_cover": cover_url(key)}
        if key % 8:
            row["share_url"] = share_url(key)
            row["title"] = title_of(key, group)
        rows.append(row)
    return rows


def _hot_videos(call: Call, day: int) -> list[dict[str, Any]]:
    rows, instant, form = [], day_start(day) + 36_000, call.form
    for rank, (score, video, word) in enumerate(call.world.boards.hot_videos(day), 1):
        draw, plays = DeterministicRng(video.key, 12), video.plays(instant)
        likes = int(plays * video.like)
        row = {
            "rank": rank,
            "title": title_of(video.key, video.category, word.sentence),
            "author": draw.pick(NAME_HEADS) + draw.pick(NAME_TAILS[video.category]),
            "play_count": form.whole(plays),
            "digg_count": form.whole(likes),
            "comment_count": form.whole(likes // 19),
            "hot_words": f"{word.sentence},{draw.pick(NAME_HEADS)}",
            "hot_value": form.number(score),
            "item_cover": cover_url(video.key),
            "share_url": share_url(video.key),
        }
        if video.key % 12 == 0:
            del row["title"]
        if video.key % 7 == 0:
            del row["hot_words"]
        rows.append(row)
    return rows


def _topic(call: Call, entry: BoardEntry, day: int) -> dict[str, Any]:
    return {
        "rank": entry.rank,
        "rank_change": entry.change,
        "title": entry.entrant.title,
        "effect_value": call.form.number(entry.score),
    }


def _star(call: Call, entry: BoardEntry, day: int) -> dict[str, Any]:
    e = entry.entrant
    return {
        "rank": entry.rank,
        "nickname": e.title,
        "avatar": _avatar(e.key),
        "effect_value": call.form.number(entry.score),
    }


def _live(call: Call, entry: BoardEntry, day: int) -> dict[str, Any]:
    e = entry.entrant
    row = {"rank": entry.rank, "nickname": e.title, "hot_value": call.form.number(entry.score)}
    if mix(e.key, day) % 6:
        row["cover"] = cover_url(e.key)
        row["title"] = "" if mix(e.key, day, 1) % 9 == 0 else LIVE_TITLES[mix(e.key, day, 2) % len(LIVE_TITLES)]
    return row


def _prop(call: Call, entry: BoardEntry, day: int) -> dict[str, Any]:
    e, whole, draw = entry.entrant, call.form.whole, DeterministicRng(entry.entrant.key, 15)
    shown = int(entry.score * draw.between(3, 6))
    shot = int(shown * draw.between(0.04, 0.2))
    issued = int(shot * draw.between(0.05, 0.6))
    row = {
        "rank": entry.rank,
        "rank_change": entry.change,
        "name": e.title,
        "effect_value": call.form.number(entry.score),
        "show_cnt": whole(shown),
        "shoot_cnt": whole(shot),
        "daily_play_cnt": whole(int(entry.score * draw.between(5, 12))),
        "daily_issue_cnt": whole(issued),
        "daily_issue_percent": f"{100 * issued / max(1, shot):.2f}%",
        "daily_collection_cnt": whole(int(shot * draw.between(0.001, 0.02))),
    }
    if e.key % 14 == 0:
        del row["name"]
    return row


def _music(call: Call, entry: BoardEntry, day: int) -> dict[str, Any]:
    e, draw = entry.entrant, DeterministicRng(entry.entrant.key, 16)
    row = {
        "rank": entry.rank,
        "title": e.title,
        "author": draw.pick(NAME_HEADS) if draw.chance(0.8) else draw.pick((*FRIENDS, "佚名")),
        "cover": cover_url(e.key),
        "duration": int(draw.between(28, 290)),
        "use_count": call.form.whole(int(entry.score)),
        "share_url": f"https://www.iesdouyin.example.cn/share/music/{e.key & 0xFFFFFFFFFF:010x}/",
    }
    for member, bit in (("cover", 1), ("share_url", 2), ("title", 3)):
        if e.key >> bit & 15 == 0:
            del row[member]
    return row


_ROWS = {"topic": _topic, "stars": _star, "live": _live, "prop": _prop, "music": _music}

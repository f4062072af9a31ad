"""Serve hot words (热点词), rising words and the videos grouped under a word."""

from __future__ import annotations

from typing import Any

from sandbox.answers.call import Call
from sandbox.answers.pages import offset
from sandbox.answers.video import video_row
from sandbox.clock import HOUR_S, beijing_text
from sandbox.hashing import mix, name
from sandbox.world.hotwords import REFRESH_S, list_hour
from sandbox.world.videos import title_of


def sentences(call: Call) -> dict[str, Any]:
    """Return the 50 hottest words of the hour, hottest first.

    Now and then ``active_time`` is a bare day.
    """
    hour, form = list_hour(call.instant), call.form
    active = beijing_text(hour * HOUR_S + REFRESH_S)
    rows = [
        {"sentence": word.sentence, "hot_level": form.whole(level)} for word, level in call.world.words.hottest(hour)
    ]
    return {"active_time": active[:10] if mix(name("active"), hour) % 16 == 0 else active, "list": rows}


def trending(call: Call) -> dict[str, Any]:
    """Return a page of the rising words.

    The cursor is an offset; beyond the end there is an empty last page.
    """
    rising, form = call.world.words.rising(list_hour(call.instant)), call.form
    start, count = offset(call)
    page = rising[start : start + count]
    following = start + len(page)
    answer: dict[str, Any] = {
        "cursor": str(following) if form.flag(21) else following,
        "has_more": following < len(rising) and bool(page),
        "list": [
            {"sentence": r.word.sentence, "hot_level": form.whole(r.level), "label": form.whole(r.label)} for r in page
        ],
    }
    if not form.rare(24, 3):
        answer["total"] = len(rising)
    if not page and form.flag(20):
        answer["list"] = None
    return answer


def videos(call: Call) -> dict[str, Any]:
    """Return the videos of one word, most played first; an empty list for a word that is not hot."""
    words, form = call.world.words, call.form
    word = words.find(call.params["hot_sentence"], call.instant)
    if word is None:
        return {"list": None if form.flag(20) else []}
    rows = []
    for v in words.videos(word, call.instant):
        plays = v.plays(call.instant)
        likes = int(plays * v.like)
        counts = (likes // 19, likes, likes // 60, likes // 85, plays, likes // 23)
        members = ("comment_count", "digg_count", "download_count", "forward_count", "play_count", "share_count")
        statistics = {member: form.whole(n) for member, n in zip(members, counts, strict=True)}
        title = title_of(v.key, v.category, word.sentence)
        rows.append(video_row(form, words.item_id(v), v.key, title, v.created, statistics, album=v.album))
    return {"list": rows}


ANSWERS = {"hotsearch_sentences": sentences, "hotsearch_trending_sentences": trending, "hotsearch_videos": videos}

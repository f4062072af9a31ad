"""Serve portrait, sources, interests and comment words of an account's fans (粉丝画像).

All are as of the last complete day.
"""

from __future__ import annotations

from typing import Any

from sandbox.answers.call import Call
from sandbox.world.fans import PORTRAIT_ABOVE, WORDS_FROM


def data(call: Call) -> dict[str, Any]:
    """Return the portrait; null or missing for up to 100 fans."""
    portrait = call.world.fans.portrait(call.account, call.last_day)
    if portrait.total <= PORTRAIT_ABOVE:
        return {"fans_data": None} if call.form.flag(20) else {}
    whole = call.form.whole

    def buckets(pairs: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
        return [{"item": label, "value": whole(value)} for label, value in pairs]

    return {
        "fans_data": {
            "all_fans_num": whole(portrait.total),
            "gender_distributions": buckets(portrait.gender),
            "age_distributions": buckets(portrait.age),
            "geographical_distributions": buckets(portrait.province),
            "active_days_distributions": buckets(portrait.active_days),
            "device_distributions": buckets(portrait.device),
            "interest_distributions": buckets(portrait.interest),
            "flow_contributions": [
                {"flow": flow, "fans_sum": whole(fans), "all_sum": whole(everybody)}
                for flow, fans, everybody in portrait.flows
            ],
        }
    }


def source(call: Call) -> dict[str, Any]:
    """Return where the fans of 30 days came from, as percent text."""
    return {"list": [{"source": s, "percent": p} for s, p in call.world.fans.sources(call.account, call.last_day)]}


def favourite(call: Call) -> dict[str, Any]:
    """Return the interests, ranked; null below 3,000 fans."""
    if _too_few(call):
        return {"list": None}
    words = call.world.fans.keywords(call.account, call.last_day)
    return {"list": [{"rank": i, "keyword": k, "hot_value": call.form.number(v)} for i, (k, v) in enumerate(words, 1)]}


def comment(call: Call) -> dict[str, Any]:
    """Return the words of comments, hottest first; null below 3,000 fans."""
    if _too_few(call):
        return {"list": None}
    words = call.world.fans.comment_words(call.account, call.last_day)
    return {"list": [{"keyword": k, "hot_value": call.form.number(v)} for k, v in words]}


def _too_few(call: Call) -> bool:
    return call.world.series.day_fans(call.account, call.last_day) < WORDS_FROM


ANSWERS = {"fans_data": data, "fans_source": source, "fans_favourite": favourite, "fans_comment": comment}

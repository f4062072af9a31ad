"""Serve leads (意向用户), their actions, their tags, and the log of interactions.

Where the contract is silent: only enterprise accounts have leads (else 2112001). Leads are listed by their newest
action within the window, newest first; the window includes its beginning and not its end. Actions older than
:data:`HISTORY_DAYS` days are not shown. A person of another account is refused with 2100007, any other id that is no
lead with 2100006. The log is oldest first; its times are seconds, or milliseconds above 10^11. ``open_id`` is the
customer's also where the account answered (im_send_msg).
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import orjson

from sandbox import errors
from sandbox.answers.call import Call
from sandbox.answers.pages import MAX_COUNT, integer, need_enterprise, offset, page
from sandbox.clock import DAY_S
from sandbox.errors import Refusal
from sandbox.events import webhook
from sandbox.hashing import mix, name
from sandbox.world.ids import ItemIds
from sandbox.world.lead_events import EVENTS
from sandbox.world.leads import HISTORY_DAYS, Customer

_LATEST = 10**14
_MILLISECONDS_ABOVE = 10**11


# ---- leads


def user_list(call: Call) -> dict[str, Any]:
    """Return the people with an action within the window.

    In one response of eight ``users`` is null and only ``list`` names the people.
    """
    need_enterprise(call)
    start, end = _window(call)
    kind, level = integer(call, "action_type", 0, 3), call.params.get("leads_level")
    level = integer(call, "leads_level", -1, 10) if level not in (None, "") else None
    if level not in (None, -1, 0, 1, 2, 10):
        raise Refusal(errors.PARAM_WRONG, "leads_level is wrong")
    newest: dict[int, int] = {}
    for event in call.world.leads.events(call.account, start, min(end, call.instant)):
        if event.action and kind in (0, event.action[0]):
            newest[event.number] = event.at_ms
    found = [_customer(call, number) for number in sorted(newest, key=lambda n: (-newest[n], n))]
    if level is not None:
        found = [c for c in found if c.level(call.instant) == level]
    at, count = offset(call)
    shown = found[at : at + count]
    following = at + len(shown)
    person = call.world.people.person
    answer = page(call, [person(c.number).open_id for c in shown], following, following < len(found))
    answer["users"] = None if call.form.rare(52) else [_user(call, c) for c in shown]
    return answer


def user_detail(call: Call) -> dict[str, Any]:
    """Return one lead as it is now."""
    return _user(call, _lead(call))


def user_action_list(call: Call) -> dict[str, Any]:
    """Return the actions of a lead, newest first.

    The cursor is text: base64 of an instant.
    """
    customer = _lead(call)
    kind = integer(call, "action_type", 0, 3, 0)
    before, count = _read_action_cursor(call.params.get("cursor")), min(integer(call, "count", 1, 2**31), MAX_COUNT)
    actions = [
        (event, event.action)
        for event in customer.actions(call.instant)[::-1]
        if event.action is not None and kind in (0, event.action[0]) and event.at_ms < before
    ]
    rows, open_id = [], call.world.people.ids.write(customer.number)
    for event, (action_type, flag, source) in actions[:count]:
        rows.append(
            {
                "user_id": open_id,
                "action_type": action_type,
                "action_flag": flag,
                "action_source": source,
                "create_time": event.at_ms // 1_000,
            }
        )
    last = actions[:count][-1][0].at_ms if rows else before
    return {
        "cursor": base64.b64encode(str(last).encode()).decode(),
        "has_more": len(actions) > count,
        "list": rows or (None if call.form.flag(20) else []),
    }


def _read_action_cursor(cursor: Any) -> int:
    """Return the epoch milliseconds before which a page of actions begins."""
    if cursor in (None, "", "0", 0):
        return _LATEST
    try:
        return int(base64.b64decode(str(cursor), validate=True))
    except ValueError:
        raise Refusal(errors.PARAM_WRONG, "cursor is wrong") from None


def _customer(call: Call, number: int) -> Customer:
    customer = call.world.leads.customer(call.account, number, call.instant)
    if customer is None:
        raise Refusal(errors.NOT_BOUND)
    return customer


def _lead(call: Call) -> Customer:
    """Return the lead that user_id names."""
    need_enterprise(call)
    number = call.world.people.ids.read(call.params["user_id"])
    if number is None:
        raise Refusal(errors.NOT_BOUND)
    place = call.world.leads.find(number)
    if place is not None and place[0] != call.account.index:
        raise Refusal(errors.NO_PERMISSION)
    customer = _customer(call, number)
    if not customer.actions(call.instant):
        raise Refusal(errors.NOT_BOUND)
    return customer


def _user(call: Call, customer: Customer) -> dict[str, Any]:
    person, instant = call.world.people.person(customer.number), call.instant
    names = dict(call.world.leads.tags(call.account))
    tags = [{"tag_id": call.form.whole(t), "tag_name": names[t]} for t in customer.tags_at(instant) if t in names]
    return {
        "open_id": person.open_id,
        "nickname": person.nickname,
        "avatar": person.avatar,
        "telephone": person.phone if customer.has_left("phone", instant) else "",
        "wechat": person.wechat if customer.has_left("wechat", instant) else "",
        "city": person.city,
        "gender": person.gender,
        "age": person.age,
        "leads_level": customer.level(instant),
        "is_follow": customer.is_following(instant),
        "tag_list": tags or (None if call.form.flag(53) else []),
    }


# ---- tags


def tag_list(call: Call) -> dict[str, Any]:
    """Return the account's tags."""
    need_enterprise(call)
    tags, form = call.world.leads.tags(call.account), call.form
    at, count = offset(call)
    rows = [{"tag_id": form.whole(tag), "tag_name": text} for tag, text in tags[at : at + count]]
    return page(call, rows, at + len(rows), at + len(rows) < len(tags))


def tag_user_list(call: Call) -> dict[str, Any]:
    """Return the open_ids of the leads with a tag, tagged last first.

    An unknown tag is refused with 2100006.
    """
    need_enterprise(call)
    tag = integer(call, "tag_id", 0, 2**63)
    if tag not in dict(call.world.leads.tags(call.account)):
        raise Refusal(errors.NOT_BOUND)
    tagged = sorted(
        (-since, customer.number)
        for customer in call.world.leads.known(call.account, call.instant)
        for t, since, until in customer.tags
        if t == tag and since <= call.instant < until
    )
    at, count = offset(call)
    rows = [call.world.people.ids.write(number) for _, number in tagged[at : at + count]]
    return page(call, rows, at + len(rows), at + len(rows) < len(tagged))


# ---- the log


def intention_log(call: Call) -> dict[str, Any]:
    """Return actions of people and replies to them, as the webhooks reported them, oldest first."""
    start, end = _window(call)
    count, event = min(integer(call, "count", 1, 2**31), MAX_COUNT), call.params.get("event") or None
    if event not in (None, *EVENTS):
        raise Refusal(errors.PARAM_WRONG, "event is unknown")
    happened = [
        e
        for e in call.world.leads.events(call.account, start, min(end, call.instant))
        if e.happening in EVENTS and event in (None, e.happening)
    ]
    request = mix(call.account.key, name(f"{call.params['start_time']} {call.params['end_time']} {event}")) & 0xFFFFFFFF
    sessions, at = _sessions(call.world.seed), 0
    if session := call.params.get("query_session"):
        place = sessions.read(str(session))
        if place is None or place[0] != request:
            raise Refusal(errors.PARAM_WRONG, "query_session is wrong")
        at = place[1]
    rows, form = [], call.form
    for e in happened[at : at + count]:
        rows.append(
            {
                "event": e.happening.value,
                "open_id": call.world.people.ids.write(e.number),
                "event_time": form.whole(e.at_ms),
                "content": orjson.dumps(webhook(call.world, call.account, call.client_key, e)).decode(),
            }
        )
    following = at + len(rows)
    return {
        "intention_log_infos": rows or (None if form.flag(20) else []),
        "query_session": sessions.write(request, following),
        "has_more": following < len(happened),
    }


@lru_cache(maxsize=16)
def _sessions(seed: int) -> ItemIds:
    return ItemIds(seed, "query session", "@session")


def _window(call: Call) -> tuple[float, float]:
    """Return start_time and end_time in seconds, limited to the history."""
    given = (integer(call, member, 0, _LATEST) for member in ("start_time", "end_time"))
    start, end = (t / 1_000 if t > _MILLISECONDS_ABOVE else t for t in given)
    if start > end:
        raise Refusal(errors.PARAM_WRONG, "start_time is after end_time")
    earliest = call.instant - HISTORY_DAYS * DAY_S
    return max(start, earliest), max(end, earliest)


ANSWERS = {
    "leads_user_list": user_list,
    "leads_user_detail": user_detail,
    "leads_user_action_list": user_action_list,
    "leads_tag_list": tag_list,
    "leads_tag_user_list": tag_user_list,
    "intention_log_list": intention_log,
}

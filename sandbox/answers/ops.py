"""Serve webhook subscriptions and the calls that the platform counted (运维).

Where the contract is silent: ``time_type`` is ``day``; unfinished days are omitted. The numbers are invented and not
those of the calls made here (``/_sandbox/stats`` has them).
"""

from __future__ import annotations

from typing import Any

import catalog
from catalog.records import Token
from sandbox import errors
from sandbox.answers.call import Call
from sandbox.clock import day_number, day_of, day_text
from sandbox.errors import Refusal
from sandbox.hashing import mix, name
from sandbox.world import World

LEGACY_EVENTS = ("receive_msg", "enter_im", "dial_phone", "website_contact", "personal_tab_contact")
EVENTS = (
    "verify_webhook",
    "authorize",
    "unauthorize",
    "contract_authorize",
    "contract_unauthorize",
    "create_video",
    "item_comment_reply",
    "im_receive_msg",
    "im_send_msg",
    "im_enter_direct_msg",
    "im_recall_msg",
    "im_message_read",
    "im_authorize",
    "im_group_receive_msg",
    "im_group_send_msg",
    "enter_group_audit_change",
    "group_fans_event",
    "new_video_digg",
    "new_follow_action",
    *LEGACY_EVENTS,
)
"""The webhook events of the contract."""


def subscriptions(world: World, instant: float) -> dict[str, int]:
    """Return 1 or 0 per event: whether the app is subscribed.

    The app subscribed to everything but the older events; each month the platform cancels one for ten days. Events
    switched through the API stay as switched.
    """
    month, day = divmod(day_of(instant), 30)
    cancelled = (
        EVENTS[mix(world.seed, name("cancelled"), month) % (len(EVENTS) - len(LEGACY_EVENTS))] if day >= 20 else None
    )
    changed = world.leads.overlay.subscriptions
    return {e: changed.get(e, 0 if e in LEGACY_EVENTS or e == cancelled else 1) for e in EVENTS}


def event_status_list(call: Call) -> dict[str, Any]:
    """Return the events that are subscribed and thus delivered."""
    return {
        "list": [{"event": e, "status": call.form.whole(s)} for e, s in subscriptions(call.world, call.instant).items()]
    }


def monitor_call(call: Call) -> dict[str, Any]:
    """Return the calls per day of the requested capabilities (scopes) and paths."""
    if call.params["time_type"] != "day":
        raise Refusal(errors.PARAM_WRONG, "time_type is unknown")
    scopes, paths = (_asked(call, member) for member in ("scope_list", "interface_list"))
    counted = [
        e for e in catalog.ENDPOINTS.values() if e.scope and e.token in (Token.CLIENT, Token.USER) and e.twin_of is None
    ]
    rows = []
    for day in range(
        day_number(call.params["begin_time"]), min(day_number(call.params["end_time"]), day_of(call.instant) - 1) + 1
    ):
        for e in counted:
            bits = mix(call.world.seed, name(e.path), day)
            if bits % 3 and (not scopes or e.quota in scopes) and (not paths or e.path in paths):
                rows.append(
                    {
                        "date_time": day_text(day),
                        "scope": e.quota,
                        "interface": e.path,
                        "pv": call.form.whole(1 + bits // 3 % 2_400),
                    }
                )
    return {"result_list": rows or (None if call.form.flag(20) else [])}


def _asked(call: Call, member: str) -> list[str]:
    values = call.params.get(member, [])
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise Refusal(errors.PARAM_WRONG, f"{member} is no list of texts")
    return values


ANSWERS = {"event_status_list": event_status_list, "devtool_monitor_call": monitor_call}

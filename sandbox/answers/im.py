"""Serve the read operations of private messages (私信): consents, and media that people sent.

Where the contract is silent: page_size and limit default to 20. A request with neither page_num nor cursor is refused
with 28001007. A person who is no customer of the account has status 0; an unknown id is refused with 2100006.
"""

from __future__ import annotations

from typing import Any

from sandbox import errors
from sandbox.answers.call import Call
from sandbox.answers.pages import integer
from sandbox.errors import Refusal
from sandbox.hashing import hex_text, mix
from sandbox.world.leads import Customer

PAGE_SIZE, LIMIT, REACH = 50, 100, 50_000
_DEFAULT = 20
_MEDIA = {"user_local_image": ("image", "jpg"), "user_local_video": ("video", "mp4")}
_MEDIA_S = 3_600
"""How long the URL of a picture or video is valid."""


def authorize_user_list(call: Call) -> dict[str, Any]:
    """Return the people who allow messages now.

    Pages are newest first and reach only so far; a cursor lists oldest first without that limit.
    """
    customers = [c for c in call.world.leads.known(call.account, call.instant) if c.consents(call.instant)]
    customers.sort(key=lambda c: (_since(c), c.number))
    if "page_num" in call.params:
        number, size = integer(call, "page_num", 1, REACH), integer(call, "page_size", 1, PAGE_SIZE, _DEFAULT)
        if number * size >= REACH:
            raise Refusal(errors.PARAM_WRONG, "page_num times page_size is too large")
        shown = customers[::-1][(number - 1) * size : number * size]
        return _page(call, shown, number * size < len(customers))
    after, limit = integer(call, "cursor", 0, 2**63), integer(call, "limit", 1, LIMIT, _DEFAULT)
    rest = [c for c in customers if _stamp(c) > after]
    shown = rest[:limit]
    while len(shown) < len(rest) and _stamp(rest[len(shown)]) == _stamp(shown[-1]):
        shown.append(rest[len(shown)])
    answer = _page(call, shown, len(rest) > len(shown))
    answer["next_cursor"] = str(_stamp(shown[-1]) if shown else after)
    return answer


def _stamp(customer: Customer) -> int:
    """Return the instant of the consent in milliseconds, which is the cursor."""
    return round(_since(customer) * 1_000)


def _since(customer: Customer) -> float:
    """Return the instant from which a customer who consents allows messages."""
    if customer.consent is None:
        raise LookupError("the customer does not consent")
    return customer.consent[0]


def _page(call: Call, customers: list[Customer], has_more: bool) -> dict[str, Any]:
    write = call.world.people.ids.write
    rows = [
        {"target_open_id": write(c.number), "auth_user_source_app_id": "tt0demo0001", **_consent(c)} for c in customers
    ]
    return {"auth_user_list": rows or (None if call.form.flag(20) else []), "has_more": has_more}


def _consent(customer: Customer) -> dict[str, Any]:
    """Return where the consent came from; most texts are empty."""
    from_live = customer.key % 5 == 0
    attribution = dict.fromkeys(
        ("room_id", "anchor_id", "from_att_uid", "conversation_id", "message_id", "group_id", "author_id"), ""
    )
    if from_live:
        attribution["room_id"] = str(730_000 + customer.key % 9_999)
    return {
        "enter_from": "live_room" if from_live else "im_card",
        "attribution": attribution,
        "data_im_extra": f"store={customer.key % 90}" if customer.key % 3 else "",
        "query": "from=card" if customer.key % 2 else "",
        "path": "pages/index/index" if customer.key % 2 else "",
    }


def authorize_status(call: Call) -> dict[str, Any]:
    """Return status 1 while the person allows messages, else 0."""
    if not isinstance(call.params.get("app_id", ""), str):
        raise Refusal(errors.PARAM_WRONG, "app_id is no text")
    number = call.world.people.ids.read(call.params["c_open_id"])
    if number is None:
        raise Refusal(errors.NOT_BOUND)
    customer = call.world.leads.customer(call.account, number, call.instant)
    if customer is None or not customer.consents(call.instant):
        return {"status": call.form.whole(0)}
    return {"status": call.form.whole(1), **_consent(customer)}


def message_resources(call: Call) -> dict[str, Any]:
    """Return the URL of a received picture or video, valid for an hour.

    Any other message is refused with 2100006.
    """
    leads = call.world.leads
    event = leads.message(call.account, call.params["message_id"], call.instant)
    if event is None or event.message_type not in _MEDIA:
        raise Refusal(errors.NOT_BOUND)
    if leads.conversation_id(call.account, event) != call.params["conversation_id"]:
        raise Refusal(errors.NOT_BOUND)
    kind, ending = _MEDIA[event.message_type]
    key = mix(event.number, event.index)
    until = int(call.instant) + _MEDIA_S
    return {"url": f"https://media.example.cn/media/{hex_text(16, key)}.{ending}?exp={until}", "media_type": kind}


ANSWERS = {
    "im_authorize_user_list": authorize_user_list,
    "im_authorize_status": authorize_status,
    "im_message_resources": message_resources,
}

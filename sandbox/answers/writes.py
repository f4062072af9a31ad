"""Execute the write operations: messages, tags, replies to comments, subscriptions.

Where the contract is silent: a proactive message to a person who does not allow it is refused with 28003095, a second
one on a day with 28003080, ``im_b2b_direct_message`` with 28004020, and too many tags with 2100005. The recall of a
message that was not sent here is refused with 2100006, as is one with another conversation. Only enterprise accounts
send (2112001). A message contains the member of its msg_type and no other type's (else 28001038). A tag's name must be
new to the account (2100005). Messages to groups and recalls become events.
"""

from __future__ import annotations

from typing import Any

import orjson

from catalog.messages import MESSAGE_NUMBERS, MOST_MESSAGES, SCENES, TAGS_PER_ACCOUNT, TAGS_PER_PERSON, Scene
from sandbox import errors
from sandbox.answers.call import Call
from sandbox.answers.comment import ON_VIDEO, parent_of
from sandbox.answers.item import own_video
from sandbox.answers.ops import EVENTS
from sandbox.answers.pages import need_enterprise
from sandbox.checks import read_integer
from sandbox.errors import Refusal
from sandbox.events import invented, webhook
from sandbox.hashing import hex_text, mix, name
from sandbox.world.lead_events import CustomerEvent, Happening
from sandbox.world.leads import Customer
from sandbox.world.overlay import SentMessage

_OPENS = {Scene.REPLY: Happening.RECEIVED, Scene.ENTER: Happening.ENTERED}
_NAMES = {1: "text", 2: "image", 3: "video", 8: "retain_consult_card"}
_MEMBERS = {kind.member for kind in MESSAGE_NUMBERS.values()}
_AUTHORIZATION = {"app_info": "app_id", "to_user_info": "open_id"}
"""Members of an authorization card, and what each needs."""
SENSITIVE = ("代开发票", "刷单")
"""Words that comments must not contain; an invented list."""


def _text(call: Call, member: str, *, needed: bool = True) -> str:
    value = call.params.get(member)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or not value:
        raise Refusal(errors.PARAM_WRONG, f"{member} is no text")
    return value


# ---- messages


def send_msg(call: Call) -> dict[str, Any]:
    """Send messages, if the scene allows it; return msg_id, or msg_list for a content_list."""
    need_enterprise(call)
    customer = _customer(call, _text(call, "to_user_id"))
    contents, listed = _contents(call)
    scene = call.params.get("scene", Scene.REPLY.value)
    if scene not in [s.value for s in SCENES if s not in (Scene.GROUP, Scene.ENTERPRISE)]:
        raise Refusal(errors.PARAM_WRONG, "scene is unknown")
    window = _permission(call, customer, Scene(scene), contents)
    sent = _send(call, customer, scene, window, contents)
    return {"msg_list": list(sent.message_ids)} if listed else {"msg_id": sent.message_ids[0]}


def _customer(call: Call, open_id: str) -> Customer:
    """Return a person who had contact with the account.

    Another account's customer is refused with 2100007, any other id with 2100006.
    """
    leads = call.world.leads
    number = call.world.people.ids.read(open_id)
    place = None if number is None else leads.find(number)
    if place is not None and place[0] != call.account.index:
        raise Refusal(errors.NO_PERMISSION)
    customer = None if number is None else leads.customer(call.account, number, call.instant)
    if customer is None:
        raise Refusal(errors.NOT_BOUND)
    return customer


def _contents(call: Call) -> tuple[list[dict[str, Any]], bool]:
    one, many = call.params.get("content"), call.params.get("content_list")
    if (one is None) == (many is None):
        raise Refusal(errors.PARAM_WRONG, "give either content or content_list")
    contents = many if one is None else [one]
    if not isinstance(contents, list) or not 1 <= len(contents) <= MOST_MESSAGES:
        raise Refusal(errors.PARAM_WRONG, "content_list is wrong")
    return [_checked_content(content) for content in contents], one is None


def _checked_content(content: Any) -> dict[str, Any]:
    """Return one message after its members were checked."""
    number = content.get("msg_type") if isinstance(content, dict) else None
    kind = MESSAGE_NUMBERS.get(number) if isinstance(number, int) and _is(number, int) else None
    if kind is None:
        raise Refusal(errors.PARAM_WRONG, "msg_type is unknown")
    if content.keys() & _MEMBERS != {kind.member} or not isinstance(inner := content[kind.member], dict):
        raise Refusal(errors.BAD_MESSAGE)
    if any(inner.get(m) in (None, "") for m in kind.required):
        raise Refusal(errors.BAD_MESSAGE)
    if kind.name == "authorization_card":  # optional objects around ids
        wrong = any(
            m in inner and not (isinstance(inner[m], dict) and _is(inner[m].get(i), str))
            for m, i in _AUTHORIZATION.items()
        )
        wrong = wrong or ("to_user_info" in inner and not _is(inner["to_user_info"].get("app_id", ""), str))
    else:
        wrong = any(
            m in inner and not _is(inner[m], int if m in kind.numbers else str)
            for m in (*kind.required, *kind.optional)
        )
    if wrong or (kind.name == "text" and any(word in inner["text"] for word in SENSITIVE)):
        raise Refusal(errors.BAD_MESSAGE)
    checked: dict[str, Any] = content
    return checked


def _is(value: Any, kind: type) -> bool:
    """Report whether a JSON value is of a type; true and false are no numbers."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _permission(call: Call, customer: Customer, scene: Scene, contents: list[dict[str, Any]]) -> str:
    """Return the message id of the window that is used; empty for scenes without one."""
    rule, overlay = SCENES[scene], call.world.leads.overlay
    if scene is Scene.BUSINESS:
        raise Refusal(errors.WRONG_SCENE)
    if scene is Scene.CONSENT:
        if not customer.consents(call.instant):
            raise Refusal(errors.NOT_ALLOWED)
        if len(contents) > rule.per_call or not any(c["msg_type"] == 10 for c in contents):
            raise Refusal(errors.BAD_MESSAGE)
        if overlay.proactive_today(call.account.index, customer.number, call.instant):
            raise Refusal(errors.WINDOW_USED)
        return ""
    message_id, conversation = _text(call, "msg_id"), _text(call, "conversation_id")
    event = call.world.leads.message(call.account, message_id, call.instant)
    if event is None or event.number != customer.number or event.happening is not _OPENS[scene]:
        raise Refusal(errors.WRONG_PEER)
    if call.world.leads.conversation_id(call.account, event) != conversation:
        raise Refusal(errors.WRONG_PEER)
    if rule.length is not None and call.instant - event.at_ms / 1_000 > rule.length.total_seconds():
        raise Refusal(errors.WINDOW_OVER)
    if rule.messages is not None and overlay.used(message_id) + len(contents) > rule.messages:
        raise Refusal(errors.WINDOW_USED)
    return message_id


def _send(
    call: Call, customer: Customer, scene: str, window: str, contents: list[dict[str, Any]], client_msg_id: str = ""
) -> SentMessage:
    """Record a sent message and deliver its events."""
    leads, account = call.world.leads, call.account
    happened = []
    for content in contents:
        text = content["text"]["text"] if content["msg_type"] == 1 else ""
        index = leads.overlay.next_index(account.index, customer.number)
        kind = _NAMES.get(content["msg_type"], "other")
        event = CustomerEvent(
            Happening.SENT, int(call.instant * 1_000), customer.number, index, message_type=kind, text=text, by_app=True
        )
        leads.overlay.events[account.index].append(event)
        happened.append(event)
    sent = SentMessage(
        account.index,
        customer.number,
        scene,
        window,
        tuple(c["msg_type"] for c in contents),
        tuple(leads.message_id(e) for e in happened),
        call.instant,
        client_msg_id,
        tuple(e.text for e in happened),
    )
    leads.overlay.sent.append(sent)
    for event in happened:
        leads.overlay.emit(webhook(call.world, account, call.client_key, event))
    return sent


def send_group(call: Call) -> dict[str, Any]:
    """Send a message to a group of the account; every text names a group."""
    need_enterprise(call)
    group, content = _text(call, "group_id"), _checked_content(call.params.get("content"))
    overlay = call.world.leads.overlay
    key = mix(call.account.key, name(group))
    message_id = f"@msg{hex_text(24, mix(key, len(overlay.sent)))}"
    text = content["text"]["text"] if content["msg_type"] == 1 else ""
    overlay.sent.append(
        SentMessage(
            call.account.index,
            0,
            Scene.GROUP.value,
            "",
            (content["msg_type"],),
            (message_id,),
            call.instant,
            texts=(text,),
        )
    )
    event_content = {
        "conversation_short_id": _group_conversation(key),
        "server_message_id": message_id,
        "conversation_type": 2,
        "source": call.client_key,
        "message_type": _NAMES.get(content["msg_type"], "other"),
        "text": text,
    }
    overlay.emit(
        invented("im_group_send_msg", call.world, call.client_key, call.account, "", call.instant, event_content)
    )
    return {"msg_id": message_id}


def _group_conversation(key: int) -> str:
    return f"@conv{hex_text(24, key)}"


def recall(call: Call) -> dict[str, Any]:
    """Recall a message that this account sent."""
    message_id, conversation, leads = _text(call, "msg_id"), _text(call, "conversation_id"), call.world.leads
    kind, overlay = call.params["conversation_type"], leads.overlay
    if not _is(kind, int) or kind not in (1, 2):
        raise Refusal(errors.PARAM_WRONG, "conversation_type is wrong")
    sent = next((s for s in overlay.sent if message_id in s.message_ids and s.account == call.account.index), None)
    if sent is None or kind != (1 if sent.number else 2):
        raise Refusal(errors.NOT_BOUND)
    event = leads.message(call.account, message_id, call.instant)
    if event is not None and leads.conversation_id(call.account, event) != conversation:
        raise Refusal(errors.NOT_BOUND)
    if message_id not in overlay.recalled:
        overlay.recalled.add(message_id)
        person = call.world.people.ids.write(sent.number) if sent.number else ""
        content = {"conversation_short_id": conversation, "server_message_id": message_id, "conversation_type": kind}
        overlay.emit(
            invented("im_recall_msg", call.world, call.client_key, call.account, person, call.instant, content)
        )
    return {}


def enterprise_send(call: Call) -> dict[str, Any]:
    """Send a message with the older operation.

    A repeated client_msg_id sends nothing and returns the same id, a number that appears in no event.
    """
    need_enterprise(call)
    customer = _customer(call, _text(call, "to_user_id"))
    kind, known = _text(call, "message_type"), _text(call, "client_msg_id", needed=False)
    try:
        inner = orjson.loads(_text(call, "content"))
    except orjson.JSONDecodeError:
        raise Refusal(errors.BAD_MESSAGE) from None
    number = {"text": 1, "image": 2}.get(kind)
    if number is None:
        raise Refusal(errors.PARAM_WRONG, "message_type is unknown")
    content = _checked_content({"msg_type": number, MESSAGE_NUMBERS[number].member: inner})
    before = next(
        (
            s
            for s in call.world.leads.overlay.sent
            if known and s.client_msg_id == known and s.account == call.account.index
        ),
        None,
    )
    sent = before or _send(call, customer, Scene.ENTERPRISE.value, "", [content], known)
    return {"server_msg_id": call.form.whole(name(sent.message_ids[0]) % 10**15)}


# ---- tags


def _tag(call: Call) -> int:
    tag = read_integer(call.params.get("tag_id"))
    if tag is None:
        raise Refusal(errors.PARAM_WRONG, "tag_id is no number")
    if tag not in dict(call.world.leads.tags(call.account)):
        raise Refusal(errors.NOT_BOUND)
    return tag


def _tag_name(call: Call) -> str:
    text = _text(call, "tag_name")
    if text in dict(call.world.leads.tags(call.account)).values():
        raise Refusal(errors.PARAM_WRONG, "a tag of that name is there")
    return text


def tag_create(call: Call) -> dict[str, Any]:
    """Create a tag with a new name."""
    need_enterprise(call)
    text, overlay = _tag_name(call), call.world.leads.overlay
    if len(call.world.leads.tags(call.account)) >= TAGS_PER_ACCOUNT:
        raise Refusal(errors.PARAM_WRONG, "too many tags")
    tag = overlay.next_tag(call.account.index)
    overlay.names[call.account.index][tag] = text
    return {"tag_id": call.form.whole(tag)}


def tag_update(call: Call) -> dict[str, Any]:
    """Rename a tag."""
    need_enterprise(call)
    tag = _tag(call)
    if dict(call.world.leads.tags(call.account))[tag] != call.params.get("tag_name"):
        call.world.leads.overlay.names[call.account.index][tag] = _tag_name(call)
    return {"tag_id": call.form.whole(tag)}


def tag_delete(call: Call) -> dict[str, Any]:
    """Delete a tag from the account and its people."""
    need_enterprise(call)
    call.world.leads.overlay.names[call.account.index][_tag(call)] = None
    return {}


def tag_user_update(call: Call) -> dict[str, Any]:
    """Attach a tag to a customer, or detach it."""
    need_enterprise(call)
    tag, bind = _tag(call), call.params.get("bind")
    customer = _customer(call, _text(call, "user_id"))
    if not isinstance(bind, bool):
        raise Refusal(errors.PARAM_WRONG, "bind is neither true nor false")
    has = customer.tags_at(call.instant)
    if bind and tag not in has and len(has) >= TAGS_PER_PERSON:
        raise Refusal(errors.PARAM_WRONG, "the person has too many tags")
    call.world.leads.overlay.taggings[call.account.index, customer.number, tag].append((call.instant, bind))
    return {}


# ---- replies to comments


def comment_reply(call: Call) -> dict[str, Any]:
    """Reply to a comment, or comment on the video."""
    if call.endpoint.name.startswith("video"):
        need_enterprise(call)
    _text(call, "item_id")
    video, content = own_video(call), _text(call, "content")
    if any(word in content for word in SENSITIVE):
        raise Refusal(errors.SENSITIVE_WORD)
    place = parent_of(call, video) if _text(call, "comment_id", needed=False) else ON_VIDEO
    replies = call.world.leads.overlay.replies[video.key, place]
    comment_id = f"@cm{hex_text(40, mix(video.key, place + 2, len(replies)))}"
    replies.append((comment_id, content, call.instant))
    return {"comment_id": comment_id, "nick_name": call.account.nickname, "avatar": call.account.avatar}


# ---- subscriptions


def status_update(call: Call) -> dict[str, Any]:
    """Subscribe to events or unsubscribe from them."""
    items = call.params.get("list")
    if not isinstance(items, list) or not items:
        raise Refusal(errors.PARAM_WRONG, "list is empty")
    for one in items:
        if (
            not isinstance(one, dict)
            or one.get("event") not in EVENTS
            or not _is(one.get("status"), int)
            or one["status"] not in (0, 1)
        ):
            raise Refusal(errors.PARAM_WRONG, "list is wrong")
    call.world.leads.overlay.subscriptions |= {one["event"]: one["status"] for one in items}
    return {}


ANSWERS = {
    "im_send_msg": send_msg,
    "im_send_msg_group": send_group,
    "im_recall_msg": recall,
    "enterprise_im_message_send": enterprise_send,
    "leads_tag_create": tag_create,
    "leads_tag_update": tag_update,
    "leads_tag_delete": tag_delete,
    "leads_tag_user_update": tag_user_update,
    "item_comment_reply": comment_reply,
    "video_comment_reply": comment_reply,
    "event_status_update": status_update,
}

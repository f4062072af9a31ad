"""Write the bodies of webhook events: of the world's events, and of invented ones of every other kind."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.envelopes import trace_id
from sandbox.hashing import hex_text, mix, name
from sandbox.world import World
from sandbox.world.accounts import SandboxAccount
from sandbox.world.lead_events import CustomerEvent, Happening

AS_TEXT = (
    "im_enter_direct_msg",
    "im_recall_msg",
    "im_message_read",
    "im_authorize",
    "enter_group_audit_change",
    "group_fans_event",
    "new_video_digg",
    "new_follow_action",
)
"""Events whose content is documented as JSON text."""
WITHOUT_CONTENT = ("dial_phone", "website_contact", "personal_tab_contact")


def body_of(
    event: str,
    client_key: str,
    sender: str,
    receiver: str,
    content: dict[str, Any] | None,
    at: float,
    key: int,
    *,
    as_text: bool,
) -> dict[str, Any]:
    """Return the envelope of an event; ``as_text`` writes its content as JSON text."""
    body: dict[str, Any] = {"event": event, "client_key": client_key, "from_user_id": sender, "to_user_id": receiver}
    if content is not None:
        body["content"] = orjson.dumps(content).decode() if as_text else content
    body["log_id"] = trace_id(at, key)
    return body


def webhook(world: World, account: SandboxAccount, client_key: str, event: CustomerEvent) -> dict[str, Any]:
    """Return the webhook of an event: sender, receiver, and a content that is an object or JSON text."""
    person = world.people.person(event.number)
    pair = (person.open_id, account.open_id)
    sent = event.happening is Happening.SENT
    content, as_text = _content(world, account, client_key, event)
    key = mix(event.number, event.index)
    return body_of(
        event.happening.value,
        client_key,
        pair[sent],
        pair[not sent],
        content,
        event.at_ms / 1_000,
        key,
        as_text=as_text,
    )


def _content(
    world: World, account: SandboxAccount, client_key: str, event: CustomerEvent
) -> tuple[dict[str, Any], bool]:
    """Return (content of the webhook, whether it comes as JSON text)."""
    if event.happening is Happening.FOLLOWED:
        return {"action_type": 1, "action_time": event.at_ms // 1_000}, True
    if event.happening is Happening.LIKED:
        return {"action_type": 1, "action_time": event.at_ms // 1_000, "item_id": event.item_id}, True
    leads, person = world.leads, world.people.person(event.number)
    as_text = mix(event.number, event.index) % 4 == 0
    content = {
        "conversation_short_id": leads.conversation_id(account, event),
        "server_message_id": leads.message_id(event),
        "conversation_type": 2 if event.happening is Happening.GROUP else 1,
        "create_time": event.at_ms,
        "user_infos": [
            {"open_id": person.open_id, "nick_name": person.nickname, "avatar": person.avatar},
            {"open_id": account.open_id, "nick_name": account.nickname, "avatar": account.avatar},
        ],
    }
    if event.happening is Happening.ENTERED:
        return content | {"scene_type": 4, "data-im-extra": "", "query": "from=card", "path": "pages/index/index"}, True
    content |= {"message_type": event.message_type, "source": client_key if event.by_app else "", "scene_type": 100}
    if event.message_type == "text":
        content["text"] = event.text
    elif event.message_type == "retain_consult_card":
        values = (("姓名", person.nickname), ("手机号", person.phone), ("城市", person.city))
        content["card_id"] = f"@card/{hex_text(12, account.key)}=="
        if event.happening is Happening.RECEIVED:
            content["card_status"] = 1
            content["card_data"] = [{"label": label, "value": value} for label, value in values]
    if event.happening is Happening.GROUP:
        content["owner_id"] = account.open_id
    return content, as_text


def consent_body(
    client_key: str, account: SandboxAccount, person: str, at: float, serial: int, *, allows: bool
) -> dict[str, Any]:
    """Return an ``im_authorize`` event; ``serial`` distinguishes two of the same instant."""
    content = {
        "operation_type": 1 if allows else 2,
        "auth_status": 1 if allows else 2,
        "source": "im.direct_message",
        "create_time": int(at),
        "update_time": int(at),
    }
    return body_of(
        "im_authorize",
        client_key,
        person,
        account.open_id,
        content,
        at,
        mix(account.key, int(at), serial),
        as_text=True,
    )


def invented(
    event: str,
    world: World,
    client_key: str,
    account: SandboxAccount,
    person: str,
    at: float,
    given: dict[str, Any],
    *,
    as_text: bool | None = None,
) -> dict[str, Any]:
    """Return an event of any kind of the contract with invented content.

    ``given`` members replace invented ones. ``as_text`` says whether the content comes as JSON text; None follows the
    contract.

    Raises:
        ValueError: no event has that name.
    """
    ms, seconds = int(at * 1_000), int(at)
    key = mix(account.key, name(event), ms, world.leads.overlay.next_event_number())
    chat = {
        "conversation_short_id": f"@conv{hex_text(20, key)}",
        "server_message_id": f"@msg{hex_text(20, key, 1)}",
        "conversation_type": 1,
        "create_time": ms,
    }
    group = {**chat, "conversation_type": 2, "message_type": "text", "text": "大家好", "owner_id": account.open_id}
    text = {"message_type": "text", "text": "你好", "source": "", "scene_type": 100}
    contents: dict[str, dict[str, Any]] = {
        "verify_webhook": {"challenge": key % 1_000_000},
        "authorize": {"scopes": ["user_info", "video.list.bind"]},
        "unauthorize": {"scopes": ["user_info", "video.list.bind"]},
        "contract_authorize": {"scopes": ["video.list.bind"]},
        "contract_unauthorize": {"scopes": ["video.list.bind"]},
        "create_video": {"item_id": f"@9{hex_text(20, key)}", "share_id": str(key % 10**12)},
        "item_comment_reply": {
            "comment_id": f"@cm{hex_text(20, key)}",
            "comment_user_id": person,
            "content": "真不错",
            "create_time": seconds,
            "digg_count": 0,
            "reply_comment_total": 0,
            "reply_to_comment_id": "",
            "reply_to_item_id": f"@9{hex_text(20, key)}",
            "at_user_id": "",
        },
        "im_receive_msg": chat | text,
        "im_send_msg": chat | text,
        "im_enter_direct_msg": {**chat, "scene_type": 4, "data-im-extra": "", "query": "", "path": ""},
        "im_recall_msg": chat,
        "im_message_read": {
            "conversation_short_id": chat["conversation_short_id"],
            "conversation_type": 1,
            "read_open_id": person,
            "index": str(ms * 1_000),
        },
        "im_authorize": {
            "operation_type": 1,
            "auth_status": 1,
            "create_time": seconds,
            "extra": orjson.dumps({"enter_from": "im_card"}).decode(),
        },
        "im_group_receive_msg": group,
        "im_group_send_msg": group,
        "enter_group_audit_change": {
            "apply_id": str(key % 10**12),
            "group_id": "g1",
            "apply_status": 2,
            "create_time": ms,
            "user_nicker": "演示用户",
            "user_avatar": "",
        },
        "group_fans_event": {
            "open_id": person,
            "im_group_id": "g1",
            "group_type": 1,
            "create_time": ms,
            "create_group_type": "fans",
        },
        "new_video_digg": {"action_type": 1, "action_time": seconds, "item_id": f"@9{hex_text(20, key)}"},
        "new_follow_action": {"action_type": 1, "action_time": seconds},
        "receive_msg": {"message_type": "text", "text": "你好"},
        "enter_im": {"scene": "video", "object": f"@9{hex_text(20, key)}"},
    }
    if event not in contents and event not in WITHOUT_CONTENT:
        raise ValueError(f"no event is called {event!r}")
    content = None if event in WITHOUT_CONTENT else contents[event] | given
    by_account = event in (
        "im_send_msg",
        "im_group_send_msg",
        "authorize",
        "unauthorize",
        "contract_authorize",
        "contract_unauthorize",
    )
    sender, receiver = (account.open_id, person) if by_account else (person, account.open_id)
    return body_of(
        event, client_key, sender, receiver, content, at, key, as_text=event in AS_TEXT if as_text is None else as_text
    )

"""Describe webhook events (事件), which the platform pushes to the receiver.

Each event is a source of tables, as an operation is, but is never requested. The body of an event is its envelope.
``content`` in it is an object or the same as JSON text; paths with ``|`` open both. ``event_id`` is the inbox's key of
the event: its Msg-Id, or a hash of its body.
"""

from __future__ import annotations

from catalog.cadences import EVENTS as CADENCE
from catalog.endpoints._columns import count, member, param, parent
from catalog.iterations import IterateBy
from catalog.records import Column, Endpoint, Envelope, Origin, Output, Parse, Status, Token, first_step
from catalog.requests import Param, ParamSource

_EVENT_ID = param("event_id")
_FROM_PERSON = (_EVENT_ID, member("open_id", "to_user_id"), member("person_open_id", "from_user_id"))
"""Columns of events in which a person acts towards the account."""
_FROM_ACCOUNT = (_EVENT_ID, member("open_id", "from_user_id"), member("person_open_id", "to_user_id"))
_OF_ACCOUNT = (_EVENT_ID, member("open_id", "from_user_id"))
_AT = member("event_at", "content|create_time", Parse.EPOCH)
_ACTED_AT = member("event_at", "content|action_time", Parse.EPOCH)
_CHAT = (
    member("conversation_id", "content|conversation_short_id"),
    member("message_id", "content|server_message_id"),
    count("conversation_type", "content|conversation_type"),
)
_MESSAGE = (
    *_CHAT, _AT, member("message_type", "content|message_type"), member("message_text", "content|text"), member("source_app", "content|source"),
    count("scene_type", "content|scene_type"), member("item_id", "content|item_id"), member("media_url", "content|resource_url"),
    member("card_id", "content|card_id"), count("card_status", "content|card_status"), member("card_fields", "content|card_data"),
    member("owner_open_id", "content|owner_id"),
)  # fmt: skip
_SCOPES = member("granted_scopes", "content|scopes")
_WHENCE = (
    member("enter_from", "content|extra|enter_from"),
    *(
        member(f"from_{name}", f"content|extra|attribution|{path}")
        for name, path in (
            ("room_id", "room_id"), ("anchor_id", "anchor_id"), ("att_uid", "from_att_uid"), ("conversation_id", "conversation_id"),
            ("message_id", "message_id"), ("group_id", "group_id"), ("author_id", "author_id"),
        )
    ),
)  # fmt: skip


def _people(account: str) -> Output:
    """Return the output for the names of both sides; ``account`` is the envelope's member with the account."""
    columns = (
        parent("open_id", account),
        member("person_open_id", "open_id"),
        member("nickname", "nick_name"),
        member("avatar_url", "avatar"),
    )
    return Output("im_people", "$", columns, single=True, explode="content|user_infos")


_PEOPLE_TO, _PEOPLE_FROM = _people("to_user_id"), _people("from_user_id")


def _single(table: str, *columns: Column) -> Output:
    return Output(table, "$", tuple(columns), single=True)


def _event(
    name: str,
    domain: str,
    en: str,
    zh: str,
    doc_en: str,
    doc_zh: str,
    *outputs: Output,
    scope: str | None = None,
    status: Status = Status.ACTIVE,
) -> Endpoint:
    every = _single(
        "webhook_events", _EVENT_ID, member("event"), member("from_user_id"), member("to_user_id"), member("log_id")
    )
    return Endpoint(
        name=f"webhook_{name}", domain=domain, method="POST", path=f"/webhook/{{client_key}}#{name}", scope=scope, token=Token.NONE, status=status,
        envelope=Envelope.WEBHOOK, en=en, zh=zh, doc_en=doc_en, doc_zh=doc_zh, cadence=CADENCE, over=IterateBy.INBOX,
        params=(Param("event_id", ParamSource.GIVEN),), outputs=(every, *outputs),
    )  # fmt: skip


_IM, _GROUP, _FANS, _INTENTION = "im.direct_message", "im.group_message", "im.group_fans.create_list", "user.intention"
_OLD = Status.DEPRECATED

_RECORDS = (
    _event("verify_webhook", "ops", "URL verification", "回调地址校验", "The platform checks the address: the challenge is answered.", "平台校验回调地址，原样返回 challenge。"),
    _event(
        "authorize", "ops", "Consent given", "用户授权", "An account's owner authorised the app.", "账号所有者授权应用。",
        _single("grant_events", *_OF_ACCOUNT, member("event"), _SCOPES),
    ),
    _event(
        "unauthorize", "ops", "Consent withdrawn", "用户解除授权",
        "An account's owner withdrew the consent: its tokens are dead at once, its jobs stop and its data must go.",
        "账号所有者解除授权：令牌立即失效，任务停止，数据须删除。",
        _single("grant_events", *_OF_ACCOUNT, member("event"), _SCOPES),
    ),
    _event(
        "contract_authorize", "ops", "Business consent given", "经营关系授权", "Business consent; its content is inferred.", "经营关系授权，内容为推断。",
        _single("grant_events", *_OF_ACCOUNT, member("event"), _SCOPES),
    ),
    _event(
        "contract_unauthorize", "ops", "Business consent withdrawn", "解除经营关系授权", "Business consent withdrawn; its content is inferred.", "解除经营关系授权，内容为推断。",
        _single("grant_events", *_OF_ACCOUNT, member("event"), _SCOPES),
    ),
    _event(
        "create_video", "ops", "Video shared", "分享视频", "A user shared a video through the app.", "用户通过应用分享了视频。",
        _single("interactions", *_FROM_PERSON, member("event"), member("item_id", "content|item_id"), member("share_id", "content|share_id")),
        scope="aweme.share / aweme.forward",
    ),
    _event(
        "item_comment_reply", "ops", "Comment on an own video", "评论回复", "A user commented on a video of the account, or answered a comment.", "账号视频收到评论或回复。",
        _single(
            "comment_events", *_FROM_PERSON, _AT, member("item_id", "content|reply_to_item_id"), member("comment_id", "content|comment_id"),
            member("commenter_open_id", "content|comment_user_id"), member("content", "content|content"), count("digg_count", "content|digg_count"),
            count("reply_count", "content|reply_comment_total"), member("reply_to_id", "content|reply_to_comment_id"), member("at_user_id", "content|at_user_id"),
        ),
        scope="item.comment (inferred)",
    ),
    _event(
        "im_receive_msg", "im", "Message received", "接收私信", "The account received a private message.", "账号收到私信。",
        _single("im_messages", *_FROM_PERSON, member("event"), *_MESSAGE), _PEOPLE_TO, scope=_IM,
    ),
    _event(
        "im_send_msg", "im", "Message sent", "发送私信", "The account sent a private message, through an app or by hand; it can never be answered (28003082).",
        "账号发出私信（经应用或手工）；不可用其消息 id 回复（28003082）。",
        _single("im_messages", *_FROM_ACCOUNT, member("event"), *_MESSAGE), _PEOPLE_FROM, scope=_IM,
    ),
    _event(
        "im_enter_direct_msg", "im", "Chat opened", "用户进入私信会话页", "A user opened the chat with the account.", "用户进入与账号的私信会话页。",
        _single(
            "im_entries", *_FROM_PERSON, member("event"), *_CHAT, _AT, count("scene_type", "content|scene_type"), member("item_id", "content|objectId"),
            member("data_im_extra", "content|data-im-extra"), member("query_text", "content|query"), member("path_text", "content|path"),
            member("ad_info", "content|ad_info"),
        ),
        _PEOPLE_TO,
        scope=_IM,
    ),
    _event(
        "im_recall_msg", "im", "Message recalled", "私信撤回", "A message was recalled; its content is inferred.", "私信被撤回，内容为推断。",
        _single("im_recalls", *_FROM_PERSON, *_CHAT, _AT), scope="im.recall_message",
    ),
    _event(
        "im_message_read", "im", "Messages read", "私信已读", "A user read the messages of a conversation.", "会话中的私信被已读。",
        _single(
            "im_reads", *_FROM_PERSON, member("conversation_id", "content|conversation_short_id"), count("conversation_type", "content|conversation_type"),
            member("reader_open_id", "content|read_open_id"), count("read_index", "content|index"),
        ),
        scope=_IM,
    ),
    _event(
        "im_authorize", "im", "Proactive messages allowed or not", "主动私信授权", "A user allowed proactive messages, or withdrew that.", "用户授权或撤回主动私信。",
        _single(
            "im_consent_events", *_FROM_PERSON, count("operation_type", "content|operation_type"), count("auth_status", "content|auth_status"), _AT,
            member("updated_at", "content|update_time", Parse.EPOCH), member("expires_at", "content|expire_time", Parse.EPOCH), member("consent_source", "content|source"),
            member("extra_text", "content|extra"), member("data_im_extra", "content|data_im_extra"), member("query_text", "content|query"), member("path_text", "content|path"),
            member("log_id", "content|log_id"), *_WHENCE,
        ),
        scope=_IM,
    ),
    _event(
        "im_group_receive_msg", "im", "Group message received", "接收群消息", "A message in a group of the account.", "账号的群收到消息。",
        _single("im_messages", *_FROM_PERSON, member("event"), *_MESSAGE), _PEOPLE_TO, scope=_GROUP,
    ),
    _event(
        "im_group_send_msg", "im", "Group message sent", "发送群消息", "The account sent a message to a group.", "账号发出群消息。",
        _single("im_messages", *_FROM_ACCOUNT, member("event"), *_MESSAGE), _PEOPLE_FROM, scope=_GROUP,
    ),
    _event(
        "enter_group_audit_change", "ops", "Request to join a group", "用户加群申请", "A user requested to join a fan group.", "用户申请加入粉丝群。",
        _single("group_joins", *_FROM_PERSON, member("event"), member("group_id", "content|group_id"), _AT, member("apply_id", "content|apply_id"), count("apply_status", "content|apply_status")),
        scope=_FANS,
    ),
    _event(
        "group_fans_event", "ops", "Group joined", "用户加群成功", "A user joined a fan group.", "用户加入粉丝群。",
        _single(
            "group_joins", *_FROM_PERSON, member("event"), member("group_id", "content|im_group_id"), _AT, member("member_open_id", "content|open_id"),
            count("group_type", "content|group_type"), member("created_how", "content|create_group_type"),
        ),
        scope=_FANS,
    ),
    _event(
        "new_video_digg", "ops", "Video liked", "用户点赞", "A user liked a video of the account.", "用户点赞账号的视频。",
        _single("interactions", *_FROM_PERSON, member("event"), count("event_action", "content|action_type"), _ACTED_AT, member("item_id", "content|item_id")),
        scope=_INTENTION, status=Status.RESTRICTED,
    ),
    _event(
        "new_follow_action", "ops", "Account followed", "用户关注", "A user followed the account.", "用户关注账号。",
        _single("interactions", *_FROM_PERSON, member("event"), count("event_action", "content|action_type"), _ACTED_AT),
        scope=_INTENTION, status=Status.RESTRICTED,
    ),
    _event(
        "receive_msg", "im", "Message received, legacy", "接收私信 (旧)", "A private message in the form of the older enterprise events; it names no conversation.", "旧版企业号事件的私信，不含会话 id。",
        _single("im_messages", *_FROM_PERSON, member("event"), member("message_type", "content|message_type"), member("message_text", "content|text"), member("media_url", "content|resource_url")),
        scope="im", status=_OLD,
    ),
    _event(
        "enter_im", "im", "Chat opened, legacy", "进入私信 (旧)", "A chat was opened, in the form of the older enterprise events.", "旧版企业号事件：进入私信。",
        _single("im_entries", *_FROM_PERSON, member("event"), member("entry_scene", "content|scene"), member("entry_object", "content|object")),
        scope="im", status=Status.REMOVED,
    ),
    *(
        _event(name, "ops", en, zh, doc_en, doc_zh, _single("interactions", *_FROM_PERSON, member("event")), scope="im", status=_OLD)
        for name, en, zh, doc_en, doc_zh in (
            ("dial_phone", "Phone dialled", "拨打智能电话 (旧)", "A user dialled the phone on the home page; only the fact is sent.", "用户拨打主页电话，仅告知事实。"),
            ("website_contact", "Lead left on a page", "建站留资 (旧)", "A user left a lead on a built page; only the fact is sent.", "用户在建站页留资，仅告知事实。"),
            ("personal_tab_contact", "Lead left on the home page", "主页留资 (旧)", "A user left a lead on the home page; only the fact is sent.", "用户在主页留资，仅告知事实。"),
        )
    ),
)  # fmt: skip

EVENTS: dict[str, Endpoint] = {e.name: e for e in _RECORDS}

OTHER_EVENTS = _event(
    "other",
    "ops",
    "Other events",
    "其他事件",
    "Events of any name that the catalogue does not know; their names are drift.",
    "目录未收录的事件；其名称记为结构变化。",
)
"""The source for all other events: only their envelope is known."""

ENVELOPE_MEMBERS = frozenset({"event", "client_key", "from_user_id", "to_user_id", "content", "log_id", "event_id"})
"""Members of every event's envelope; any other is drift."""

LEFT_IN_ARCHIVE = {
    "user_nicker": "a name of a person who requested to join", "user_avatar": "a picture of a person who requested to join",
    "resource_type": "form of an animated emoji", "resource_width": "of an animated emoji", "resource_height": "of an animated emoji",
    "actions": "buttons of an older card", "title": "of an older card", "icon_url": "of an older card", "description": "of an older card",
    "link_url": "of an older card", "challenge": "answered by the receiver; a random number",
}  # fmt: skip
"""Members of contents that fill no column, with the reason. The archive keeps them as sent."""


def content_members(endpoint: Endpoint) -> frozenset[str]:
    """Return the first-level members of an event's content that the catalogue knows; any other is drift."""
    paths = [c.path for o in endpoint.outputs for c in o.columns if c.origin is Origin.MEMBER] + [
        o.explode for o in endpoint.outputs if o.explode
    ]
    return (
        frozenset(first_step(p.removeprefix("content|")) for p in paths if p.startswith("content|"))
        | LEFT_IN_ARCHIVE.keys()
    )


def event_name(endpoint: Endpoint) -> str:
    """Return the event's own name, as its envelope spells it."""
    return endpoint.name.removeprefix("webhook_")


EVENT_NAMES = frozenset(event_name(e) for e in _RECORDS)
"""Names of events that the catalogue knows; any other is drift."""

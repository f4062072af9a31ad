"""List every operation of the contract, including those that fill no table: token operations and writes."""

from __future__ import annotations

from typing import Any

from catalog.endpoints import ENDPOINTS
from catalog.records import Endpoint, Envelope, Operation, OperationKind, Status, Token
from catalog.requests import Param, ParamLocation, ParamSource

_AUTH = (
    ("authorize", "GET", "/platform/oauth/connect/", None, "Authorization page", "获取授权码 code"),
    ("access_token", "POST", "/oauth/access_token/", None, "Access token for a code", "获取 access_token"),
    ("refresh_token", "POST", "/oauth/refresh_token/", None, "Refresh the access token", "刷新 access_token"),
    (
        "renew_refresh_token",
        "POST",
        "/oauth/renew_refresh_token/",
        "renew_refresh_token",
        "Renew the refresh token",
        "刷新 refresh_token",
    ),
    ("client_token", "POST", "/oauth/client_token/", None, "Token of the app", "生成 client_token"),
    (
        "stable_client_token",
        "POST",
        "/oauth/stable_client_token/",
        None,
        "Token of the app that stays",
        "生成 stable_client_token",
    ),
    ("business_token", "POST", "/oauth/business_token/", None, "Business token", "BusinessToken 生成"),
    (
        "refresh_biz_token",
        "POST",
        "/oauth/refresh_biz_token/",
        None,
        "Refresh the business token",
        "BusinessToken 刷新",
    ),
)
_OPEN_ID = Param("open_id", ParamSource.ACCOUNT)


def _given(*names: str) -> tuple[Param, ...]:
    """Return the parameters of a body; a name with a question mark is optional."""
    return tuple(
        Param(n.rstrip("?"), ParamSource.GIVEN, required=not n.endswith("?"), place=ParamLocation.BODY) for n in names
    )


def _write(
    name: str,
    domain: str,
    path: str,
    scope: str,
    status: Status,
    en: str,
    zh: str,
    *body: str,
    token: Token = Token.USER,
    **more: Any,
) -> Operation:
    params = (*((_OPEN_ID,) if token is Token.USER else ()), *_given(*body))
    return Operation(name, domain, OperationKind.WRITE, "POST", path, scope, token, status, en, zh, params, **more)


_LEADS, _IM, _COMMENTS = "enterprise.data", "im.direct_message", "item.comment"
_WRITES = (
    _write("leads_tag_create", "lead", "/enterprise/leads/tag/create/", _LEADS, Status.REMOVED, "Create a tag", "创建标签", "tag_name"),
    _write("leads_tag_update", "lead", "/enterprise/leads/tag/update/", _LEADS, Status.REMOVED, "Rename a tag", "编辑标签", "tag_id", "tag_name", repeatable=True),
    _write("leads_tag_delete", "lead", "/enterprise/leads/tag/delete/", _LEADS, Status.REMOVED, "Delete a tag", "删除标签", "tag_id", repeatable=True),
    _write(
        "leads_tag_user_update", "lead", "/enterprise/leads/tag/user/update/", _LEADS, Status.REMOVED, "Tag people", "给用户设置标签",
        "tag_id", "user_id", "bind", repeatable=True,
    ),
    _write(
        "im_send_msg", "im", "/im/send/msg/", _IM, Status.RESTRICTED, "Send a message", "发送私信消息",
        "to_user_id", "msg_id?", "conversation_id?", "scene?", "content?", "content_list?",
    ),
    _write("im_send_msg_group", "im", "/im/send/msg/group/", "im.group_message", Status.RESTRICTED, "Send to a group", "发送群消息", "group_id", "content"),
    _write(
        "im_recall_msg", "im", "/im/recall/msg/", "im.recall_message", Status.RESTRICTED, "Recall a message", "私信消息撤回",
        "msg_id", "conversation_id", "conversation_type", envelope=Envelope.NEW, repeatable=True,
    ),
    _write(
        "enterprise_im_message_send", "im", "/enterprise/im/message/send/", "enterprise.im", Status.REMOVED, "Send a message, enterprise accounts", "企业号发送消息",
        # repeatable by its client_msg_id, which is always sent
        "to_user_id", "message_type", "content", "persona_id?", "client_msg_id?", repeatable=True,
    ),
    _write("item_comment_reply", "comment", "/item/comment/reply/", _COMMENTS, Status.RESTRICTED, "Reply to a comment", "回复视频评论", "item_id", "comment_id?", "content"),
    _write(
        "video_comment_reply", "comment", "/video/comment/reply/", "video.comment", Status.DEPRECATED, "Reply to a comment, enterprise accounts", "回复视频评论 (企业号)",
        "item_id", "comment_id?", "content",
    ),
    _write(
        "event_status_update", "ops", "/event/status/update/", "aweme.webhook (inferred)", Status.ACTIVE, "Subscribe to webhooks", "更新应用推送事件订阅状态",
        "list", token=Token.CLIENT, repeatable=True,
    ),
)  # fmt: skip

OTHER_OPERATIONS: dict[str, Operation] = {
    o.name: o
    for o in (
        *(
            Operation(
                f"oauth_{name}", "account", OperationKind.TOKEN, method, path, scope, Token.NONE, Status.ACTIVE, en, zh
            )
            for name, method, path, scope, en, zh in _AUTH
        ),
        *_WRITES,
    )
}
"""Operations that fill no table. Only the outreach calls those that write."""

OPERATIONS: dict[str, Endpoint | Operation] = {
    **{n: e for n, e in ENDPOINTS.items() if e.twin_of is None},
    **OTHER_OPERATIONS,
}
"""All operations of the contract by their operationId."""

"""Describe the read endpoints of private messages (私信): consents to proactive messages, and received media."""

from __future__ import annotations

from typing import Any

from catalog.cadences import DAILY_LISTING
from catalog.endpoints._columns import ACCOUNT, OPEN_ID, count, left_out, member, param
from catalog.iterations import IterateBy
from catalog.records import Endpoint, Envelope, Output, Status, Token
from catalog.requests import Paging, Param, ParamLocation, ParamSource

_WHENCE = (
    member("data_im_extra"), member("query_text", "query"), member("path_text", "path"), member("enter_from"),
    *(
        member(f"from_{name}", f"attribution.{path}")
        for name, path in (
            ("room_id", "room_id"), ("anchor_id", "anchor_id"), ("att_uid", "from_att_uid"), ("conversation_id", "conversation_id"),
            ("message_id", "message_id"), ("group_id", "group_id"), ("author_id", "author_id"),
        )
    ),
)  # fmt: skip


def _im(
    name: str,
    method: str,
    path: str,
    over: IterateBy,
    en: str,
    zh: str,
    doc_en: str,
    doc_zh: str,
    output: Output,
    scope: str = "im.direct_message",
    **more: Any,
) -> Endpoint:
    return Endpoint(
        name=f"im_{name}", domain="im", method=method, path=path, scope=scope, token=Token.USER, status=Status.RESTRICTED,
        envelope=Envelope.NEW, en=en, zh=zh, doc_en=doc_en, doc_zh=doc_zh, cadence=DAILY_LISTING, over=over, outputs=(output,), **more,
    )  # fmt: skip


ENDPOINTS = (
    _im(
        "authorize_user_list", "POST", "/im/authorize/user_list/", IterateBy.ACCOUNTS, "People who allow messages", "查询授权主动私信用户",
        "Everybody who presently allows proactive messages, oldest first. The cursor mode is used: the page mode stops at 50,000 rows and re-orders while it is read.",
        "当前授权主动私信的全部用户（旧到新）。使用游标模式：分页模式最多 50,000 行且翻页时会重排。",
        Output(
            "im_consents", "data.auth_user_list",
            (ACCOUNT, member("target_open_id"), member("source_app_id", "auth_user_source_app_id"), *_WHENCE),
        ),
        params=(
            OPEN_ID, left_out("page_num", ParamLocation.BODY), left_out("page_size", ParamLocation.BODY),
            Param("cursor", ParamSource.CURSOR, required=False, place=ParamLocation.BODY), Param("limit", ParamSource.COUNT, required=False, const=100, place=ParamLocation.BODY),
        ),
        paging=Paging(cursor="data.next_cursor", first="0"),
    ),
    _im(
        "authorize_status", "POST", "/im/authorize/status/", IterateBy.PEOPLE, "Does a person allow messages", "查询用户授权状态",
        "Whether a person who acted lately allows proactive messages.", "近期有互动的用户是否授权主动私信。",
        Output(
            "im_consent_status", "data", (ACCOUNT, param("target_open_id", "c_open_id"), count("consent_status", "status"), *_WHENCE), single=True,
        ),
        params=(OPEN_ID, Param("c_open_id", ParamSource.SUBJECT, place=ParamLocation.BODY), left_out("app_id", ParamLocation.BODY)),
    ),
    _im(
        "message_resources", "GET", "/api/im/message/resources/", IterateBy.MESSAGES, "Media of a message", "获取消息中的多媒体资源",
        "A temporary address of the picture or video that a user sent. For owners of mini-apps.", "用户发送的图片或视频的临时下载地址，仅限小程序。",
        Output(
            "im_media", "data", (ACCOUNT, param("conversation_id"), param("message_id"), member("media_url", "url"), member("media_kind", "media_type")),
            single=True,
        ),
        scope="im.direct_message (inferred)",
        params=(OPEN_ID, Param("conversation_id", ParamSource.SUBJECT), Param("message_id", ParamSource.SUBJECT)),
    ),
)  # fmt: skip

"""Describe the endpoints of leads (意向用户) and tags (标签) of enterprise accounts, and of the interaction log.

The log succeeded the leads. ``enterprise.data`` was taken down in 2023-24; ``user.intention`` must be granted. All data
here is about people.
"""

from __future__ import annotations

from typing import Any

from catalog.cadences import DAILY_LISTING
from catalog.endpoints._columns import ACCOUNT, BOOL, CURSOR, OPEN_ID, count, left_out, member, page_size, param, parent
from catalog.iterations import IterateBy
from catalog.records import Column, Endpoint, Envelope, Origin, Output, Parse, Status, Token
from catalog.requests import Paging, Param, ParamSource, TimeFormat

_LEAD = (
    member("nickname"), member("avatar_url", "avatar"), member("telephone"), member("wechat"), member("city"), count("gender"),
    count("age"), count("leads_level"), member("is_follow", parse=BOOL),
)  # fmt: skip
_TAG = (member("tag_id"), member("tag_name"))
_USER = Param("user_id", ParamSource.SUBJECT)


def _leads(
    name: str,
    path: str,
    over: IterateBy,
    en: str,
    zh: str,
    doc_en: str,
    doc_zh: str,
    *outputs: Output,
    params: tuple[Param, ...] = (),
    paged: bool = True,
    **more: Any,
) -> Endpoint:
    return Endpoint(
        name=f"leads_{name}", domain="lead", method="GET", path=f"/enterprise/leads/{path}/", scope="enterprise.data",
        token=Token.USER, status=Status.REMOVED, en=en, zh=zh, doc_en=doc_en, doc_zh=doc_zh, cadence=DAILY_LISTING, over=over,
        params=(OPEN_ID, *((CURSOR, page_size(20)) if paged else ()), *params), paging=Paging() if paged else None, outputs=outputs, **more,
    )  # fmt: skip


ENDPOINTS = (
    _leads(
        "user_list", "user/list", IterateBy.ACCOUNTS, "Leads", "获取意向用户列表",
        "People who showed interest within the last seven days, or since the last run where that is longer ago, with the phone or WeChat id that they left. Past days can be requested, a day at a time.",
        "近七天（若距上次采集更久，则为上次采集以来）的意向用户，及其留下的手机号或微信号。可按天补采过去的日期。",
        Output("leads", "data.users", (ACCOUNT, member("lead_open_id", "open_id"), *_LEAD)),
        Output("lead_ids", "data.list", (ACCOUNT, Column("lead_open_id", Origin.ELEMENT))),
        Output("lead_ids", "data.users", (ACCOUNT, member("lead_open_id", "open_id"))),
        Output("lead_taggings", "data.users", (ACCOUNT, parent("lead_open_id", "open_id"), *_TAG), explode="tag_list"),
        params=(
            Param("start_time", ParamSource.SINCE, moment=TimeFormat.SECONDS), Param("end_time", ParamSource.UNTIL, moment=TimeFormat.SECONDS),
            Param("action_type", ParamSource.CONST, const=0), left_out("leads_level"),
        ),
        period_days=7, reaches_back=True,
    ),
    _leads(
        "user_detail", "user/detail", IterateBy.LEADS, "Lead in detail", "获取意向用户详情",
        "What is known of one lead, requested for each lead of the day's list.", "单个意向用户的详情，对当日列表中的每个用户各请求一次。",
        Output("leads", "data", (ACCOUNT, member("lead_open_id", "open_id"), *_LEAD), single=True),
        Output("lead_taggings", "data.tag_list", (ACCOUNT, param("lead_open_id", "user_id"), *_TAG)),
        params=(_USER,), paged=False,
    ),
    _leads(
        "user_action_list", "user/action/list", IterateBy.LEADS, "Actions of a lead", "获取意向用户互动记录",
        "What one lead did: private messages, components, home page. The cursor may be text.", "单个意向用户的互动记录：私信、组件、主页。游标可能为文本。",
        Output(
            "lead_actions", "data.list",
            (
                ACCOUNT, member("lead_open_id", "user_id"), member("action_at", "create_time", Parse.EPOCH), count("action_type"),
                count("action_flag"), member("action_source"),
            ),
        ),
        params=(_USER, left_out("action_type")),
    ),
    _leads(
        "tag_list", "tag/list", IterateBy.ACCOUNTS, "Tags", "获取标签列表",
        "The tags that the account made for its leads, at most 100.", "账号为意向用户建立的标签，最多 100 个。",
        Output("lead_tags", "data.list", (ACCOUNT, *_TAG)),
    ),
    _leads(
        "tag_user_list", "tag/user/list", IterateBy.TAGS, "People of a tag", "获取打标签的用户列表",
        "The people who carry one tag.", "打了某个标签的用户。",
        Output("lead_tag_people", "data.list", (ACCOUNT, param("tag_id"), Column("lead_open_id", Origin.ELEMENT))),
        params=(Param("tag_id", ParamSource.SUBJECT),),
    ),
    Endpoint(
        name="intention_log_list", domain="lead", method="GET", path="/api/douyin/v1/interactive/intention/log/list/",
        scope="user.intention", token=Token.USER, status=Status.RESTRICTED, envelope=Envelope.NEW,
        en="Interaction log of leads", zh="意向用户互动日志",
        doc_en="What people did with the account within the last three days, or since the last run where that is longer ago: each event as the webhook would have brought it. The unit of the period is undocumented; milliseconds are sent, as event times are. Past days can be requested, three at a time.",
        doc_zh="近三天（若距上次采集更久，则为上次采集以来）用户与账号的互动事件，可补采过去的日期（每次三天），内容与 Webhook 相同。时间参数单位未公布，按事件时间使用毫秒。",
        cadence=DAILY_LISTING, over=IterateBy.ACCOUNTS, period_days=3, reaches_back=True, happened="event_at",
        params=(
            OPEN_ID, Param("start_time", ParamSource.SINCE, moment=TimeFormat.MILLISECONDS), Param("end_time", ParamSource.UNTIL, moment=TimeFormat.MILLISECONDS),
            left_out("event"), Param("query_session", ParamSource.CURSOR, required=False), page_size(20),
        ),
        paging=Paging(cursor="data.query_session", first=None, session=True),
        outputs=(
            Output(
                "lead_events", "data.intention_log_infos",
                (
                    ACCOUNT, member("event"), member("actor_open_id", "open_id"), member("event_at", "event_time", Parse.EPOCH),
                    member("from_user_id", "content|from_user_id"), member("to_user_id", "content|to_user_id"),
                    member("message_type", "content|content|message_type"), member("message_text", "content|content|text"),
                    member("conversation_id", "content|content|conversation_short_id"),
                    member("message_id", "content|content|server_message_id"),
                    count("event_action", "content|content|action_type"), member("event_content", "content"),
                ),
            ),
        ),
    ),
)  # fmt: skip

"""Describe the endpoints about the app itself (运维): its webhook subscriptions and its counted calls."""

from __future__ import annotations

from catalog.cadences import DAILY_SNAPSHOT
from catalog.endpoints._columns import POSITION, count, left_out, member
from catalog.records import Endpoint, Output, Status, Token
from catalog.requests import Param, ParamLocation, ParamSource, TimeFormat

ENDPOINTS = (
    Endpoint(
        name="event_status_list", domain="ops", method="GET", path="/event/status/list/",
        scope="aweme.webhook (inferred)", token=Token.CLIENT, status=Status.ACTIVE,
        en="Webhook subscription status", zh="获取事件订阅状态",
        doc_en="Which webhook events the app is subscribed to. The platform may cancel subscriptions of slow receivers: look daily.",
        doc_zh="应用的 Webhook 事件订阅状态；平台可能取消响应过慢的订阅，需每天检查。",
        cadence=DAILY_SNAPSHOT,
        outputs=(Output("event_subscriptions", "data.list", (member("event"), count("subscription_status", "status"))),),
    ),
    Endpoint(
        name="devtool_monitor_call", domain="ops", method="POST", path="/devtool/monitor/call/",
        scope="devtool", token=Token.CLIENT, status=Status.UNVERIFIED,
        en="Calls that the platform counted", zh="获取接口调用监控情况",
        doc_en="Calls of yesterday per scope and path as the platform counted them. Known from a development kit of 2020 only; its granularity words are undocumented.",
        doc_zh="平台统计的昨日各能力与接口调用量。仅见于 2020 年的 SDK，时间粒度取值未公布。",
        cadence=DAILY_SNAPSHOT, period_days=1,
        params=(
            Param("time_type", ParamSource.CONST, const="day"), Param("begin_time", ParamSource.SINCE, moment=TimeFormat.COMPACT_DAY),
            Param("end_time", ParamSource.UNTIL, moment=TimeFormat.COMPACT_DAY), left_out("scope_list", ParamLocation.BODY), left_out("interface_list", ParamLocation.BODY),
        ),
        outputs=(
            Output(
                "platform_calls", "data.result_list",
                (POSITION, member("counted_at_text", "date_time"), member("scope"), member("interface"), count("call_count", "pv")),
            ),
        ),
    ),
)  # fmt: skip

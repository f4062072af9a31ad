"""The words of the table reference in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.docs.markdown import ADDITIVE_ZH, PII_ZH
from catalog.errors import Action
from catalog.records import (
    Additive,
    EmptyMeaning,
    History,
    Pii,
    Status,
)

_STATUS_ZH = {
    Status.ACTIVE: "开放",
    Status.RESTRICTED: "受限",
    Status.WITHDRAWN: "已收回",
    Status.DEPRECATED: "已废弃",
    Status.REMOVED: "已下线",
    Status.UNVERIFIED: "未核实",
}


HISTORY_TEXTS = {
    History.SNAPSHOT: (
        "snapshot: a day holds what was observed on it, every observation with its `observed_at`; a missed day is lost",
        "快照（snapshot）：每个分区保存当天的全部采集，以 `observed_at` 区分；错过的日期无法补采",
    ),
    History.WINDOW: (
        "window: a day holds the rows whose `stat_date` it is, each key with its latest observation; the "
        "platform returns days within its window",
        "窗口（window）：分区为统计日 `stat_date`，每个主键保留最近一次采集；平台窗口内的日期可以补采",
    ),
    History.VERSION: (
        "version: published issues, any of which can be requested",
        "版本（version）：已发布的各期均可请求",
    ),
    History.LISTING: (
        "listing: a day holds the entities seen on it as they were when last seen; `{name}_latest` is "
        "the latest row of each",
        "清单（listing）：分区保存当天见到的实体及其最后状态；视图 `{name}_latest` 为每个实体的最新一行",
    ),
    History.EVENT: (
        "event: a day holds what the platform pushed on it (`observed_at` is the receipt), each event "
        "once; a day on which no receiver ran is lost",
        "事件（event）：分区保存当天收到的推送（`observed_at` 为接收时刻），每个事件一行；未运行接收服务的日期无法补采",
    ),
}


EMPTY_TEXTS = {
    EmptyMeaning.NOT_READY: "not produced yet (`not_ready`)",
    EmptyMeaning.BELOW_THRESHOLD: "the account is too small (`below_threshold`)",
    EmptyMeaning.LEGAL: "there is nothing (`empty`)",
}


ACTION_TEXTS = {
    Action.ACCEPT: "The answer is good.",
    Action.RETRY: "Sent again with exponential back-off and jitter, up to the tries of the code.",
    Action.SLOW_DOWN: "The scope's rate is halved for the run; sent again after one to two minutes.",
    Action.REFRESH: (
        "The token is refreshed and the call made once more. Refused again, it counts as `reconsent` "
        "(account) or `alert` (app)."
    ),
    Action.RECONSENT: "No more calls that need this consent; the owner must authorise again. Outcome `needs_consent`.",
    Action.SKIP: "This object has nothing to give; the others go on. Outcome `skipped`.",
    Action.QUOTA: "Nothing more of the scope on this Beijing day. Outcome `quota`.",
    Action.DISABLE: "Nothing more of the operation in this run. Outcome `unavailable`.",
    Action.STOP_ACCOUNT: "The account is stopped and its tokens are not used again. Outcome `stopped`.",
    Action.STOP_APP: "Nothing more in this run. Outcome `failed`.",
    Action.ALERT: "No retry for a known code, two for an unknown one. Outcome `failed`, with the logid.",
}


@dataclass(frozen=True)
class TableWords:
    """The fixed words of the table reference in one language; ``pick`` selects from a pair (English, Chinese)."""

    title: str
    intro: tuple[str, ...]
    standard: str
    history: str
    key: str
    cadence: str
    job: str
    from_: str
    source: str
    columns: tuple[str, str, str, str, str, str]
    others: str
    others_intro: str
    suffix: str
    colon: str
    pick: Callable[[tuple[str, str]], str]
    status: Callable[[Status], str]
    pii: Callable[[Pii], str]
    additive: Callable[[Additive], str]


EN = TableWords(
    title="Tables",
    intro=(
        "[中文版](tables.zh-CN.md) · [README](../README.md) · [operations](operations-reference.md)",
        "",
        "Core tables of `warehouse.duckdb` and of the lake (`lake/<table>/dt=YYYY-MM-DD/data.parquet`). "
        "Instants end in `_at` and are UTC; "
        "days end in `_date`, or are `dt`, and are Beijing days. Ids are text. 0, null (not produced, or "
        "not shown) and no row are three different things.",
        "",
        "*PII*: `pseudonym` is an id of a person within one app, `personal` a name or picture. *Sum*: "
        "`additive` may be summed over every dimension, "
        "`semi-additive` over objects but never over time, `not additive` not at all.",
    ),
    standard="Columns of every table",
    history="History",
    key="Key within a partition",
    cadence="Collected",
    job="{when} (job `{job}`)",
    from_="Filled by",
    source="{names} (scope `{scope}`, {status})",
    columns=("column", "type", "unit", "PII", "sum", "meaning"),
    others="Schemas `marts`, `meta` and `outreach`",
    others_intro=(
        "Marts are made of core tables, one SELECT each in `sql/marts`; `meta` is what the pipeline says of "
        "itself, `outreach` what was planned and sent. Their columns stand in the [metric "
        "dictionary](dictionary.md), which says of every number how it may be summed, too."
    ),
    suffix="",
    colon=": ",
    pick=lambda pair: pair[0],
    status=str,
    pii=lambda p: "" if p is Pii.NONE else str(p),
    additive=str,
)


ZH = TableWords(
    title="数据表",
    intro=(
        "[English](tables.md) · [README](../README.zh-CN.md) · [接口清单（英文）](operations-reference.md)",
        "",
        "`warehouse.duckdb` 与数据湖（`lake/<表>/dt=YYYY-MM-DD/data.parquet`）中的核心表。以 `_at` 结尾的是 UTC 时刻；"
        "以 `_date` 结尾的以及 `dt` 是北京日期。各类 id 均为文本。0、空值（未产出或未返回）与没有行，含义各不相同。",
        "",
        "*个人信息*：“假名标识”是某人在单个应用内的 id，“个人信息”是昵称、头像等。*可加性*：“可加”可按任意维度求和，"
        "“半可加”可跨对象求和、不可跨时间求和，“不可加”不能求和。",
    ),
    standard="所有表的公共列",
    history="历史",
    key="分区内主键",
    cadence="采集时间",
    job="{when}（作业 `{job}`）",
    from_="来源接口",
    source="{names}（scope `{scope}`，{status}）",
    columns=("列", "类型", "单位", "个人信息", "可加性", "含义"),
    others="`marts`、`meta` 与 `outreach` 模式",
    others_intro=(
        "集市由核心表计算而来，每张对应 `sql/marts` 中的一个 SELECT；"
        "`meta` 为流水线对自身的记录；`outreach` 为触达计划与流水。"
        "各列见[指标字典](dictionary.zh-CN.md)，其中还说明每个指标如何求和。"
    ),
    suffix=".zh-CN",
    colon="：",
    pick=lambda pair: pair[1],
    status=lambda s: _STATUS_ZH[s],
    pii=lambda p: PII_ZH[p],
    additive=lambda a: ADDITIVE_ZH[a],
)

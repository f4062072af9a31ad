"""Describe the columns of the pipeline's own tables: the schemas ``meta`` and ``outreach`` of the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.records import Additive, Pii


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """Name and meaning of a column in both languages.

    ``unit`` is None for texts, days and instants, and for numbers that encode something.
    """

    name_en: str
    name_zh: str
    en: str
    zh: str
    unit: str | None = None
    additive: Additive = Additive.NO
    pii: Pii = Pii.NONE

    @property
    def is_metric(self) -> bool:
        """Report whether the column is a number with a unit."""
        return self.unit is not None


_YES = Additive.YES
_PERSON, _NAME = Pii.PSEUDONYM, Pii.PERSONAL

_APP = OwnColumn("App key", "应用标识", "App (client_key) that it is about.", "所属应用的 client_key。")
_ACCOUNT = OwnColumn(
    "Account",
    "授权账号 open_id",
    "The authorised account within this app; empty for what concerns the whole app.",
    "授权账号在本应用内的标识；应用级内容为空文本。",
    pii=_PERSON,
)
_TABLE = OwnColumn("Table", "表名", "Core table that it is about.", "所属核心表。")
_OPERATION = OwnColumn("Operation", "接口", "Operation of the platform (operationId).", "平台接口（operationId）。")
_DT = OwnColumn("Partition day", "分区日期", "Beijing day of the partition.", "分区所属的北京日期。")

OWN_COLUMNS: Mapping[str, Mapping[str, OwnColumn]] = {
    "meta.load_status": {
        "table_name": _TABLE, "dt": _DT, "operation": _OPERATION, "client_key": _APP, "open_id": _ACCOUNT,
        "status": OwnColumn("Outcome", "采集结果", "loaded, empty, below_threshold, skipped, not_asked, not_ready, partial, gone, unavailable, quota, needs_consent, stopped or failed; the worst of several requests.", "loaded、empty、below_threshold、skipped、not_asked、not_ready、partial、gone、unavailable、quota、needs_consent、stopped、failed；多次请求取最差。"),
        "calls": OwnColumn("Calls", "调用次数", "Calls of the latest run for the day; a call that fills several days counts with each of them, so sums count it several times: meta.quotas counts each call once. Of an operation that fills several tables they stand with one of them.", "最近一次运行为该日发出的调用次数；一次调用填充多日时每日都记，求和会重复计算，每次只计一次的合计见 meta.quotas；一个接口填充多张表时只记在其中一张。", "calls"),
        "rows": OwnColumn("Rows", "行数", "Rows that landed in the table.", "写入表的行数。", "rows", _YES),
        "quarantined": OwnColumn("Rows in quarantine", "隔离行数", "Rows that could not be parsed.", "无法解析的行数。", "rows", _YES),
        "code": OwnColumn("Code", "错误码", "The platform's error code behind the outcome; null where there is none.", "导致该结果的平台错误码，没有则为空。"),
        "reason": OwnColumn("Reason", "原因", "Why, in words.", "文字说明。"),
    },
    "meta.quarantine": {
        "dt": _DT, "table_name": _TABLE, "operation": _OPERATION, "client_key": _APP, "open_id": _ACCOUNT,
        "observed_at": OwnColumn("Observed at", "采集时间", "UTC instant at which the response was received.", "收到响应的 UTC 时刻。"),
        "position": OwnColumn("Position", "序号", "Which row of the response, 1 is first.", "响应中的第几行，从 1 开始。"),
        "column_name": OwnColumn("Column", "列名", "Column that could not be parsed: its row landed, with null there. Null: the whole row is here and not in its table.", "无法解析的列：该行已入表，此列为空。为空表示整行在此，未入表。"),
        "value": OwnColumn("Value", "原值", "What the platform sent for the column, up to 200 characters; null where it may be about a person.", "平台返回的原值（至多 200 字符）；可能涉及个人时为空。"),
        "reason": OwnColumn("Reason", "原因", "What could not be parsed, and what was expected.", "无法解析的内容与期望的格式。"),
        "segment": OwnColumn("Segment", "归档段", "File of the archive in which the response lies.", "响应所在的归档文件。"),
        "record": OwnColumn("Record", "归档记录", "Which record of the segment.", "归档文件中的第几条记录。"),
    },
    "meta.drift": {
        "dt": _DT, "table_name": _TABLE, "operation": _OPERATION,
        "member": OwnColumn("Member", "字段", "Member of the response that the catalogue does not know.", "目录未登记的响应字段。"),
        "rows": OwnColumn("Rows", "行数", "Rows in which it was seen on the day.", "当日出现该字段的行数。", "rows", _YES),
    },
    "meta.accounts": {
        "client_key": _APP, "open_id": OwnColumn("Account", "授权账号 open_id", "The authorised account within this app.", "授权账号在本应用内的标识。", pii=_PERSON),
        "name": OwnColumn("Name", "账号名", "Name that the account was added with.", "添加账号时的名称。", pii=_NAME),
        "status": OwnColumn("State", "状态", "active, needs_consent, paused or stopped.", "active 正常、needs_consent 需重新授权、paused 暂停、stopped 停用。"),
        "reason": OwnColumn("Reason", "原因", "Why it is not active, or what its owner should do soon.", "非正常状态的原因，或近期需要处理的事项。"),
        "tags": OwnColumn("Tags", "标签", "Words that a person gave the account, separated by commas.", "人工给账号设置的标签，逗号分隔。"),
        "category": OwnColumn("Category", "品类", "Of accounts.csv in the project folder; null where it says nothing.", "来自项目目录的 accounts.csv，未填为空。"),
        "owner": OwnColumn("Owner", "负责人", "Of accounts.csv in the project folder; null where it says nothing.", "来自项目目录的 accounts.csv，未填为空。", pii=_NAME),
        "client": OwnColumn("Client", "客户", "Of accounts.csv in the project folder; null where it says nothing.", "来自项目目录的 accounts.csv，未填为空。"),
        "added_at": OwnColumn("Added at", "添加时间", "When the account became known.", "账号首次登记的时刻。"),
        "as_of": OwnColumn("As of", "计算时间", "Instant for which the days left were computed.", "剩余天数的计算时刻。"),
        "access_days_left": OwnColumn("Access token: days left", "访问令牌剩余天数", "Until the access token expires; refreshed by the pipeline before that.", "访问令牌到期前的天数，到期前由流水线自动刷新。", "d"),
        "refresh_days_left": OwnColumn("Refresh token: days left", "刷新令牌剩余天数", "Until the refresh token expires; renewed by the pipeline before that, at most five times.", "刷新令牌到期前的天数，到期前由流水线自动续期，最多 5 次。", "d"),
        "renewals_left": OwnColumn("Renewals left", "剩余续期次数", "How often the refresh token can still be renewed.", "刷新令牌还可续期的次数。", "renewals"),
        "consent_days_left": OwnColumn("Consent: days left", "授权剩余天数", "Until the owner must consent again, all renewals used.", "用尽续期后需重新授权前的天数。", "d"),
        "warning_days": OwnColumn("Warning", "预警档位", "7, 3 or 1: within so many days a person must do something; 0: it is over; null: nothing to do.", "7、3、1：须在该天数内人工处理；0：已失效；空：无需处理。", "d"),
    },
    "meta.tables": {
        "table_name": _TABLE,
        "domain": OwnColumn("Domain", "领域", "Group of tables, e.g. hotsearch, billboard, fans.", "表所属领域，如 hotsearch、billboard、fans。"),
        "name_en": OwnColumn("English name", "英文名", "Name of the table in English.", "表的英文名。"),
        "name_zh": OwnColumn("Chinese name", "中文名", "Name of the table in Chinese.", "表的中文名。"),
        "history": OwnColumn("History", "历史类型", "snapshot, window, listing, version or event: what a past day can still be filled with.", "snapshot、window、listing、version、event：过去的日期能否补采。"),
        "cadence": OwnColumn("Cadence", "采集频率", "When it is collected.", "采集时间安排。"),
        "days_behind": OwnColumn("Days behind", "正常落后天数", "By how many days the newest partition is behind today when all is well.", "一切正常时最新分区落后今天的天数。", "d"),
        "as_of": OwnColumn("As of", "计算时间", "Instant of this file: today, from which days behind are counted, also where no account is known.", "本文件的时刻：落后天数据此计算，尚无账号时也有。"),
    },
    "meta.quotas": {
        "client_key": _APP,
        "scope": OwnColumn("Scope", "能力 scope", "Capability that the platform limits.", "平台限额所针对的能力。"),
        "day": OwnColumn("Day", "日期", "Beijing day.", "北京日期。"),
        "calls": OwnColumn("Calls", "调用次数", "Calls that the pipeline made on the day.", "流水线当日发出的调用次数。", "calls", _YES),
        "per_day": OwnColumn("Limit", "每日上限", "Calls a day that the settings know; null where no limit is known.", "配置中的每日上限，未知为空。", "calls"),
        "is_exhausted": OwnColumn("Exhausted", "是否用尽", "The platform answered that the quota is used up.", "平台是否返回配额用尽。"),
    },
    "meta.dictionary": {
        "table_schema": OwnColumn("Schema", "模式", "main (core tables), marts, meta or outreach.", "main（核心表）、marts、meta 或 outreach。"),
        "table_name": OwnColumn("Table", "表名", "Table within the schema.", "模式内的表名。"),
        "column_name": OwnColumn("Column", "列名", "Column as SQL knows it.", "SQL 中的列名。"),
        "position": OwnColumn("Position", "序号", "Place of the column in its table, 1 is first.", "列在表中的序号，从 1 开始。"),
        "type": OwnColumn("Type", "类型", "Type as DuckDB names it.", "DuckDB 类型名。"),
        "name_en": OwnColumn("English name", "英文名", "Short name in English.", "英文短名。"),
        "name_zh": OwnColumn("Chinese name", "中文名", "Short name in Chinese; `douyin export --headers zh` writes it.", "中文短名，用于 `douyin export --headers zh`。"),
        "meaning_en": OwnColumn("Meaning", "含义（英文）", "What it means, in English.", "英文含义。"),
        "meaning_zh": OwnColumn("Meaning in Chinese", "含义（中文）", "What it means, in Chinese.", "中文含义。"),
        "unit": OwnColumn("Unit", "单位", "ratio, s, d, h and the like; null for plain counts, texts, days and instants.", "ratio、s、d、h 等；普通计数、文本、日期与时刻为空。"),
        "additive": OwnColumn("May be summed", "可加性", "additive: over every dimension; semi-additive: over some only; not additive.", "additive 可加、semi-additive 半可加、not additive 不可加。"),
        "is_metric": OwnColumn("Metric", "是否指标", "A number that measures something: no key, code, id or position.", "是否为指标（数值且不是主键、编码、id 或序号）。"),
        "pii": OwnColumn("Personal data", "个人信息", "none, pseudonym, personal or sensitive.", "none 无、pseudonym 假名标识、personal 个人信息、sensitive 敏感。"),
        "is_key": OwnColumn("Key", "是否主键", "Part of what identifies a row.", "是否为主键的一部分。"),
        "source_operations": OwnColumn("Source operations", "来源接口", "`operation: member` of the response, or in brackets how else the operation fills it; several separated by semicolons.", "`接口: 字段`；非响应字段时以括号说明填充方式，多个以分号分隔。"),
        "made_of": OwnColumn("Made of", "由哪些列计算", "Columns that a mart's column is computed from.", "集市列的计算来源列。"),
        "since": OwnColumn("Since", "最早日期", "First day that the lake holds of the table; null while it holds none, for marts that are made whole, and for tables of the state.", "数据湖中该表的最早日期；尚无数据、整表重算的集市及状态表为空。"),
        "platform_name": OwnColumn("Name of the platform", "平台名称", "Chinese label in the platform's documentation; null where none is known.", "平台文档中的中文名称，未知为空。"),
        "differences_en": OwnColumn("Differences", "差异说明（英文）", "With what it must not be confused, in English.", "英文差异说明。"),
        "differences_zh": OwnColumn("Differences in Chinese", "差异说明（中文）", "With what it must not be confused, in Chinese.", "中文差异说明。"),
        "title_en": OwnColumn("Title of the table", "表标题（英文）", "What the table is, in English; null for tables of the pipeline itself.", "表的英文标题；流水线自身的表为空。"),
        "title_zh": OwnColumn("Title in Chinese", "表标题（中文）", "What the table is, in Chinese; null for tables of the pipeline itself.", "表的中文标题；流水线自身的表为空。"),
        "synonyms": OwnColumn("Search words", "搜索词", "Words of the trade for this column, in both languages; null where there are none.", "行业内对该列的叫法（中英文），没有则为空。"),
    },
    "meta.not_available": {
        "metric_en": OwnColumn("Metric", "指标（英文）", "Name of the metric, in English.", "指标英文名。"),
        "metric_zh": OwnColumn("Metric in Chinese", "指标（中文）", "Name of the metric, in Chinese.", "指标中文名。"),
        "words": OwnColumn("Search words", "搜索词", "Words that people search for, in both languages.", "中英文搜索词。"),
        "why_en": OwnColumn("Why", "原因（英文）", "Why no column has it, in English.", "英文原因。"),
        "why_zh": OwnColumn("Why, in Chinese", "原因（中文）", "Why no column has it, in Chinese.", "中文原因。"),
        "nearest": OwnColumn("Nearest figure", "最接近的指标", "What answers most of the question.", "最接近的列或表。"),
        "source_en": OwnColumn("Source", "来源（英文）", "What would bring it, in English.", "可补充的来源（英文）。"),
        "source_zh": OwnColumn("Source in Chinese", "来源（中文）", "What would bring it, in Chinese.", "可补充的来源（中文）。"),
    },
    "meta.joins": {
        "from_table": OwnColumn("From", "起始表", "Core table or mart, with its schema.", "核心表或集市（含模式名）。"),
        "to_table": OwnColumn("To", "目标维度", "Dimension, with its schema.", "维度表（含模式名）。"),
        "columns": OwnColumn("Columns", "关联列", "Columns of both, separated by commas: for USING.", "两表同名的关联列，逗号分隔，用于 USING。"),
        "cardinality": OwnColumn("Cardinality", "基数", "n:1, or 1:1 where the columns are also the key of the first table.", "n:1；关联列也是起始表主键时为 1:1。"),
    },
    "meta.published": {
        "published_at": OwnColumn("Published at", "发布时间", "When this file was made.", "本文件的生成时刻。"),
        "data_until": OwnColumn("Data until", "数据截止日", "Last Beijing day of which a run recorded an outcome; null before the first run.", "有采集结果的最近北京日期；尚未运行时为空。"),
    },
    "meta.partitions": {
        "name": OwnColumn("Name", "名称", "Table, `marts/<mart>`, `_quarantine/<table>` or `_drift/<table>`.", "表名、`marts/<集市>`、`_quarantine/<表>` 或 `_drift/<表>`。"),
        "dt": OwnColumn("Partition day", "分区日期", "Beijing day of the partition; 1970-01-01 for a mart that is made whole.", "分区日期；整表重算的集市为 1970-01-01。"),
        "size_bytes": OwnColumn("Size", "大小", "Size of the file that holds the day; days of a sealed month share one file.", "所在文件的大小；已封存月份的各日共用一个文件。", "bytes"),
        "mtime_ns": OwnColumn("Modified", "修改时间", "Modification time of the file, nanoseconds since 1970.", "文件修改时间，1970 年以来的纳秒数。"),
    },
    "meta.load_status_days": {
        "dt": _DT,
        "changed_ns": OwnColumn("Changed", "变更时间", "When a line of that day last changed, by the machine's clock, nanoseconds since 1970; 0: not known.", "该日任一行最后变更的机器时间，1970 年以来的纳秒数；0 表示未知。"),
    },
    "meta.layout": {"layout": OwnColumn("Layout", "结构版本", "What the file was made with; another one is built anew.", "文件的结构标识，不一致时重建。")},
    "meta.marts": {
        "name": OwnColumn("Mart", "集市", "Name of the mart.", "集市名。"),
        "hash": OwnColumn("Hash", "SQL 指纹", "SHA-256 of the SQL file that describes it.", "其 SQL 文件的 SHA-256。"),
    },
    "meta.mart_coverage": {
        "mart": OwnColumn("Mart", "集市", "Name of the mart.", "集市名。"),
        "covers_from": OwnColumn("Covers from", "覆盖起始日", "First Beijing day of an event that it has, which may be before collection began; null for marts without days.", "最早事件的北京日期，可能早于开始采集；无日期的集市为空。"),
        "covers_to": OwnColumn("Covers to", "覆盖截止日", "Last Beijing day of an event that it has.", "最近事件的北京日期。"),
        "rows": OwnColumn("Rows", "行数", "Rows of the mart.", "集市的行数。", "rows", _YES),
        "days": OwnColumn("Days", "天数", "Days with an event; null for marts whose rows span days.", "有事件的天数；一行跨多日的集市为空。", "d"),
        "day_ratio": OwnColumn("Share of days", "天数覆盖率", "Days with an event of all from covers_from to covers_to.", "覆盖起止日之间有事件的天数占比。", "ratio"),
        "accounts": OwnColumn("Accounts", "账号数", "Accounts with a row; null for marts that are not by account.", "有数据的账号数；不按账号的集市为空。", "accounts"),
        "account_ratio": OwnColumn("Share of accounts", "账号覆盖率", "Accounts of marts.dim_accounts with a row, of all of them.", "marts.dim_accounts 中有数据的账号占比。", "ratio"),
    },
    "outreach.plans": {
        "id": OwnColumn("Plan", "计划编号", "Number of the plan.", "计划编号。"),
        "kind": OwnColumn("Kind", "类型", "messages, tags or comments.", "messages 私信、tags 标签、comments 评论回复。"),
        "name": OwnColumn("Name", "名称", "Name of the campaign, or of the audience.", "活动名或人群名。"),
        "occasion": OwnColumn("Occasion", "时机", "What the plan was for: a day, a time, or a live session.", "计划对应的时机：日期、时刻或直播场次。"),
        "planned_at": OwnColumn("Planned at", "计划时间", "When the plan was made.", "生成计划的时刻。"),
        "good_until": OwnColumn("Good until", "有效期至", "Until when it may be sent.", "可发送的截止时刻。"),
        "hash": OwnColumn("Hash", "内容指纹", "Fingerprint of all lines: what was approved is what is sent.", "全部明细的指纹，确保发送内容与批准内容一致。"),
        "state": OwnColumn("State", "状态", "open, approved, superseded or done.", "open 待批准、approved 已批准、superseded 已被取代、done 完成。"),
        "approved_hash": OwnColumn("Approved hash", "批准时的指纹", "The fingerprint that was approved.", "批准时的内容指纹。"),
        "approver": OwnColumn("Approver", "批准人", "Who approved it.", "批准人。", pii=_NAME),
        "approved_at": OwnColumn("Approved at", "批准时间", "When it was approved.", "批准的时刻。"),
        "rules": OwnColumn("Rules", "发送规则", "What sending must still obey (limits a day, quiet hours), as JSON.", "发送时仍须遵守的规则（每日上限、免打扰时段），JSON。"),
        "effect_hours": OwnColumn("Hours of effect", "效果统计时长", "So long what people do counts as its effect.", "用户行为计入效果的时长。", "h"),
    },
    "outreach.messages": {
        "id": OwnColumn("Line", "流水编号", "Number of the line.", "流水编号。"),
        "plan_id": OwnColumn("Plan", "计划编号", "Plan that the line belongs to; null for answers of the reply worker.", "所属计划；自动回复为空。"),
        "operation": _OPERATION,
        "campaign": OwnColumn("Campaign", "活动", "Name of the campaign.", "活动名。"),
        "client_key": _APP, "open_id": OwnColumn("Account", "授权账号 open_id", "The account that writes.", "发出消息的授权账号。", pii=_PERSON),
        "person_open_id": OwnColumn("Person", "用户 open_id", "The person it is for, within this app.", "接收用户在本应用内的标识。", pii=_PERSON),
        "reason": OwnColumn("Reason", "理由", "Why the person was chosen.", "选中该用户的理由。"),
        "scene": OwnColumn("Scene", "发送场景", "im_reply_msg, im_enter_direct_msg and the like: which window it is sent through.", "im_reply_msg、im_enter_direct_msg 等：通过哪个窗口发送。"),
        "window_id": OwnColumn("Window", "窗口", "Message id of the event that opened the window.", "打开窗口的事件消息 id。"),
        "messages": OwnColumn("Messages", "消息数", "Messages that the line consists of, whatever became of it: choose by state before summing.", "该行包含的消息条数，与结果无关；求和前应按 state 筛选。", "messages", _YES),
        "state": OwnColumn("State", "状态", "planned, blocked, control, claimed, sent, failed, unknown or not_sent.", "planned 待发、blocked 拦截、control 对照、claimed 发送中、sent 已发、failed 失败、unknown 未知、not_sent 确认未发。"),
        "why": OwnColumn("Why", "说明", "Why it was blocked or failed.", "拦截或失败的原因。"),
        "code": OwnColumn("Code", "错误码", "The platform's code; null where there is none.", "平台错误码，没有则为空。"),
        "key": OwnColumn("Key", "去重键", "What must be done once only.", "只能执行一次的动作标识。"),
        "claim": OwnColumn("Claim", "占用键", "The key while the line is claimed, sent or unknown; null otherwise.", "占用期间（发送中、已发、未知）的去重键，否则为空。"),
        "planned_at": OwnColumn("Planned at", "计划时间", "When the line was written.", "写入流水的时刻。"),
        "claimed_at": OwnColumn("Claimed at", "开始发送", "When a sender took it.", "发送进程取走的时刻。"),
        "ended_at": OwnColumn("Ended at", "结束时间", "When the call was answered, or the line was settled.", "调用返回或结案的时刻。"),
        "delivered_at": OwnColumn("Delivered at", "送达时间", "When an event of the own message confirmed that it arrived; null where none did.", "由自己消息的事件确认送达的时刻，没有则为空。"),
        "message_ids": OwnColumn("Message ids", "消息 id", "Ids that the platform gave, separated by commas.", "平台返回的消息 id，逗号分隔。"),
        "resolved_by": OwnColumn("Resolved by", "结案人", "Who or what settled an unknown line.", "处理未知结果的人或方式。", pii=_NAME),
    },
    "outreach.opt_outs": {
        "client_key": _APP,
        "open_id": OwnColumn("Account", "授权账号 open_id", "Account that the person wants nothing from; empty for every account of the app.", "用户拒绝的账号；空文本表示本应用全部账号。", pii=_PERSON),
        "person_open_id": OwnColumn("Person", "用户 open_id", "Who wants nothing more, within this app.", "拒绝触达的用户在本应用内的标识。", pii=_PERSON),
        "since": OwnColumn("Since", "开始时间", "From when on.", "生效时刻。"),
        "how": OwnColumn("How", "方式", "In words: by which rule of the reply worker, or as a person noted.", "文字说明：由哪条自动回复规则触发，或人工备注。"),
    },
}  # fmt: skip
"""Table with its schema -> column -> its description."""


def own_comments(table: str) -> dict[str, str]:
    """Return the comments on the columns of one of these tables, given with its schema, in the published file."""
    found = {}
    for column, said in OWN_COLUMNS[table].items():
        unit = f" [{said.unit}]" if said.unit else ""
        found[column] = f"{said.name_zh}：{said.zh} / {said.name_en}{unit}: {said.en}"
    return found

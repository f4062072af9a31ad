"""The words of the data dictionary in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.docs.markdown import ADDITIVE_ZH
from catalog.notes import NOTES
from catalog.records import Additive

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """The fixed words in one language. ``n`` selects from a pair (English, Chinese): 0 or 1."""

    n: int
    suffix: str
    colon: str
    title: str
    intro: tuple[str, ...]
    index: str
    index_intro: str
    index_head: tuple[str, ...]
    shared: str
    shared_intro: str
    core_head: tuple[str, ...]
    latest: str
    marts: str
    marts_intro: str
    mart_head: tuple[str, ...]
    grain: str
    own: str
    own_intro: str
    own_head: tuple[str, ...]
    more: str
    how: Mapping[str, str]
    sums: Mapping[str, str]

    def pick(self, en: str, zh: str) -> str:
        """Return the text of this language."""
        return (en, zh)[self.n]

    def of(self, line: Line, what: str) -> str:
        """Return a text of the line in this language: name, meaning, differences."""
        return line[f"{what}_{self.pick('en', 'zh')}"] or ""

    def additive(self, line: Line) -> str:
        """Return how a metric may be summed; empty for a column that is no metric."""
        if not line["is_metric"]:
            return ""
        kind = line["additive"]
        return self.pick(kind, ADDITIVE_ZH[Additive(kind)])

    def how_to_sum(self, line: Line) -> str:
        """Return what to do instead of a plain sum."""
        kind = line["additive"]
        if kind == Additive.NO and line["unit"] == "ratio":
            kind = "ratio"
        elif kind == Additive.SEMI and (line["table_name"], line["column_name"]) in NOTES:
            kind = "some"
        elif kind == Additive.NO and line["column_name"].endswith("_uv"):
            kind = "people"
        return self.sums[kind]


EN = Words(
    n=0,
    suffix="",
    colon=": ",
    title="Metric dictionary",
    intro=(
        "[中文版](dictionary.zh-CN.md) · [README](../README.md) · [tables, one by one](tables.md) · "
        "[operations](operations-reference.md)",
        "",
        "What every number and column of `warehouse.duckdb` means, by meaning; [tables](tables.md) lists "
        "the core tables with type, key, history and personal data. The same lines lie in the warehouse "
        "as `meta.dictionary`, in both languages, with the first day that this installation holds (`since`):",
        "",
        "```sql",
        "SELECT table_schema, table_name, column_name, name_zh, unit, additive, since, differences_en",
        "FROM meta.dictionary WHERE is_metric AND name_en ILIKE '%fans%';",
        "```",
        "",
        "Words of the trade find columns in `synonyms`, and metrics that no column has in `meta.not_available`; "
        "`meta.joins` lists how tables join dimensions:",
        "",
        "```sql",
        "SELECT table_schema, table_name, column_name FROM meta.dictionary WHERE synonyms ILIKE '%engagement%';",
        "SELECT * FROM meta.not_available WHERE words ILIKE '%completion%';",
        "```",
        "",
        "How a metric may be summed:",
        "",
        "- **additive**: over days, accounts, videos, everything.",
        "- **semi-additive**: over some dimensions only. A total at an instant may be summed over "
        "accounts or videos, never over time: take the last one of a period. Where another dimension is "
        "the wrong one, *differences* says so.",
        "- **not additive**: neither. Of a ratio sum both parts and divide again; distinct people cannot be added "
        "at all; medians, ranks and indices are computed anew from the rows.",
        "",
        "*Name of the platform* is the Chinese label of the platform's documentation, as the contract "
        "(`catalog/contract/`) has it. Names and numbers of 创作者服务平台 and of the app itself were not "
        "compared: where they differ is unverified.",
    ),
    index="Index of metrics",
    index_intro="Numbers that measure something; no keys, codes, ids and ranks.",
    index_head=("domain", "metric", "column", "unit", "summed", "lies in"),
    shared="Columns of several domains",
    shared_intro=(
        "Texts, ids and days that mean the same everywhere. The pipeline itself fills `dt`, `observed_at`, "
        "`source` and `client_key`."
    ),
    core_head=(
        "column",
        "meaning",
        "unit",
        "sum",
        "filled by (operation: member)",
        "name of the platform",
        "differences",
        "tables",
    ),
    latest="Each listing has a view with the same columns, the latest row of each entity",
    marts="Marts",
    marts_intro=(
        "Made of core tables, a SELECT each in `sql/marts`. A column that is taken as it is keeps the "
        "meaning of its core table; only its name stands here."
    ),
    mart_head=("column", "meaning", "unit", "sum", "personal data", "made of", "differences"),
    grain="One row",
    own="What the pipeline says of itself",
    own_intro=(
        "`meta` describes the file, its loading and the accounts; `outreach` what was planned and sent, "
        "without the words."
    ),
    own_head=("column", "type", "meaning", "unit", "sum", "personal data"),
    more="{n} more",
    how={},
    sums={
        "additive": "additive: over everything",
        "semi-additive": "semi-additive: over time the last of a period",
        "not additive": "not additive: compute anew from the rows",
        "ratio": "not additive: compute anew from its parts",
        "people": "not additive: distinct people",
        "some": "semi-additive: see its differences",
    },
)


ZH = Words(
    n=1,
    suffix=".zh-CN",
    colon="：",
    title="指标字典",
    intro=(
        "[English](dictionary.md) · [README](../README.zh-CN.md) · [逐表说明](tables.zh-CN.md) · "
        "[接口清单（英文）](operations-reference.md)",
        "",
        "`warehouse.duckdb` 中每个指标与列的含义，按含义归并；"
        "各核心表的类型、主键、历史与个人信息见[数据表](tables.zh-CN.md)。同样的内容在数仓 "
        "`meta.dictionary` 表中，含中英文及本部署的最早日期（`since`）：",
        "",
        "```sql",
        "SELECT table_schema, table_name, column_name, name_zh, unit, additive, since, differences_zh",
        "FROM meta.dictionary WHERE is_metric AND name_zh LIKE '%粉丝%';",
        "```",
        "",
        "行业用语可在 `synonyms` 中查找，没有对应列的指标见 `meta.not_available`；`meta.joins` 列出各表如何关联维度：",
        "",
        "```sql",
        "SELECT table_schema, table_name, column_name FROM meta.dictionary WHERE synonyms ILIKE '%涨粉%';",
        "SELECT * FROM meta.not_available WHERE words ILIKE '%完播%';",
        "```",
        "",
        "指标如何求和：",
        "",
        "- **可加**：可跨日期、账号、视频等任意维度求和。",
        "- **半可加**：只能跨部分维度求和。时点累计值"
        "可跨账号或视频求和，不可跨时间求和，应取期末值；若受限的是其他维度，见“差异”。",
        "- **不可加**：不能求和。比率应分别汇总分子与分母后再相除；去重人数不能相加；"
        "中位数、名次与指数须由明细重新计算。",
        "",
        "“平台名称”为平台文档中的中文标签（见 `catalog/contract/`）。"
        "未与创作者服务平台或抖音内的页面核对，二者名称与数值的差异均未经验证。",
    ),
    index="指标索引",
    index_intro="仅含度量性数值，不含主键、编码、id 与名次。",
    index_head=("领域", "指标", "列", "单位", "求和", "所在表"),
    shared="跨领域的公共列",
    shared_intro="含义处处相同的文本、id 与日期。`dt`、`observed_at`、`source`、`client_key` 由流水线填写。",
    core_head=("列", "含义", "单位", "可加性", "来源（接口: 字段）", "平台名称", "差异", "所在表"),
    latest="每张清单表都有同列的视图，为每个实体的最新一行",
    marts="集市",
    marts_intro="由核心表计算，每张表对应 `sql/marts` 中的一个 SELECT。原样取用的列含义同核心表，此处只列名称。",
    mart_head=("列", "含义", "单位", "可加性", "个人信息", "由哪些列计算", "差异"),
    grain="一行",
    own="流水线自身的表",
    own_intro="`meta` 描述数仓文件、采集结果与账号；`outreach` 为触达计划与流水，不含发送内容。",
    own_head=("列", "类型", "含义", "单位", "可加性", "个人信息"),
    more="另有 {n} 个",
    how={
        "(parameter of the request)": "（请求参数）",
        "(constant of the operation)": "（接口常量）",
        "(order of the list)": "（列表顺序）",
        "(the element itself)": "（元素本身）",
        "(the requesting account)": "（请求账号）",
        "(fact of the whole listing)": "（整次列表的信息）",
    },
    sums={
        "additive": "可加",
        "semi-additive": "半可加：跨时间取期末值",
        "not additive": "不可加：由明细重算",
        "ratio": "不可加：由组成部分重算",
        "people": "不可加：去重人数",
        "some": "半可加：见该列的差异",
    },
)

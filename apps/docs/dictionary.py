"""Generate the metric dictionary: an index of metrics, then the lines of ``meta.dictionary`` by domain.

``docs/tables.md`` goes table by table, the dictionary meaning by meaning. A column that several tables share is listed
once: with its name on the platform, the member of a response that fills it, how it may be summed, and the columns that
it must not be confused with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.docs.markdown import ADDITIVE_ZH, DOMAINS, GENERATED, PII_ZH, code, codes, grid
from catalog import FIELDS, TABLES
from catalog.notes import NOTES
from catalog.records import STANDARD_FIELDS, Additive, History, Pii
from catalog.system_columns import OWN_COLUMNS
from resources.warehouse.extra_tables import EXTRA_TABLES
from resources.warehouse.mart_files import load_marts
from services.marts.binding import bind
from services.reporting.dictionary import LATEST, dictionary

Line = Mapping[str, Any]

_OTHERS = {
    "meta.quarantine": (
        "rows and values that could not be parsed, why, and where their bytes lie in the archive",
        "无法解析的行与值、原因及其在归档中的位置",
    ),
    "meta.drift": ("members that the platform sent and the catalogue does not know", "平台返回但目录未登记的字段"),
    "meta.partitions": ("partitions of the lake that this file holds", "本文件已发布的数据湖分区"),
    "meta.load_status_days": (
        "days of load_status that this file holds, and when their lines last changed",
        "已发布的 load_status 日期及其最后变更",
    ),
    "meta.layout": ("the layout that this file was made with", "本文件的结构版本"),
    "meta.marts": ("marts of this file, and the hash of the SQL that describes them", "已发布的集市及其 SQL 指纹"),
}
_HOMES = (
    "user",
    "video",
    "item",
    "fans",
    "comment",
    "lead",
    "im",
    "poi",
    "hotsearch",
    "billboard",
    "ent_rank",
    "account",
    "ops",
)
"""Domains in the order of the index: figures of the own accounts first."""
_MANY = 3
"""Operations or columns that are named; the rest is counted, unless it is a single one."""


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
        return self.pick("no" if kind == Additive.NO else kind, ADDITIVE_ZH[Additive(kind)])

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
        "How a metric may be summed:",
        "",
        "- **additive**: over days, accounts, videos, everything.",
        "- **semi-additive**: over some dimensions only. A total at an instant may be summed over "
        "accounts or videos, never over time: take the last one of a period. Where another dimension is "
        "the wrong one, *differences* says so.",
        "- **no**: neither. Of a ratio sum both parts and divide again; distinct people cannot be added "
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
        "additive": "over everything",
        "semi-additive": "not over time: the last of a period",
        "not additive": "no: compute anew from the rows",
        "ratio": "no: compute anew from its parts",
        "people": "no: distinct people",
        "some": "not over everything: see its differences",
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
        "semi-additive": "不可跨时间：取期末值",
        "not additive": "不可加：由明细重算",
        "ratio": "不可加：由组成部分重算",
        "people": "不可加：去重人数",
        "some": "半可加：见该列的差异",
    },
)


def dictionary_page(words: Words) -> str:
    """Generate the whole page in one language."""
    lines = [
        line for line in dictionary(bind(load_marts())).to_pylist() if not line["table_name"].endswith(LATEST)
    ]  # views are listed by name only
    core, marts, own = (
        [x for x in lines if x["table_schema"] in schemas] for schemas in (("main",), ("marts",), ("meta", "outreach"))
    )
    page = [GENERATED, "", f"# {words.title}", "", *words.intro, ""]
    page += [f"## {words.index}", "", words.index_intro, "", *_index(core, marts, own, words)]
    page += _core(core, words)
    page += [f"## {words.marts}", "", words.marts_intro, "", *_marts(marts, words)]
    page += [f"## {words.own}", "", words.own_intro, "", *_own(own, words)]
    return "\n".join(page).rstrip() + "\n"


def _table(line: Line, words: Words) -> str:
    """Link to the description of the table."""
    schema, name = line["table_schema"], line["table_name"]
    return f"[{name}](tables{words.suffix}.md#{name})" if schema == "main" else f"[{schema}.{name}](#{schema}{name})"


# --------------------------------------------------------------------------- index


def _index(core: Iterable[Line], marts: Iterable[Line], own: Iterable[Line], words: Words) -> list[str]:
    found: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in (*core, *marts, *own):
        if line["is_metric"]:
            found[line["column_name"], line["meaning_en"]].append(line)

    def home(lines: list[Line]) -> int:
        """Return the domain where readers look for a metric: plays among videos, though hot words have plays, too."""
        return min(
            _HOMES.index(TABLES[x["table_name"]].domain)
            if x["table_schema"] == "main"
            else len(_HOMES) + (x["table_schema"] != "marts")
            for x in lines
        )

    sections = [*(words.pick(*DOMAINS[d]) for d in _HOMES), words.marts, words.own]
    return grid(
        words.index_head,
        (
            (
                sections[home(x)],
                words.of(x[0], "name"),
                code(x[0]["column_name"]),
                x[0]["unit"] or "",
                words.how_to_sum(x[0]),
                ", ".join(_table(one, words) for one in x),
            )
            for x in sorted(found.values(), key=home)
        ),
    )


# --------------------------------------------------------------------------- core tables


def _core(lines: list[Line], words: Words) -> Iterator[str]:
    of_column: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        of_column[line["column_name"]].append(line)
    shared = {c for c, found in of_column.items() if c in STANDARD_FIELDS or _is_shared(found)}
    yield from (f"## {words.shared}", "", words.shared_intro, "")
    yield from grid(
        (words.core_head[0], words.core_head[1], *words.core_head[5:7]),
        (
            (
                code(c),
                _meaning(of_column[c][0], words),
                of_column[c][0]["platform_name"] or "",
                words.of(of_column[c][0], "differences"),
            )
            for c in of_column
            if c in shared
        ),
    )
    for domain, names in DOMAINS.items():
        own = [x for x in lines if TABLES[x["table_name"]].domain == domain and x["column_name"] not in shared]
        yield from (f"## {words.pick(*names)} (`{domain}`)", "")
        if views := [
            f"{t.name}_latest" for t in TABLES.values() if t.domain == domain and t.history is History.LISTING
        ]:
            yield from (f"{words.latest}{words.colon}{codes(views)}.", "")
        grouped: dict[tuple, list[Line]] = defaultdict(list)
        for line in own:
            grouped[line["column_name"], line["platform_name"], line["differences_en"]].append(line)
        yield from grid(words.core_head, (_core_row(found, words) for found in grouped.values()))


def _is_shared(found: list[Line]) -> bool:
    domains = {TABLES[x["table_name"]].domain for x in found}
    return (
        len(domains) > 1
        and not any(x["is_metric"] for x in found)
        and len({(x["platform_name"], x["differences_en"]) for x in found}) == 1
    )


def _core_row(found: list[Line], words: Words) -> tuple:
    first = found[0]
    measured = next((x for x in found if x["is_metric"]), first)
    return (
        code(first["column_name"]),
        _meaning(first, words),
        first["unit"] or "",
        words.additive(measured),
        _filled(found, words),
        first["platform_name"] or "",
        words.of(first, "differences"),
        ", ".join(_table(x, words) for x in found),
    )


def _meaning(line: Line, words: Words) -> str:
    return f"**{words.of(line, 'name')}**{words.colon}{words.of(line, 'meaning')}"


def _filled(found: list[Line], words: Words) -> str:
    """List operations by the member that fills the column: ``play_count`` of two operations and of thirty-one more."""
    members: dict[str, dict[str, None]] = defaultdict(dict)
    for line in found:
        for pair in filter(None, (line["source_operations"] or "").split("; ")):
            operation, _, member = pair.partition(": ")
            members[member][operation] = None
    return "; ".join(
        f"{_few(list(operations), words)}: {words.how.get(m, m) if m.startswith('(') else code(m)}"
        for m, operations in members.items()
    )


def _few(names: list[str], words: Words) -> str:
    if len(names) <= _MANY + 1:
        return codes(names)
    return f"{codes(names[:_MANY])}, {words.more.format(n=len(names) - _MANY)}"


# --------------------------------------------------------------------------- marts, and the pipeline's own tables


def _marts(lines: list[Line], words: Words) -> Iterator[str]:
    for mart in load_marts().values():
        own = [x for x in lines if x["table_name"] == mart.name]
        yield from (
            f"### marts.{mart.name}",
            "",
            f"**{mart.title}**. {words.pick(mart.en, mart.zh)}",
            "",
            f"- {words.grain}{words.colon}{mart.grain} ({codes(mart.key)})",
            "",
        )
        yield from grid(
            words.mart_head,
            (
                (
                    code(x["column_name"]),
                    words.of(x, "name")
                    if x["meaning_en"] == getattr(FIELDS.get(x["column_name"]), "doc_en", None)
                    else _meaning(x, words),
                    x["unit"] or "",
                    words.additive(x),
                    _pii(x, words),
                    _few([t.strip().removeprefix("main.") for t in (x["made_of"] or "").split(",") if t], words),
                    words.of(x, "differences") if (mart.name, x["column_name"]) in NOTES else "",
                )
                for x in own
            ),
        )


def _own(lines: list[Line], words: Words) -> Iterator[str]:
    said = _OTHERS | {name: tuple(comment.split(" / ")[::-1]) for name, (_, comment) in EXTRA_TABLES.items()}
    for name in sorted(OWN_COLUMNS):
        yield from (f"### {name}", "", f"{words.pick(*said[name])}".rstrip(".。") + words.pick(".", "。"), "")
        yield from grid(
            words.own_head,
            (
                (
                    code(x["column_name"]),
                    x["type"],
                    _meaning(x, words),
                    x["unit"] or "",
                    words.additive(x),
                    _pii(x, words),
                )
                for x in lines
                if f"{x['table_schema']}.{x['table_name']}" == name
            ),
        )


def _pii(line: Line, words: Words) -> str:
    return words.pick("" if line["pii"] == Pii.NONE else line["pii"], PII_ZH[Pii(line["pii"])])

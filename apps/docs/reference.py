"""Generate the reference part of the documentation.

That is: tables, the metric dictionary, operations and error codes, coverage, and the ``douyin`` command. ``python -m
apps.docs.reference`` writes the files, ``--check`` compares them and exits 1 when one is stale. The texts depend on the
catalogue and the command alone, neither on the day nor on the terminal.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from apps.docs.command import cli_page
from apps.docs.dictionary import EN, ZH, dictionary_page
from apps.docs.markdown import ADDITIVE_ZH, DOMAINS, GENERATED, PII_ZH, code, codes, grid
from catalog import ENDPOINTS, EVENTS, FIELDS, OPERATIONS, SOURCES, TABLES, endpoints_of
from catalog.errors import ERRORS, Action
from catalog.events import LEFT_IN_ARCHIVE, event_name
from catalog.iterations import ITERATIONS
from catalog.records import (
    STANDARD_FIELDS,
    Additive,
    EmptyMeaning,
    Endpoint,
    Field,
    History,
    Pii,
    Status,
    Table,
    Type,
)
from catalog.system_columns import OWN_COLUMNS
from pipelines.jobs.tables import JOB_NAMES
from resources.config.project import SHIPPED
from resources.warehouse.mart_files import load_marts
from services.capabilities.coverage import coverage_of

_STATUS_ZH = {
    Status.ACTIVE: "开放",
    Status.RESTRICTED: "受限",
    Status.WITHDRAWN: "已收回",
    Status.DEPRECATED: "已废弃",
    Status.REMOVED: "已下线",
    Status.UNVERIFIED: "未核实",
}

_HISTORY = {
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

_EMPTY = {
    EmptyMeaning.NOT_READY: "not produced yet (`not_ready`)",
    EmptyMeaning.BELOW_THRESHOLD: "the account is too small (`below_threshold`)",
    EmptyMeaning.LEGAL: "there is nothing (`empty`)",
}

_ACTIONS = {
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

# --------------------------------------------------------------------------- tables


@dataclass(frozen=True)
class _Words:
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


_EN = _Words(
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
        "`semi-additive` over objects but never over time, `no` not at all.",
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
    additive=lambda a: "no" if a is Additive.NO else str(a),
)

_ZH = _Words(
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


def _columns(fields: Iterable[Field], words: _Words) -> list[str]:
    def summed(field: Field) -> str:
        return words.additive(field.additive) if field.type in (Type.BIGINT, Type.DOUBLE) and not field.is_code else ""

    return grid(
        words.columns,
        (
            (
                code(f.name),
                f.type,
                f.unit or "",
                words.pii(f.pii),
                summed(f),
                f"{words.pick((f.en, f.zh))}{words.colon}{words.pick((f.doc_en, f.doc_zh))}",
            )
            for f in fields
        ),
    )


def _sources(table: Table, words: _Words) -> str:
    """List the operations that fill a table, by scope and status: 31 creator billboards have eight scopes."""
    grouped: dict[tuple[str, Status], list[str]] = defaultdict(list)
    for endpoint in endpoints_of(table.name):
        grouped[endpoint.scope or "-", endpoint.status].append(endpoint.name)
    return "; ".join(
        words.source.format(names=codes(names), scope=scope, status=words.status(status))
        for (scope, status), names in grouped.items()
    )


def _table(table: Table, words: _Words) -> list[str]:
    cadence = endpoints_of(table.name)[0].cadence
    return [
        f"### {table.name}",
        "",
        f"**{table.zh}** / **{table.en}**. {words.pick((table.doc_en, table.doc_zh))}",
        "",
        f"- {words.history}{words.colon}{words.pick(_HISTORY[table.history]).format(name=table.name)}",
        f"- {words.key}{words.colon}{codes(table.primary_key)}",
        "- "
        f"{words.cadence}{words.colon}"
        f"{words.job.format(when=words.pick((cadence.doc_en, cadence.doc_zh)), job=JOB_NAMES[cadence.name])}",
        f"- {words.from_}{words.colon}{_sources(table, words)}",
        "",
        *_columns((FIELDS[name] for name in table.fields), words),
    ]


def tables_page(words: _Words) -> str:
    """Generate the page of core tables in one language."""
    lines = [GENERATED, "", f"# {words.title}", "", *words.intro, "", f"## {words.standard}", ""]
    lines += _columns((FIELDS[name] for name in STANDARD_FIELDS), words)
    for domain, names in DOMAINS.items():
        lines += [f"## {words.pick(names)} (`{domain}`)", ""]
        for table in TABLES.values():
            if table.domain == domain:
                lines += _table(table, words)
    lines += [f"## {words.others}", "", words.others_intro, ""]
    lines += [
        (
            f"- [`marts.{m.name}`](dictionary{words.suffix}.md#marts{m.name}) "
            f"**{m.title}**{words.colon}{words.pick((m.en, m.zh))}"
        )
        for m in load_marts().values()
    ]
    lines += [f"- [`{name}`](dictionary{words.suffix}.md#{name.replace('.', '')})" for name in sorted(OWN_COLUMNS)]
    return "\n".join(lines).rstrip() + "\n"


# --------------------------------------------------------------------------- operations


def _operation(endpoint: Endpoint) -> tuple:
    windows = f"; windows of {', '.join(map(str, endpoint.windows))} days" if endpoint.windows else ""
    young = f" ({endpoint.max_age_days} days)" if endpoint.max_age_days else ""
    return (
        f"`{endpoint.name}` {endpoint.zh}",
        f"`{endpoint.method} {endpoint.path}`",
        f"`{endpoint.scope}`" if endpoint.scope else "none",
        str(endpoint.token),
        f"**{endpoint.status}**" if endpoint.status is not Status.ACTIVE else str(endpoint.status),
        ", ".join(f"[{t}](tables.md#{t})" for t in endpoint.tables),
        f"{ITERATIONS[endpoint.over].en}{young}{windows}{'; paged' if endpoint.paging else ''}",
        endpoint.cadence.name,
    )


def _events() -> list[str]:
    """List webhook events, which the platform pushes."""
    left = ", ".join(code(m) for m in sorted(LEFT_IN_ARCHIVE))
    return [
        "## Webhook events 事件",
        "",
        f"{len(EVENTS)} events are pushed by the platform and received by `douyin receive`; `events_job` "
        "takes them from the inbox into the archive "
        "(operation `webhook_<event>`) and from there into these tables, without a call. *State* is that "
        "of the contract. Which ones an app gets is "
        "decided by its scopes, by the consents of people and by its subscriptions: `douyin receive subscribe`.",
        "",
        *grid(
            ("event", "tables", "scope", "state", "meaning", "含义"),
            (
                (
                    f"`{event_name(e)}` {e.zh}",
                    ", ".join(f"[{t}](tables.md#{t})" for t in e.tables),
                    code(e.scope) if e.scope else "none",
                    f"**{e.status}**" if e.status is not Status.ACTIVE else str(e.status),
                    e.doc_en,
                    e.doc_zh,
                )
                for e in EVENTS.values()
            ),
        ),
        f"Members of contents that fill no column stay in the archive: {left}. Any other unknown member is drift. "
        "Events of any other name are in [webhook_events](tables.md#webhook_events), too (operation "
        "`webhook_other`), and their names are drift.",
        "",
    ]


def operations_page() -> str:
    """Generate the page of operations, webhook events, actions and error codes."""
    counted = {s: sum(1 for e in ENDPOINTS.values() if e.status is s) for s in Status}
    lines = [
        GENERATED,
        "",
        "# Operations and error codes",
        "",
        "[README](../README.md) · [tables](tables.md)",
        "",
        f"{len(ENDPOINTS)} operations of the Open Platform are recorded: "
        f"{', '.join(f'{n} {s}' for s, n in counted.items() if n)}. "
        "The state is that of the contract (`catalog/contract/GUIDE.md`), not of a trial on the live platform. "
        "The hot word and billboard capabilities were withdrawn for mobile and web apps from 2024-11-29 "
        "on; an app that does not own one gets the outcome `unavailable`.",
        "",
        "## Cadences",
        "",
        *grid(
            ("cadence", "when (Beijing)", "job"),
            ((c.name, c.doc_en, f"`{JOB_NAMES[c.name]}`") for c in dict.fromkeys(e.cadence for e in SOURCES.values())),
        ),
    ]
    head = ("operation", "path", "scope", "token", "status", "tables", "requested for", "cadence")
    for domain, (en, zh) in DOMAINS.items():
        own = [e for e in ENDPOINTS.values() if e.domain == domain]
        lines += [f"## {en} {zh}", "", *grid(head, map(_operation, own))]
        meanings = dict.fromkeys(e.empty for e in own)
        for empty in meanings:
            names = "" if len(meanings) == 1 else f" from {codes(e.name for e in own if e.empty is empty)}"
            lines.append(f"- An empty list{names} means: {_EMPTY[empty]}.")
        lines.append("")
    lines += _events()
    lines += [
        "## Actions",
        "",
        "Every code leads to one action.",
        "",
        *grid(("action", "what is done"), ((f"`{a}`", text) for a, text in _ACTIONS.items())),
    ]
    lines += [
        "## Error codes",
        "",
        "*Tries* counts all attempts that the code allows, the first included. A code that is not listed "
        "counts as `alert` with three tries.",
        "",
    ]
    lines += grid(
        ("code", "meaning", "action", "tries", "what to do"),
        ((e.code, e.meaning, f"`{e.action}`", e.tries, e.advice) for e in ERRORS.values()),
    )
    return "\n".join(lines).rstrip() + "\n"


# --------------------------------------------------------------------------- coverage


def coverage_page() -> str:
    """Generate the page of all operations of the contract."""
    lines = coverage_of(None, None, None)
    states = Counter(line.status for line in lines)
    return (
        "\n".join(
            [
                GENERATED,
                "",
                "# Coverage",
                "",
                "[README](../README.md) · [operations](operations-reference.md) · [tables](tables.md)",
                "",
                f"All {len(lines)} operations of the contract: "
                f"{', '.join(f'{n} {s}' for s, n in states.most_common())}. "
                "The state is that of the contract, not of a trial on the live platform. `douyin "
                "coverage` prints the same list with what an "
                "installation found out by its own calls: owned, not owned, withdrawn, never tried. An "
                "operation that the platform refuses "
                "as not owned or offline is switched off with the reason, until `douyin coverage --enable OPERATION`.",
                "",
                "`read` fills tables; `token` is used by the token manager; `write` by outreach, automatic "
                "replies and subscriptions to webhook events.",
                "",
                *grid(
                    ("operation", "中文名", "tables", "history", "on the platform", "scope"),
                    (
                        (
                            code(line.operation),
                            OPERATIONS[line.operation].zh,
                            line.tables
                            if line.tables == "–"
                            else ", ".join(f"[{t}](tables.md#{t})" for t in line.tables.split(", ")),
                            line.history,
                            line.status,
                            code(line.scope) if line.scope else "",
                        )
                        for line in lines
                    ),
                ),
            ]
        ).rstrip()
        + "\n"
    )


# --------------------------------------------------------------------------- the command


# --------------------------------------------------------------------------- writing and checking


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/tables.md": lambda: tables_page(_EN),
    "docs/tables.zh-CN.md": lambda: tables_page(_ZH),
    "docs/dictionary.md": lambda: dictionary_page(EN),
    "docs/dictionary.zh-CN.md": lambda: dictionary_page(ZH),
    "docs/operations-reference.md": operations_page,
    "docs/coverage.md": coverage_page,
    "docs/cli.md": cli_page,
}
"""The generated files: path within the repository -> function that generates its text."""


def pages() -> dict[str, str]:
    """Generate all files: path within the repository -> text."""
    return {name: make() for name, make in PAGES.items()}


def stale(root: Path) -> list[str]:
    """Return the generated files that are missing or differ from the text that would be written."""
    return [
        name
        for name, text in pages().items()
        if not (root / name).exists() or (root / name).read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with ``--check`` name the stale ones; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.docs.reference", description="write the generated documentation"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    if parser.parse_args(arguments).check:
        old = stale(SHIPPED)
        for name in old:
            print(f"{name} is stale: run `make docs`", file=sys.stderr)
        return 1 if old else 0
    for name, text in pages().items():
        (SHIPPED / name).parent.mkdir(parents=True, exist_ok=True)
        (SHIPPED / name).write_text(text, encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

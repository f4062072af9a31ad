"""Renew the figures and the list of tables that written pages take from the catalogue.

A figure stands in a phrase of :func:`figures`; the list of tables stands between two comments.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from apps.docs.markdown import DOMAINS, code, codes, grid
from apps.docs.reference_words import EN, ZH, TableWords
from catalog import ENDPOINTS, OPERATIONS, TABLES, endpoints_of
from catalog.records import AppType, Endpoint, History, Status
from pipelines.jobs.tables import JOB_NAMES
from resources.warehouse.mart_files import load_marts

_PAGES = ("README*.md", "docs/*.md", "catalog/contract/GUIDE.md")
_PAST = {"docs/performance.md"}
"""Pages whose figures are those of the day on which they were measured."""
_HISTORIES_ZH = {
    History.SNAPSHOT: "快照",
    History.WINDOW: "窗口",
    History.VERSION: "版本",
    History.LISTING: "清单",
    History.EVENT: "事件",
}
_TABLES = re.compile(r"(?<=<!-- tables -->\n).*?(?=\n<!-- /tables -->)", re.DOTALL)


@cache
def figures() -> dict[str, tuple[int, ...]]:
    """Return the phrases of the pages, and the figures that stand at their ``#``."""
    states = Counter(o.status for o in OPERATIONS.values())
    withdrawn = Counter(e.domain for e in ENDPOINTS.values() if e.status is Status.WITHDRAWN)
    tables, marts, boards = (len(TABLES),), (len(load_marts()),), (withdrawn["billboard"],)
    return {
        "# core tables": tables,
        "# 张核心表": tables,
        "(# tables in all)": tables,
        "# marts": marts,
        "# 个集市": marts,
        "(# operations,": (len(OPERATIONS),),
        "# of the # operations are not plainly": (len(OPERATIONS) - states[Status.ACTIVE], len(OPERATIONS)),
        "# of its # operations are **withdrawn**": (states[Status.WITHDRAWN], len(OPERATIONS)),
        "# 个接口中有 # 个": (len(OPERATIONS), states[Status.WITHDRAWN]),
        "# are **removed**": (states[Status.REMOVED],),
        "# 个**已下线**": (states[Status.REMOVED],),
        "# **restricted**": (states[Status.RESTRICTED],),
        "# 个**受限**": (states[Status.RESTRICTED],),
        "# **unverified**": (states[Status.UNVERIFIED],),
        "# 个**未核实**": (states[Status.UNVERIFIED],),
        "all # `hotsearch_*`": (withdrawn["hotsearch"],),
        "# 个 `hotsearch_*`": (withdrawn["hotsearch"],),
        "all # `billboard_*`": boards,
        "# 个 `billboard_*`": boards,
        "# 个 `ent_rank_*`": (withdrawn["ent_rank"],),
    }


def written_pages(root: Path) -> list[str]:
    """List the pages whose figures are renewed: paths within the repository."""
    return [n for p in _PAGES for f in sorted(root.glob(p)) if (n := f.relative_to(root).as_posix()) not in _PAST]


def renewed(text: str, words: TableWords) -> str:
    """Return a page's text with the catalogue's figures and tables."""
    for phrase, values in figures().items():
        now = phrase.replace("#", "{}").format(*values)
        text = re.sub(re.escape(phrase).replace(r"\#", r"\b\d+"), now, text)
    return _TABLES.sub(lambda _: "\n".join(_tables(words)), text)


def renewed_page(root: Path, name: str) -> str:
    """Return the renewed text of a written page."""
    return renewed((root / name).read_text(encoding="utf-8"), ZH if name.endswith(".zh-CN.md") else EN)


def _tables(words: TableWords) -> list[str]:
    """List the tables by domain, history, job and state of their operations; events stand last."""
    order = list(DOMAINS)
    rows: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for table in sorted(TABLES.values(), key=lambda t: (t.history is History.EVENT, order.index(t.domain))):
        sources = endpoints_of(table.name)
        event = table.history is History.EVENT
        rows[
            words.pick(("webhook events", "Webhook 事件") if event else DOMAINS[table.domain]),
            words.pick((table.history, _HISTORIES_ZH[table.history])),
            code(JOB_NAMES[sources[0].cadence.name]),
            "" if event else _state(sources, words),
        ].append(table.name)
    head = (
        ("group", "tables", "history", "job", "state of the operations"),
        ("分组", "数据表", "历史", "作业", "接口状态"),
    )
    lines = grid(head[words is ZH], ((group, codes(names), *rest) for (group, *rest), names in rows.items()))
    return lines[:-1]


def _state(sources: Iterable[Endpoint], words: TableWords) -> str:
    """Return the states of a table's operations for web apps, and where they differ for mini-apps."""
    own = [e for e in sources if e.instead_of is None]
    web, mini = (
        words.pick((", ", "、")).join(dict.fromkeys(words.status(e.status) for e in own if app in e.apps))
        for app in (AppType.WEB, AppType.MINI_APP)
    )
    return web if web == mini else f"{web}{words.pick(('; mini-apps: ', '；小程序：'))}{mini or '–'}"

"""Generate the reference part of the documentation.

That is: tables, the metric dictionary, operations and error codes, coverage, settings, and the ``douyin`` command.
``python -m apps.docs.reference`` writes the files, ``--check`` compares them and exits 1 when one is stale. The texts
depend on the catalogue, the settings and the command alone, neither on the day nor on the terminal.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from apps.docs import dictionary_words
from apps.docs.command import cli_page
from apps.docs.dictionary import dictionary_page
from apps.docs.figures import renewed_page, written_pages
from apps.docs.markdown import DOMAINS, GENERATED, code, codes, grid
from apps.docs.reference_words import ACTION_TEXTS, EMPTY_TEXTS, EN, HISTORY_TEXTS, ZH, TableWords
from apps.docs.settings_page import settings_page
from catalog import ENDPOINTS, EVENTS, FIELDS, OPERATIONS, SOURCES, TABLES, endpoints_of
from catalog.errors import ERRORS
from catalog.events import LEFT_IN_ARCHIVE, event_name
from catalog.iterations import ITERATIONS
from catalog.records import (
    STANDARD_FIELDS,
    Endpoint,
    Field,
    Status,
    Table,
    Type,
)
from catalog.system_columns import OWN_COLUMNS
from pipelines.jobs.tables import JOB_NAMES
from resources.config.project import SHIPPED
from resources.warehouse.mart_files import load_marts
from services.capabilities.coverage import coverage_of

# --------------------------------------------------------------------------- tables


def _columns(fields: Iterable[Field], words: TableWords) -> list[str]:
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


def _sources(table: Table, words: TableWords) -> str:
    """List the operations that fill a table, by scope and status: 31 creator billboards have eight scopes."""
    grouped: dict[tuple[str, Status], list[str]] = defaultdict(list)
    for endpoint in endpoints_of(table.name):
        grouped[endpoint.scope or "-", endpoint.status].append(endpoint.name)
    return "; ".join(
        words.source.format(names=codes(names), scope=scope, status=words.status(status))
        for (scope, status), names in grouped.items()
    )


def _table(table: Table, words: TableWords) -> list[str]:
    cadence = endpoints_of(table.name)[0].cadence
    return [
        f"### {table.name}",
        "",
        f"**{table.zh}** / **{table.en}**. {words.pick((table.doc_en, table.doc_zh))}",
        "",
        f"- {words.history}{words.colon}{words.pick(HISTORY_TEXTS[table.history]).format(name=table.name)}",
        f"- {words.key}{words.colon}{codes(table.primary_key)}",
        "- "
        f"{words.cadence}{words.colon}"
        f"{words.job.format(when=words.pick((cadence.doc_en, cadence.doc_zh)), job=JOB_NAMES[cadence.name])}",
        f"- {words.from_}{words.colon}{_sources(table, words)}",
        "",
        *_columns((FIELDS[name] for name in table.fields), words),
    ]


def tables_page(words: TableWords) -> str:
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
            lines.append(f"- An empty list{names} means: {EMPTY_TEXTS[empty]}.")
        lines.append("")
    lines += _events()
    lines += [
        "## Actions",
        "",
        "Every code leads to one action.",
        "",
        *grid(("action", "what is done"), ((f"`{a}`", text) for a, text in ACTION_TEXTS.items())),
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
    "docs/tables.md": lambda: tables_page(EN),
    "docs/tables.zh-CN.md": lambda: tables_page(ZH),
    "docs/dictionary.md": lambda: dictionary_page(dictionary_words.EN),
    "docs/dictionary.zh-CN.md": lambda: dictionary_page(dictionary_words.ZH),
    "docs/configuration.md": lambda: settings_page(0),
    "docs/configuration.zh-CN.md": lambda: settings_page(1),
    "docs/operations-reference.md": operations_page,
    "docs/coverage.md": coverage_page,
    "docs/cli.md": cli_page,
}
"""The generated files: path within the repository -> function that generates its text."""


def pages(root: Path = SHIPPED) -> dict[str, str]:
    """Generate all files, and renew the figures of those written by hand: path within the repository -> text."""
    written = {name: renewed_page(root, name) for name in written_pages(root) if name not in PAGES}
    return {name: make() for name, make in PAGES.items()} | written


def stale(root: Path) -> dict[str, str]:
    """Return the files that are missing or differ from the text that would be written, with that text."""
    return {
        name: text
        for name, text in pages(root).items()
        if not (root / name).exists() or (root / name).read_text(encoding="utf-8") != text
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with ``--check`` name the stale ones; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.docs.reference", description="write what is generated in the documentation"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    check = parser.parse_args(arguments).check
    old = stale(SHIPPED)
    if check:
        for name in old:
            print(f"{name} is stale: run `make docs`", file=sys.stderr)
        return 1 if old else 0
    for name, text in old.items():
        (SHIPPED / name).parent.mkdir(parents=True, exist_ok=True)
        (SHIPPED / name).write_text(text, encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

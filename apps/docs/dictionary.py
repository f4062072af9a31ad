"""Generate the metric dictionary: an index of metrics, then the lines of ``meta.dictionary`` by domain.

``docs/tables.md`` goes table by table, the dictionary meaning by meaning. A column that several tables share is listed
once: with its name on the platform, the member of a response that fills it, how it may be summed, and the columns that
it must not be confused with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from apps.docs.dictionary_words import Line, Words
from apps.docs.markdown import DOMAINS, GENERATED, PII_ZH, code, codes, grid
from catalog import FIELDS, TABLES
from catalog.notes import NOTES
from catalog.records import STANDARD_FIELDS, History, Pii
from catalog.system_columns import OWN_COLUMNS
from resources.warehouse.extra_tables import EXTRA_TABLES
from resources.warehouse.mart_files import load_marts
from services.marts.binding import bind
from services.reporting.dictionary import LATEST, dictionary

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
    "meta.mart_coverage": (
        "days, rows and accounts that each mart has, counted when it is read",
        "各集市的日期范围、行数、天数与账号数，查询时计算",
    ),
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

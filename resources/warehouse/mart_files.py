"""Read mart files: precomputed analyses, one SELECT per file in ``sql/marts``.

Their results are stored in the lake and published in the schema ``marts``. A file begins with its description in
comment lines, a title and then:

- ``-- en:``, ``-- zh:`` (required): the content.
- ``-- grain:`` (required): the meaning of one row.
- ``-- key:`` (required): the columns that identify a row; they are never empty.
- ``-- owner:`` (required): the person (e-mail address) or team (``team:NAME``) responsible.
- ``-- cadence:`` (required): how often the mart is rebuilt (hourly, daily).
- ``-- mode:`` (required): ``incremental``, a partition per Beijing day, built for the day ``$dt`` alone; or ``full``,
  rebuilt as a whole each time.
- ``-- lookback:`` (incremental): the days before ``$dt`` that it may read, per table if necessary:
  ``7 days; hot_words all``.
- ``-- lookahead:`` (incremental): the days after ``$dt`` that it may read; a day is rebuilt when they arrive.
- ``-- days:`` (incremental): the tables that determine its days; default: all tables in its SQL.
- ``-- not null:``: further columns that are never empty.
- ``-- names:``: columns that publication fills from a dimension, so that every day has the present name:
  ``nickname dim_accounts.name``. The lake keeps what the SELECT gives.
- ``-- covers:``: the column with the day of a row's event, for ``meta.mart_coverage``; two columns, the first and last
  day, if a row spans days. Default: ``dt`` of incremental marts.
- ``-- rows:`` (incremental): the largest change of the number of rows from one day to the next without a warning, e.g.
  ``50 %``.
- ``-- column name [unit; additive]:``: the meaning of a column that no core table has, English / Chinese.

Tables are named with their schema: ``main.videos``, ``marts.video_daily``, ``outreach.plans``, ``meta.load_status``.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from catalog import FIELDS
from catalog.records import Additive
from resources.config.project import SHIPPED

MARTS_DIR = SHIPPED / "sql" / "marts"
"""Folder of the shipped marts."""
DATASET = "marts"
"""Side dataset of the lake: ``lake/marts/<name>/dt=…/data.parquet``, and ``…/all/data.parquet`` of a full mart."""
_log = logging.getLogger(__name__)

_LINE = re.compile(
    r"^--\s*(en|zh|grain|key|owner|cadence|mode|lookback|lookahead|days|not null|names|covers|rows):\s*(.+?)\s*$"
)
_COLUMN = re.compile(r"^--\s*column (?P<name>\w+)(?:\s*\[(?P<marks>[^\]]*)\])?:\s*(?P<en>.+?)\s+/\s+(?P<zh>.+?)\s*$")
_SPAN = re.compile(r"^(?:(?P<table>\w+)\s+)?(?:(?P<days>\d+)\s+days?|(?P<all>all))$")
_NAME_OF = re.compile(r"(?P<column>\w+)\s+(?P<dimension>\w+)\.(?P<name>\w+)")
_NAMES = re.compile(r"^[a-z][a-z0-9_]*$")
_OWNER = re.compile(r"team:\S.*|[\w.+-]+@[\w-]+(\.[\w-]+)+")
_NEEDED = ("en", "zh", "grain", "key", "owner", "cadence", "mode")
ALL_DAYS = 1_000_000
"""Look-back in days that reaches to the first day."""


class BadMart(ValueError):
    """A mart file with an incomplete or invalid description, or with references to missing objects.

    The message begins with file and line.
    """


class Mode(StrEnum):
    """How a mart is built: a partition per Beijing day, or as a whole."""

    INCREMENTAL = "incremental"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class MartColumn:
    """Meaning of a mart's column; ``unit`` is None for counts and texts."""

    en: str
    zh: str
    unit: str | None = None
    additive: Additive = Additive.NO


@dataclass(frozen=True)
class Mart:
    """A mart as its file describes it; ``sql`` is the whole text, so that line numbers match the file.

    ``lookback``, ``lookbacks`` (by table) and ``lookahead`` are in days.
    """

    name: str
    path: Path
    sql: str
    title_en: str
    title_zh: str
    en: str
    zh: str
    grain: str
    key: tuple[str, ...]
    owner: str
    cadence: str
    mode: Mode
    lookback: int = 0
    lookbacks: Mapping[str, int] = field(default_factory=dict)
    lookahead: int = 0
    days_of: tuple[str, ...] = ()
    not_null: tuple[str, ...] = ()
    rows_may_change: float | None = None
    """Largest change as a ratio of the previous day's rows; None: no limit."""
    columns: Mapping[str, MartColumn] = field(default_factory=dict)
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Columns filled at publication: the dimension (a full mart), and its column."""
    covers: tuple[str, ...] = ()
    """Column with the day of a row's event, or those with its first and last day."""

    @property
    def dataset(self) -> str:
        """The mart's dataset in the lake: ``marts/<name>``."""
        return f"{DATASET}/{self.name}"

    @property
    def incremental(self) -> bool:
        """Whether the mart has a partition per day."""
        return self.mode is Mode.INCREMENTAL

    @property
    def hash(self) -> str:
        """SHA-256 of the file's text in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def title(self) -> str:
        """English and Chinese title."""
        return f"{self.title_en} {self.title_zh}".strip()

    @property
    def comment(self) -> str:
        """Comment of the published table: title, content, grain, key and owner."""
        return f"{self.title}: {self.zh} / {self.en} [{self.grain}; key {', '.join(self.key)}; {self.owner}]"

    def days_before(self, table: str) -> int:
        """Return how many days before its own day the mart may read of ``table``."""
        return self.lookbacks.get(table, self.lookback)

    def meaning(self, column: str) -> MartColumn | None:
        """Return a column's meaning from the file or else the catalogue; None if neither defines it."""
        if (own := self.columns.get(column)) is not None:
            return own
        if (known := FIELDS.get(column)) is not None:
            return MartColumn(f"{known.en}: {known.doc_en}", f"{known.zh}：{known.doc_zh}", known.unit, known.additive)
        return None


def mart_folders(project: Path | None) -> tuple[Path, ...]:
    """Return the folders of marts: the shipped one, and that of the user's project."""
    return (MARTS_DIR,) if project is None else (MARTS_DIR, project / "sql" / "marts")


def mart_paths(*folders: Path) -> dict[str, Path]:
    """Return the mart files by name, in order of name: of the shipped folder if none is given.

    A file takes the place of the one of its name in an earlier folder; an absent folder has none.
    """
    found = {path.stem: path for folder in folders or (MARTS_DIR,) for path in folder.glob("*.sql")}
    return dict(sorted(found.items()))


def load_marts(*folders: Path) -> dict[str, Mart]:
    """Read the marts of the folders (see :func:`mart_paths`) by name, in order of name.

    Raises:
        BadMart: a file's description is incomplete or invalid.
    """
    return {name: read_mart(path) for name, path in mart_paths(*folders).items()}


def readable_marts(*folders: Path) -> dict[str, Mart]:
    """Read the valid marts of the folders by name, in order of name; log and skip invalid files."""
    found = {}
    for name, path in mart_paths(*folders).items():
        try:
            found[name] = read_mart(path)
        except BadMart as error:
            _log.warning("a mart is left out: %s", error)
    return found


def read_mart(path: Path) -> Mart:
    """Read one mart file.

    Raises:
        BadMart: a part of its description is missing or invalid; the message names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadMart(f"{path}:1: this is not UTF-8 text: save it as UTF-8") from error
    said: dict[str, str] = {}
    lines: dict[str, int] = {}
    columns: dict[str, MartColumn] = {}
    body = text.splitlines() or [""]
    if not _NAMES.match(path.stem):
        raise BadMart(
            f"{path}:1: a mart is named like a table, in small letters, digits and underscores: rename the file"
        )
    if not body[0].startswith("-- ") or _LINE.match(body[0]):
        raise BadMart(f"{path}:1: the first line is the title: `-- Title 中文`")
    for number, line in enumerate(body[1:], 2):
        if not line.startswith("--"):
            break
        if match := _LINE.match(line):
            said[match[1]], lines[match[1]] = match[2], number
        elif match := _COLUMN.match(line):
            columns[match["name"]] = MartColumn(match["en"], match["zh"], *_marks(path, number, match["marks"]))
        elif line.startswith("-- column"):
            raise BadMart(
                f"{path}:{number}: write `-- column name [unit; additive]: English / 中文`; "
                "the brackets may be left out"
            )
    key = _checked_key(path, said, lines)
    title_en, title_zh = _two_titles(body[0])
    lookback, lookbacks = _lookbacks(path, lines.get("lookback", 1), said.get("lookback"))
    ahead, per_table = _lookbacks(path, lines.get("lookahead", 1), said.get("lookahead"))
    if per_table:
        raise BadMart(f"{path}:{lines['lookahead']}: a look-ahead is one number of days: `2 days`")
    return Mart(
        path.stem,
        path,
        text,
        title_en,
        title_zh,
        said["en"],
        said["zh"],
        said["grain"],
        key,
        said["owner"],
        said["cadence"],
        Mode(said["mode"]),
        lookback,
        lookbacks,
        ahead,
        _names(said.get("days", "")),
        _names(said.get("not null", "")),
        _ratio(path, lines.get("rows", 1), said.get("rows")),
        columns,
        dict(_name_of(path, lines["names"], part) for part in _names(said.get("names", ""))),
        _names(said.get("covers", "dt" if said["mode"] == Mode.INCREMENTAL else "")),
    )


def _checked_key(path: Path, said: Mapping[str, str], lines: Mapping[str, int]) -> tuple[str, ...]:
    """Check the parts of a description against each other; return the key."""
    if missing := [part for part in _NEEDED if part not in said]:
        raise BadMart(f"{path}:1: its description lacks {', '.join(f'`-- {m}:`' for m in missing)}")
    if not _OWNER.fullmatch(said["owner"]):
        raise BadMart(
            f"{path}:{lines['owner']}: the owner is `team:NAME` or an e-mail address, not {said['owner']!r}: Dagster "
            "takes no other"
        )
    if said["mode"] not in tuple(Mode):
        raise BadMart(f"{path}:{lines['mode']}: mode is `incremental` or `full`, not {said['mode']!r}")
    if said["mode"] == Mode.FULL and (wrong := [w for w in ("lookback", "lookahead", "days", "rows") if w in said]):
        raise BadMart(
            f"{path}:{lines[wrong[0]]}: a full mart reads everything and has no days: take `{wrong[0]}` "
            "out, or make it incremental"
        )
    key = _names(said["key"])
    if said["mode"] == Mode.INCREMENTAL and "dt" not in key:
        raise BadMart(f"{path}:{lines['key']}: the key of an incremental mart begins with dt")
    return key


def _two_titles(line: str) -> tuple[str, str]:
    """Split a title line into its English and its Chinese part."""
    words = line.removeprefix("-- ").split()
    split = next((n for n, word in enumerate(words) if not word.isascii()), len(words))
    return " ".join(words[:split]), " ".join(words[split:])


def _marks(path: Path, number: int, marks: str | None) -> tuple[str | None, Additive]:
    unit, additive = None, Additive.NO
    for mark in filter(None, (m.strip() for m in (marks or "").split(";"))):
        if mark in tuple(Additive):
            additive = Additive(mark)
        elif unit is None:
            unit = mark
        else:
            raise BadMart(
                f"{path}:{number}: in brackets stand a unit and whether it may be summed "
                f"({', '.join(Additive)}), not {mark!r}"
            )
    return unit, additive


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _name_of(path: Path, number: int, text: str) -> tuple[str, tuple[str, str]]:
    if (match := _NAME_OF.fullmatch(text)) is None:
        raise BadMart(f"{path}:{number}: names are given as `nickname dim_accounts.name`, not {text!r}")
    return match["column"], (match["dimension"], match["name"])


def _lookbacks(path: Path, number: int, text: str | None) -> tuple[int, dict[str, int]]:
    default, tables = 0, {}
    for part in filter(None, (p.strip() for p in (text or "").split(";"))):
        match = _SPAN.match(part)
        if match is None:
            raise BadMart(
                f"{path}:{number}: a look-back is `7 days` or `all`, and of single tables `hot_words 30 "
                f"days`, separated by semicolons; not {part!r}"
            )
        days = ALL_DAYS if match["all"] else int(match["days"])
        if match["table"]:
            tables[match["table"]] = days
        else:
            default = days
    return default, tables


def _ratio(path: Path, number: int, text: str | None) -> float | None:
    if text is None:
        return None
    match = re.match(r"^(\d+)\s*%$", text)
    if match is None:
        raise BadMart(f"{path}:{number}: rows is a percentage such as `50 %`, not {text!r}")
    return int(match[1]) / 100

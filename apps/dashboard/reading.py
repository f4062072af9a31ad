"""Query the published file: open it read-only, read, and close it at once.

A publication replaces it by renaming and never waits for a visitor.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from catalog.records import BEIJING
from resources.sql import DUCKDB_SESSION

MOST_KEPT = 200
"""Most results cached in memory, of one published file; most of them are a few kilobytes."""

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "1GB",
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
"""Limits of a connection: runs on the same machine come first, and the page can read this file only."""

# DuckDB gives connections of one process to the same path the same database: while one is open, the next would
# still see the file from before the replacement. One at a time, and each sees the present file.
_opening = threading.Lock()


class CannotShow(RuntimeError):
    """There is nothing to show. ``zh`` and ``en`` say what to do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True)
class DashboardQuery:
    """One SELECT; ``values`` fills its ``$names``."""

    sql: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Return the key of its cached result."""
        return self.sql, repr(sorted(self.values.items()))


Version = tuple[int, int, int]


class WarehouseReader:
    """Results from the file at ``path``, shared by all visitors."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: OrderedDict[tuple, pa.Table] = OrderedDict()
        self._kept_of: Version | None = None
        self._keeping = threading.Lock()

    def version(self) -> Version:
        """Return what distinguishes one published file from the next.

        Raises:
            CannotShow: nothing was published yet.
        """
        try:
            found = os.stat(self.path)
        except FileNotFoundError as error:
            raise CannotShow(
                f"还没有发布过数据仓库（{self.path}）。先运行 `make demo` 或 `douyin run`，"
                "或用 DOUYIN_HOME 指定数据目录，然后点“刷新”。",
                f"Nothing was published yet ({self.path}). Run `make demo` or `douyin run`, or name the "
                "data folder with DOUYIN_HOME; then press refresh.",
            ) from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def published_at(self) -> datetime:
        """Return when the present file was published, in Beijing time."""
        return datetime.fromtimestamp(self.version()[1] / 1e9, BEIJING)

    def ask(self, questions: Mapping[str, DashboardQuery]) -> dict[str, pa.Table]:
        """Return the results by the names of the queries, all from one published file.

        Results of the same query on the same file come from the cache.

        Raises:
            CannotShow: there is no file, it does not open, or it lacks a mart that is needed.
        """
        version = self.version()
        found = self._remembered(version, questions)
        if len(found) < len(questions):
            version, found = self._read(questions)
            self._remember(version, questions, found)
        return found

    def _read(self, questions: Mapping[str, DashboardQuery]) -> tuple[Version, dict[str, pa.Table]]:
        try:
            with _opening:
                while True:
                    before = self.version()
                    with duckdb.connect(str(self.path), read_only=True, config=_CONFIG) as connection:
                        if self.version() != before:
                            continue  # replaced while it was being opened: which file was opened is unknown
                        connection.execute(f"{DUCKDB_SESSION}; SET enable_external_access = false")
                        return before, {
                            name: _plain(connection.execute(q.sql, _used(q)).to_arrow_table())
                            for name, q in questions.items()
                        }
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            first = str(error).splitlines()[0]
            raise CannotShow(
                f"已发布的文件缺少这里需要的集市，或结构较旧。"
                f"运行 `douyin run`（或 `make demo`）生成集市并发布，然后点“刷新”。（{first}）",
                "The published file lacks a mart that this needs, or has it in an older shape. Run "
                "`douyin run` (or `make demo`), which makes and publishes marts; then press refresh. "
                f"({first})",
            ) from error
        except duckdb.IOException as error:
            first = str(error).splitlines()[0]
            raise CannotShow(
                f"仓库文件无法打开：`douyin publish --rebuild` 会由 Parquet 重建。（{first}）",
                f"The warehouse does not open: `douyin publish --rebuild` makes it anew from Parquet. ({first})",
            ) from error

    def _remembered(self, version: Version, questions: Mapping[str, DashboardQuery]) -> dict[str, pa.Table]:
        with self._keeping:
            if self._kept_of != version:
                return {}
            return {name: self._kept[q.key] for name, q in questions.items() if q.key in self._kept}

    def _remember(
        self, version: Version, questions: Mapping[str, DashboardQuery], found: Mapping[str, pa.Table]
    ) -> None:
        with self._keeping:
            if self._kept_of != version:
                self._kept.clear()
                self._kept_of = version
            for name, question in questions.items():
                self._kept[question.key] = found[name]
                self._kept.move_to_end(question.key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


def _used(question: DashboardQuery) -> dict[str, Any]:
    """Select the values whose name is in the SQL: DuckDB refuses others."""
    return {name: value for name, value in question.values.items() if f"${name}" in question.sql}


def _plain(rows: pa.Table) -> pa.Table:
    """Cast sums of whole numbers to 64 bits: they are 128-bit decimals, which charts and most tables cannot show."""
    return rows.cast(
        pa.schema([field.with_type(pa.int64()) if pa.types.is_decimal(field.type) else field for field in rows.schema])
    )

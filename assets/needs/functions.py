"""The reading of comments as functions of DuckDB, so that marts of texts are SELECTs like the others.

They work on whole vectors. Nothing is loaded when they are registered: dictionaries come with the first text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from assets.needs.files import hash_files, needs_dir, read_files

VERSION = 1
"""Raise when the functions give something else for the same files."""

FUNCTIONS: dict[str, tuple[str, str, str]] = {
    "zh_terms": ("VARCHAR[]", "words of a text without stop words, each once", "分词（去停用词，去重）"),
    "comment_needs": ("VARCHAR[]", "ids of the needs that rules find in a comment", "评论的需求类别 id"),
    "comment_sentiment": ("DOUBLE", "heuristic mood of a comment from -1 to 1, null where nothing says any", "评论情感（启发式，-1 至 1，无情感为空）"),
    "is_question": ("BOOLEAN", "whether a comment asks something, heuristic", "是否提问（启发式）"),
    "mask_personal": ("VARCHAR", "a text without contacts and names of persons", "脱敏后的文本"),
}
"""Name -> (result, meaning in English, in Chinese). All take one text; of nothing they give null."""

_ARROW = {"VARCHAR[]": pa.list_(pa.string()), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(), "VARCHAR": pa.string()}


def register(connection: duckdb.DuckDBPyConnection, folder: Path | None = None) -> None:
    """Make the functions known to a connection."""
    for name, (result, _, _) in FUNCTIONS.items():
        connection.create_function(name, _vectorised(name, _ARROW[result], folder), ["VARCHAR"], result, type="arrow", null_handling="special")


def _vectorised(name: str, kind: pa.DataType, folder: Path | None) -> Callable[[pa.ChunkedArray], pa.Array]:
    def apply(texts: pa.ChunkedArray) -> pa.Array:
        work = _work(name, folder)
        return pa.array([None if text is None else work(text) for text in texts.to_pylist()], kind)

    return apply


def _work(name: str, folder: Path | None) -> Callable[[str], Any]:
    from assets.needs.masking import mask_personal
    from assets.needs.reading import reader

    if name == "mask_personal":
        return mask_personal
    read = reader(folder or needs_dir())
    return {
        "zh_terms": lambda text: list(read.terms(read.normal(text))),
        "comment_needs": lambda text: list(read.needs(read.normal(text))),
        "comment_sentiment": lambda text: read.mood(text, read.normal(text)),
        "is_question": lambda text: read.asks(read.normal(text)),
    }[name]


def fingerprint(folder: Path | None = None) -> str:
    """Changes whenever the functions would give something else."""
    return f"{VERSION}-{hash_files(folder or needs_dir())}"


def class_names(folder: Path | None = None) -> dict[str, tuple[str, str]]:
    """Id of a need -> its names in Chinese and English; ``other`` for comments without one."""
    rules = read_files(folder or needs_dir()).rules
    return {n.id: (n.zh, n.en) for n in rules.classes} | {"other": ("其他", "Other")}

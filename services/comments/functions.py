"""Register DuckDB functions over comments, for the SQL of marts; they work on whole vectors.

They bind without a dictionary: rules, jieba and OpenCC are loaded at the first row. NULL gives NULL. A text without
findings gives an empty list, false, or NULL for the sentiment. The same text gives the same result, byte for byte.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from services.comments.masking import mask_all

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from services.comments.reading import Analyser

__all__ = ["FUNCTIONS", "TextFunction", "register"]


@dataclass(frozen=True)
class TextFunction:
    """A SQL function of one VARCHAR.

    ``compute`` gets texts without NULL, and a function that loads the analyser if it is needed.
    """

    name: str
    returns: str
    en: str
    zh: str
    compute: Callable[[Callable[[], Analyser], Sequence[str]], list[Any]]

    @property
    def signature(self) -> str:
        """Return the signature for documentation."""
        return f"{self.name}(text VARCHAR) -> {self.returns}"


_ALL = (
    TextFunction(
        "zh_terms",
        "VARCHAR[]",
        "words of the text, each once, in order, without stop words, single characters, digits and personal data",
        "分词：按出现顺序去重，不含停用词、单字、数字和个人信息",
        lambda load, texts: load().terms(texts),
    ),
    TextFunction(
        "comment_needs",
        "VARCHAR[]",
        "ids of the need classes that the rules find, in the order of rules.yaml; empty where none (heuristic)",
        "粉丝需求分类（按 rules.yaml 的顺序，没有则为空列表；规则判断，仅供参考）",
        lambda load, texts: load().needs(texts),
    ),
    TextFunction(
        "comment_sentiment",
        "DOUBLE",
        "sentiment from -1 to 1 by a small lexicon, four digits; NULL where no word of it stands (heuristic)",
        "情感得分 -1 到 1（小型词典估算，四位小数，没有情感词则为 NULL，仅供参考）",
        lambda load, texts: load().sentiments(texts),
    ),
    TextFunction(
        "is_question",
        "BOOLEAN",
        "whether the text asks something (heuristic)",
        "是否提问（规则判断，仅供参考）",
        lambda load, texts: load().questions(texts),
    ),
    TextFunction(
        "mask_personal",
        "VARCHAR",
        "the text with phones, WeChat and QQ ids, e-mail, @names and long numbers as ***",
        "脱敏：手机号、微信号、QQ、邮箱、@昵称、长数字替换为 ***",
        lambda load, texts: mask_all(texts),
    ),
)

FUNCTIONS: MappingProxyType[str, TextFunction] = MappingProxyType({f.name: f for f in _ALL})
"""Functions by name, with signature and description in both languages."""


def register(connection: duckdb.DuckDBPyConnection, folder: Path | None = None, *, at_once: bool = False) -> None:
    """Register all :data:`FUNCTIONS` on a connection and its cursors.

    An unusable rules file is an error of the first query that calls a function, not of this call. ``at_once`` loads
    rules and dictionaries here: a signal during an import that DuckDB's call started would leave the import lock
    locked.

    Args:
        connection: the connection.
        folder: the folder of the rules; default: the repository's.
        at_once: load rules and dictionaries now.

    Raises:
        BadNeeds: ``at_once`` is set and a rules file is unusable.
    """
    from duckdb.func import FunctionNullHandling, PythonUDFType

    loaded: list[Analyser] = []
    lock = threading.Lock()

    def load() -> Analyser:
        """Load the analyser once."""
        from services.comments.reading import analyser

        with lock:
            if not loaded:
                loaded.append(analyser(folder))
        return loaded[0]

    if at_once:
        load()
    for function in _ALL:
        connection.create_function(
            function.name,
            _over_vectors(function, load),
            ["VARCHAR"],
            function.returns,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )


def _over_vectors(function: TextFunction, load: Callable[[], Analyser]) -> Callable[[pa.ChunkedArray], pa.Array]:
    def call(column):  # no annotations: DuckDB would evaluate them, and pyarrow is not imported before the first row
        import pyarrow as pa

        kind = {
            "VARCHAR[]": pa.list_(pa.string()),
            "DOUBLE": pa.float64(),
            "BOOLEAN": pa.bool_(),
            "VARCHAR": pa.string(),
        }[function.returns]
        texts = column.to_pylist()
        if column.null_count == 0:
            return pa.array(function.compute(load, texts), kind)
        answers = iter(function.compute(load, [t for t in texts if t is not None]))
        return pa.array([None if t is None else next(answers) for t in texts], kind)

    return call

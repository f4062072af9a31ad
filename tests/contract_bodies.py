"""Random successful responses in the contract's shape, partly malformed.

Hypothesis strategies for every readable operation.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

from contract_reading import inside, kind_of, operations, resolve
from hypothesis import strategies as st

from catalog import FIELDS
from catalog.records import Column, Endpoint, Origin, Parse, Pii

PERSONAL = "P€RS:"
"""The beginning of every text of a personal member, so that a test can trace it."""

LONG = "长" * 33_000
"""About 100 kB of UTF-8."""

_alphabet = st.characters(codec="utf-8", exclude_characters="\0")
texts = st.one_of(
    st.text(_alphabet, max_size=12),
    st.text(_alphabet, max_size=12),
    st.sampled_from(
        [
            "",
            " ",
            "[1]",
            "[",
            "{",
            "{}",
            '{"a":1}',
            "null",
            "true",
            "0",
            "-1",
            "热点词 #😀",
            "👩‍👩‍👧‍👦",
            "مرحبا بالعالم",
            "\u202eabc",
            "a\nb\r\nc",
            "\x01\x1f\x7f",
            "\u2028",
            "\ufeff",
            '"',
            "\\",
            "'",
            "$.list",
            "18~23",
            "<nil>",
            "@9+DUj/3w==",
            "1.361e+06",
            "2026-02-30",
            "x" * 3000,
            LONG,
        ]
    ),
)
edges = st.sampled_from(
    [n + d for n in (-(2**63), 2**63, 2**64, -(2**64), 2**53, 0) for d in (-2, -1, 0, 1)] + [10**30, -(10**30)]
)


@st.composite
def mostly(draw, fitting: st.SearchStrategy, rare: st.SearchStrategy, times: int = 24) -> Any:
    """Choose the first strategy ``times`` times as often as the second.

    Otherwise a row of twenty malformed values would test nothing but the first of them. (``one_of`` gives every
    strategy the same chance, however often it is named.)
    """
    return draw(rare if draw(st.integers(0, times)) == times // 2 else fitting)


whole = mostly(
    st.one_of(st.integers(0, 5000), st.integers(0, 10**12), st.integers(-50, 50), st.integers(-(2**63), 2**63 - 1)),
    edges,
)
decimals = st.sampled_from([0.5, -0.25, 2.0, 1234.75])
"""Numbers that every JSON writer formats alike."""
odd = st.one_of(
    st.none(),
    st.booleans(),
    whole,
    decimals,
    texts,
    st.lists(st.one_of(st.integers(0, 3), texts), max_size=2),
    st.dictionaries(texts, st.integers(0, 3), max_size=2),
)
numbers = st.one_of(whole, decimals, st.floats(allow_nan=False, allow_infinity=False))
number_texts = st.one_of(
    numbers.map(str),
    st.sampled_from(["1.361e+06", "1e-9", "-0", "007", "0.0"]),
    st.sampled_from(["1.361E+06", "1e400"]),
)
epochs = mostly(st.one_of(st.just(0), st.integers(1, 2 * 10**9), st.integers(10**12, 2 * 10**12)), whole)
instants = mostly(
    st.one_of(
        st.dates(date(2000, 1, 1), date(2030, 1, 1)).map(str),
        st.datetimes(datetime(1900, 1, 1)).map(lambda d: f"{d:%Y-%m-%d %H:%M:%S}"),
    ),
    texts,
)
SUCCESS = {
    "error_code": st.sampled_from([0, "0"]),
    "err_no": st.just(0),
    "sub_error_code": st.sampled_from([0, "0"]),
    "message": st.just("success"),
    "has_more": st.sampled_from([False, None, 0]),
}
"""Members that mark a complete, successful response."""


def success_schema(endpoint: Endpoint) -> dict[str, Any]:
    """Return the schema of an operation's successful response; twins have that of their original."""
    return resolve(
        {"$ref": "#/components/schemas/" + operations()[endpoint.twin_of or endpoint.name]["x-success-schema"]}
    )[0]


def columns_by_path(endpoint: Endpoint) -> dict[str, list[Column]]:
    """Return the columns read from rows, by the path of their member.

    Paths are written as :func:`contract_reading.members` does; ``|`` stays.
    """
    found: dict[str, list[Column]] = {}
    for output in endpoint.outputs:
        for column in output.columns:
            if column.origin in (Origin.MEMBER, Origin.PARENT, Origin.ELEMENT):
                deeper = f"{output.explode}[]." if output.explode and column.origin is Origin.MEMBER else ""
                found.setdefault((inside(output.rows, output.single) + deeper + column.path).rstrip("."), []).append(
                    column
                )
    return found


class Bodies:
    """Strategies for the responses of one operation.

    ``today`` is the day of observation; series go back ``reach`` days from it.
    """

    def __init__(self, endpoint: Endpoint, today: date, reach: int) -> None:
        columns = columns_by_path(endpoint)
        self._personal = {
            path for path, found in columns.items() if any(FIELDS[c.field].pii is not Pii.NONE for c in found)
        }
        self._instants = {path for path, found in columns.items() if any(c.parse is Parse.EPOCH for c in found)}
        self._opened = {path for path in columns if "|" in path}
        days = st.integers(1, reach).map(lambda n: str(today - timedelta(days=n)))
        self._leaves = {
            "IntOrString": st.one_of(whole, whole.map(str)),
            "NumOrString": st.one_of(numbers, number_texts),
            "EpochSeconds": st.one_of(epochs, epochs.map(str)),
            "EpochMillis": st.one_of(epochs, epochs.map(str)),
            "DateTimeText": instants,
            "date": mostly(
                days, st.one_of(st.sampled_from(["2026-02-30", "0000-01-01", "2026-1-1", "abc", ""]), instants)
            ),
            "integer": whole,
            "number": numbers,
            "boolean": st.booleans(),
            "string": texts,
            "null": st.none(),
        }
        self._percents = mostly(
            st.integers(0, 10_000).map(lambda n: f"{n / 100}%"), st.sampled_from(["-1.5%", "1e3%", "%", "0"])
        )
        self.strategy = self._object(success_schema(endpoint), "")

    def _of(self, node: dict[str, Any], path: str) -> st.SearchStrategy:
        """Return values that fit a schema, null if allowed, in the forms of the platform."""
        name = path.rpartition(".")[2]
        if name in SUCCESS:
            return SUCCESS[name]
        options = node.get("anyOf") or [node]
        strategies = [self._one(o, path) for o in options]
        return st.one_of(*strategies) if len(strategies) > 1 else strategies[0]

    def _one(self, node: dict[str, Any], path: str) -> st.SearchStrategy:
        schema, _ = resolve(node)
        kind = kind_of(node)
        if any(p.startswith(f"{path}|") for p in self._opened):
            return mostly(self._as_text(path), texts)
        types = schema.get("type", "any")
        types = [types] if isinstance(types, str) else types
        if "array" in types:
            rows = st.lists(mostly(self._of(schema["items"], f"{path}[]"), odd), min_size=1, max_size=5)
            twice = rows.map(lambda r: r + r[:1])  # the first row again
            return mostly(rows, st.one_of(twice, twice, st.just([]), st.none()), 6)
        if "object" in types and schema.get("properties"):
            return mostly(self._object(schema, path), st.none()) if "null" in types else self._object(schema, path)
        if "object" in types:
            return st.dictionaries(texts, odd, max_size=2)
        if kind == "string" and "percent" in path.rpartition(".")[2]:
            return self._percents
        if len(types) > 1:
            return st.one_of(*[self._leaves[t] for t in types])
        if path.startswith("extra."):
            return st.sampled_from(["", "20261116103000F5D4D8B8EB9F3C9929", 0, "1794796200"])
        leaf = st.one_of(epochs, epochs.map(str)) if path in self._instants else self._leaves.get(kind, odd)
        if path in self._personal and kind == "string":
            return leaf.map(PERSONAL.__add__)
        return leaf

    def _as_text(self, path: str) -> st.SearchStrategy:
        """Return a JSON object as text, with the members that the catalogue opens it for."""
        inner: dict[str, st.SearchStrategy] = {}
        for name in sorted({p[len(path) + 1 :].split("|")[0] for p in self._opened if p.startswith(f"{path}|")}):
            here = f"{path}|{name}"
            if here in self._opened:
                leaf = texts.map(PERSONAL.__add__) if here in self._personal else st.one_of(texts, whole)
                inner[name] = mostly(leaf, odd)
            else:
                inner[name] = mostly(st.one_of(self._as_text(here), self._as_text(here).map(json.loads)), odd)
        return st.fixed_dictionaries({}, optional=inner).map(lambda v: json.dumps(v, ensure_ascii=False))

    def _object(self, schema: dict[str, Any], path: str) -> st.SearchStrategy:
        inner = {
            name: self._of(node, f"{path}.{name}" if path else name) for name, node in schema["properties"].items()
        }
        loose = [name for name in inner if name not in SUCCESS]
        if not loose:
            return st.fixed_dictionaries(inner)
        some = st.sampled_from(loose)
        seldom = 5 if path.count("[]") else 60  # an error of the whole response hides errors of rows
        few = mostly(st.just(set()), st.sets(some, min_size=1, max_size=2), seldom)
        wrong = mostly(st.just({}), st.dictionaries(some, odd, min_size=1, max_size=2), seldom)
        unknown = mostly(st.just({}), st.dictionaries(texts.map("new_".__add__), odd, min_size=1, max_size=1), 5)

        def put_together(parts: tuple[dict, set, dict, dict]) -> dict[str, Any]:
            fitting, missing, misfits, more = parts
            misfits = {
                n: PERSONAL + v if isinstance(v, str) and f"{path}.{n}" in self._personal else v
                for n, v in misfits.items()
            }
            return {name: value for name, value in {**fitting, **misfits, **more}.items() if name not in missing}

        return st.tuples(st.fixed_dictionaries(inner), few, wrong, unknown).map(put_together)

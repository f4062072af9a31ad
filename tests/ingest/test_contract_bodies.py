"""Random responses in the contract's shape are compared with a plain Python reading of the same bodies.

They go through archive, normaliser and lake. Every row that the plain reader finds lands with the same values, goes to
quarantine, or repeats a landed one. Nothing crashes, and no reason shows personal data. Many bodies go through one
archive day, since a day costs more than a body. When a day fails, the test searches the one body that fails alone and
shrinks it.
"""

from __future__ import annotations

import copy
import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from contract_bodies import PERSONAL, Bodies, success_schema
from hypothesis import HealthCheck, Phase, given, settings
from normalising import AT, TODAY, hold_partition, params_of, reach_of, through_the_archive
from test_values_properties import MISFIT, ORACLES, are_fractions, is_fraction, oracle_percent

from catalog import ENDPOINTS, FIELDS, TABLES
from catalog.envelopes import MalformedBody, member, read_envelope
from catalog.records import Column, Endpoint, History, Origin, Output, Parse, Table
from resources.storage.lake import Lake

# --------------------------------------------------------------------------- a plain reader


@dataclass(frozen=True)
class Row:
    """A row as the plain reader sees it.

    It has values by column, MISFIT where one does not fit, or None if the row is malformed.
    """

    values: dict[str, Any] | None


def as_text(value: Any) -> Any:
    """Return the text of a JSON leaf; MISFIT for objects and lists."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return MISFIT if isinstance(value, list | dict) else repr(value)


def opened(value: Any) -> Any:
    """Parse JSON given as text; return other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def words(value: Any) -> Any:
    """Join a list of texts, or one text in brackets, by 、."""
    if value is None:
        return None
    if not isinstance(value, list | str):
        return MISFIT
    listed = [as_text(v) for v in value if v is not None] if isinstance(value, list) else [value]
    if any(v is MISFIT for v in listed):
        return ...
    if len(listed) == 1 and listed[0].startswith("[") and listed[0].endswith("]"):
        return ...
    return "、".join(listed) or None


def leaf(row: Any, column: Column) -> Any:
    """Return the value of a member column.

    It is typed, MISFIT, or ``...`` where plain Python does not define how it is written.
    """
    if column.parse is Parse.WORDS:
        return words(member(row, column.path))
    if "|" in column.path:
        first, *more, last = column.path.split("|")
        place = opened(row.get(first))
        if not isinstance(place, dict):
            return None  # the row is malformed
        for step in more:
            place = opened(place.get(step) if isinstance(place, dict) else None)
        text = as_text(place.get(last)) if isinstance(place, dict) else None
        if text is MISFIT and column.parse is Parse.TEXT:
            return ...
    else:
        place = row
        for step in column.path.split(".")[:-1]:
            place = place.get(step)
            if place is None:
                break
            if not isinstance(place, dict):
                return MISFIT
        text = as_text(None if place is None else place.get(column.path.rpartition(".")[2]))
    return text if text is None or text is MISFIT else parsed(column, text)


@dataclass(frozen=True)
class Percent:
    """Text of a percent member, whose scale depends on the others of its response."""

    text: str


def parsed(column: Column, text: str) -> Any:
    """Return the value of a text.

    It is typed, None for an empty id, and MISFIT if out of range.
    """
    if column.parse is Parse.PERCENT:
        return Percent(text)
    field, value = FIELDS[column.field], ORACLES[column.parse](text)
    if field.is_id and value in ("", "<nil>"):
        return None
    if field.is_id and re.fullmatch(
        r"-?[0-9]+\.[0-9]+([eE][+-]?[0-9]+)?|-?[0-9]{1,17}[eE][+-]?[0-9]{1,2}", value, re.ASCII
    ):
        return MISFIT
    return within(column, value)


def within(column: Column, value: Any) -> Any:
    field = FIELDS[column.field]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    outside = is_number and (
        (field.minimum is not None and value < field.minimum) or (field.maximum is not None and value > field.maximum)
    )
    return MISFIT if outside else value


def with_percents(output: Output, rows: list[Row]) -> list[Row]:
    """Return rows of one response with the values of their percent members."""
    for column in (c for c in output.columns if c.parse is Parse.PERCENT):
        sent = [row.values[column.field] for row in rows if row.values is not None]
        fractions = are_fractions(
            one.text if isinstance(one, Percent) else None if one is None else "{}" for one in sent
        )
        for row in (r for r in rows if r.values is not None and isinstance(r.values[column.field], Percent)):
            text = row.values[column.field].text
            row.values[column.field] = within(
                column, float(text) if fractions and is_fraction(text) else oracle_percent(text)
            )
    return rows


def parse_rows(endpoint: Endpoint, output: Output, body: Any, params: dict[str, Any], open_id: str) -> Iterator[Row]:
    """Yield the rows of one output of one response, in order."""
    found = member(body, output.rows)
    if output.once:
        yield Row(
            _values(output, None, {}, 1, body, params, open_id)
            if found is None or isinstance(found, dict | list)
            else None
        )
        return
    if found is None:
        return
    if output.single:
        elements = [found]
    elif isinstance(found, list):
        elements = found
    else:
        if not output.explode:
            yield Row(None)
        return
    if not output.explode:
        for n, element in enumerate(elements, 1):
            yield Row(_values(output, element, {}, n, body, params, open_id))
        return
    for parent in elements:
        inner = parent.get(output.explode) if isinstance(parent, dict) else None
        if inner is not None and not isinstance(inner, list):
            yield Row(None)
        for n, element in enumerate(inner if isinstance(inner, list) else (), 1):
            yield Row(_values(output, element, parent, n, body, params, open_id))


def _values(
    output: Output, element: Any, parent: dict, ordinal: int, body: Any, params: dict[str, Any], open_id: str
) -> dict[str, Any] | None:
    shape = str if any(c.origin is Origin.ELEMENT for c in output.columns) else dict
    if not output.once and not isinstance(element, shape):
        return None
    values: dict[str, Any] = {}
    for column in output.columns:
        if column.origin is Origin.MEMBER:
            value = leaf(element, column)
        elif column.origin is Origin.ELEMENT:
            value = parsed(column, element)
        elif column.origin in (Origin.PARENT, Origin.BODY):
            text = as_text(parent.get(column.path) if column.origin is Origin.PARENT else member(body, column.path))
            # In columns of a parent or the body that take text, the text of an object counts as text.
            value = (
                text
                if text is None
                else ...
                if text is MISFIT and column.parse is Parse.TEXT
                else text
                if text is MISFIT
                else parsed(column, text)
            )
        elif column.origin is Origin.PARAM:
            text = params.get(column.path)
            value = None if text is None else ORACLES[column.parse](str(text))
        else:
            value = {Origin.CONST: column.path, Origin.ORDINAL: ordinal, Origin.ACCOUNT: open_id}.get(
                column.origin, ...
            )
        values[column.field] = value
    opened_ones = {c.path.split("|")[0] for c in output.columns if c.origin is Origin.MEMBER and "|" in c.path}
    return None if any(not isinstance(opened(element.get(name)), dict) for name in opened_ones) else values


# --------------------------------------------------------------------------- what must hold


@dataclass(frozen=True)
class Expected:
    """The expected rows of one table."""

    seen: int
    fitting: list[dict[str, Any]]
    """Rows with their key, each key's newest first."""
    unfit: int
    nulled: int
    """Values that do not fit, in rows that land or repeat a landed one."""


def is_outside(endpoint: Endpoint, table: Table, values: dict[str, Any]) -> bool:
    """Report whether a row is of a day that no partition of this observation covers."""
    return table.history is History.WINDOW and not 1 <= (TODAY - values["stat_date"]).days <= reach_of(endpoint)


def expected_of(endpoint: Endpoint, table: Table, bodies: list[Any]) -> Expected:
    fitting, seen, unfit, nulled = [], 0, 0, 0
    for n, body in enumerate(bodies):
        for output in (o for o in endpoint.outputs if o.table == table.name):
            for row in with_percents(
                output, list(parse_rows(endpoint, output, body, params_of(endpoint, n), f"open_id {n}"))
            ):
                seen += 1
                values = row.values and {"client_key": "app", "observed_at": AT + timedelta(seconds=n), **row.values}
                if (
                    not values
                    or any(
                        values.get(name) in (None, MISFIT)
                        for name in (*table.primary_key, *(["stat_date"] if table.history is History.WINDOW else []))
                    )
                    or is_outside(endpoint, table, values)
                ):
                    unfit += 1
                else:
                    nulled += sum(value is MISFIT for value in values.values())
                    fitting.append({name: None if value is MISFIT else value for name, value in values.items()})
    return Expected(seen, fitting, unfit, nulled)


def same(found: Any, wanted: Any) -> bool:
    return (
        wanted is ...
        or found == wanted
        or (isinstance(wanted, float) and isinstance(found, float) and math.isclose(found, wanted, rel_tol=1e-15))
    )


def check(endpoint: Endpoint, bodies: list[Any]) -> Counter:
    """Compare one archive day of bodies with their plain reading; return what was seen."""
    reported: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        found = through_the_archive(
            endpoint, [json.dumps(b, ensure_ascii=n % 2 == 0).encode() for n, b in enumerate(bodies)], Path(folder)
        )
        lake = Lake(Path(folder) / "lake")
        for name, partitions in found.items():
            table = TABLES[name]
            expected = expected_of(endpoint, table, bodies)
            rows = [r for p in partitions.values() for r in p.rows.to_pylist()]
            lines = [r for p in partitions.values() for r in p.quarantine.to_pylist()]
            quarantined = [r for r in lines if r["column_name"] is None]
            duplicates = sum(p.duplicates for p in partitions.values())
            assert len(rows) + len(quarantined) + duplicates == expected.seen, f"{name}: rows are lost or doubled"
            assert len(quarantined) == expected.unfit, f"{name}: {[r['reason'] for r in quarantined]}"
            nulled = [(r["column_name"], r["value"], r["reason"]) for r in lines if r["column_name"] is not None]
            assert len(nulled) == expected.nulled, f"{name}: {nulled}"
            assert [r for r in lines if PERSONAL in f"{r['reason']} {r['value']}"] == [], name
            check_values(table, rows, expected.fitting)
            for dt, part in partitions.items():
                hold_partition(lake, dt, part)
            reported += Counter(landed=len(rows), quarantined=len(quarantined), duplicates=duplicates)
    return reported


def check_values(table: Table, rows: list[dict[str, Any]], fitting: list[dict[str, Any]]) -> None:
    """Check that each key of the plain reading landed once, with the first of its newest rows."""
    key = table.primary_key
    if any(row[name] is ... for row in fitting for name in key):
        return  # plain Python cannot format this key: compare the counts only
    newest: dict[tuple, dict[str, Any]] = {}
    for row in sorted(fitting, key=lambda r: r["observed_at"], reverse=True):
        newest.setdefault(tuple(row[name] for name in key), row)
    landed = {tuple(row[name] for name in key): row for row in rows}
    assert landed.keys() == newest.keys(), table.name
    wrong = [
        (name, landed[k][name], wanted)
        for k, row in newest.items()
        for name, wanted in row.items()
        if not same(landed[k][name], wanted)
    ]
    assert wrong == [], f"{table.name}: (column, landed, sent)"


# --------------------------------------------------------------------------- finding and shortening


def is_good(endpoint: Endpoint, body: Any) -> bool:
    """Report whether a run would read the body's rows at all."""
    try:
        return read_envelope(endpoint.envelope, body).code == 0
    except MalformedBody:
        return False


def failure(endpoint: Endpoint, body: Any) -> BaseException | None:
    try:
        check(endpoint, [body])
    except Exception as error:
        return error
    return None


def smaller(node: Any) -> Iterator[Any]:
    """Yield the node with one member, element or a large part of a text removed, at any depth."""
    if isinstance(node, dict):
        for name in node:
            yield {k: v for k, v in node.items() if k != name}
        for name, value in node.items():
            yield from ({**node, name: less} for less in smaller(value))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield node[:i] + node[i + 1 :]
            yield from ([*node[:i], less, *node[i + 1 :]] for less in smaller(value))
    elif isinstance(node, str) and len(node) > 20:
        yield node[: len(node) // 2]


def shortened(endpoint: Endpoint, body: Any, attempts: int = 200) -> Any:
    """A smaller body that still fails alone."""
    tried, found = 0, True
    while found and tried < attempts:
        found = False
        for less in smaller(body):
            tried += 1
            if tried > attempts:
                break
            if is_good(endpoint, less) and failure(endpoint, less) is not None:
                body, found = less, True
                break
    return body


def hold(endpoint: Endpoint, examples: int) -> None:
    bodies: list[Any] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=Bodies(endpoint, TODAY, reach_of(endpoint)).strategy)
    def gather(body: Any) -> None:
        if is_good(endpoint, body):
            bodies.append(copy.deepcopy(body))

    gather()
    assert len(bodies) >= examples // 2, "too few bodies are good answers"
    try:
        reported = check(endpoint, bodies)
    except Exception:
        alone = next(
            (b for b in sorted(bodies, key=lambda b: len(json.dumps(b))) if failure(endpoint, b) is not None), None
        )
        if alone is None:
            raise
        least = shortened(endpoint, alone)
        error = failure(endpoint, least)
        error.add_note(f"{endpoint.name} is answered with {json.dumps(least, ensure_ascii=False)[:2000]}")
        raise error from None
    assert reported["landed"] + reported["duplicates"] > examples // 4, (
        "too few rows land: the test would see only what is refused"
    )


def form(endpoint: Endpoint) -> tuple:
    """Return what distinguishes an operation's responses for a reader.

    It is all but its name, its path and its constant columns.
    """
    outputs = tuple(
        replace(o, columns=tuple(replace(c, path="") if c.origin is Origin.CONST else c for c in o.columns))
        for o in endpoint.outputs
    )
    params = tuple((p.name, p.fill, p.const) for p in endpoint.params)
    return (
        endpoint.envelope,
        endpoint.windows,
        endpoint.empty,
        outputs,
        params,
        json.dumps(success_schema(endpoint), sort_keys=True),
    )


FORMS = {form(e): e for e in reversed(ENDPOINTS.values())}
"""Form -> the first operation that has it: one of the dozens of boards that differ in their name alone."""


@pytest.mark.parametrize("endpoint", [pytest.param(e, id=e.name) for e in reversed(FORMS.values())])
def test_every_row_lands_as_it_was_sent_or_is_reported(endpoint: Endpoint):
    hold(endpoint, 6)


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", [pytest.param(e, id=e.name) for e in ENDPOINTS.values()])
def test_every_row_lands_as_it_was_sent_or_is_reported_at_length(endpoint: Endpoint):
    hold(endpoint, 150)

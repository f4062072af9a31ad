"""Build the SQL of the general path of extraction: from lists of JSON rows to text columns."""

from __future__ import annotations

import json

from catalog.records import Column, Origin, Output, Parse
from resources.sql import identifier, literal

TEXTS = (Parse.TEXT, Parse.BUCKET, Parse.INT_OR_NULL, Parse.NUMBER_OR_NULL, Parse.DATE_OR_NULL)
"""Parsers that accept any text, and would accept the JSON text of an object."""


def json_path(dotted: str) -> str:
    """Convert a dotted path to a quoted JSON path of DuckDB."""
    if dotted == "$":
        return "$"
    return "$" + "".join(f".{json.dumps(name, ensure_ascii=False)}" for name in dotted.split("."))


def body_columns(output: Output) -> list[tuple[int, Column]]:
    """List the columns that are read from the body beside the rows, with their numbers."""
    return [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.BODY]


def select_rows(output: Output, path: str) -> str:
    """Build the query from ``elements`` to text columns, with one row for each value that is wrongly no list."""
    members = [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.MEMBER and not _is_special(c)]
    special = [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.ELEMENT or _is_special(c)]
    parents = [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.PARENT]
    outer = "parent_o" if output.explode else "0"
    columns = [f"{_value(c)} AS c{i}" for i, c in members]
    columns += [f"{_special(c)} AS c{i}" for i, c in special]
    columns += [f"CASE {odd} END AS m{i}" for i, c in (*members, *special) if (odd := _odd(c))]
    columns += [f"json_extract_string(parent, {literal(json_path(c.path))}) AS c{i}" for i, c in parents]
    columns += [f"body{i} AS c{i}" for i, _ in body_columns(output)]
    filled = [f"c{i}" for i, _ in (*members, *special, *parents, *body_columns(output))]
    nothing = "".join(f", NULL::VARCHAR AS {name}" for name in filled)
    values = "".join(f", {column}" for column in columns)
    wanted = "an object" if output.single and not output.explode else "a list"
    return f"""
        SELECT r AS request, {outer} AS parent_ordinal, o AS ordinal, {_problem(output)} AS problem{values}
        FROM (SELECT *, json_transform(x, {literal(json.dumps(_shape(members)))}) AS t FROM elements)
        UNION ALL BY NAME
        SELECT r AS request, {outer} AS parent_ordinal, 0 AS ordinal,
               {literal(path)} || ' is ' || misfit || ', not {wanted}' AS problem{nothing}
        FROM lists WHERE misfit IS NOT NULL
        ORDER BY request, parent_ordinal, ordinal
    """


def _is_special(column: Column) -> bool:
    """Return whether a member needs its own SQL: it is inside JSON text, or is a list of words."""
    return column.origin is Origin.MEMBER and ("|" in column.path or column.parse is Parse.WORDS)


def _special(column: Column) -> str:
    """Build the SQL for a column that ``json_transform`` cannot read."""
    if column.origin is Origin.ELEMENT:
        return "json_extract_string(x, '$')"
    if column.parse is Parse.WORDS:
        return _unless(
            f"json_type(x, {literal(json_path(column.path))}) NOT IN ('ARRAY', 'VARCHAR', 'NULL')",
            column.path,
            _words(column.path),
        )
    place, where = innermost(column.path)
    return f"json_extract_string({place}, {literal(where)})"


def innermost(path: str) -> tuple[str, str]:
    """Build the SQL for the innermost object opened on a path; also return the JSON path of the member in it."""
    *outer, last = path.split("|")
    place = "x"
    for step in outer:
        place = opened_text(f"json_extract({place}, {literal(json_path(step))})")
    return place, json_path(last)


def opened_text(place: str) -> str:
    """Build the SQL for the JSON at a place, or in the text at that place; null where the text is no JSON."""
    return (
        f"CASE WHEN json_type({place}) = 'VARCHAR' THEN TRY_CAST(json_extract_string({place}, '$') AS JSON) "
        f"ELSE {place} END"
    )


def _words(path: str) -> str:
    """Build the SQL that joins the texts of a list by ``、``; one text in brackets is a list, too (``[a b c]``)."""
    where = json_path(path)
    kind = f"json_type(x, {literal(where)})"
    listed = (
        f"CASE WHEN {kind} = 'ARRAY' THEN json_extract_string(x, {literal(where + '[*]')}) "
        f"WHEN {kind} = 'VARCHAR' THEN [json_extract_string(x, {literal(where)})] END"
    )
    bracketed = f"len({listed}) = 1 AND ({listed})[1] LIKE '[%]'"
    inner = f"string_split_regex(trim(({listed})[1], '[] '), ' +')"
    return f"NULLIF(array_to_string(CASE WHEN {bracketed} THEN {inner} ELSE {listed} END, '、'), '')"


def _value(column: Column) -> str:
    """Build the SQL for the text of a member, or for the text of the first outer value that is no object."""
    value = f"t{_access(column.path)}"
    for outer in reversed(_outers(column.path)):
        value = _unless(_is_no_object(outer), outer, value)
    return value


def _unless(odd: str, path: str, value: str) -> str:
    return f"CASE WHEN {odd} THEN json_extract_string(x, {literal(json_path(path))}) ELSE {value} END"


def _outers(path: str) -> list[str]:
    """List the paths of the objects around a member, outermost first."""
    names = path.split(".")
    return [".".join(names[: n + 1]) for n in range(len(names) - 1)]


def _is_no_object(path: str) -> str:
    return f"json_type(x, {literal(json_path(path))}) NOT IN ('OBJECT', 'NULL')"


def _odd(column: Column) -> str:
    """Build the branches of a CASE that says why a value is malformed.

    It is no text, no list of texts, or an outer value is no object.
    """
    if column.origin is not Origin.MEMBER or "|" in column.path:
        return ""
    path = literal(json_path(column.path))
    if column.parse is Parse.WORDS:
        return (
            f"WHEN json_type(x, {path}) NOT IN ('ARRAY', 'VARCHAR', 'NULL') THEN "
            f"{literal(column.path + ': expected a list of texts, got ')} || json_type(x, {path})"
        )
    branches = [
        (
            f"WHEN {_is_no_object(outer)} THEN {literal(outer + ': expected an object, got ')} || "
            f"json_type(x, {literal(json_path(outer))})"
        )
        for outer in _outers(column.path)
    ]
    if column.parse in TEXTS:
        # Checked only where the text begins like an object or a list; titles may begin with "[", too.
        value = f"t{_access(column.path)}"
        branches.append(
            f"WHEN ({value} LIKE '{{%' OR {value} LIKE '[%') AND json_type(x, {path}) IN ('OBJECT', 'ARRAY') "
            f"THEN {literal(column.path + ': expected text, got ')} || json_type(x, {path})"
        )
    return " ".join(branches)


def _access(dotted: str) -> str:
    return "." + identifier(*dotted.split("."))


def _shape(members: list[tuple[int, Column]]) -> dict:
    """Build the text schema for ``json_transform``: dotted paths become nested objects."""
    shape: dict = {}
    for _, column in members:
        *outer, last = column.path.split(".")
        place = shape
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = "VARCHAR"
    return shape or {"": "VARCHAR"}


def _problem(output: Output) -> str:
    """Build the SQL that says why a row is malformed: it, or its JSON text that should be an object, is none."""
    checks = []
    shape = "VARCHAR" if any(c.origin is Origin.ELEMENT for c in output.columns) else "OBJECT"
    for outer in sorted({c.path.split("|")[0] for c in output.columns if c.origin is Origin.MEMBER and "|" in c.path}):
        place = opened_text(f"json_extract(x, {literal(json_path(outer))})")
        checks.append(
            f"WHEN coalesce(json_type({place}), '') <> 'OBJECT' THEN "
            f"{literal(outer + ': expected an object as JSON text')}"
        )
    named = "a text" if shape == "VARCHAR" else "an object"
    return (
        f"CASE WHEN json_type(x) <> '{shape}' THEN 'the row is ' || json_type(x) || ', not {named}' "
        f"{' '.join(checks)} END"
    )

"""Convert the text rows of one batch to the catalogue's types, whole columns at a time.

An invalid value becomes null, with a quarantine row that names its column. If the row cannot exist without the value
(its key, its day), the whole row goes to quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog import FIELDS
from catalog.records import Column, Endpoint, Field, History, Origin, Output, Pii, Table, Type, beijing_day
from resources.storage.schema import ARROW_TYPES
from resources.storage.segments import ArchiveEntry
from services.ingest.extract import Source
from services.ingest.periods import days_of, period_days
from services.ingest.values import EXPECTS, as_text, check_ids, limits, outside, parse_column

_INSTANT = ARROW_TYPES[Type.TIMESTAMP]
PLACE = ("_segment", "_record", "_page", "_parent_ordinal", "_ordinal")
"""Columns with the position of a row in the archive; with the time they give rows a total order."""


def parse_rows(  # noqa: C901 - one pass over columns, in the order of their dependence
    table: Table, endpoint: Endpoint, output: Output, text: pa.Table, sources: list[Source]
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Convert text rows of one output of a batch to typed rows and quarantine rows.

    Args:
        table: the table that the rows are for.
        endpoint: the endpoint of the responses.
        output: the output that the rows were extracted for.
        text: the rows, with the columns of :class:`services.ingest.extract.Rows`.
        sources: the responses of the batch, in the order of ``request``.

    Returns:
        The typed rows, with the table's columns, ``dt`` and :data:`PLACE`; and the quarantine rows, with the columns of
        the quarantine schema. Either one is None if it has no rows.
    """
    if text.num_rows == 0:
        return None, None
    if output.once:  # the row of a whole listing belongs to its last page
        text = text.filter(pa.array([s.entry.last for s in sources], pa.bool_()).take(text["request"].combine_chunks()))
        if text.num_rows == 0:
            return None, None
    frame = text.to_pandas(types_mapper=pd.ArrowDtype)
    about = _requests(table, sources, endpoint, output).take(text["request"].combine_chunks())
    rows = about.to_pandas(types_mapper=pd.ArrowDtype)
    rows["_parent_ordinal"], rows["_ordinal"] = frame["parent_ordinal"], frame["ordinal"]
    reasons = _reasons(frame["problem"])
    misfits: list[_Misfits] = []
    for i, column in enumerate(output.columns):
        field_ = FIELDS[column.field]
        if column.origin is Origin.CONST:
            rows[column.field] = pd.Series(column.path, index=rows.index, dtype=pd.ArrowDtype(pa.string()))
        elif column.origin is Origin.ORDINAL:
            rows[column.field] = frame["ordinal"] + rows["_offset"]
        elif column.origin is Origin.ACCOUNT:
            rows[column.field] = rows["_open_id"]
        elif column.origin is Origin.LISTING:
            rows[column.field] = rows[f"_{column.path}"]
        elif column.origin is Origin.PARAM:
            rows[column.field], bad = parse_column(rows[column.field], column.parse, field_.type)
            if bad.any():
                misfits.append(_Misfits(column, bad, f"{column.path}: expected {EXPECTS[column.parse]}"))
        else:
            rows[column.field], found = _parsed(column, field_, frame, i)
            misfits += found
    for one in misfits:
        if one.column.field in table.not_null:
            _blame(reasons, one, _text_of(one, output, frame, rows))
    for name in set(table.fields) - {c.field for c in output.columns}:  # this endpoint does not have it
        rows[name] = pd.Series(None, index=rows.index, dtype=pd.ArrowDtype(ARROW_TYPES[FIELDS[name].type]))
    rows["dt"] = rows["stat_date"] if table.history is History.WINDOW else rows["_partition"]
    for name in table.not_null:
        missing = rows[name].isna()
        if missing.any():
            reasons[missing & (reasons == "")] = f"{name}: missing, and a row cannot be told from others without it"
    day = "stat_date" if table.history is History.WINDOW else None
    if (
        endpoint.happened is not None and rows["_newest"].notna().any()
    ):  # of past days: dt is the day on which it happened
        day = endpoint.happened
        happened = pd.Series(pd.arrays.ArrowExtensionArray(beijing_days(pa.array(rows[day]))), index=rows.index)
        rows["dt"] = happened.where(rows["_newest"].notna(), rows["dt"])
    if day is not None:
        outside = (rows["dt"] > rows["_newest"]) | (rows["dt"] < rows["_oldest"])
        outside = outside.fillna(False).astype(bool)
        if outside.any():
            reasons[outside & (reasons == "")] = f"{day}: a day that was not asked for, which no partition would take"
            rows["dt"] = rows["dt"].where(~outside)
    good, kept = reasons == "", [*table.columns, *PLACE]
    if good.all() and not misfits:
        return rows[kept], None
    # A row whose statistics day is invalid, or was not requested, is quarantined in the partition of its response.
    rows["dt"] = rows["dt"].fillna(rows["_partition"])
    lines = []
    for one in (m for m in misfits if m.column.field not in table.not_null):
        text = _text_of(one, output, frame, rows)
        _blame(reasons, replace(one, bad=one.bad & ~good), text)
        if (alone := one.bad & good).any():
            shown = None if text is None else text[alone].str.slice(0, _SHOWN)
            lines.append(_lines(table, endpoint, rows[alone], one.why_of(alone), one.column.field, shown))
    if not good.all():
        lines.append(_lines(table, endpoint, rows[~good], reasons[~good]))
    return rows.loc[good, kept], pd.concat(lines, ignore_index=True)


def beijing_days(instants: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Convert UTC instants to days in Beijing, which is at UTC+8 all year round."""
    return pc.cast(
        pc.add(pc.cast(instants, pa.timestamp("us")), pa.scalar(timedelta(hours=8))), pa.date32(), safe=False
    )


def _reasons(problems: pd.Series) -> pd.Series:
    if problems.isna().all():
        return pd.Series("", index=problems.index, dtype=object)
    return problems.astype(object).where(problems.notna(), "")


@dataclass(frozen=True)
class _Misfits:
    """Invalid values of a column, and why: one reason for all, or one for each."""

    column: Column
    bad: pd.Series
    why: str | pd.Series
    sent: pd.Series | None = None
    """The value that was sent, if not the text: of a fraction only its number, for the fast path has no text."""

    def why_of(self, chosen: pd.Series) -> str | pd.Series:
        """Return the reason, or the reasons of the chosen rows."""
        return self.why if isinstance(self.why, str) else self.why[chosen].astype(object)


def _parsed(column: Column, field_: Field, frame: pd.DataFrame, i: int) -> tuple[pd.Series, list[_Misfits]]:
    """Parse a column that is read from bodies; return its values, null where invalid, and the invalid ones."""
    text, misfits = frame[f"c{i}"], []
    if f"m{i}" in frame and (shapeless := frame[f"m{i}"].notna()).any():
        misfits.append(_Misfits(column, shapeless, frame[f"m{i}"]))
        text = text.where(~shapeless)
    values, bad = parse_column(text, column.parse, field_.type, frame["request"])
    if bad.any():
        misfits.append(_Misfits(column, bad, f"{column.path}: expected {EXPECTS[column.parse]}"))
    if field_.is_id:
        values, lost = check_ids(values)
        if lost.any():
            misfits.append(_Misfits(column, lost, f"{column.path}: expected an id, got a number that lost its digits"))
    if (beyond := outside(field_, values)) is not None:
        misfits.append(
            _Misfits(
                column,
                beyond,
                f"{column.path}: expected {limits(field_)}",
                values if field_.type is Type.DOUBLE else None,
            )
        )
        values = values.where(~beyond)
    return values, misfits


def _text_of(one: _Misfits, output: Output, frame: pd.DataFrame, rows: pd.DataFrame) -> pd.Series | None:
    """Return the values that were sent, as text, for quarantine.

    None if they may be personal data, or an object that may contain such data; it then stays in the archive only.
    """
    outer = one.column.path.rpartition(".")[0]
    beside = [c for c in output.columns if outer and c.origin is one.column.origin and c.path.startswith(f"{outer}.")]
    if any(FIELDS[c.field].pii is not Pii.NONE for c in (one.column, *beside)):
        return None
    if one.sent is not None:
        return as_text(one.sent)
    return as_text(
        rows[one.column.field] if one.column.origin is Origin.PARAM else frame[f"c{output.columns.index(one.column)}"]
    )


_SHOWN, _SHOWN_IN_REASON = 200, 60
"""Characters of a value that are shown: in its own column, and inside a reason."""


def _blame(reasons: pd.Series, one: _Misfits, text: pd.Series | None) -> None:
    """Append to the reasons of rows why their values are invalid."""
    if not one.bad.any():
        return
    shown = (
        "" if text is None else ": " + text[one.bad].astype(object).map(lambda value: repr(value[:_SHOWN_IN_REASON]))
    )
    before = reasons[one.bad]
    reasons[one.bad] = before.where(before == "", before + "; ") + (one.why_of(one.bad) + shown)


def _requests(table: Table, sources: list[Source], endpoint: Endpoint, output: Output) -> pa.Table:
    """Build one row per response of the batch, with what all its rows share."""
    entries = [s.entry for s in sources]
    days = [beijing_day(e.began_at) for e in entries]
    reach = timedelta(days=max(endpoint.windows, default=0))
    mainly = {day: table.latest_partition(day) for day in set(days)}
    partitions = [mainly[day] for day in days]
    spans: Sequence[tuple[date, date] | tuple[None, None]] = [(None, None)] * len(days)
    if table.history is History.VERSION:
        partitions = [week_of(e) for e in entries]
    elif table.history is History.WINDOW:
        spans = [(day - reach, mainly[day]) for day in days]
    elif endpoint.has_past_days:
        partitions, spans = [days_of(e)[0] for e in entries], [period_days(e) or (None, None) for e in entries]
    columns = {
        "observed_at": pa.array([e.began_at for e in entries], _INSTANT),
        "_oldest": pa.array([first for first, _ in spans], pa.date32()),
        "_newest": pa.array([last for _, last in spans], pa.date32()),
        "source": pa.array([endpoint.name] * len(entries), pa.string()),
        "client_key": pa.array([e.client_key for e in entries], pa.string()),
        "_open_id": pa.array([e.open_id for e in entries], pa.string()),
        "_partition": pa.array(partitions, pa.date32()),
        "_segment": pa.array([s.address.segment for s in sources], pa.string()).dictionary_encode(),  # few long names
        "_record": pa.array([s.address.number for s in sources], pa.int64()),
        "_page": pa.array([e.page for e in entries], pa.int64()),
        "_offset": pa.array([e.offset for e in entries], pa.int64()),
        "_rows": pa.array([e.offset + (e.items or 0) for e in entries], pa.int64()),
        "_whole": pa.array([e.whole for e in entries], pa.bool_()),
    }
    for column in output.columns:
        if column.origin is Origin.PARAM:
            values = [None if (v := e.params.get(column.path)) is None else str(v) for e in entries]
            columns[column.field] = pa.array(values, pa.string())
    return pa.table(columns)


def _lines(
    table: Table,
    endpoint: Endpoint,
    rows: pd.DataFrame,
    reasons: str | pd.Series,
    column: str | None = None,
    values: pd.Series | None = None,
) -> pd.DataFrame:
    """Build quarantine rows: for rows that do not land, or for invalid values of one column of rows that do."""
    return pd.DataFrame(
        {
            "dt": rows["dt"],
            "table_name": table.name,
            "operation": endpoint.name,
            "client_key": rows["client_key"],
            "open_id": rows["_open_id"],
            "observed_at": rows["observed_at"],
            "position": rows["_ordinal"],
            "column_name": pd.Series(column, index=rows.index, dtype=_TEXT),
            "value": pd.Series(None, index=rows.index, dtype=_TEXT) if values is None else values,
            "reason": reasons,
            "segment": rows["_segment"].astype(_TEXT),
            "record": rows["_record"],
        }
    )


_TEXT = pd.ArrowDtype(pa.string())


WEEK = "week"
"""Key of a versioned response's subject for the Monday of its week; the request has no such parameter."""


def week_of(entry: ArchiveEntry) -> date:
    """Return the partition that a versioned response belongs to."""
    if WEEK in entry.subject:
        return date.fromisoformat(str(entry.subject[WEEK]))
    day = beijing_day(entry.began_at)
    return day - timedelta(days=day.weekday())

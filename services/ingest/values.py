"""Convert JSON values to typed columns: vectorised over whole batches, and strict about invalid values.

Every parser takes an Arrow-backed series of texts, or of a type of :data:`_ALSO_TAKES`, and returns the typed values
and a boolean mask of the values that are invalid. Null stays null and is always valid here; the table's schema decides
whether null is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.records import BEIJING, Field, Parse, Type
from resources.storage.schema import ARROW_TYPES

ParseReport = tuple[pd.Series, pd.Series]

_NOTHING = pa.array(["", "<nil>"])
_MAX_INT64 = "9223372036854775807"
_MIN_INT64_DIGITS = "9223372036854775808"
_MS_ABOVE = 10**11
"""Epochs above it are in milliseconds."""
_BEIJING_OFFSET = pd.Timedelta(hours=8)


def _arrow(series: pd.Series) -> pa.ChunkedArray:
    return pa.chunked_array(pa.array(series)) if not hasattr(series.array, "_pa_array") else series.array._pa_array


def _series(values: pa.ChunkedArray | pa.Array, like: pd.Series) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(values), index=like.index)


def _is_text(series: pd.Series) -> bool:
    return pa.types.is_string(_arrow(series).type)


def as_text(series: pd.Series) -> pd.Series:
    """Convert integers or booleans to text as JSON writes them; leave texts unchanged."""
    return series if _is_text(series) else _series(pc.cast(_arrow(series), pa.string()), series)


def _matches(series: pd.Series, pattern: str) -> pd.Series:
    """Return a mask of the texts that match the whole pattern; False for null."""
    found = pc.fill_null(pc.match_substring_regex(_arrow(series), rf"^(?:{pattern})$"), False)
    return _series(found, series)


def _where(series: pd.Series, keep: pd.Series) -> pa.ChunkedArray:
    """Keep the text where ``keep``; null elsewhere."""
    return pc.if_else(_arrow(keep), _arrow(series), pa.scalar(None, pa.string()))


def _misfits(series: pd.Series, fits: pd.Series) -> pd.Series:
    return ~fits & series.notna()


def _none(series: pd.Series) -> pd.Series:
    """Return the mask of a column without invalid values."""
    return pd.Series(np.zeros(len(series), bool), index=series.index)


def _parse_text(series: pd.Series) -> ParseReport:
    return series, _none(series)


def _blank(series: pd.Series) -> pd.Series:
    """Return a mask of the texts by which the platform writes "no value"."""
    return _series(pc.fill_null(pc.is_in(_arrow(series), _NOTHING), False), series).astype(bool)


def _leniently(
    values: pd.Series, bad: pd.Series, text: pd.Series, read: Callable[[str], int | float | None]
) -> ParseReport:
    """Parse what the strict pattern rejected, each distinct text once; such values are rare."""
    if not bad.any():
        return values, bad
    known: dict[str, int | float | None] = {}
    found = [
        known.setdefault(t, read(t)) if is_bad else None
        for t, is_bad in zip(_arrow(text).to_pylist(), bad, strict=True)
    ]
    more = pa.array(found, _arrow(values).type)
    return _series(pc.coalesce(_arrow(values), more), text), bad & _series(pc.is_null(more), text).astype(bool)


_LENIENT = re.compile(r"(-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?) ?([万亿wW]?)")
_UNITS = {"": 1, "万": 10**4, "w": 10**4, "W": 10**4, "亿": 10**8}


def _decimal(text: str) -> Decimal | None:
    """Parse a number with thousands commas, an exponent, or a unit of 10,000 or 100,000,000.

    Web pages and other SDKs write numbers like this.
    """
    found = _LENIENT.fullmatch(text) if len(text) <= 28 else None  # a decimal multiplies 28 digits exactly
    return None if found is None else Decimal(found[1].replace(",", "")) * _UNITS[found[2]]


def _lenient_int(text: str) -> int | None:
    number = _decimal(text)
    return (
        None
        if number is None or number != number.to_integral_value() or not -(2**63) <= number < 2**63
        else int(number)
    )


def _lenient_number(text: str) -> float | None:
    number = _decimal(text)
    return None if number is None else float(number)


def _as_written(series: pd.Series, type_: pa.DataType) -> pd.Series | None:
    """Cast a column whose texts are all in canonical form; None if one is not.

    This costs a third of the regular expressions for integers, a twentieth for days.
    """
    text = _arrow(series)
    try:
        values = pc.cast(text, type_)
    except pa.ArrowInvalid:
        return None
    same = pc.all(pc.equal(pc.cast(values, pa.string()), text))
    return _series(values, series) if same.as_py() is not False else None


def _parse_int(series: pd.Series) -> ParseReport:
    if not _is_text(series):
        return series, _none(series)
    if (values := _as_written(series, pa.int64())) is not None:
        return values, _none(series)
    fits = _matches(series, r"-?[0-9]{1,18}")
    # 19 digits and more: leading zeros, or near the limit of 64 bits. Rare, so compared as text.
    long = _matches(series, r"-?[0-9]{19,}")
    if long.any():
        fits = fits | (long & _fits_int64(series))
    values = pc.cast(_where(series, fits), pa.int64())
    return _leniently(_series(values, series), _misfits(series, fits), series, _lenient_int)


def _fits_int64(series: pd.Series) -> pd.Series:
    text = _arrow(series)
    negative = pc.starts_with(text, "-")
    digits = pc.ascii_ltrim(pc.replace_substring_regex(text, "^-", ""), "0")
    edge = pc.if_else(negative, _MIN_INT64_DIGITS, _MAX_INT64)
    size = pc.utf8_length(digits)
    inside = pc.or_(pc.less(size, 19), pc.and_(pc.equal(size, 19), pc.less_equal(digits, edge)))
    return _series(pc.fill_null(inside, False), series)


def _parse_int_or_null(series: pd.Series) -> ParseReport:
    values, _ = _parse_int(series)
    return values, _none(series)


def _parse_number(series: pd.Series) -> ParseReport:
    if not _is_text(series):  # integers beyond 2^53 are rounded, as they are when parsed from text
        return _series(pc.cast(_arrow(series), pa.float64(), safe=False), series), _none(series)
    fits = _matches(series, r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
    return _leniently(*_finite(_where(series, fits), series), series, _lenient_number)


def _parse_number_or_null(series: pd.Series) -> ParseReport:
    values, _ = _parse_number(series)
    return values, _none(series)


def _parse_percent(series: pd.Series, answers: pd.Series | None) -> ParseReport:
    fits = _matches(series, r"-?[0-9]+(?:\.[0-9]+)?%")
    number, bad = _finite(pc.replace_substring(_where(series, fits), "%", ""), series)
    ratio = _series(pc.divide(_arrow(number), 100.0), series)
    return (ratio, bad) if not bad.any() else _with_fractions(ratio, bad, series, answers)


def _with_fractions(ratio: pd.Series, bad: pd.Series, series: pd.Series, answers: pd.Series | None) -> ParseReport:
    """Accept unsigned numbers as fractions where all values of the same response are such numbers and at most 1."""
    number, _ = _finite(_where(series, _matches(series, r"[0-9]+(?:\.[0-9]+)?(?:[eE]-?[0-9]{1,2})?")), series)
    is_fraction = (number <= 1).fillna(False).astype(bool)
    fits = is_fraction | series.isna() | _blank(series)
    together = (
        fits.groupby(answers.to_numpy()).transform("all")
        if answers is not None
        else pd.Series(bool(fits.all()), index=series.index)
    )
    taken = is_fraction & together
    return _series(pc.if_else(_arrow(taken), _arrow(number), _arrow(ratio)), series), bad & ~taken


def _finite(text: pa.ChunkedArray, like: pd.Series) -> ParseReport:
    """Parse texts to doubles; null, and numbers too large for a double, are invalid."""
    values = pc.cast(text, pa.float64())
    finite = pc.fill_null(pc.is_finite(values), False)
    return _series(pc.if_else(finite, values, pa.scalar(None, pa.float64())), like), _misfits(
        like, _series(finite, like)
    )


def _parse_bool(series: pd.Series) -> ParseReport:
    if pa.types.is_boolean(_arrow(series).type):
        return series, _none(series)
    text = as_text(series)
    fits = _series(pc.is_in(_arrow(text), pa.array(["true", "false", "1", "0"])), series)
    return _series(pc.is_in(_where(text, fits), pa.array(["true", "1"])), series).where(fits), _misfits(series, fits)


def _instants(text: pa.ChunkedArray, fmt: str, like: pd.Series) -> pd.Series:
    """Parse texts to naive timestamps; null where the calendar has no such instant (February 30th)."""
    return _series(pc.strptime(text, fmt, "us", error_is_null=True), like)


# Years below 1000 and above 2100 are placeholders, and Python's dates have no year 0.
_DAY = r"(?:1[0-9]{3}|20[0-9]{2}|2100)-[0-9]{2}-[0-9]{2}"
_FIRST_DAY, _LAST_DAY = date(1000, 1, 1), date(2100, 12, 31)
_END_S = int(datetime(2101, 1, 1, tzinfo=BEIJING).timestamp())
_CLOCK = r" [0-9]{2}:[0-9]{2}:[0-5][0-9]"


def _real_day(series: pd.Series, text: pa.ChunkedArray) -> pd.Series:
    """Parse texts to midnights of real calendar days.

    strptime turns February 30th into a day of March, so the result must format back to the same text.
    """
    day = _instants(text, "%Y-%m-%d", series)
    same = pc.equal(pc.strftime(_arrow(day), "%Y-%m-%d"), text)
    return _series(pc.if_else(pc.fill_null(same, False), _arrow(day), pa.scalar(None, pa.timestamp("us"))), series)


def _parse_date(series: pd.Series) -> ParseReport:
    if (values := _as_written(series, pa.date32())) is not None and _has_plausible_years(values):
        return values, _none(series)
    shaped = _matches(series, _DAY)
    day = _real_day(series, _where(series, shaped))
    return _series(pc.cast(_arrow(day), pa.date32()), series), _misfits(series, day.notna())


def _has_plausible_years(days: pd.Series) -> bool:
    ends = pc.min_max(_arrow(days))  # compared by Arrow: Python has no year 0
    return (
        pc.greater_equal(ends["min"], _FIRST_DAY).as_py() is not False
        and pc.less_equal(ends["max"], _LAST_DAY).as_py() is not False
    )


def _parse_date_or_null(series: pd.Series) -> ParseReport:
    values, _ = _parse_date(series)
    return values, _none(series)


def _parse_epoch(series: pd.Series) -> ParseReport:
    number, bad = _parse_int(series)
    value = _arrow(number)
    is_ms = pc.greater(value, _MS_ABOVE)
    sane = pc.and_(pc.greater_equal(value, 0), pc.less(value, pc.if_else(is_ms, _END_S * 1000, _END_S)))
    micros = pc.multiply(pc.if_else(sane, value, 0), pc.if_else(is_ms, 1000, 10**6))
    shown = pc.and_(sane, pc.not_equal(value, 0))
    instant = pc.cast(pc.if_else(shown, micros, pa.scalar(None, pa.int64())), pa.timestamp("us", tz="UTC"))
    insane = _series(pc.fill_null(pc.invert(sane), False), series)
    return _series(instant, series), bad | insane


def _parse_beijing(series: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return the day (naive midnight), the local instant (null for a bare day), and the mask of valid texts."""
    shaped = _matches(series, f"{_DAY}(?:{_CLOCK})?")
    text = _where(series, shaped)
    day = _real_day(series, pc.utf8_slice_codeunits(text, 0, 10))
    timed = _matches(series, _DAY + _CLOCK)
    instant = _instants(_where(series, timed), "%Y-%m-%d %H:%M:%S", series)
    fits = day.notna() & (instant.notna() | ~timed)
    return day, instant, fits


def _parse_beijing_date(series: pd.Series) -> ParseReport:
    day, _, fits = _parse_beijing(series)
    return _series(pc.cast(_arrow(day), pa.date32()), series), _misfits(series, fits)


def _parse_beijing_instant(series: pd.Series) -> ParseReport:
    _, instant, fits = _parse_beijing(series)
    shifted = pc.subtract(_arrow(instant), pa.scalar(_BEIJING_OFFSET.to_pytimedelta(), pa.duration("us")))
    return _series(pc.assume_timezone(shifted, "UTC"), series), _misfits(series, fits)


def _parse_bucket(series: pd.Series) -> ParseReport:
    text = pc.replace_substring_regex(_arrow(series), "[~～–—]", "-")
    unknown = pc.is_in(text, pa.array(["", "<nil>"]))
    return _series(pc.if_else(unknown, pa.scalar(None, pa.string()), text), series), _none(series)


_PARSERS: dict[Parse, Callable[[pd.Series], ParseReport]] = {
    Parse.TEXT: _parse_text,
    Parse.INT: _parse_int,
    Parse.INT_OR_NULL: _parse_int_or_null,
    Parse.NUMBER: _parse_number,
    Parse.NUMBER_OR_NULL: _parse_number_or_null,
    Parse.BOOL: _parse_bool,
    Parse.DATE: _parse_date,
    Parse.DATE_OR_NULL: _parse_date_or_null,
    Parse.EPOCH: _parse_epoch,
    Parse.BEIJING_DATE: _parse_beijing_date,
    Parse.BEIJING_INSTANT: _parse_beijing_instant,
    Parse.BUCKET: _parse_bucket,
    Parse.WORDS: _parse_text,  # already joined by extract
}

_ALSO_TAKES: dict[Parse, tuple[pa.DataType, ...]] = {
    Parse.INT: (pa.int64(),),
    Parse.INT_OR_NULL: (pa.int64(),),
    Parse.EPOCH: (pa.int64(),),
    Parse.NUMBER: (pa.int64(), pa.float64()),
    Parse.NUMBER_OR_NULL: (pa.int64(), pa.float64()),
    Parse.BOOL: (pa.bool_(), pa.int64()),
}
"""Types beside text that a parser accepts unchanged."""

EXPECTS: dict[Parse, str] = {
    Parse.TEXT: "text",
    Parse.INT: "a 64-bit integer",
    Parse.NUMBER: "a number",
    Parse.PERCENT: "a percentage such as 61.32%",
    Parse.BOOL: "true or false",
    Parse.DATE: "a day yyyy-MM-dd",
    Parse.EPOCH: "Unix seconds or milliseconds",
    Parse.BEIJING_DATE: "yyyy-MM-dd[ HH:mm:ss]",
    Parse.BEIJING_INSTANT: "yyyy-MM-dd[ HH:mm:ss]",
}
"""What a column expects, for the reason of a quarantined row."""


def parse_column(series: pd.Series, how: Parse, type_: Type, answers: pd.Series | None = None) -> ParseReport:
    """Parse a column; return the typed values and the mask of invalid ones.

    ``series`` is Arrow-backed and the values have the Arrow type of ``type_``; invalid values are null. Integers and
    booleans are converted to text for parsers that accept only text. ``answers`` groups the values by response, which
    decides how percentages are read; without it all values are of one response.
    """
    series = series if _arrow(series).type in _ALSO_TAKES.get(how, ()) else as_text(series)
    values, bad = _parse_percent(series, answers) if how is Parse.PERCENT else _PARSERS[how](series)
    if bad.any() and _is_text(series):
        bad = bad & ~_blank(series)
    arrow = _arrow(values)
    if arrow.type != ARROW_TYPES[type_]:
        values = _series(pc.cast(arrow, ARROW_TYPES[type_]), series)
    return values, bad if bad.dtype == bool else bad.fillna(False).astype(bool)


_ODD_ID = r"^(?:$|<nil>$|-?[0-9]+\.[0-9]|-?[0-9]{1,17}[eE][+-]?[0-9])"
_FLOAT = r"-?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|-?[0-9]{1,17}[eE][+-]?[0-9]{1,2}"


def check_ids(ids: pd.Series) -> ParseReport:
    """Check ids; return them and the mask of invalid ones.

    A text that means "no value" becomes null. A number with a fraction or an exponent has lost digits: it becomes null
    and is invalid.
    """
    text = _arrow(ids)
    if pc.any(pc.match_substring_regex(text, _ODD_ID)).as_py() is not True:
        return ids, _none(ids)
    bad = _matches(ids, _FLOAT).astype(bool)
    return _series(_where(ids, ~(bad | _blank(ids))), ids), bad


def outside(field: Field, values: pd.Series) -> pd.Series | None:
    """Return a mask of the values outside the catalogue's range; None if there are none."""
    if field.minimum is None and field.maximum is None:
        return None
    ends, column = pc.min_max(_arrow(values)), _arrow(values)
    below = field.minimum is not None and pc.less(ends["min"], field.minimum).as_py()
    above = field.maximum is not None and pc.greater(ends["max"], field.maximum).as_py()
    if not (below or above):
        return None
    least = pc.less(column, field.minimum) if below else False
    return _series(
        pc.fill_null(pc.or_(least, pc.greater(column, field.maximum)) if above else least, False), values
    ).astype(bool)


def limits(field: Field) -> str:
    """Describe the allowed range of a field, for the reason of a quarantined row."""
    parts = [f"at least {field.minimum:g}"] if field.minimum is not None else []
    return " and ".join([*parts, *([f"at most {field.maximum:g}"] if field.maximum is not None else [])])

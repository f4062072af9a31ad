"""Parsers of values are compared with oracles in plain Python.

Every text gives the right value, null or a misfit, never a crash.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from patience import tries

from catalog.records import BEIJING, Parse, Type
from resources.storage.schema import ARROW_TYPES
from services.ingest.values import EXPECTS, parse_column

MISFIT = object()
"""The result of an oracle for text that does not fit."""

TYPE_OF = {
    Parse.TEXT: Type.TEXT,
    Parse.INT: Type.BIGINT,
    Parse.INT_OR_NULL: Type.BIGINT,
    Parse.NUMBER: Type.DOUBLE,
    Parse.PERCENT: Type.DOUBLE,
    Parse.BOOL: Type.BOOLEAN,
    Parse.DATE: Type.DATE,
    Parse.EPOCH: Type.TIMESTAMP,
    Parse.BEIJING_DATE: Type.DATE,
    Parse.BEIJING_INSTANT: Type.TIMESTAMP,
    Parse.BUCKET: Type.TEXT,
    Parse.NUMBER_OR_NULL: Type.DOUBLE,
    Parse.DATE_OR_NULL: Type.DATE,
    Parse.WORDS: Type.TEXT,
}


def parse(how: Parse, texts: list[str | None]) -> list[Any]:
    """Parse a whole column and mark its misfits.

    Checks that the type is the catalogue's and that a misfit has no value.
    """
    series = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(texts, pa.string())))
    values, bad = parse_column(series, how, TYPE_OF[how])
    assert values.dtype == pd.ArrowDtype(ARROW_TYPES[TYPE_OF[how]])
    assert bad.dtype == bool
    assert len(values) == len(bad) == len(texts)
    found = values.array._pa_array.to_pylist()
    return [MISFIT if wrong else value for value, wrong in zip(found, bad, strict=True)]


def check(how: Parse, oracle, texts: list[str | None]) -> None:
    fractions = how is Parse.PERCENT and are_fractions(texts)
    for text, found in zip(texts, parse(how, texts), strict=True):
        expected = None if text is None else float(text) if fractions and is_fraction(text) else oracle(text)
        if isinstance(expected, float) and isinstance(found, float):
            assert found == expected or math.isclose(found, expected, rel_tol=1e-15), text
        else:
            assert found == expected or found is expected, (text, found, expected)


# --------------------------------------------------------------------------- oracles


def decimal_of(text: str) -> Fraction | None:
    """Parse numbers as pages and other SDKs write them."""
    found = re.fullmatch(r"(-?)([0-9,]+)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?( ?)([万亿wW]?)", text, re.ASCII)
    if found is None or len(text) > 28 or (found[5] and not found[6] and text[-1] != " "):
        return None
    sign, whole_, fraction, exponent, _, unit = found.groups()
    if "," in whole_ and not re.fullmatch("[0-9]{1,3}(,[0-9]{3})+", whole_):
        return None
    number = Fraction(whole_.replace(",", "") + (fraction or "")) * Fraction(10) ** int((exponent or "e0")[1:])
    return (-number if sign else number) * {"": 1, "亿": 10**8}.get(unit, 10**4)


def oracle_int(text: str) -> Any:
    if text in ("", "<nil>"):
        return None
    number = decimal_of(text)
    if number is not None and number.denominator == 1 and -(2**63) <= number < 2**63:
        return int(number)
    text = re.sub("^(-?)0+(?=[0-9])", r"\1", text)
    if not re.fullmatch("-?[0-9]{1,20}", text, re.ASCII) or not -(2**63) <= int(text) < 2**63:
        return MISFIT
    return int(text)


def oracle_number(text: str) -> Any:
    if text in ("", "<nil>"):
        return None
    if re.search("[,万亿wW ]", text):
        number = decimal_of(text)
        return MISFIT if number is None else float(number)
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text, re.ASCII) or not math.isfinite(float(text)):
        return MISFIT
    return float(text)


def is_fraction(text: str | None) -> bool:
    return (
        text is not None
        and re.fullmatch(r"[0-9]+(\.[0-9]+)?([eE]-?[0-9]{1,2})?", text, re.ASCII) is not None
        and float(text) <= 1
    )


def are_fractions(texts: Iterable[str | None]) -> bool:
    """Report whether values without a sign are fractions: all of one response are."""
    return all(text in (None, "", "<nil>") or is_fraction(text) for text in texts)


def oracle_percent(text: str) -> Any:
    """Parse a value among others that are no fractions."""
    if text in ("", "<nil>"):
        return None
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?%", text, re.ASCII) or not math.isfinite(float(text[:-1])):
        return MISFIT
    return float(text[:-1]) / 100


def oracle_date(text: str) -> Any:
    if text in ("", "<nil>"):
        return None
    if not re.fullmatch("[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}", text, re.ASCII) or text > "2100-12-31":
        return MISFIT
    try:
        return date.fromisoformat(text)
    except ValueError:
        return MISFIT


def oracle_epoch(text: str) -> Any:
    number = oracle_int(text)
    if number is None:
        return None
    if number is MISFIT or not 0 <= number < 10**14:
        return MISFIT
    if number == 0:
        return None
    instant = datetime(1970, 1, 1, tzinfo=UTC) + (
        timedelta(milliseconds=number) if number > 10**11 else timedelta(seconds=number)
    )
    return instant if instant < datetime(2101, 1, 1, tzinfo=BEIJING) else MISFIT


def _beijing(text: str) -> Any:
    if text in ("", "<nil>"):
        return None
    if (
        not re.fullmatch("[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?", text, re.ASCII)
        or text > "2100-12-31 23:59:59"
    ):
        return MISFIT
    try:
        return datetime.fromisoformat(text).replace(tzinfo=BEIJING)
    except ValueError:
        return MISFIT


def oracle_beijing_date(text: str) -> Any:
    found = _beijing(text)
    return found if found in (MISFIT, None) else found.date()


def oracle_beijing_instant(text: str) -> Any:
    found = _beijing(text)
    if found is None or found is MISFIT or len(text) == 10:
        return MISFIT if found is MISFIT else None
    return found.astimezone(UTC)


def or_null(oracle):
    return lambda text: None if oracle(text) is MISFIT else oracle(text)


ORACLES = {
    Parse.TEXT: lambda text: text,
    Parse.INT: oracle_int,
    Parse.INT_OR_NULL: or_null(oracle_int),
    Parse.NUMBER_OR_NULL: or_null(oracle_number),
    Parse.DATE_OR_NULL: or_null(oracle_date),
    Parse.WORDS: lambda text: text,
    Parse.NUMBER: oracle_number,
    Parse.PERCENT: oracle_percent,
    Parse.BOOL: lambda text: {"true": True, "false": False, "1": True, "0": False, "": None, "<nil>": None}.get(
        text, MISFIT
    ),
    Parse.DATE: oracle_date,
    Parse.EPOCH: oracle_epoch,
    Parse.BEIJING_DATE: oracle_beijing_date,
    Parse.BEIJING_INSTANT: oracle_beijing_instant,
    Parse.BUCKET: lambda text: None if text in ("", "<nil>") else re.sub("[~～–—]", "-", text),
}

# --------------------------------------------------------------------------- texts

anything = st.text(st.characters(codec="utf-8"), max_size=40)
integers = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-(2**63) - 3, -(2**63) + 3),
    st.integers(2**63 - 3, 2**63 + 3),
    st.integers(-5, 5),
).map(str)
zeros = st.builds(
    lambda sign, n, digits: sign + "0" * n + digits,
    st.sampled_from(["", "-"]),
    st.integers(0, 30),
    st.text("0123456789", max_size=20),
)
decimals = st.from_regex(r"-?[0-9]{1,25}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
percents = st.from_regex(r"-?[0-9]{1,25}(\.[0-9]{1,10})?%", fullmatch=True)
days = st.one_of(st.dates().map(str), st.from_regex("[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True))
clocks = st.from_regex("[0-2][0-9]:[0-6][0-9]:[0-6][0-9]", fullmatch=True)
buckets = st.from_regex(r"[0-9]{1,2}[~～–—-][0-9]{1,2}岁?", fullmatch=True)
near = st.one_of(integers, zeros, decimals, percents, days, clocks, st.builds("{} {}".format, days, clocks), buckets)
spoiled = st.builds(
    lambda text, at, extra: text[: at % (len(text) + 1)] + extra + text[at % (len(text) + 1) :],
    near,
    st.integers(0, 30),
    st.sampled_from(list(" \n\t\0+-._,%eE٣９😀‎a:T/w万亿")),
)
texts = st.one_of(st.none(), anything, near, spoiled)

HARD = [
    "",
    " ",
    "0",
    "-0",
    "00",
    "-",
    "+1",
    "1 ",
    " 1",
    "1\n",
    "1e3",
    "1.0",
    "7.0",
    "7.50",
    "1_000",
    "1,000",
    "1,00",
    "12,345,678",
    "12.3w",
    "12.3W",
    "1.2万",
    "1.2 万",
    "3亿",
    "0.00001w",
    "1,234.5万",
    "万",
    "w",
    "10w+",
    "9,223,372,036,854,775,807",
    "9,223,372,036,854,775,808",
    "-9,223,372,036,854,775,808",
    "-9,223,372,036,854,775,809",
    "1,000,000,000,000,000,000.00",
    "1,000,000,000,000,000,000.000",
    "922337203685477w",
    "922337203685478w",
    "1.361e+06",
    "1e18",
    "1e19",
    "0.5",
    "<nil>",
    "٣",
    "９",
    "0x10",
    "NaN",
    "inf",
    "true",
    "True",
    "null",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "0" * 40 + "7",
    "-" + "0" * 40 + "7",
    "9" * 5000,
    "0009223372036854775807",
    "1e308",
    "1e309",
    "-1e309",
    "1e-400",
    "1e-320",
    "4.9e-324",
    "1e99999",
    "0e999",
    "9" * 400,
    "9" * 400 + "%",
    "61.32%",
    "0%",
    "100%",
    "%",
    "1e3%",
    "1.5",
    "1.0000001",
    ".5",
    "5.",
    "1" + "0" * 308,
    "1" + "0" * 309,
    "0." + "0" * 400 + "1",
    "0000-00-00",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "2026-02-29",
    "2100-12-31",
    "2101-01-01",
    "2100-12-31 23:59:59",
    "2101-01-01 00:00:00",
    "4133923199",
    "4133923200",
    "4133923199999",
    "4133923200000",
    "2024-02-29",
    "2026-02-30",
    "2026-13-01",
    "2026-11-31",
    "2026-00-10",
    "2026-1-1",
    "2026-11-16 00:00:00",
    "2026-11-16 23:59:59",
    "2026-11-16 23:59:60",
    "2026-11-16 24:00:00",
    "2026-11-16 12:60:00",
    "2026-02-30 10:00:00",
    "2026-11-16T10:00:00",
    "2026-11-16 10:00",
    "0001-01-01 00:00:00",
    "0000-12-31 23:00:00",
    "1990-07-01 12:00:00",
    "9999-12-31 23:59:59",
    "1",
    "99999999999",
    "100000000000",
    "100000000001",
    "1763262000",
    "1763262000000",
    "99999999999999",
    "100000000000000",
    "-1",
    "18~23",
    "18～23",
    "24–30",
    "31—40",
    "<nil>",
    "50-",
    "😀" * 1000,
    "字" * 20000,
    "a\0b",
    "👩‍👩‍👧‍👦",
    "\u2028",
    "é",
]


@pytest.mark.parametrize("how", Parse)
def test_hard_texts(how: Parse):
    check(how, ORACLES[how], [*HARD, None])
    for text in HARD:  # alone as well: a column's other values must not matter
        check(how, ORACLES[how], [text])


@pytest.mark.parametrize("how", Parse)
@settings(max_examples=tries(20), deadline=None)
@given(column=st.lists(texts, min_size=1, max_size=30))
@example(column=[None])
@example(column=[None, None, "9" * 400])
def test_any_column(how: Parse, column: list[str | None]):
    check(how, ORACLES[how], column)


@pytest.mark.slow
@pytest.mark.parametrize("how", Parse)
@settings(max_examples=tries(300), deadline=None)
@given(column=st.lists(texts, min_size=1, max_size=30))
def test_any_column_at_length(how: Parse, column: list[str | None]):
    check(how, ORACLES[how], column)


@settings(max_examples=tries(80), deadline=None)
@given(numbers=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20), zeros_=st.integers(0, 25))
def test_every_64_bit_integer_with_leading_zeros(numbers: list[int], zeros_: int):
    written = [("-" if n < 0 else "") + "0" * zeros_ + str(abs(n)) for n in numbers]
    assert parse(Parse.INT, written) == numbers


@settings(max_examples=tries(80), deadline=None)
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_double_comes_back(numbers: list[float]):
    assert parse(Parse.NUMBER, [repr(n) for n in numbers]) == numbers


@settings(max_examples=tries(80), deadline=None)
@given(instants=st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2100, 12, 31)), min_size=1, max_size=20))
def test_every_second_in_beijing_comes_back(instants: list[datetime]):
    local = [i.replace(microsecond=0, tzinfo=BEIJING) for i in instants]
    written = [f"{i:%Y-%m-%d %H:%M:%S}" for i in local]
    assert parse(Parse.BEIJING_INSTANT, written) == [i.astimezone(UTC) for i in local]
    assert parse(Parse.BEIJING_DATE, written) == [i.date() for i in local]
    assert parse(Parse.EPOCH, [str(int(i.timestamp())) for i in local]) == [i.astimezone(UTC) for i in local]


@pytest.mark.parametrize("unit", [1, 1000])
def test_the_last_second_that_an_instant_may_be(unit: int):
    """Seconds and milliseconds end with the year 2100 of Beijing; the instant of the end is excluded."""
    end = int(datetime(2101, 1, 1, tzinfo=BEIJING).timestamp()) * unit
    texts = [str(number) for number in (end - 1, end, end + 1, end // 2)]
    assert [oracle_epoch(text) is MISFIT for text in texts] == [False, True, True, False]
    check(Parse.EPOCH, oracle_epoch, texts)


def test_the_order_and_index_of_a_column_are_kept():
    series = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(["3", "x", None, "1"])), index=[7, 3, 9, 1])
    for how in Parse:
        values, bad = parse_column(series, how, TYPE_OF[how])
        assert list(values.index) == list(bad.index) == [7, 3, 9, 1]


def test_every_way_says_what_it_expects():
    assert set(Parse) - EXPECTS.keys() == {
        Parse.INT_OR_NULL,
        Parse.NUMBER_OR_NULL,
        Parse.DATE_OR_NULL,
        Parse.BUCKET,
        Parse.WORDS,
    }, "these accept everything"

"""Fields, tables, endpoints and cadences are consistent: none unused, undefined or undocumented."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import ENDPOINTS, FIELDS, TABLES, endpoints_of
from catalog.cadences import CADENCES
from catalog.records import (
    BEIJING,
    STANDARD_FIELDS,
    Additive,
    AppType,
    Cadence,
    Column,
    EmptyMeaning,
    Endpoint,
    Field,
    History,
    Origin,
    Output,
    Parse,
    Pii,
    Table,
    Type,
    beijing_day,
)
from catalog.requests import Param

CJK = re.compile(r"[\u4e00-\u9fff]")
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

each_field = pytest.mark.parametrize("field", [pytest.param(f, id=f.name) for f in FIELDS.values()])
each_table = pytest.mark.parametrize("table", [pytest.param(t, id=t.name) for t in TABLES.values()])
each_endpoint = pytest.mark.parametrize("endpoint", [pytest.param(e, id=e.name) for e in ENDPOINTS.values()])
each_cadence = pytest.mark.parametrize("cadence", [pytest.param(c, id=c.name) for c in CADENCES.values()])

TYPES = {
    Parse.TEXT: Type.TEXT,
    Parse.BUCKET: Type.TEXT,
    Parse.INT: Type.BIGINT,
    Parse.INT_OR_NULL: Type.BIGINT,
    Parse.WORDS: Type.TEXT,
    Parse.NUMBER_OR_NULL: Type.DOUBLE,
    Parse.DATE_OR_NULL: Type.DATE,
    Parse.NUMBER: Type.DOUBLE,
    Parse.PERCENT: Type.DOUBLE,
    Parse.BOOL: Type.BOOLEAN,
    Parse.DATE: Type.DATE,
    Parse.BEIJING_DATE: Type.DATE,
    Parse.EPOCH: Type.TIMESTAMP,
    Parse.BEIJING_INSTANT: Type.TIMESTAMP,
}


def test_every_way_of_parsing_has_a_type():
    assert set(TYPES) == set(Parse)


def described(record: Field | Table | Endpoint) -> None:
    """Check that names and descriptions exist in both languages; English ones may contain the platform's terms."""
    for text in (record.en, record.zh, record.doc_en, record.doc_zh):
        assert text == text.strip()
        assert text
        assert "FILL IN" not in text
    assert CJK.search(record.zh)
    assert CJK.search(record.doc_zh)
    assert not CJK.search(record.en)
    assert len(CJK.findall(record.doc_en)) < len(re.findall(r"[a-z]", record.doc_en))
    assert record.doc_en.endswith(".")
    assert record.doc_zh.endswith("。")


# --------------------------------------------------------------------------- fields


@each_field
def test_field_is_described(field: Field):
    assert NAME.fullmatch(field.name)
    described(field)


@each_field
def test_field_is_used(field: Field):
    assert any(field.name in t.columns for t in TABLES.values()), "no table names it"


@each_field
def test_ranges_fit_types(field: Field):
    if field.minimum is not None or field.maximum is not None:
        assert field.type in (Type.BIGINT, Type.DOUBLE)
    if field.minimum is not None and field.maximum is not None:
        assert field.minimum < field.maximum
    if field.allowed is not None:
        assert len(set(field.allowed)) == len(field.allowed) > 0
        assert {type(v) for v in field.allowed} == {str if field.type is Type.TEXT else int}
    if field.additive is not Additive.NO:
        assert field.type is Type.BIGINT, "only counts are summed"


@each_field
def test_units_stand_in_names(field: Field):
    for ending, unit in (("_s", "s"), ("_ms", "ms"), ("_ratio", "ratio"), ("_cny", "CNY")):
        assert field.name.endswith(ending) == (field.unit == unit)
    assert field.name.endswith("_at") == (field.type is Type.TIMESTAMP)
    assert (field.name.endswith("_date") or field.name == "dt") == (field.type is Type.DATE)


def test_positions_begin_at_one_and_ratios_at_nought():
    assert {FIELDS[n].minimum for n in ("rank", "position")} == {1}
    ratios = [f for f in FIELDS.values() if f.unit == "ratio"]
    assert {f.minimum for f in ratios} == {0}
    assert {f.maximum for f in ratios} <= {1, None}
    assert FIELDS["share_ratio"].maximum == 1, "shares of a whole"
    assert FIELDS["new_fans"].minimum is None, "a net gain may be negative"


def test_who_is_personal():
    by_class = {kind: {n for n, f in FIELDS.items() if f.pii is kind} for kind in Pii}
    assert by_class[Pii.PERSONAL] == {
        "nickname",
        "avatar_url",
        "author",
        "city",
        "province",
        "country",
        "gender",
        "age",
        "content",
        "extra_text",
    }
    assert by_class[Pii.SENSITIVE] == {
        "card_fields",
        "telephone",
        "wechat",
        "encrypted_mobile",
        "message_text",
        "event_content",
        "media_url",
    }
    assert by_class[Pii.PSEUDONYM] >= {"open_id", "union_id"} | {n for n in FIELDS if n.endswith("open_id")}


# --------------------------------------------------------------------------- tables


@each_table
def test_table_is_described(table: Table):
    assert NAME.fullmatch(table.name)
    assert table.domain in {e.domain for e in ENDPOINTS.values()}
    described(table)


@each_table
def test_table_names_known_fields_once(table: Table):
    assert len(set(table.columns)) == len(table.columns)
    assert set(table.columns) <= FIELDS.keys()
    assert table.columns[: len(STANDARD_FIELDS)] == STANDARD_FIELDS


@each_table
def test_key_is_of_the_tables_own_fields(table: Table):
    assert table.key
    assert len(set(table.key)) == len(table.key)
    assert set(table.key) <= set(table.fields)
    assert table.primary_key[0] == "client_key", "ids are valid within one app"
    assert ("observed_at" in table.primary_key) == (table.history in (History.SNAPSHOT, History.VERSION))
    assert set(table.primary_key) <= set(table.not_null)
    assert ("stat_date" in table.key) == (table.history is History.WINDOW)
    assert ("open_id" in table.key) == ("open_id" in table.fields) or table.history is History.EVENT, (
        "an event has an id of its own, and may name no account"
    )
    assert not {FIELDS[k].type for k in table.key} & {Type.DOUBLE, Type.BOOLEAN}


IDENTIFY = {
    "event": "with its instant and its people, an event is identified",
    "event_at": "see event",
    "action_type": "with its instant and its person, an action is identified",
    "action_at": "see action_type",
    "ent_type": "with its version, an issue of a list",
    "version": "see ent_type",
    "keyword": "what was requested",
}
"""Fields besides ids that identify lasting things."""


@pytest.mark.parametrize("table", [pytest.param(t, id=t.name) for t in TABLES.values() if t.history is History.LISTING])
def test_a_listing_holds_things_with_an_identity(table: Table):
    """Otherwise the present state by key, ``<table>_latest``, would mix things: a rank changes every day."""
    assert {k for k in table.key if not k.endswith("_id")} <= set(IDENTIFY)


@each_table
def test_endpoints_fill_exactly_the_tables_fields(table: Table):
    filling = endpoints_of(table.name)
    assert filling
    for endpoint in filling:
        for output in (o for o in endpoint.outputs if o.table == table.name):
            assert len({c.field for c in output.columns}) == len(output.columns)
            assert set(table.key) <= {c.field for c in output.columns} <= set(table.fields)
        assert endpoint.domain == table.domain or table.history is History.EVENT, (
            "an event of one domain says something about another one"
        )
    assert len({e.cadence for e in filling}) == 1, "one job fills a table"
    assert {c.field for e in filling for o in e.outputs if o.table == table.name for c in o.columns} == set(
        table.fields
    )
    assert len({bool(e.windows) for e in filling}) == 1, "an endpoint may reach less far back than another one"


def test_tables_have_their_own_names():
    assert all(name == table.name for name, table in TABLES.items())
    assert len({t.zh for t in TABLES.values()}) == len(TABLES)
    assert len({t.en for t in TABLES.values()}) == len(TABLES)


def test_creator_billboards_are_one_table():
    boards = [
        o.columns[0].path
        for e in endpoints_of("billboard_creators")
        for o in e.outputs
        if o.table == "billboard_creators"
    ]
    assert len(set(boards)) == len(boards)
    assert {f"billboard_{b}" for b in boards} == {e.name for e in endpoints_of("billboard_creators")}


# --------------------------------------------------------------------------- endpoints


@each_endpoint
def test_endpoint_is_described(endpoint: Endpoint):
    described(endpoint)
    assert endpoint.name == ENDPOINTS[endpoint.name].name
    assert endpoint.cadence in CADENCES.values()
    assert endpoint.quota == endpoint.scope.removesuffix(" (inferred)")


@each_endpoint
def test_columns_fit_their_fields(endpoint: Endpoint):
    for output in endpoint.outputs:
        assert output.table in TABLES
        for column in output.columns:
            if column.origin in (Origin.CONST, Origin.ELEMENT, Origin.ACCOUNT):
                assert FIELDS[column.field].type is Type.TEXT
            else:
                assert TYPES[column.parse] is FIELDS[column.field].type, column.field
            if column.parse is Parse.PERCENT:
                assert FIELDS[column.field].unit == "ratio"
            assert column.origin is not Origin.PARENT or output.explode
            allowed = FIELDS[column.field].allowed
            assert column.origin is not Origin.CONST or allowed is None or column.path in allowed


@each_endpoint
def test_each_row_of_a_table_is_identified_by_its_key(endpoint: Endpoint):
    """Outputs into one table differ by a constant of its key, and the key contains every subject."""
    for name in endpoint.tables:
        key = set(TABLES[name].key)
        outputs = [o for o in endpoint.outputs if o.table == name]
        consts = [tuple(c.path for c in o.columns if c.origin is Origin.CONST and c.field in key) for o in outputs]
        # The list of leads names the same people twice, as ids and with their details: equal rows are one row.
        assert len(set(consts)) == len(outputs) or name == "lead_ids"
        for column in (c for o in outputs for c in o.columns):
            # The version of a week follows from the week, which is the partition.
            assert column.origin is not Origin.PARAM or column.field in key or column.field == "version"


def test_what_an_empty_answer_means():
    """GUIDE section 7: lists appear before 10:00, portraits need fans, other lists may be empty."""
    assert {e.empty for e in ENDPOINTS.values() if e.domain in ("billboard", "user", "item")} == {
        EmptyMeaning.NOT_READY
    }
    assert {e.name for e in ENDPOINTS.values() if e.empty is EmptyMeaning.BELOW_THRESHOLD} == {
        "fans_data",
        "fans_favourite",
        "fans_comment",
    }


def test_operations_have_names_of_their_own():
    assert len({(e.method, e.path) for e in ENDPOINTS.values()}) == len(ENDPOINTS)
    for kind in AppType:  # endpoints of the same data share the platform's Chinese name
        own = [e for e in ENDPOINTS.values() if kind in e.apps]
        assert len({e.zh for e in own}) == len(own)


@pytest.mark.parametrize("kind", [Field, Table, Column, Output, Param, Endpoint, Cadence])
def test_records_do_not_change(kind):
    assert kind.__dataclass_params__.frozen
    found = {
        Field: FIELDS["rank"],
        Table: TABLES["videos"],
        Endpoint: ENDPOINTS["video_list"],
        Cadence: ENDPOINTS["video_list"].cadence,
        Output: ENDPOINTS["video_list"].outputs[0],
        Column: ENDPOINTS["video_list"].outputs[0].columns[0],
        Param: ENDPOINTS["video_list"].params[0],
    }[kind]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(found, dataclasses.fields(kind)[0].name, None)
    assert isinstance(hash(found), int)


# --------------------------------------------------------------------------- cadences

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.sampled_from([UTC, BEIJING]))


def starts(cadence: Cadence, day: date) -> list[datetime]:
    """All slots of a Beijing day."""
    return [datetime.combine(day, t, BEIJING) for t in (time(0, 0), *cadence.slots)]


@given(INSTANTS, st.sampled_from(list(CADENCES.values())))
def test_an_instant_lies_in_its_slot(instant: datetime, cadence: Cadence):
    slot, day = cadence.slot(instant), beijing_day(instant)
    following = [s for s in (*starts(cadence, day), *starts(cadence, day + timedelta(days=1))) if s > slot]
    assert slot <= instant < following[0]
    assert slot.tzinfo is UTC
    assert slot in starts(cadence, day)


@given(INSTANTS, st.sampled_from(list(CADENCES.values())))
def test_the_start_of_a_slot_is_its_own_slot(instant: datetime, cadence: Cadence):
    slot = cadence.slot(instant)
    assert cadence.slot(slot) == slot
    assert beijing_day(cadence.slot(slot - timedelta(microseconds=1))) <= beijing_day(slot)
    assert cadence.slot(slot - timedelta(microseconds=1)) < slot


@each_cadence
def test_midnight_in_beijing_begins_a_slot(cadence: Cadence):
    midnight = datetime(2026, 11, 16, 16, 0, tzinfo=UTC)
    assert cadence.slot(midnight) == midnight
    assert cadence.slot(midnight - timedelta(seconds=1)) == datetime.combine(
        date(2026, 11, 16), max(cadence.slots), BEIJING
    )
    assert beijing_day(midnight) == date(2026, 11, 17)
    assert beijing_day(midnight - timedelta(microseconds=1)) == date(2026, 11, 16)


def cron_times(cadence: Cadence) -> list[time]:
    """Times of day of the cadence's crons, which are `minute hour * * *`, or of one day of the week."""
    found = []
    for cron in cadence.crons:
        minute, hour, *rest = cron.split()
        assert rest[:2] == ["*", "*"]
        found += [time(h, int(minute)) for h in (range(24) if hour == "*" else [int(hour)])]
    return found


@each_cadence
def test_every_slot_has_a_schedule_that_requests_it(cadence: Cadence):
    assert list(cadence.slots) == sorted(set(cadence.slots))
    requested = {
        cadence.slot(datetime.combine(date(2026, 11, 16), t, BEIJING)).astimezone(BEIJING).time()
        for t in cron_times(cadence)
    }
    midnight = (
        {time(0, 0)} if cadence.name in ("hourly", "events") else set()
    )  # before 10:00 there is no data to request
    assert requested == {*cadence.slots, *midnight}
    assert CJK.search(cadence.doc_zh)
    assert not CJK.search(cadence.doc_en)
    for at in cron_times(cadence):
        assert cadence.name in ("hourly", "events") or f"{at:%H:%M}" in cadence.doc_en
        assert cadence.name in ("hourly", "events") or f"{at:%H:%M}" in cadence.doc_zh


def test_the_schedules_of_the_design():
    assert {c.name: c.crons for c in CADENCES.values()} == {
        "hourly": ("5 * * * *",),
        "twice_daily": ("30 10 * * *", "30 16 * * *"),
        "daily_snapshot": ("45 10 * * *", "45 14 * * *"),
        "daily_t1": ("0 11 * * *", "0 15 * * *"),
        "daily_listing": ("30 11 * * *", "30 15 * * *"),
        "rank_weeks": ("0 13 * * 2", "30 23 * * *"),
        "events": ("50 * * * *",),
    }
    assert {e.cadence.name for e in ENDPOINTS.values() if e.windows} == {"daily_t1"}
    assert {e.cadence.name for e in ENDPOINTS.values() if e.domain == "hotsearch"} == {"hourly"}
    assert {e.cadence.name for e in ENDPOINTS.values() if e.domain == "billboard"} == {"twice_daily"}

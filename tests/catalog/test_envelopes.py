"""Every body with an envelope of types A to E gives a verdict or a malformed body."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import ENDPOINTS
from catalog.envelopes import UNREADABLE_DAY, MalformedBody, Page, Verdict, member, read_code, read_envelope, read_page
from catalog.records import Envelope

OK = {"error_code": 0, "description": ""}
LOGID = "20240521100000A1"
TODAY = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Envelope.LEGACY, {"data": {**OK, "list": []}, "extra": OK}),
        (Envelope.LEGACY, {"data": {"error_code": "0"}, "extra": {"error_code": "0"}}),
        (Envelope.LEGACY, {"data": {"list": []}, "extra": OK}),  # billboards have no data.error_code
        (Envelope.LEGACY, {"data": {"fans_data": {}}, "extra": {"logid": LOGID}}),
        (Envelope.LEGACY, {"data": {"list": []}}),
        (Envelope.LEGACY, {"data": {"error_code": None}, "extra": {"error_code": None}}),
        (Envelope.NEW, {"err_no": 0, "err_msg": "", "data": {}}),
        (Envelope.NEW, {"err_no": "0", "data": None}),
        (Envelope.MINI_APP, {"err_no": 0, "data": {"data": {}, "extra": {"error_code": 0}}}),
        (Envelope.OAUTH, {"data": OK, "message": "success"}),
        (Envelope.BUSINESS, {"error_code": 0, "message": "success", "data": {}}),
    ],
)
def test_success(kind: Envelope, body: dict):
    verdict = read_envelope(kind, body)
    assert (verdict.code, verdict.description) == (0, "")


@pytest.mark.parametrize(
    ("kind", "body", "code", "text"),
    [
        (
            Envelope.LEGACY,
            {"data": {"error_code": 28001003, "description": "no"}, "extra": {"error_code": 28001003}},
            28001003,
            "no",
        ),
        (Envelope.LEGACY, {"data": {"error_code": "2190001", "description": "quota"}}, 2190001, "quota"),
        (
            Envelope.LEGACY,
            {"data": {"list": None}, "extra": {"error_code": 2100004, "description": "busy"}},
            2100004,
            "busy",
        ),
        (Envelope.LEGACY, {"data": OK, "extra": {"error_code": "28003018"}}, 28003018, ""),
        (Envelope.LEGACY, {"data": None, "extra": {"error_code": 10001, "description": None}}, 10001, ""),
        (Envelope.LEGACY, {"err_no": 28001017, "err_msg": "unknown address"}, 28001017, "unknown address"),
        (Envelope.NEW, {"err_no": "28001008", "err_msg": "expired", "data": None}, 28001008, "expired"),
        (Envelope.MINI_APP, {"err_no": 28001003, "err_msg": "bad", "data": None}, 28001003, "bad"),
        (
            Envelope.MINI_APP,
            {"err_no": 0, "data": {"extra": {"error_code": 2190008, "description": "old"}}},
            2190008,
            "old",
        ),
        (
            Envelope.OAUTH,
            {"data": {"error_code": 10010, "description": "expired"}, "message": "error"},
            10010,
            "expired",
        ),
        (Envelope.OAUTH, {"err_no": 10002, "err_msg": "missing"}, 10002, "missing"),
        (Envelope.BUSINESS, {"error_code": 10013, "message": "wrong secret"}, 10013, "wrong secret"),
        (Envelope.BUSINESS, {"error_code": "28001005", "message": "error", "data": {}}, 28001005, "error"),
    ],
)
def test_failure(kind: Envelope, body: dict, code: int, text: str):
    verdict = read_envelope(kind, body)
    assert (verdict.code, verdict.description) == (code, text)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "authorize", "log_id": LOGID},
        {"err_no": 7, "data": {"error_code": 7}, "message": "error", "log_id": 3},
    ],
)
def test_an_event_answers_nothing_so_nothing_is_refused_in_it(body: dict):
    assert read_envelope(Envelope.WEBHOOK, body) == Verdict(0, "", str(body["log_id"]) if "log_id" in body else None)


def test_message_error_means_failure_without_a_code():
    assert read_envelope(Envelope.OAUTH, {"data": {}, "message": "error"}).code == -1
    assert read_envelope(Envelope.OAUTH, {"data": OK, "message": "error"}).code == -1


def test_message_success_proves_nothing():
    assert read_envelope(Envelope.OAUTH, {"data": {"error_code": 10007}, "message": "success"}).code == 10007


@pytest.mark.parametrize("path", ["extra.logid", "extra.log_id", "log_id", "data.extra.logid"])
def test_the_trace_id_has_several_names(path: str):
    body: dict[str, Any] = {"data": {"error_code": 1}, "err_no": 1}
    *outer, last = path.split(".")
    place = body
    for name in outer:
        place = place.setdefault(name, {})
    place[last] = LOGID
    assert read_envelope(Envelope.LEGACY, body).logid == LOGID


@pytest.mark.parametrize(
    "body", [None, 1, "text", [], [{"data": {}}], {}, {"extra": {}}, {"list": []}, {"data": {"error_code": "abc"}}]
)
def test_what_is_not_the_platforms(body: Any):
    with pytest.raises(MalformedBody):
        read_envelope(Envelope.LEGACY, body)


@pytest.mark.parametrize("data", ["", "[]", '{"list": []}', [], [{}], 0, 1.5, True, False], ids=repr)
@pytest.mark.parametrize("kind", [e for e in Envelope if e is not Envelope.WEBHOOK])
def test_a_good_answer_whose_data_is_no_object_is_malformed(kind: Envelope, data: Any):
    """Such a response once counted as one that is not ready yet."""
    code = {Envelope.NEW: {"err_no": 0}, Envelope.MINI_APP: {"err_no": 0}, Envelope.BUSINESS: {"error_code": 0}}.get(
        kind, {"extra": OK}
    )
    with pytest.raises(MalformedBody, match=r"^data is .*, not an object$"):
        read_envelope(kind, {**code, "data": data})
    if kind is Envelope.MINI_APP:
        with pytest.raises(MalformedBody, match=r"^data\.data is .*, not an object$"):
            read_envelope(kind, {**code, "data": {"data": data, "extra": OK}})


@pytest.mark.parametrize("data", ["", [], 0])
def test_a_refusal_stays_a_refusal_whatever_its_data(data: Any):
    assert read_envelope(Envelope.LEGACY, {"data": data, "extra": {"error_code": 10001}}).code == 10001


@pytest.mark.parametrize("code", [0, 1, -1, 28001003, 2**63 - 1, -(2**63)])
def test_codes_come_as_numbers_or_text(code: int):
    assert read_code(code) == read_code(str(code)) == code


@pytest.mark.parametrize(
    "value", [True, False, 0.0, "", "abc", "0x10", "1.5", "1_0", "１", [], {}, "9" * 5000, 2**63, 2**70, "9" * 30]
)
def test_other_codes_are_malformed(value: Any):
    with pytest.raises(MalformedBody):
        read_code(value)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["0", "28001003", "error", "success"])
)
NAMES = st.sampled_from(
    [
        "data",
        "extra",
        "error_code",
        "description",
        "err_no",
        "err_msg",
        "message",
        "logid",
        "log_id",
        "list",
        "result_list",
        "result",
        "fans_data",
        "date",
        "cursor",
        "has_more",
    ]
)
BODIES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)


@given(st.sampled_from(Envelope), BODIES)
def test_anything_else_is_a_verdict_or_malformed(kind: Envelope, body: Any):
    try:
        verdict = read_envelope(kind, body)
    except MalformedBody:
        return
    assert isinstance(verdict, Verdict)
    assert isinstance(verdict.code, int)
    assert isinstance(verdict.description, str)
    assert verdict.logid is None or isinstance(verdict.logid, str)


@given(st.sampled_from([e for e in Envelope if e is not Envelope.WEBHOOK]), st.integers(1, 10**9), st.booleans())
def test_no_code_that_is_not_nought_is_overlooked(kind: Envelope, code: int, as_text: bool):
    reported: Any = str(code) if as_text else code
    bodies = {
        Envelope.LEGACY: [
            {"data": {"error_code": reported}, "extra": OK},
            {"data": OK, "extra": {"error_code": reported}},
            {"data": {"list": [1]}, "extra": {"error_code": reported}},
        ],
        Envelope.NEW: [{"err_no": reported, "data": {"list": [1]}}],
        Envelope.MINI_APP: [
            {"err_no": reported, "data": {"extra": OK}},
            {"err_no": 0, "data": {"data": {}, "extra": {"error_code": reported}}},
        ],
        Envelope.OAUTH: [{"data": {"error_code": reported}, "message": "success"}],
        Envelope.BUSINESS: [{"error_code": reported, "message": "success", "data": {}}],
    }[kind]
    assert {read_envelope(kind, body).code for body in bodies} == {code}


# --------------------------------------------------------------------------- members and pages


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("a", {"b": 1, "c": None}),
        ("a.c", None),
        ("a.c.d", None),
        ("a.b.c", None),
        ("z", None),
        ("l.0", None),
    ],
)
def test_member(path: str, value: Any):
    assert member({"a": {"b": 1, "c": None}, "l": [1]}, path) == value


LISTING, SERIES, SINGLE, LIST = (ENDPOINTS[n] for n in ("video_list", "user_fans", "item_base", "billboard_stars"))


@pytest.mark.parametrize(
    ("endpoint", "data", "page"),
    [
        (LISTING, {"list": [{}, {}], "cursor": 7, "has_more": True}, Page(2, None, True, 7)),
        (LISTING, {"list": [], "cursor": "7", "has_more": True}, Page(0, None, True, "7")),  # legal
        (LISTING, {"list": None, "cursor": 0, "has_more": False}, Page(0, None, False, 0)),
        (LISTING, {"list": [{}], "has_more": 1}, Page(1, None, True, None)),
        (LISTING, {"list": [{}], "cursor": 3}, Page(1, None, False, 3)),
        (LISTING, {"list": [{}], "cursor": 3, "has_more": "false"}, Page(1, None, False, 3)),
        (LISTING, {"list": {"item_id": 1}, "cursor": 3, "has_more": False}, Page(1, None, False, 3)),
        (SERIES, {"result_list": [{"date": "2026-11-15"}, {"date": "2026-11-14"}]}, Page(2, "2026-11-15", False, None)),
        (SERIES, {"result_list": []}, Page(0, None, False, None)),
        (SERIES, {"result_list": None}, Page(0, None, False, None)),
        (SERIES, {}, Page(0, None, False, None)),
        (SINGLE, {"result": {"total_play": 1}}, Page(1, None, False, None)),
        (SINGLE, {"result": None}, Page(0, None, False, None)),
        (LIST, {"list": [{}, {}, {}]}, Page(3, None, False, None)),
        (LIST, {"list": "no list"}, Page(1, None, False, None)),
        (LIST, {}, Page(0, None, False, None)),
    ],
)
def test_page(endpoint, data: dict, page: Page):
    assert read_page(endpoint, {"data": data, "extra": OK}, TODAY) == page


@pytest.mark.parametrize("wrong", ["abc", None, "", "2026-13-45", "9999", 20261116, "2026-11-16T00:00:00", {"day": 1}])
def test_a_day_that_cannot_be_read_is_not_the_newest(wrong: Any):
    """The text "abc" sorts after every day: one such row once marked days as produced that were not."""
    rows = [{"date": "2026-11-14"}, {"date": wrong}, {"date": "2026-11-13"}]
    assert read_page(SERIES, {"data": {"result_list": rows}}, TODAY).newest == "2026-11-14"


@pytest.mark.parametrize("to_come", ["2026-11-17", "9999-12-31"])
def test_days_to_come_do_not_count(to_come: str):
    """One row of 9999-12-31 once marked every requested day as produced."""
    rows = [{"date": to_come}, {"date": "2026-11-14"}]
    assert read_page(SERIES, {"data": {"result_list": rows}}, TODAY).newest == "2026-11-14"
    assert read_page(SERIES, {"data": {"result_list": rows[:1]}}, TODAY) == Page(1, None, False, None)


@pytest.mark.parametrize("rows", [[{"date": "abc"}], [{"new_fans": 1}, {"date": None}], ["no row"]])
def test_rows_without_any_readable_day_still_count_as_an_answer(rows: list):
    """Otherwise the days would be requested again and again, and the rows would not show in quarantine."""
    page = read_page(SERIES, {"data": {"result_list": rows}}, TODAY)
    assert (page.items, page.newest) == (len(rows), UNREADABLE_DAY)
    assert page.newest > "9999-12-31"


@given(st.sampled_from([LISTING, SERIES, SINGLE, LIST, ENDPOINTS["fans_data"]]), BODIES)
def test_a_page_of_anything(endpoint, body: Any):
    page = read_page(endpoint, body, TODAY)
    assert page.items >= 0
    assert isinstance(page.has_more, bool)
    assert page.newest is None or isinstance(page.newest, str)

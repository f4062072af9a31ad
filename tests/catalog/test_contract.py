"""Each endpoint record against the contract. Client and sandbox both read the records: a wrong one would agree with itself."""

from __future__ import annotations

import re

import pytest
from contract_reading import inside, operations, parameters, success_members

from catalog import ENDPOINTS, FIELDS, TABLES
from catalog.records import Column, Endpoint, Envelope, Fill, History, Origin, Output, Parse, Pii, Token

COVERED = re.compile(
    r"billboard_\w+|hotsearch_\w+|fans_\w+|user_(item|fans|like|comment|share|profile)|item_(base|like|comment|play|share)|video_list"
)
"""Operations that the warehouse collects now; the twins for mini-apps (``_apps_v1``) come later."""

each = pytest.mark.parametrize("endpoint", [pytest.param(e, id=e.name) for e in ENDPOINTS.values()])

FILLS = {
    "open_id": Fill.ACCOUNT, "item_id": Fill.SUBJECT, "hot_sentence": Fill.SUBJECT,
    "date_type": Fill.WINDOW, "cursor": Fill.CURSOR, "count": Fill.COUNT,
}  # fmt: skip

READABLE = {
    Parse.INT: {"integer", "IntOrString"},
    Parse.NUMBER: {"number", "integer", "NumOrString", "IntOrString"},
    Parse.EPOCH: {"EpochSeconds"},
    Parse.DATE: {"date"},
    Parse.BEIJING_DATE: {"DateTimeText"},
    Parse.BEIJING_INSTANT: {"DateTimeText"},
    Parse.BOOL: {"boolean"},
    Parse.TEXT: {"string", "any"},
    Parse.BUCKET: {"string", "any"},
    Parse.PERCENT: {"string"},
    Parse.INT_OR_NULL: {"string"},
}
"""Which of the contract's types each way of reading takes."""

PEOPLE = {"open_id": Pii.PSEUDONYM, "nickname": Pii.PERSONAL, "avatar": Pii.PERSONAL, "author": Pii.PERSONAL}
"""Members of the contract that are about a person."""

ENVELOPE_MEMBERS = {"data", "data.error_code", "data.description", "data.total", "extra"}


# --------------------------------------------------------------------------- coverage


def test_every_operation_of_the_covered_domains_has_a_record_and_every_record_an_operation():
    assert set(ENDPOINTS) == {name for name in operations() if COVERED.fullmatch(name)}


def test_the_main_job_is_whole():
    by_domain = {d: sum(e.domain == d for e in ENDPOINTS.values()) for d in ("billboard", "hotsearch", "fans", "user", "item", "video")}
    assert by_domain == {"billboard": 39, "hotsearch": 3, "fans": 4, "user": 6, "item": 5, "video": 1}
    assert sum(by_domain.values()) == len(ENDPOINTS)


# --------------------------------------------------------------------------- the request


@each
def test_address(endpoint: Endpoint):
    o = operations()[endpoint.name]
    assert (endpoint.method, endpoint.path) == (o["method"], o["path"])
    assert endpoint.path.startswith("/")
    assert endpoint.path.endswith("/")


@each
def test_scope_token_and_status(endpoint: Endpoint):
    o = operations()[endpoint.name]
    assert (endpoint.scope, endpoint.token, endpoint.status) == (o["x-scope"], o["x-token"], o["x-status"])
    assert o["x-token-location"] == "header"
    assert o["security"] == [{f"{endpoint.token}Token": []}]


@each
def test_parameters(endpoint: Endpoint):
    theirs = parameters(endpoint.name)
    assert {p.name: p.required for p in endpoint.params} == {n: p["required"] for n, p in theirs.items()}
    assert len({p.name for p in endpoint.params}) == len(endpoint.params)
    assert {p["in"] for p in theirs.values()} <= {"query"}
    assert "requestBody" not in operations()[endpoint.name]
    for p in endpoint.params:
        assert p.fill is FILLS[p.name], p.name
        schema = theirs[p.name]["schema"]
        if p.fill is Fill.COUNT:
            assert schema["minimum"] <= p.const <= schema.get("maximum", 10**6)
        elif p.fill is Fill.WINDOW:
            assert list(endpoint.windows) == schema["enum"]
        else:
            assert "enum" not in schema, f"{p.name}: the contract allows only {schema['enum']}"


@each
def test_an_endpoint_over_accounts_or_objects_names_them_in_its_request(endpoint: Endpoint):
    fills = {p.fill for p in endpoint.params}
    assert (Fill.ACCOUNT in fills) == (endpoint.token is Token.USER) == (endpoint.over in ("accounts", "videos"))
    assert (Fill.SUBJECT in fills) == (endpoint.over in ("videos", "sentences"))
    assert (Fill.WINDOW in fills) == bool(endpoint.windows)
    assert (endpoint.max_age_days == 30) == (endpoint.over == "videos")


# --------------------------------------------------------------------------- paging and history


@each
def test_paging(endpoint: Endpoint):
    said = operations()[endpoint.name]["x-pagination"]
    assert (endpoint.paging is not None) == (said != "none")
    assert (endpoint.paging is not None) == any(p.fill is Fill.CURSOR for p in endpoint.params)
    if endpoint.paging is None:
        return
    assert said.startswith("cursor(cursor,has_more)")
    offered = success_members(endpoint.name)
    assert offered[endpoint.paging.cursor]["kind"] == "IntOrString"
    assert offered[endpoint.paging.has_more]["kind"] == "boolean"
    assert endpoint.paging.page_cap >= 100


@each
def test_history(endpoint: Endpoint):
    said = operations()[endpoint.name]["x-history"].split()[0]
    histories = {TABLES[name].history for name in endpoint.tables}
    if said == "window":
        assert histories == {History.WINDOW}
        assert endpoint.windows == (7, 15, 30)
    else:
        assert said == "snapshot"
        assert endpoint.windows == ()
        # `videos` is the one listing: what a snapshot shows of things that stay, beside the snapshot of their totals.
        assert histories == ({History.SNAPSHOT, History.LISTING} if endpoint.name == "video_list" else {History.SNAPSHOT})


# --------------------------------------------------------------------------- the answer


def test_envelopes_are_legacy_as_the_success_schemas_say():
    for endpoint in ENDPOINTS.values():
        offered = success_members(endpoint.name)
        assert endpoint.envelope is Envelope.LEGACY
        assert {"data.error_code", "extra.error_code", "extra.logid"} <= set(offered)
        assert "err_no" not in offered


@each
def test_rows_stand_where_the_contract_has_them(endpoint: Endpoint):
    offered = success_members(endpoint.name)
    for output in endpoint.outputs:
        place = offered[output.rows]
        assert place["json"] == ("object" if output.single else "array")
        assert place["nullable"], f"{output.rows}: empty answers may hold null"
        if output.explode:
            assert not output.single
            assert offered[inside(output.rows, False) + output.explode]["json"] == "array"


def reads(output: Output) -> list[tuple[str, Column]]:
    """(path in the contract, column) for each column that is read from the answer; two columns may read one member."""
    outer = inside(output.rows, output.single)
    own = f"{outer}{output.explode}[]." if output.explode else outer
    prefixes = {Origin.MEMBER: own, Origin.PARENT: outer, Origin.BODY: ""}
    return [(prefixes[c.origin] + c.path, c) for c in output.columns if c.origin in prefixes]


@each
def test_columns_read_members_that_exist_with_types_that_fit(endpoint: Endpoint):
    offered = success_members(endpoint.name)
    for output in endpoint.outputs:
        for path, column in reads(output):
            assert path in offered, f"{output.table}.{column.field} reads {path}, which the contract does not offer"
            assert offered[path]["kind"] in READABLE[column.parse], f"{path} is {offered[path]['kind']}, read as {column.parse}"
            says = offered[path].get("description", "").lower()
            assert (column.parse is Parse.PERCENT) == ("percent" in says and "not a percent" not in says), f"{path}: {says}"
            unit = FIELDS[column.field].unit
            if column.parse is not Parse.EPOCH:
                assert (unit if unit == "s" else None) == offered[path].get("x-unit"), f"{column.field} is in {unit}"


@each
def test_every_member_that_is_offered_is_read_or_part_of_the_envelope(endpoint: Endpoint):
    offered = success_members(endpoint.name)
    read = {path for output in endpoint.outputs for path, _ in reads(output)}
    if endpoint.paging:
        read |= {endpoint.paging.cursor, endpoint.paging.has_more}
    left = {
        path
        for path, schema in offered.items()
        if path not in read and not any(r.startswith((f"{path}.", f"{path}[]")) for r in read)
        and path not in ENVELOPE_MEMBERS and not path.startswith("extra.") and schema["json"] not in ("object",)
    }  # fmt: skip
    assert left == set(), "the contract offers members that no column reads"


@each
def test_nothing_that_the_contract_offers_is_called_drift(endpoint: Endpoint):
    for output in endpoint.outputs:
        outer = inside(output.rows, output.single)
        places = [(outer, endpoint.known_members(output.rows))]
        if output.explode:
            places.append((f"{outer}{output.explode}[].", endpoint.known_members(output.rows, output.explode)))
        for prefix, known in places:
            first = {p.removeprefix(prefix) for p in success_members(endpoint.name) if p.startswith(prefix)}
            assert {p for p in first if "." not in p and "[" not in p} <= known


@each
def test_keys_are_members_that_are_always_there(endpoint: Endpoint):
    offered = success_members(endpoint.name)
    for output in endpoint.outputs:
        key = set(TABLES[output.table].key)
        for path, column in reads(output):
            if column.field in key:
                assert offered[path]["needed"], f"{output.table}: the key needs {path}, which may be missing"


@each
def test_people_are_known_as_such(endpoint: Endpoint):
    for output in endpoint.outputs:
        for path, column in reads(output):
            member = path.rpartition(".")[2]
            expected = PEOPLE.get(member, Pii.NONE)
            assert FIELDS[column.field].pii is expected, f"{path} -> {column.field}"
            assert not success_members(endpoint.name)[path].get("x-pii") or expected is not Pii.NONE
        for column in output.columns:
            if column.origin is Origin.PARAM:
                assert FIELDS[column.field].pii is PEOPLE.get(column.path, Pii.NONE)


@each
def test_columns_from_the_request_name_its_parameters(endpoint: Endpoint):
    names = {p.name for p in endpoint.params}
    for output in endpoint.outputs:
        assert {c.path for c in output.columns if c.origin is Origin.PARAM} <= names
        assert not any(c.path for c in output.columns if c.origin is Origin.ORDINAL)


@each
def test_names_are_the_contracts(endpoint: Endpoint):
    """The Chinese name is the one that users search the platform's documentation for."""
    _, _, zh = operations()[endpoint.name]["summary"].partition(" / ")
    assert endpoint.zh in zh or zh in endpoint.zh

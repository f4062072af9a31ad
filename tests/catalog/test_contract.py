"""Each record is checked against the contract; client and sandbox both read the records and would agree on an error."""

from __future__ import annotations

import re

import pytest
from contract_reading import (
    SAMPLES,
    body_members,
    contract_name,
    inside,
    operations,
    parameters,
    success_members,
    webhook_members,
)

from catalog import ENDPOINTS, FIELDS, OPERATIONS, OTHER_OPERATIONS, TABLES
from catalog.errors import ERRORS, Action
from catalog.iterations import ITERATIONS, IterateBy
from catalog.records import (
    AppType,
    Column,
    Endpoint,
    Envelope,
    History,
    OperationKind,
    Origin,
    Output,
    Parse,
    Pii,
    Token,
    first_step,
)
from catalog.requests import ParamLocation, ParamSource, TimeFormat

each = pytest.mark.parametrize("endpoint", [pytest.param(e, id=e.name) for e in ENDPOINTS.values()])

FILLS = {
    "open_id": {ParamSource.ACCOUNT},
    "access_token": {ParamSource.TOKEN},
    "item_id": {ParamSource.SUBJECT},
    "hot_sentence": {ParamSource.SUBJECT},
    "date_type": {ParamSource.WINDOW, ParamSource.CONST},
    "cursor": {ParamSource.CURSOR},
    "query_session": {ParamSource.CURSOR},
    "count": {ParamSource.COUNT},
    "limit": {ParamSource.COUNT},
    "start_time": {ParamSource.SINCE},
    "begin_time": {ParamSource.SINCE},
    "begin_date": {ParamSource.SINCE},
    "end_time": {ParamSource.UNTIL},
    "end_date": {ParamSource.UNTIL},
}
"""The source of a parameter of that name; others name the object, are constant or omitted."""

READABLE = {
    Parse.INT: {"integer", "IntOrString"},
    Parse.NUMBER: {"number", "integer", "NumOrString", "IntOrString"},
    Parse.NUMBER_OR_NULL: {"string"},
    Parse.EPOCH: {"EpochSeconds", "IntOrString"},
    Parse.DATE: {"date"},
    Parse.DATE_OR_NULL: {"string"},
    Parse.BEIJING_DATE: {"DateTimeText"},
    Parse.BEIJING_INSTANT: {"DateTimeText"},
    Parse.BOOL: {"boolean"},
    Parse.TEXT: {"string", "any", "IntOrString"},
    Parse.BUCKET: {"string", "any"},
    Parse.PERCENT: {"string"},
    Parse.INT_OR_NULL: {"string"},
    Parse.WORDS: {"array", "array/null"},
}
"""The contract's types that each parser accepts. Ids that are numbers in one place and text in another are read as
text.
"""

PEOPLE = {
    "open_id",
    "nickname",
    "nick_name",
    "avatar",
    "author",
    "comment_user_id",
    "telephone",
    "wechat",
    "user_id",
    "target_open_id",
    "union_id",
}
"""Members of the contract that are about a person, flagged there or not."""

ENVELOPE_MEMBERS = re.compile(
    r"data|data\.(error_code|description|total|log_id)|extra(\..*)?|message|err_no|err_msg|log_id|data\.data|data\.extra(\..*)?"
)


# --------------------------------------------------------------------------- coverage


def test_the_catalogue_holds_the_contract_whole():
    assert set(OPERATIONS) == set(operations())
    assert {e.name for e in ENDPOINTS.values() if e.twin_of is None} | set(OTHER_OPERATIONS) == set(operations())
    assert not set(ENDPOINTS) & set(OTHER_OPERATIONS)


def test_every_readable_operation_is_read():
    """Every operation that neither writes nor belongs to the token manager fills a table."""
    tokens = {n for n, o in operations().items() if "oauth" in o["tags"] and n != "oauth_userinfo"}
    writes = {n for n, o in operations().items() if o["x-history"] == "write"}
    assert {n for n, o in OTHER_OPERATIONS.items() if o.kind is OperationKind.TOKEN} == tokens
    assert {n for n, o in OTHER_OPERATIONS.items() if o.kind is OperationKind.WRITE} == writes
    assert {e.name for e in ENDPOINTS.values() if e.twin_of is None} == set(operations()) - tokens - writes
    assert all(e.tables for e in ENDPOINTS.values())


@pytest.mark.parametrize("name", OTHER_OPERATIONS)
def test_operations_that_fill_no_table(name: str):
    o, ours = operations()[name], OTHER_OPERATIONS[name]
    assert (ours.method, ours.path, ours.scope, ours.token, ours.status) == (
        o["method"],
        o["path"],
        o["x-scope"],
        o["x-token"],
        o["x-status"],
    )
    _, _, zh = o["summary"].partition(" / ")
    assert ours.zh in zh or zh in ours.zh


@each
def test_every_endpoint_has_a_sample_a_route_and_a_rate_policy(endpoint: Endpoint):
    from sandbox.answers import answer_for

    assert (SAMPLES / f"{contract_name(endpoint)}.json").exists()
    assert answer_for(endpoint) is not None
    assert re.fullmatch(r"[a-z][a-zA-Z0-9_.]*", endpoint.quota), "limits are counted per scope"
    assert {ERRORS[28003018].action, ERRORS[28003017].action} == {Action.RETRY, Action.QUOTA}


TWINS = [pytest.param(e, id=e.name) for e in ENDPOINTS.values() if e.twin_of]


@pytest.mark.parametrize("endpoint", TWINS)
def test_twins_differ_from_their_operation_by_path_and_token(endpoint: Endpoint):
    theirs = ENDPOINTS[endpoint.twin_of]
    assert theirs.twin_of is None
    assert endpoint.path == re.sub(r"/(user|item|video)/", r"/\1_bc/", theirs.path)
    assert endpoint.token is Token.BUSINESS
    assert endpoint.apps == (AppType.BUSINESS,)
    same = (
        "method",
        "scope",
        "status",
        "params",
        "outputs",
        "paging",
        "envelope",
        "windows",
        "over",
        "cadence",
        "empty",
        "zh",
    )
    assert all(getattr(endpoint, name) == getattr(theirs, name) for name in same)


def test_the_guide_names_these_twins():
    guide = {
        f"{kind}_{m}_apps_v1"
        for kind, ms in (("user", "item fans like comment share profile"), ("item", "base like comment play share"))
        for m in ms.split()
    }
    assert {e.values[0].twin_of for e in TWINS} == guide | {"video_query_apps_v1"}


# --------------------------------------------------------------------------- the request


@each
def test_address(endpoint: Endpoint):
    o = operations()[contract_name(endpoint)]
    assert endpoint.method == o["method"]
    assert endpoint.twin_of or endpoint.path == o["path"]
    assert endpoint.path.startswith("/")
    assert endpoint.path.endswith("/")


@each
def test_scope_token_and_status(endpoint: Endpoint):
    o = operations()[contract_name(endpoint)]
    assert (endpoint.scope, endpoint.status) == (o["x-scope"], o["x-status"])
    assert endpoint.twin_of or endpoint.token == o["x-token"]
    in_body = any(p.fill is ParamSource.TOKEN for p in endpoint.params)
    assert ("header" in o["x-token-location"]) != in_body
    assert in_body == (o["x-token-location"] == "body")


@each
def test_parameters(endpoint: Endpoint):
    query, body = parameters(contract_name(endpoint)), body_members(contract_name(endpoint))
    assert {p["in"] for p in query.values()} <= {"query"}
    assert len({p.name for p in endpoint.params}) == len(endpoint.params)
    for place, theirs in ((ParamLocation.QUERY, query), (ParamLocation.BODY, body)):
        ours = [p for p in endpoint.params if p.place is place]
        assert {p.name: p.required for p in ours} == {n: p.get("required", False) for n, p in theirs.items()}, place
        for p in ours:
            schema = theirs[p.name]["schema"]
            assert p.fill in FILLS.get(p.name, {ParamSource.SUBJECT, ParamSource.CONST, ParamSource.LEFT_OUT}), p.name
            if p.fill is ParamSource.COUNT:
                assert schema.get("minimum", 1) <= p.const <= schema.get("maximum", 10**6)
            elif p.fill is ParamSource.WINDOW:
                assert list(endpoint.windows) == schema["enum"]
            elif p.fill is ParamSource.CONST:
                assert "enum" not in schema or p.const in schema["enum"]
            elif p.fill is ParamSource.LEFT_OUT:
                assert not p.required
            elif p.fill in (ParamSource.SINCE, ParamSource.UNTIL):
                assert p.moment is not None
                assert (p.moment is TimeFormat.DAY) == (schema.get("format") == "date")
            elif p.fill is ParamSource.SUBJECT:
                assert list(p.choices) == schema.get("enum", [])
                assert (p.batch is not None) == (schema["type"] == "array")
    types = set(operations()[contract_name(endpoint)].get("requestBody", {}).get("content", {}))
    assert types <= {"application/x-www-form-urlencoded" if endpoint.form else "application/json"}
    assert endpoint.method == "POST" or not types


@each
def test_an_endpoint_names_what_it_iterates_over(endpoint: Endpoint):
    fills = {p.fill for p in endpoint.params}
    iteration = ITERATIONS[endpoint.over]
    if ParamSource.ACCOUNT in fills or endpoint.token in (Token.USER, Token.BUSINESS):
        assert iteration.per_account
    else:
        assert not iteration.per_account
    assert (ParamSource.SUBJECT in fills) == (endpoint.over not in (IterateBy.NOTHING, IterateBy.ACCOUNTS))
    assert (ParamSource.WINDOW in fills or (ParamSource.SINCE in fills and endpoint.period_days is None)) == bool(
        endpoint.windows
    )
    assert (ParamSource.SINCE in fills) == (ParamSource.UNTIL in fills)
    assert (endpoint.max_age_days == 30) == (endpoint.over is IterateBy.VIDEOS)
    named = {p.name for p in endpoint.params if p.fill is ParamSource.SUBJECT}
    if iteration.columns:
        assert named == {param for param, _ in iteration.columns}
        assert {column for _, column in iteration.columns} <= set(TABLES[iteration.table].columns)
    for condition in (iteration.at_least, iteration.among):
        assert condition is None or condition[0] in TABLES[iteration.table].columns
    assert (endpoint.over is IterateBy.CHOICES) == (
        all(p.choices for p in endpoint.params if p.fill is ParamSource.SUBJECT) and bool(named)
    )


# --------------------------------------------------------------------------- paging and history


@each
def test_paging(endpoint: Endpoint):
    said = operations()[contract_name(endpoint)]["x-pagination"]
    paged = said.startswith(("cursor(", "session(", "two modes"))
    assert paged or said in ("none", "version") or said.startswith("batch of ids")
    assert (endpoint.paging is not None) == paged == any(p.fill is ParamSource.CURSOR for p in endpoint.params)
    if endpoint.paging is None:
        return
    offered = success_members(contract_name(endpoint))
    assert offered[endpoint.paging.cursor]["kind"] in ("IntOrString", "string", "any")
    assert offered[endpoint.paging.has_more]["kind"] == "boolean"
    assert endpoint.paging.page_cap >= 100
    assert endpoint.paging.session == said.startswith("session(")
    assert (endpoint.paging.first is None) == endpoint.paging.session
    if endpoint.incremental:
        rows = endpoint.outputs[0].rows + "[]."
        assert offered[rows + endpoint.incremental.created]["kind"] == "EpochSeconds"
        assert offered[rows + endpoint.incremental.pinned]["kind"] == "boolean"
        assert any(p.name == "sort_type" and p.const == "time" for p in endpoint.params)


HISTORIES = (
    (r"window 7/15(/30)? days(, one row per date)?|per-date, last 30 days", {History.WINDOW}),
    (r"versioned weeks.*", {History.VERSION}),
    # Lasting entities are listings, present values snapshots; one response may contain both (videos and their totals).
    (
        r"snapshot.*|window 7/15/30 days, aggregated|per message.*|window begin_time\.\.end_time|window "
        r"start_time\.\.end_time|full .*",
        {History.SNAPSHOT, History.LISTING},
    ),
)
"""The contract's words for the data's history, and the histories that its tables may have."""


@each
def test_history(endpoint: Endpoint):
    said = operations()[contract_name(endpoint)]["x-history"]
    histories = {TABLES[name].history for name in endpoint.tables}
    (allowed,) = [h for pattern, h in HISTORIES if re.fullmatch(pattern, said)]
    assert histories <= allowed
    assert bool(endpoint.windows) == (allowed == {History.WINDOW})
    if said.startswith("full"):
        assert histories == {History.LISTING}


# --------------------------------------------------------------------------- the response


@each
def test_envelopes_are_those_of_the_success_schemas(endpoint: Endpoint):
    offered = success_members(contract_name(endpoint))
    found = Envelope.LEGACY
    if "data.data" in offered:
        found = Envelope.MINI_APP
    elif "err_no" in offered:
        found = Envelope.NEW
    elif endpoint.path.startswith("/oauth/"):
        found = Envelope.OAUTH
    assert endpoint.envelope is found
    assert ("data.error_code" in offered) == (found in (Envelope.LEGACY, Envelope.OAUTH))


@each
def test_rows_stand_where_the_contract_has_them(endpoint: Endpoint):
    offered = success_members(contract_name(endpoint))
    for output in endpoint.outputs:
        place = offered[output.rows]
        assert place["json"] == ("object" if output.single else "array")
        assert output.single or place["nullable"], f"{output.rows}: empty answers may hold null"
        assert not output.once or output.single
        if output.explode:
            assert not output.single
            assert offered[inside(output.rows, False) + output.explode]["json"] == "array"
        if any(c.origin is Origin.ELEMENT for c in output.columns):
            assert place["items"] == {"type": "string"} or place["items"].get("type") == "string"


def reads(output: Output) -> list[tuple[str, Column]]:
    """Return (path in the contract, column) for each column read from the body; two may read one member."""
    outer = inside(output.rows, output.single)
    own = f"{outer}{output.explode}[]." if output.explode else outer
    prefixes = {Origin.MEMBER: own, Origin.PARENT: outer, Origin.BODY: ""}
    return [(prefixes[c.origin] + c.path, c) for c in output.columns if c.origin in prefixes]


@each
def test_columns_read_members_that_exist_with_types_that_fit(endpoint: Endpoint):
    offered = success_members(contract_name(endpoint))
    for output in endpoint.outputs:
        for path, column in reads(output):
            if "|" in path:
                outer, _, inner = path.partition("|")
                assert offered[outer]["kind"] == "string"
                assert inner in webhook_members(), f"{column.field} reads {inner}, which no webhook has"
                continue
            assert path in offered, f"{output.table}.{column.field} reads {path}, which the contract does not offer"
            assert offered[path]["kind"] in READABLE[column.parse], (
                f"{path} is {offered[path]['kind']}, read as {column.parse}"
            )
            says = offered[path].get("description", "").lower()
            assert (column.parse is Parse.PERCENT) == ("percent" in says and "not a percent" not in says), (
                f"{path}: {says}"
            )
            unit = FIELDS[column.field].unit
            if column.parse is not Parse.EPOCH:
                assert (unit if unit == "s" else None) == offered[path].get("x-unit"), f"{column.field} is in {unit}"


@each
def test_every_member_that_is_offered_is_read_or_part_of_the_envelope(endpoint: Endpoint):
    offered = success_members(contract_name(endpoint))
    read = {path.partition("|")[0] for output in endpoint.outputs for path, _ in reads(output)}
    read |= {output.rows for output in endpoint.outputs if any(c.origin is Origin.ELEMENT for c in output.columns)}
    if endpoint.paging:
        read |= {endpoint.paging.cursor, endpoint.paging.has_more}
    left = {
        path
        for path, schema in offered.items()
        if path not in read
        and not any(r.startswith((f"{path}.", f"{path}[]")) for r in read)
        and not ENVELOPE_MEMBERS.fullmatch(path)
        and schema["json"] != "object"
    }
    assert left == set(), "the contract offers members that no column reads"


@each
def test_nothing_that_the_contract_offers_is_called_drift(endpoint: Endpoint):
    for output in (o for o in endpoint.outputs if not o.once):
        outer = inside(output.rows, output.single)
        places = [(outer, endpoint.known_members(output.rows))]
        if output.explode:
            places.append((f"{outer}{output.explode}[].", endpoint.known_members(output.rows, output.explode)))
        for prefix, known in places:
            first = {
                first_step(p.removeprefix(prefix)).split("[")[0]
                for p in success_members(contract_name(endpoint))
                if p.startswith(prefix)
            }
            envelope = {"error_code", "description"} if output.rows == endpoint.root else set()
            assert first <= known | envelope


@each
def test_keys_are_members_that_are_always_there(endpoint: Endpoint):
    offered = success_members(contract_name(endpoint))
    for output in endpoint.outputs:
        key = set(TABLES[output.table].key)
        assert key <= {c.field for c in output.columns}, "every endpoint gives the key"
        for path, column in reads(output):
            if column.field in key:
                assert "|" not in path
                assert offered[path]["needed"], f"{output.table}: the key needs {path}, which may be missing"


@each
def test_people_are_known_as_such(endpoint: Endpoint):
    offered = success_members(contract_name(endpoint))
    for output in endpoint.outputs:
        for path, column in reads(output):
            if (path.rpartition(".")[2] in PEOPLE and FIELDS[column.field].type == "VARCHAR") or offered.get(
                path, {}
            ).get("x-pii"):
                assert FIELDS[column.field].pii is not Pii.NONE, f"{path} -> {column.field}"
        for column in output.columns:
            if column.origin in (Origin.PARAM, Origin.ACCOUNT, Origin.ELEMENT) and column.field.endswith("open_id"):
                assert FIELDS[column.field].pii is Pii.PSEUDONYM
    texts = {"message_text", "event_content", "telephone", "wechat", "encrypted_mobile", "media_url"}
    assert {n for n in texts if FIELDS[n].pii is not Pii.SENSITIVE} == set()


@each
def test_columns_from_the_request_name_its_parameters(endpoint: Endpoint):
    names = {p.name for p in endpoint.params}
    for output in endpoint.outputs:
        assert {c.path for c in output.columns if c.origin is Origin.PARAM} <= names
        assert not any(c.path for c in output.columns if c.origin is Origin.ORDINAL)


@each
def test_names_are_the_contracts(endpoint: Endpoint):
    """Users search the platform's documentation by the Chinese name."""
    _, _, zh = operations()[contract_name(endpoint)]["summary"].partition(" / ")
    assert endpoint.zh in zh or zh in endpoint.zh

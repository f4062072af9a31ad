"""What is requested once for what, and from which source: a graph from app, accounts and watch lists on.

That the columns of an iteration are its table's and fill the parameters of the endpoints over it is tested in
``test_contract.py``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from contract_reading import contract_name, operations

from catalog import ENDPOINTS, FIELDS, SOURCES, TABLES, endpoints_of
from catalog.cadences import CADENCES
from catalog.iterations import ITERATIONS, IterateBy, SubjectSource
from catalog.records import AppType, Cadence, Endpoint, History, Origin, Token, Type
from catalog.requests import ParamSource
from resources.state.watched import KINDS

CJK = re.compile(r"[\u4e00-\u9fff]")
GIVEN = (IterateBy.NOTHING, IterateBy.CHOICES, IterateBy.ACCOUNTS, IterateBy.INBOX)
"""Iterations that need no table."""

each_over = pytest.mark.parametrize("over", list(IterateBy))
each_endpoint = pytest.mark.parametrize("endpoint", [pytest.param(e, id=e.name) for e in ENDPOINTS.values()])
each_app = pytest.mark.parametrize("app", list(AppType))


def subjects(endpoint: Endpoint) -> set[str]:
    return {p.name for p in endpoint.params if p.fill is ParamSource.SUBJECT}


# --------------------------------------------------------------------------- iterations


def test_every_over_has_an_iteration_and_is_used():
    assert set(ITERATIONS) == set(IterateBy) == {e.over for e in SOURCES.values()}


@each_over
def test_iteration_is_described(over: IterateBy):
    iteration = ITERATIONS[over]
    assert iteration.en
    assert not CJK.search(iteration.en)
    assert not iteration.en.endswith(".")
    assert CJK.search(iteration.zh)
    assert sum(i.en == iteration.en for i in ITERATIONS.values()) == 1
    assert sum(i.zh == iteration.zh for i in ITERATIONS.values()) == 1


@each_over
def test_subjects_come_from_somewhere(over: IterateBy):
    iteration = ITERATIONS[over]
    assert (iteration.table is None and iteration.watch is None) == (over in GIVEN)
    assert iteration.watch is None or iteration.watch in KINDS
    with_choices = {e.name for e in ENDPOINTS.values() if any(p.choices for p in e.params)}
    assert with_choices == {e.name for e in ENDPOINTS.values() if e.over in (IterateBy.CHOICES, IterateBy.VERSIONS)}


def test_every_watch_list_is_gone_through():
    assert {i.watch for i in ITERATIONS.values() if i.watch} == set(KINDS)


def conditions(iteration: SubjectSource) -> list[tuple[str, Type]]:
    """Return the columns that select the rows to iterate over, with their required type."""
    return [(c[0], type_) for c, type_ in ((iteration.at_least, Type.BIGINT), (iteration.among, Type.TEXT)) if c]


@each_over
def test_columns_that_are_named_are_ids_and_conditions_of_the_table(over: IterateBy):
    iteration = ITERATIONS[over]
    if iteration.table is None:
        assert not iteration.columns
        assert conditions(iteration) == []
        return
    table = TABLES[iteration.table]
    assert {column for _, column in iteration.columns} | {name for name, _ in conditions(iteration)} <= set(
        table.fields
    )
    assert len({param for param, _ in iteration.columns}) == len(iteration.columns)
    for _, column in iteration.columns:
        assert FIELDS[column].type is Type.TEXT, "ids are text"
        # Otherwise two subjects would be one request, or one row no request at all. Events name people and messages in
        # addition to their key.
        assert column in table.key or column in {"sec_item_id", "conversation_id", "message_id"}
    for name, type_ in conditions(iteration):
        assert FIELDS[name].type is type_
    if iteration.among:
        assert all(value in FIELDS[iteration.among[0]].doc_en for value in iteration.among[1])
    if iteration.per_account:
        assert "open_id" in table.fields


@each_endpoint
def test_where_no_columns_are_named_one_parameter_names_the_subject(endpoint: Endpoint):
    """``services/ingest/subjects.py`` fills it; a week's list is named by two."""
    if endpoint.over in (IterateBy.NOTHING, IterateBy.ACCOUNTS) or ITERATIONS[endpoint.over].columns:
        return
    assert (
        subjects(endpoint) == {"type", "version"}
        if endpoint.over is IterateBy.VERSIONS
        else len(subjects(endpoint)) == 1
    )


ANSWERED_AS = {"item_ids": "item_id", "user_id": "open_id"}
"""Names in responses of the subject that a parameter names, where they differ."""


@each_endpoint
def test_what_names_a_subject_is_kept_with_its_rows(endpoint: Endpoint):
    """Otherwise a row could not be attributed: its subject comes from the request or from the response."""
    for output in endpoint.outputs:
        reported = {c.path for c in output.columns if c.origin in (Origin.PARAM, Origin.MEMBER)}
        for name in subjects(endpoint):
            assert name in reported or ANSWERED_AS.get(name) in reported, (
                f"{output.table} does not say which {name} was requested"
            )


@each_endpoint
def test_the_requesting_account_is_stored_with_the_rows(endpoint: Endpoint):
    for output in endpoint.outputs:
        names = {c.field for c in output.columns}
        assert ("open_id" in names) == ITERATIONS[endpoint.over].per_account


# --------------------------------------------------------------------------- the graph


def edges() -> set[tuple[str, str]]:
    """Return (table iterated over, table filled)."""
    return {
        (ITERATIONS[e.over].table, filled)
        for e in ENDPOINTS.values()
        if ITERATIONS[e.over].table
        for filled in e.tables
    }


def test_the_graph_has_no_cycle_but_videos_of_earlier_days():
    """``videos`` are also requested by the ids of earlier days' lists, which is no cycle within a day."""
    found = edges()
    assert {(a, b) for a, b in found if a == b} == {("videos", "videos")}
    left = {(a, b) for a, b in found if a != b}
    while left:
        ends = {b for _, b in left} - {a for a, _ in left}
        assert ends, f"a cycle: {sorted(left)}"
        left = {(a, b) for a, b in left if b not in ends}


def test_the_graph_goes_from_accounts_over_videos_and_comments_to_replies():
    assert {
        ("videos", "item_play"),
        ("video_totals", "comments"),
        ("comments", "comment_replies"),
        ("lead_ids", "leads"),
    } <= edges()
    assert {
        ("search_videos", "search_comments"),
        ("search_comments", "search_comment_replies"),
        ("ent_rank_versions", "ent_ranks"),
    } <= edges()


@each_endpoint
def test_what_is_gone_through_is_collected_before(endpoint: Endpoint):
    """Jobs of a day run in the order of ``CADENCES``; within one job Dagster orders the tables."""
    table = ITERATIONS[endpoint.over].table
    order = list(CADENCES)
    for source in endpoints_of(table) if table else ():
        assert order.index(source.cadence.name) <= order.index(endpoint.cadence.name)


@pytest.mark.parametrize("cadence", [pytest.param(c, id=c.name) for c in CADENCES.values()])
def test_partitions_of_a_cadence_are_of_one_kind(cadence: Cadence):
    """A job has one partition at a time: a day, the day before, or a week."""
    thursday = date(2026, 11, 19)
    newest = {TABLES[t].latest_partition(thursday) for e in SOURCES.values() if e.cadence == cadence for t in e.tables}
    assert len(newest) == 1
    assert newest <= {thursday, thursday - timedelta(days=1), date(2026, 11, 16)}


@each_app
def test_every_endpoint_of_an_app_can_be_reached(app: AppType):
    """From the app, its accounts and its watch lists, through tables that the app's own endpoints fill."""
    own = [e for e in ENDPOINTS.values() if app in e.apps]
    filled: set[str] = set()
    reached: set[str] = set()
    while True:
        more = {
            e.name for e in own if e.over in GIVEN or ITERATIONS[e.over].watch or ITERATIONS[e.over].table in filled
        } - reached
        if not more:
            break
        reached |= more
        filled = {t for name in reached for t in ENDPOINTS[name].tables}
    assert {e.name for e in own} - reached == set()


# --------------------------------------------------------------------------- sources


def same_rows(a: Endpoint, b: Endpoint, table: str) -> bool:
    """Report whether two operations fill one table with rows about the same objects.

    They then have the same subjects and no constant column that separates them.
    """

    def consts(e: Endpoint) -> set[tuple]:
        return {
            tuple((c.field, c.path) for c in o.columns if c.origin is Origin.CONST and c.field in TABLES[table].key)
            for o in e.outputs
            if o.table == table
        }

    # Each event is pushed once, under its own name.
    return a.over is b.over and a.over is not IterateBy.INBOX and bool(consts(a) & consts(b))


@each_app
@pytest.mark.parametrize("table", list(TABLES))
def test_no_app_fills_a_table_twice_from_the_same_objects(app: AppType, table: str):
    sources = [e for e in endpoints_of(table) if app in e.apps]
    for a in sources:
        for b in sources:
            if a.name < b.name and same_rows(a, b, table):
                assert a.instead_of == b.name or b.instead_of == a.name, f"{a.name} and {b.name} both fill {table}"


@each_endpoint
def test_another_way_to_the_same_rows_is_one(endpoint: Endpoint):
    if endpoint.instead_of is None:
        return
    first = ENDPOINTS[endpoint.instead_of]
    assert first.instead_of is None
    assert (first.apps, first.over, first.cadence, first.domain) == (
        endpoint.apps,
        endpoint.over,
        endpoint.cadence,
        endpoint.domain,
    )
    assert set(endpoint.tables) <= set(first.tables)
    assert first.scope != endpoint.scope, "where the one is not owned, the other would not be, either"


@each_app
def test_every_table_has_an_endpoint_for_every_type_of_app(app: AppType):
    """An app lacks a table only where the contract serves other apps alone (``x-apps``)."""
    served = {e.name: operations()[contract_name(e)].get("x-apps", list(AppType)) for e in ENDPOINTS.values()}
    assert {e.name for e in ENDPOINTS.values() if app in e.apps and app not in served[e.name]} == set()
    lacking = {t for t in TABLES if not any(app in e.apps for e in endpoints_of(t))}
    assert {t for t in lacking if all(app in served[e.name] for e in endpoints_of(t))} == set()


@each_endpoint
def test_mini_app_endpoints_are_the_ones_under_their_own_path(endpoint: Endpoint):
    mini = endpoint.path.startswith("/api/apps/v1/")
    assert mini == (AppType.WEB not in endpoint.apps)
    if mini:
        assert endpoint.scope.startswith("ma.")
        assert AppType.MINI_APP in endpoint.apps or endpoint.token is Token.BUSINESS


def test_events_alone_fill_the_tables_of_events():
    """Pushed and requested data have different histories: no table is filled by both."""
    for table in TABLES.values():
        assert {e.over is IterateBy.INBOX for e in endpoints_of(table.name)} == {table.history is History.EVENT}


def test_weeks_are_gone_through_by_the_one_table_of_weeks():
    assert {e.name for e in ENDPOINTS.values() if e.over is IterateBy.VERSIONS} == {
        e.name for t in TABLES.values() if t.history is History.VERSION for e in endpoints_of(t.name)
    }

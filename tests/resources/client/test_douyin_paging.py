"""Walking pages: every page once and in order, and no incomplete list that looks complete."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import say

from catalog import ENDPOINTS
from catalog.requests import Paging
from resources.client import DouyinClient, PagingError, Resume, pages
from resources.client.paging import Walk

VIDEOS, WORDS, BOARD = ENDPOINTS["video_list"], ENDPOINTS["hotsearch_trending_sentences"], ENDPOINTS["billboard_stars"]


def page(cursor=None, more=None, rows=({},)) -> dict:
    data = {"list": None if rows is None else list(rows), "cursor": cursor, "has_more": more}
    return {"data": {k: v for k, v in data.items() if v is not None}}


CURSORS = st.one_of(st.integers(1, 2**63), st.text("0123456789abc|=+/", min_size=1, max_size=30))


@given(st.lists(CURSORS, min_size=1, max_size=30, unique_by=str), st.integers(0, 29))
def test_cursors_are_sent_exactly_as_they_came_until_one_repeats(cursors, again):
    cursors = [c for c in cursors if str(c) != "0"]
    walk = Walk(VIDEOS)
    assert walk.cursor == 0
    for cursor in cursors:
        assert walk.advance(page(cursor, True))
        assert walk.cursor == cursor
        assert type(walk.cursor) is type(cursor)
    assert walk.page == len(cursors) + 1
    repeated = [0, *cursors][again % (len(cursors) + 1)]
    with pytest.raises(PagingError, match="used before"):
        walk.advance(page(str(repeated), True))


@given(st.integers(1, 20), st.integers(1, 30))
def test_no_walk_is_longer_than_the_cap(cap, length):
    walk = Walk(replace(VIDEOS, paging=Paging(page_cap=cap)))
    for n in range(1, length):
        if walk.page >= cap:
            with pytest.raises(PagingError, match=f"more than {cap} pages"):
                walk.advance(page(n, True))
            return
        assert walk.advance(page(n, True))
    assert not walk.advance(page(length, False))


@pytest.mark.parametrize(
    "document",
    [page(7, False), page(0, False), page(None, False), page(None, 0), page(None, None, None), page(None, None, ())],
)
def test_the_end(document):
    assert Walk(VIDEOS).advance(document) is False


@pytest.mark.parametrize("rows", [(), None])
def test_an_empty_page_may_have_a_next_one(rows):
    assert Walk(VIDEOS).advance(page(9, True, rows))


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (page(None, True), "its cursor is None"),
        (page("", True), "its cursor is ''"),
        (page(1.5, True), "its cursor is 1.5"),
        (page([1], True), "its cursor is"),
        (page(0, True), "used before"),
        (page("0", True), "used before"),
        (page(7, None), "does not say whether there are more"),
        (page(None, None), "does not say whether there are more"),
        (page(7, "maybe"), "does not say whether there are more"),
    ],
)
def test_a_list_that_cannot_be_trusted(document, complaint):
    with pytest.raises(PagingError, match=complaint):
        Walk(VIDEOS).advance(document)


def collect(settings, state, endpoint, open_id="", exchanges=None, codes=(), **more):
    """All documents of a walk and the error that ended it."""

    async def work():
        documents, error = [], None
        sink = exchanges.append if exchanges is not None else None
        async with DouyinClient(settings, state, settings.get_clock(), sink) as client:
            for code in codes:
                await client.authorize(code)
            try:
                async for answer in pages(client, endpoint, {}, open_id, **more):
                    documents.append(answer.document)
            except PagingError as raised:
                error = raised
        return documents, error

    return asyncio.run(work())


@pytest.fixture
def account(sandbox):
    return sandbox.accounts()[0]


def ids(documents) -> list[str]:
    return [row["item_id"] for d in documents for row in d["data"].get("list") or ()]


def test_all_pages_with_their_tags(make_settings, state, sandbox, account):
    exchanges = []
    settings = make_settings(base_url=sandbox.url)
    documents, error = collect(
        settings, state, VIDEOS, account["open_id"], exchanges, [account["code"]], tag={"sequence": "s1"}
    )
    assert error is None
    assert len(documents) >= 2
    assert len(set(ids(documents))) >= 25
    assert [e.tag["page"] for e in exchanges] == list(range(1, len(documents) + 1))
    assert [e.params["cursor"] for e in exchanges] == [e.tag["cursor"] for e in exchanges]
    assert exchanges[0].params["cursor"] == 0
    assert {e.tag["sequence"] for e in exchanges} == {"s1"}
    assert {e.params["count"] for e in exchanges} == {20}
    for before, after in zip(documents, exchanges[1:], strict=False):
        assert after.params["cursor"] == before["data"]["cursor"]


def test_a_walk_goes_on_where_another_ended(make_settings, state, sandbox, account):
    settings = make_settings(base_url=sandbox.url)
    whole, _ = collect(settings, state, VIDEOS, account["open_id"], codes=[account["code"]])
    exchanges = []
    cursor = whole[0]["data"]["cursor"]
    rest, error = collect(
        settings, state, VIDEOS, account["open_id"], exchanges, resume=Resume(cursor, 1, frozenset({"0"}))
    )
    assert error is None
    assert ids(rest) == ids(whole[1:])
    assert exchanges[0].tag == {"page": 2, "cursor": cursor}


def test_an_endpoint_without_pages_gives_one(make_settings, state, sandbox):
    documents, error = collect(make_settings(base_url=sandbox.url), state, BOARD)
    assert (len(documents), error) == (1, None)


def test_a_repeated_cursor_ends_the_walk_after_its_page(make_settings, state, sandbox, account):
    sandbox.fault("video_list", "repeated_cursor", times=None)
    settings = make_settings(base_url=sandbox.url)
    documents, error = collect(settings, state, VIDEOS, account["open_id"], codes=[account["code"]])
    assert len(documents) == 2 == sandbox.calls("video_list")
    assert (error.calls, error.open_id, error.operation) == (2, account["open_id"], "video_list")
    assert "archived" in str(error)


def test_an_endless_list_ends_at_the_cap(make_settings, state, scripted):
    token = {"data": {"access_token": "clt.abcdefgh12345678", "expires_in": 7200, "error_code": 0}}
    server = scripted(lambda request, n: say(token if "oauth" in request.target else page(f"c={n}/+", True)))
    endpoint = replace(WORDS, paging=Paging(page_cap=7))
    documents, error = collect(make_settings(base_url=server.url), state, endpoint)
    assert len(documents) == 7
    assert "more than 7 pages" in str(error)
    sent = [parse_qs(urlsplit(s.target).query)["cursor"][0] for s in server.seen[1:]]
    assert sent == ["0", *(f"c={n}/+" for n in range(1, 7))]


SESSION = ENDPOINTS["intention_log_list"]


def of_session(n: int | None, cursor: str = "session") -> dict:
    return {
        "data": {"intention_log_infos": [] if n is None else [{"event": n}], "query_session": cursor, "has_more": True}
    }


def test_a_session_moves_on_with_the_same_cursor_while_its_pages_differ():
    walk = Walk(SESSION)
    for n in (1, 2, None, None, 3):
        assert walk.advance(of_session(n))
        assert walk.cursor == "session"
    for again in (1, 3):
        with pytest.raises(PagingError, match="page 6 repeats a page before it"):
            walk.advance(of_session(again, cursor="another"))


def test_a_session_that_repeats_a_page_for_ever_ends(make_settings, state, scripted):
    token = {"data": {"access_token": "clt.abcdefgh12345678", "expires_in": 7200, "error_code": 0}}
    server = scripted(
        lambda request, n: say(token if "oauth" in request.target else page(f"new-{n}", True, [{"row": min(n, 3)}]))
    )
    endpoint = replace(WORDS, paging=replace(WORDS.paging, session=True))
    documents, error = collect(make_settings(base_url=server.url), state, endpoint)
    assert [d["data"]["list"] for d in documents] == [[{"row": n}] for n in (1, 2, 3, 3)]
    assert "page 4 repeats a page before it: the list would never end" in str(error)

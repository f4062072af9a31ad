"""Fetch the pages of a listing (GUIDE section 5): the first cursor, then exactly the cursor of each response."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.envelopes import LONGEST_CURSOR, is_cursor, member, shown
from catalog.errors import Action
from catalog.records import Endpoint
from catalog.requests import ParamSource
from resources.client.errors import PagingError
from resources.client.exchange import ApiResponse, Params

if TYPE_CHECKING:
    from resources.client.client import DouyinClient

_ADVICE = "The pages so far are archived; the list is requested again at the next schedule. Report it if it stays."


@dataclass(frozen=True, slots=True)
class Resume:
    """Position to resume at: the cursor to send, the number of pages before it, and all cursors sent for them."""

    cursor: str | int
    pages: int
    seen: frozenset[str]


class Walk:
    """Validator of one sequence of pages, without I/O.

    ``cursor`` is the next cursor to send (None: send none), ``page`` the 1-based number of its page.
    """

    def __init__(self, endpoint: Endpoint, resume: Resume | None = None) -> None:
        if endpoint.paging is None:
            raise ValueError(f"{endpoint.name} has no pages")
        self._endpoint = endpoint
        self._paging = endpoint.paging
        self.cursor: str | int | None = resume.cursor if resume else endpoint.paging.first
        self.page = (resume.pages if resume else 0) + 1
        self.seen = {*(resume.seen if resume else ()), str(self.cursor)}
        self._pages: set[str] = set()

    def advance(self, document: Any) -> bool:
        """Read the next cursor from a decoded page; return False after the last one.

        An empty page may have a next one.

        Raises:
            PagingError: the listing would be endless or exceed the page cap, or its end is not stated.
        """
        more = member(document, self._paging.has_more)
        cursor = member(document, self._paging.cursor)
        if more is None and cursor is None and not member(document, self._endpoint.outputs[0].rows):
            return False  # an account without any object may get a body without any paging members
        if more in (0, False):
            return False
        if more not in (1, True):
            raise self._error(f"page {self.page} does not say whether there are more ({shown(more)})")
        if not is_cursor(cursor):
            long = (
                f" of {len(cursor):,} characters, more than {LONGEST_CURSOR:,}"
                if isinstance(cursor, str) and cursor
                else ""
            )
            raise self._error(f"page {self.page} says that there are more, but its cursor is {shown(cursor)}{long}")
        if self._paging.session:
            rows = member(document, self._endpoint.outputs[0].rows)
            digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
            if rows and digest in self._pages:
                raise self._error(f"page {self.page} repeats a page before it: the list would never end")
            self._pages.add(digest)
        elif str(cursor) in self.seen:
            raise self._error(f"page {self.page} gives a cursor that was used before: the list would never end")
        if self.page >= self._paging.page_cap:
            raise self._error(f"there are more than {self._paging.page_cap} pages")
        self.seen.add(str(cursor))
        self.cursor = cursor
        self.page += 1
        return True

    def _error(self, reason: str) -> PagingError:
        return PagingError(Action.ALERT, None, reason, advice=_ADVICE, operation=self._endpoint.name)


async def pages(
    client: DouyinClient,
    endpoint: Endpoint,
    params: Params,
    open_id: str = "",
    *,
    resume: Resume | None = None,
    tag: Mapping[str, Any] | None = None,
) -> AsyncIterator[ApiResponse]:
    """Yield all pages in order, each before the next is requested; an endpoint without paging has one.

    ``tag`` goes to the archive with ``page`` (1-based) and ``cursor`` (as sent) added.

    Raises:
        PagingError: a page has no usable successor; that page was yielded before.
        CallFailed: a page failed.
    """
    if endpoint.paging is None:
        yield await client.fetch(endpoint, params, open_id, archive_as={**(tag or {}), "page": 1})
        return
    name = next(p.name for p in endpoint.params if p.fill is ParamSource.CURSOR)
    walk = Walk(endpoint, resume)
    calls = 0
    while True:
        sent = {} if walk.cursor is None else {name: walk.cursor}
        answer = await client.fetch(
            endpoint, {**params, **sent}, open_id, archive_as={**(tag or {}), "page": walk.page, "cursor": walk.cursor}
        )
        calls += answer.calls
        yield answer
        try:
            more = walk.advance(answer.document)
        except PagingError as error:
            error.open_id, error.calls = open_id, calls
            raise
        if not more:
            return

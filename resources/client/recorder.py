"""Convert the client's exchanges to archive entries, which state the listing and page of each response."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog import ENDPOINTS
from catalog.envelopes import read_page
from catalog.records import beijing_day
from resources.client.exchange import Exchange
from resources.storage.archive import Archive
from resources.storage.segments import ArchiveEntry

SEQUENCE = "sequence"
"""Key under which a call's tag carries its :class:`Sequence`."""


@dataclass
class Sequence:
    """One listing while its pages are fetched; a single response is a sequence of one page."""

    slot: datetime
    subject: Mapping[str, str | int]
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    began_at: datetime | None = None
    pages: int = 0
    items: int = 0
    newest: str | None = None
    until: Callable[[Any], bool] | None = None
    """Predicate on a decoded page: everything after it is known, and fetching can stop."""
    reached: bool = False
    """Whether ``until`` ended the listing before the platform did."""
    codes: Counter[str] = field(default_factory=Counter)
    """Counts by code of all responses, failed attempts included; a body without a code counts as its HTTP status."""


class Recorder:
    """Writer of exchanges to the archive, which also updates the counters of their sequences.

    Calls without a sequence (tokens) carry secrets in their bodies and are not archived.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def record(self, exchange: Exchange) -> None:
        """Archive an exchange if its tag has a sequence, and update the sequence.

        If a successful body cannot be interpreted, it is archived as a page of a broken-off listing, and the error is
        raised.

        Raises:
            OSError: a flush of the archive failed.
        """
        sequence: Sequence | None = exchange.tag.get(SEQUENCE)
        if sequence is None:
            return
        sequence.codes[f"http {exchange.http_status}" if exchange.code is None else str(exchange.code)] += 1
        ok = exchange.code == 0 and exchange.http_status == 200
        facts, trouble = {}, None
        if ok:
            try:
                facts = _facts(sequence, exchange)
            except Exception as error:  # the body is archived in any case, as a page of a broken-off listing
                facts, trouble = {"last": False, "whole": False}, error
        entry = ArchiveEntry(
            operation=exchange.operation,
            client_key=exchange.client_key,
            open_id=exchange.open_id,
            params=dict(exchange.params),
            subject=dict(sequence.subject),
            slot=sequence.slot.isoformat(),
            sequence=sequence.id,
            page=sequence.pages + 1,
            began_at=sequence.began_at or exchange.observed_at,
            observed_at=exchange.observed_at,
            http_status=exchange.http_status,
            code=exchange.code,
            logid=exchange.logid,
            offset=sequence.items,
            said=exchange.said,
            **facts,
        )
        self._archive.append(entry, exchange.body)
        if trouble is not None:
            raise trouble
        if ok:
            sequence.began_at = entry.began_at
            sequence.pages += 1
            sequence.items += entry.items or 0
            sequence.newest = entry.newest


def _facts(sequence: Sequence, exchange: Exchange) -> dict[str, Any]:
    """Return the entry's members that a successful page states about its listing."""
    endpoint = ENDPOINTS[exchange.operation]
    page = read_page(endpoint, exchange.document, beijing_day(exchange.observed_at))
    enough = endpoint.paging and endpoint.paging.enough and sequence.pages + 1 >= endpoint.paging.enough
    sequence.reached = page.has_more and bool(enough or (sequence.until and sequence.until(exchange.document)))
    return {
        "last": not page.has_more or sequence.reached,
        "whole": not page.has_more,
        "cursor": page.cursor,
        "items": page.items,
        "newest": page.newest,
    }

"""Describe the requests of an operation: parameters, where they travel, and how pages follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ParamSource(StrEnum):
    """What supplies the value of a request parameter."""

    ACCOUNT = "account"  # the open_id
    SUBJECT = "subject"  # the object iterated over
    WINDOW = "window"  # the look-back length in days
    SINCE = "since"  # the beginning of the requested period
    UNTIL = "until"  # its end
    CURSOR = "cursor"
    COUNT = "count"
    CONST = "const"
    TOKEN = "token"  # the access token, for the one operation that does not take it in the header
    LEFT_OUT = "left_out"  # an optional one that is never sent
    GIVEN = "given"  # supplied by the caller of a write


class ParamLocation(StrEnum):
    """Where a request parameter travels."""

    QUERY = "query"
    BODY = "body"


class TimeFormat(StrEnum):
    """How a request writes an instant or a day."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    DAY = "yyyy-MM-dd"
    COMPACT_DAY = "yyyyMMdd"


@dataclass(frozen=True, slots=True)
class Param:
    """A request parameter. ``const`` is its value (CONST) or the page size (COUNT).

    ``choices`` are the values of a subject that the platform itself fixes. ``batch`` is how many subjects one request
    takes, as a list. ``moment`` is the form of SINCE and UNTIL.
    """

    name: str
    fill: ParamSource
    required: bool = True
    const: str | int | None = None
    place: ParamLocation = ParamLocation.QUERY
    choices: tuple[int, ...] = ()
    batch: int | None = None
    moment: TimeFormat | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """How to reach the next page. Paths are dotted, from the root of the body.

    ``first`` is the cursor of the first page, None if it is omitted. In a ``session`` the same cursor may come again
    while the list still moves on: there a repeated page shows that the list does not end, not a repeated cursor.
    """

    cursor: str = "data.cursor"
    has_more: str = "data.has_more"
    page_cap: int = 500
    """Pages after which a sequence counts as endless and stops with an error."""
    enough: int | None = None
    """Pages after which a list that never ends, such as a search, is complete enough."""
    first: str | int | None = 0
    session: bool = False


@dataclass(frozen=True, slots=True)
class Incremental:
    """A listing, newest first, that is read only as far as the known rows; its fields name members of the rows."""

    created: str
    pinned: str

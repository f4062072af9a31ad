"""Read the platform's envelopes: pure functions from a decoded body to code, trace id and members."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeGuard

from catalog.records import Endpoint, Envelope, Output


class MalformedBody(ValueError):
    """The body does not have the platform's shape.

    It is no object, a code is no number, or ``data`` is neither an object nor null.
    """


@dataclass(frozen=True, slots=True)
class Verdict:
    """Code, text and trace id of an envelope. ``code`` is 0 if every code present is 0."""

    code: int
    description: str
    logid: str | None


def member(body: Any, path: str) -> Any:
    """Return the value at a dotted path, or None if a member on the way is missing or null."""
    for name in path.removeprefix("$").split(".") if path != "$" else ():
        if not isinstance(body, Mapping):
            return None
        body = body.get(name)
    return body


_CODE_PATHS: dict[Envelope, tuple[tuple[str, str], ...]] = {
    Envelope.LEGACY: (
        ("data.error_code", "data.description"),
        ("extra.error_code", "extra.description"),
        ("err_no", "err_msg"),
    ),
    Envelope.NEW: (("err_no", "err_msg"),),
    Envelope.MINI_APP: (("err_no", "err_msg"), ("data.extra.error_code", "data.extra.description")),
    Envelope.OAUTH: (("data.error_code", "data.description"), ("err_no", "err_msg")),
    Envelope.BUSINESS: (("error_code", "message"), ("err_no", "err_msg")),
}
"""Paths of codes and their texts. The gateway may refuse a legacy path in the newer shape, hence ``err_no`` there too.
"""

_LOGID_PATHS = ("extra.logid", "extra.log_id", "log_id", "data.extra.logid", "data.log_id")


shown = reprlib.repr
"""Formats a value of a body for a message; the result is short for values of any size and depth."""

_CODE = re.compile(r"\s*[+-]?[0-9]{1,19}\s*", re.ASCII)
_TRACE_CHARACTERS = 100


def read_code(value: Any) -> int:
    """Convert a code, given as a number or as text, to an integer of 64 bits.

    Raises:
        MalformedBody: the value is neither an integer of 64 bits nor its text.
    """
    code = int(value) if isinstance(value, str) and _CODE.fullmatch(value) else value
    if isinstance(code, bool) or not isinstance(code, int) or not -(1 << 63) <= code < 1 << 63:
        raise MalformedBody(f"a code is {shown(value)}; expected an integer of 64 bits or its text")
    return code


def _trace(value: Any) -> str | None:
    """Return a trace id as one printable line of bounded length; the platform's has up to 34 characters."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return "".join(c for c in str(value)[:_TRACE_CHARACTERS] if c.isprintable()) or None


def _words(value: Any) -> str:
    """Return a description as text; values of other types are formatted."""
    return value if isinstance(value, str) else "" if value is None else shown(value)


def read_envelope(kind: Envelope, body: Any) -> Verdict:
    """Read codes, text and trace id of a decoded body.

    The first code other than 0 wins. ``message`` alone does not prove success, but ``"error"`` means failure even
    without a code.

    Raises:
        MalformedBody: the body is no object, a code is no number, or the ``data`` of a successful response is no
            object.
    """
    if not isinstance(body, Mapping):
        raise MalformedBody(f"the body is {type(body).__name__}, not an object")
    if kind is Envelope.WEBHOOK:  # an event is no response, so it carries no error code
        return Verdict(0, "", _trace(body.get("log_id")))
    logid = next((v for p in _LOGID_PATHS if (v := _trace(member(body, p)))), None)
    seen = False
    for code_path, text_path in _CODE_PATHS[kind]:
        value = member(body, code_path)
        if value is None:
            continue
        seen = True
        if (code := read_code(value)) != 0:
            return Verdict(code, _words(member(body, text_path)), logid)
    if body.get("message") == "error":
        return Verdict(-1, "message says error, without a code", logid)
    if not seen and "data" not in body:
        raise MalformedBody("the body has neither a code nor data")
    for path in ("data", "data.data") if kind is Envelope.MINI_APP else ("data",):
        if not isinstance(data := member(body, path), Mapping | None):
            raise MalformedBody(f"{path} is {_KINDS.get(type(data), 'a number')}, not an object")
    return Verdict(0, "", logid)


_KINDS = {str: "text", list: "a list", bool: "true or false"}


UNREADABLE_DAY = "unreadable"
"""Sorts after every day as text. Rows without a readable day count as data for all requested days and go to quarantine.
A series "not produced yet" would be requested again and again instead.
"""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _is_day(value: Any) -> TypeGuard[str]:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Page:
    """Facts of one response page that decide on the next request.

    ``items`` counts rows. ``newest`` is the latest day of a series as yyyy-MM-dd, future days excluded. It is
    :data:`UNREADABLE_DAY` if no row has a readable day, and None if there are no rows or only rows of future days.
    """

    items: int
    newest: str | None
    has_more: bool
    cursor: str | int | None


LONGEST_CURSOR = 2048
"""In characters. With every character percent-encoded, the cursor still fits into the longest URL that servers accept.
"""


def is_cursor(value: Any) -> bool:
    """Report whether the value can be sent as the cursor of a page."""
    return (
        isinstance(value, str | int)
        and not isinstance(value, bool)
        and value != ""
        and len(str(value)) <= LONGEST_CURSOR
    )


def _items(body: Any, output: Output) -> int:
    rows = member(body, output.rows)
    return 0 if rows is None else len(rows) if isinstance(rows, list) and not output.single else 1


def read_page(endpoint: Endpoint, body: Any, today: date) -> Page:
    """Read the paging facts of a decoded, successful body that was observed on ``today``.

    A member that should be a list and is not counts as one item; the normaliser reports it. A response with several
    lists has as many items as the longest of them.
    """
    rows = member(body, endpoint.outputs[0].rows)
    items = max(_items(body, o) for o in endpoint.outputs if not (o.explode or o.once))
    newest = None
    if endpoint.windows and items:
        days = (
            [d for r in rows if isinstance(r, Mapping) and _is_day(d := r.get("date"))]
            if isinstance(rows, list)
            else []
        )
        newest = max((d for d in days if d <= today.isoformat()), default=None) if days else UNREADABLE_DAY
    if endpoint.paging is None:
        return Page(items, newest, False, None)
    has_more, cursor = member(body, endpoint.paging.has_more), member(body, endpoint.paging.cursor)
    return Page(items, newest, has_more is True or has_more == 1, cursor if is_cursor(cursor) else None)

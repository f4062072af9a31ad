"""Reading the platform's envelopes: pure functions from a decoded body to its code, trace id and members."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeGuard

from catalog.records import Endpoint, Envelope, Output


class MalformedBody(ValueError):
    """The body is not the platform's: no object, a code that is no number, or ``data`` that is neither an object nor null."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the envelope says. ``code`` 0 means that every code present is 0."""

    code: int
    description: str
    logid: str | None


def member(body: Any, path: str) -> Any:
    """The value at a dotted path, or None where a member is missing or null on the way."""
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
"""Where codes and their texts stand. The gateway may refuse a legacy path in the newer shape, hence ``err_no`` there too."""

_LOGID_PATHS = ("extra.logid", "extra.log_id", "log_id", "data.extra.logid", "data.log_id")


shown = reprlib.repr
"""A value of a body in a message: short whatever it holds, and however deep."""

_CODE = re.compile(r"\s*[+-]?[0-9]{1,19}\s*", re.ASCII)
_TRACE_CHARACTERS = 100


def read_code(value: Any) -> int:
    """A code as an integer of 64 bits, whether it came as a number or as text."""
    code = int(value) if isinstance(value, str) and _CODE.fullmatch(value) else value
    if isinstance(code, bool) or not isinstance(code, int) or not -(1 << 63) <= code < 1 << 63:
        raise MalformedBody(f"a code is {shown(value)}; expected an integer of 64 bits or its text")
    return code


def _trace(value: Any) -> str | None:
    """A trace id as one line that is no longer than one; the platform's has up to 34 characters."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return "".join(c for c in str(value)[:_TRACE_CHARACTERS] if c.isprintable()) or None


def _words(value: Any) -> str:
    """A description; of another kind it is shown as it stands."""
    return value if isinstance(value, str) else "" if value is None else shown(value)


def read_envelope(kind: Envelope, body: Any) -> Verdict:
    """Read codes, text and trace id of a decoded body.

    The first code that is not 0 wins. ``message`` alone proves nothing on success but
    ``"error"`` means failure even where no code is given.

    Raises:
        MalformedBody: the body is no object, a code is no number, or a good answer's ``data`` is no object.
    """
    if not isinstance(body, Mapping):
        raise MalformedBody(f"the body is {type(body).__name__}, not an object")
    if kind is Envelope.WEBHOOK:  # it answers nothing, so nothing can be refused in it
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
"""Later than any day as text: rows without a readable day are an answer about all days that were asked for (they go to
quarantine), not a series that is not produced yet, which would be asked for again and again."""

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
    """What one answered page tells about the next. ``items`` counts rows.

    ``newest`` is the latest day of a series as yyyy-MM-dd, days to come left out; :data:`UNREADABLE_DAY` where no row has a readable
    one; None where there are no rows, or of days to come alone.
    """

    items: int
    newest: str | None
    has_more: bool
    cursor: str | int | None


LONGEST_CURSOR = 2048
"""Characters. With each of them percent-encoded it still fits into the longest address that servers take."""


def is_cursor(value: Any) -> bool:
    """Whether a page can be asked for with it."""
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
    """Facts of a decoded, successful body that was observed on ``today``. A list that is no list counts as one item: the normaliser reports it.

    An answer with several lists has as many items as the longest of them.
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

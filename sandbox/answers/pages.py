"""Share what listings have in common: numeric parameters, offsets as cursors, empty lists."""

from __future__ import annotations

from typing import Any

from sandbox import errors
from sandbox.answers.call import Call
from sandbox.checks import read_integer
from sandbox.errors import Refusal

MAX_COUNT = 50


def integer(call: Call, param: str, low: int, high: int, default: int | None = None) -> int:
    """Read a whole number from the query (text) or a JSON body (number).

    Raises:
        Refusal: 28001007 if it is missing without a default, 2100005 if it is no number or out of range.
    """
    value = call.params.get(param, default)
    if value is None or value == "":
        raise Refusal(errors.PARAM_MISSING, f"{param} is missing")
    number = read_integer(value)
    if number is None or not low <= number <= high:
        raise Refusal(errors.PARAM_WRONG, f"{param} is wrong")
    return number


def offset(call: Call, largest: int = 2**31) -> tuple[int, int]:
    """Return (beginning of the page, its size) of a listing whose cursor is an offset.

    A ``count`` above ``largest`` is refused; pages contain at most 50 rows however large it is.
    """
    return integer(call, "cursor", 0, 2**31, 0), min(integer(call, "count", 1, largest), MAX_COUNT)


def page(call: Call, rows: list[Any], following: int, has_more: bool) -> dict[str, Any]:
    """Return cursor (number or text), has_more and list; an empty list is sometimes null."""
    form = call.form
    return {
        "cursor": str(following) if form.flag(21) else following,
        "has_more": has_more,
        "list": rows or (None if form.flag(20) else []),
    }


def need_enterprise(call: Call) -> None:
    """Refuse accounts that are no enterprise accounts 企业号 (2112001)."""
    if not call.account.enterprise:
        raise Refusal(errors.NO_ENTERPRISE, "not an enterprise account")

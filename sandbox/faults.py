"""Inject ordered faults: what goes wrong, for which requests, how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog import ENDPOINTS
from catalog.envelopes import member
from catalog.records import Endpoint, Origin, Output, Parse
from catalog.requests import ParamSource
from sandbox import errors
from sandbox.checks import read_integer

CODES = {
    "too_frequent": errors.TOO_FREQUENT,
    "busy": errors.BUSY,
    "token_expired": errors.TOKEN_EXPIRED,
    "token_dead": errors.TOKEN_INVALID,
    "capability_offline": errors.OFFLINE,
    "capability_missing": errors.NO_CAPABILITY,
    "quota_used_up": errors.QUOTA_USED_UP,
    "private": errors.PRIVATE,
    "account_gone": errors.ACCOUNT_GONE,
    "risk_control": errors.RISK_CONTROL,
}
"""Kinds that respond with a code; ``code`` in the order replaces it."""
WIRE = ("http_502", "timeout", "slow", "late", "cut", "truncated_json")
"""Kinds that disturb the transfer. ``late`` executes the request but never responds; ``slow`` responds after
``seconds``.
"""
SPOILED = ("repeated_cursor", "malformed_row", "unknown_member", "not_ready", "other_value")
"""Kinds that corrupt a successful response."""
KINDS = (*CODES, *WIRE, *SPOILED)
_ORDER = ("operation", "kind", "times", "open_id", "after")


@dataclass(slots=True)
class Fault:
    """One order.

    ``operation`` is an operationId or ``*``; ``times`` None means always; ``after`` skips the first matches.
    """

    operation: str
    kind: str
    times: int | None = 1
    open_id: str | None = None
    after: int = 0
    params: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    served: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether the fault was served as often as ordered."""
        return self.times is not None and self.served >= self.times

    def describe(self) -> dict:
        """Return the order with its counts as JSON members."""
        return {
            "operation": self.operation,
            "kind": self.kind,
            "times": self.times,
            "open_id": self.open_id,
            "after": self.after,
            **self.params,
            "seen": self.seen,
            "served": self.served,
        }


def read_fault(order: Any, operations: Mapping[str, Any]) -> Fault:
    """Read and check an order given as JSON.

    Raises:
        ValueError: a member is missing or has the wrong type, or the operation or kind is unknown.
    """
    if not isinstance(order, Mapping):
        raise ValueError("a fault is an object with operation and kind")
    operation, kind = order.get("operation"), order.get("kind")
    if not isinstance(operation, str) or (operation != "*" and operation not in operations):
        raise ValueError(f"operation {operation!r} is not served here")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind {kind!r} is unknown; one of {', '.join(KINDS)}")
    times, after = order.get("times", 1), order.get("after", 0)
    if times is not None and (not isinstance(times, int) or times < 1):
        raise ValueError("times is a positive integer, or null for always")
    if not isinstance(after, int) or after < 0:
        raise ValueError("after is an integer from 0 on")
    params = {k: v for k, v in order.items() if k not in _ORDER}
    seconds = params.get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise ValueError("seconds is a number from 0 on")
    return Fault(operation, kind, times, order.get("open_id"), after, params)


class Faults:
    """The orders in force, oldest first: the first that matches is served."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        """Append orders."""
        self._orders.extend(faults)

    def clear(self) -> None:
        """Drop all orders."""
        self._orders.clear()

    def describe(self) -> list[dict]:
        """List all orders with their counts, exhausted ones included."""
        return [f.describe() for f in self._orders]

    def take(self, operation: str, params: Mapping[str, str]) -> Fault | None:
        """Return and count the fault to serve for this request; None if no order matches."""
        for fault in self._orders:
            if fault.operation not in ("*", operation) or fault.exhausted:
                continue
            if fault.open_id is not None and params.get("open_id") != fault.open_id:
                continue
            if fault.kind == "repeated_cursor" and not _asked_on(operation, params):
                continue
            fault.seen += 1
            if fault.seen <= fault.after:
                continue
            fault.served += 1
            return fault
        return None


def _cursor_param(endpoint: Endpoint) -> str | None:
    return next((p.name for p in endpoint.params if p.fill is ParamSource.CURSOR), None)


def _asked_on(operation: str, params: Mapping[str, Any]) -> bool:
    """Report whether a request is for a page after the first."""
    endpoint = ENDPOINTS.get(operation)
    name = _cursor_param(endpoint) if endpoint is not None else None
    return name is not None and params.get(name) not in (None, "", "0", 0)


# ---- corrupting a successful response

_NUMERIC = ((Parse.INT, Parse.NUMBER, Parse.PERCENT, Parse.DATE), (Parse.EPOCH,))
"""Values that malformed_row breaks, the preferred ones first."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The place of rows in a response.

    ``holder[member]`` is their list, or the one row; the whole response where member is None.
    """

    holder: dict[str, Any]
    member: str | None
    output: Output

    @property
    def value(self) -> Any:
        return self.holder if self.member is None else self.holder[self.member]

    @property
    def rows(self) -> list[dict]:
        """Return those rows that are objects."""
        value = self.value
        return [value] if isinstance(value, dict) else [r for r in value or () if isinstance(r, dict)]


def _holders(endpoint: Endpoint, data: dict) -> list[_Rows]:
    """Return all lists and single rows that the record knows, in its order.

    ``data`` is the response's own object.
    """
    found: dict[str, _Rows] = {}
    for output in endpoint.outputs:
        path = output.rows.removeprefix(endpoint.root).removeprefix(".")
        if output.once or path in found:
            continue
        *way, member = path.split(".")
        holder: Any = data
        for step in way:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if not path:
            found[path] = _Rows(data, None, output)
        elif isinstance(holder, dict) and member in holder:
            found[path] = _Rows(holder, member, output)
    return list(found.values())


def corrupt(fault: Fault, endpoint: Endpoint, data: dict, params: Mapping[str, Any]) -> None:
    """Corrupt the data of a successful response in place, as the fault's kind says."""
    if (
        fault.kind == "repeated_cursor"
        and endpoint.paging is not None
        and (name := _cursor_param(endpoint)) is not None
    ):
        cursor = params[name]
        data[endpoint.paging.cursor.split(".")[-1]] = cursor if read_integer(cursor) is None else int(cursor)
        data[endpoint.paging.has_more.split(".")[-1]] = True
    elif fault.kind == "unknown_member":
        for row in (r for rows in _holders(endpoint, data) for r in rows.rows):
            row["sandbox_new_column"] = 1
        data["sandbox_new_member"] = {"reason": "drift"}
    elif fault.kind == "not_ready":
        for rows in _holders(endpoint, data):
            if rows.member is None:
                continue
            if endpoint.domain == "billboard":
                del rows.holder[rows.member]
            else:
                rows.holder[rows.member] = None if rows.output.single else []
    elif fault.kind == "malformed_row":
        _break_row(fault, endpoint, _holders(endpoint, data))
    elif fault.kind == "other_value" and "member" in fault.params:
        objects = [r for found in _holders(endpoint, data) for r in found.rows]
        for row in objects if (at := fault.params.get("row")) is None else objects[at : at + 1]:
            *way, last = fault.params["member"].split(".")
            place = member(row, ".".join(way)) if way else row
            if isinstance(place, dict):
                place[last] = fault.params.get("value")


def replace_data(fault: Fault | None, body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with another ``data``, where ``other_value`` names no member of rows."""
    if fault is None or fault.kind != "other_value" or "member" in fault.params:
        return body
    return body | {"data": fault.params.get("value")}


def _break_row(fault: Fault, endpoint: Endpoint, found: list[_Rows]) -> None:
    """Break row ``row`` (default 0) of the first list that has rows: a number becomes "abc".

    With ``as`` = "text", and where the row has no number, the whole row becomes a text.
    """
    place = next((f for f in found if f.rows), None)
    if place is None:
        return
    at = min(int(fault.params.get("row", 0)), len(place.rows) - 1)
    if fault.params.get("as") != "text":
        columns = [c for o in endpoint.outputs if o.rows == place.output.rows and not o.explode for c in o.columns]
        for kinds in _NUMERIC:
            if any(c.origin is Origin.MEMBER and c.parse in kinds and _break(place.rows[at], c.path) for c in columns):
                return
    if isinstance(place.value, list):
        place.value[at] = "not a row"


def _break(row: dict, path: str) -> bool:
    """Put "abc" at a dotted path; report whether a value was there."""
    *way, last = path.split(".")
    holder: Any = row
    for step in way:
        holder = holder.get(step) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or last not in holder:
        return False
    holder[last] = "abc"
    return True

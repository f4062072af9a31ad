"""Faults on order: what goes wrong, for which requests, how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.records import Endpoint, Origin, Parse
from sandbox import refusals as no

CODES = {
    "too_frequent": no.TOO_FREQUENT,
    "busy": no.BUSY,
    "token_expired": no.TOKEN_EXPIRED,
    "token_dead": no.TOKEN_INVALID,
    "capability_offline": no.OFFLINE,
    "capability_missing": no.NO_CAPABILITY,
    "quota_used_up": no.QUOTA_USED_UP,
    "private": no.PRIVATE,
    "account_gone": no.ACCOUNT_GONE,
    "risk_control": no.RISK_CONTROL,
}
"""Kinds that answer with a code; ``code`` in the order replaces it."""
WIRE = ("http_502", "timeout", "cut", "truncated_json")
"""Kinds that spoil the transfer."""
SPOILED = ("repeated_cursor", "malformed_row", "unknown_member", "not_ready")
"""Kinds that spoil a good answer."""
KINDS = (*CODES, *WIRE, *SPOILED)
_ORDER = ("operation", "kind", "times", "open_id", "after")


@dataclass(slots=True)
class Fault:
    """One order. ``operation`` is an operationId or ``*``; ``times`` None means always; ``after`` skips the first matches."""

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
        return self.times is not None and self.served >= self.times

    def describe(self) -> dict:
        return {
            "operation": self.operation, "kind": self.kind, "times": self.times, "open_id": self.open_id, "after": self.after,
            **self.params, "seen": self.seen, "served": self.served,
        }  # fmt: skip


def read_fault(order: Any, operations: Mapping[str, Any]) -> Fault:
    """An order as JSON, checked.

    Raises:
        ValueError: a member is missing, unknown operation or kind, wrong type.
    """
    if not isinstance(order, Mapping):
        raise ValueError("a fault is an object with operation and kind")
    operation, kind = order.get("operation"), order.get("kind")
    if operation != "*" and operation not in operations:
        raise ValueError(f"operation {operation!r} is not served here")
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is unknown; one of {', '.join(KINDS)}")
    times, after = order.get("times", 1), order.get("after", 0)
    if times is not None and (not isinstance(times, int) or times < 1):
        raise ValueError("times is a positive integer, or null for always")
    if not isinstance(after, int) or after < 0:
        raise ValueError("after is an integer from 0 on")
    params = {k: v for k, v in order.items() if k not in _ORDER}
    return Fault(operation, kind, times, order.get("open_id"), after, params)


class Faults:
    """The orders in force, oldest first: the first that matches is served."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        self._orders.extend(faults)

    def clear(self) -> None:
        self._orders.clear()

    def describe(self) -> list[dict]:
        return [f.describe() for f in self._orders]

    def take(self, operation: str, params: Mapping[str, str]) -> Fault | None:
        """The fault to serve for this request, counted; None in good weather."""
        for fault in self._orders:
            if fault.operation not in ("*", operation) or fault.exhausted:
                continue
            if fault.open_id is not None and params.get("open_id") != fault.open_id:
                continue
            if fault.kind == "repeated_cursor" and params.get("cursor", "0") in ("", "0"):
                continue
            fault.seen += 1
            if fault.seen <= fault.after:
                continue
            fault.served += 1
            return fault
        return None


# ---- spoiling a good answer

_NUMERIC = (Parse.INT, Parse.NUMBER, Parse.PERCENT, Parse.DATE)


def _holder(data: dict) -> tuple[dict, str] | None:
    """(object, member) of the list or single object that carries the rows."""
    for member in ("list", "result_list", "result", "fans_data"):
        if member in data:
            return data, member
    return None


def spoil(fault: Fault, endpoint: Endpoint, data: dict, params: Mapping[str, str]) -> None:
    """Change the data of a good answer in place, as the fault's kind says."""
    found = _holder(data)
    if fault.kind == "repeated_cursor" and "cursor" in data:
        data["cursor"], data["has_more"] = int(params["cursor"]), True
    elif fault.kind == "unknown_member":
        data["sandbox_new_member"] = {"reason": "drift"}
        for row in _rows(found):
            row["sandbox_new_column"] = 1
    elif fault.kind == "not_ready" and found:
        holder, member = found
        if endpoint.domain == "billboard":
            del holder[member]
        else:
            holder[member] = None if member in ("result", "fans_data") else []
    elif fault.kind == "malformed_row":
        _break_row(fault, endpoint, found)


def _rows(found: tuple[dict, str] | None) -> list[dict]:
    value = found[0][found[1]] if found else None
    return [value] if isinstance(value, dict) else [r for r in value or () if isinstance(r, dict)]


def _break_row(fault: Fault, endpoint: Endpoint, found: tuple[dict, str] | None) -> None:
    """Break row ``row`` (default 0): a number becomes "abc", or with ``as`` = "text" the row becomes a text."""
    rows = _rows(found)
    if not rows:
        return
    at = min(int(fault.params.get("row", 0)), len(rows) - 1)
    holder, member = found
    if fault.params.get("as") == "text" and isinstance(holder[member], list):
        holder[member][at] = "not a row"
        return
    for column in (c for output in endpoint.outputs for c in output.columns):
        if column.origin is not Origin.MEMBER or column.parse not in _NUMERIC:
            continue
        target, *rest = [rows[at], *column.path.split(".")]
        for step in rest[:-1]:
            target = target.get(step) if isinstance(target, dict) else None
        if isinstance(target, dict) and rest[-1] in target:
            target[rest[-1]] = "abc"
            return

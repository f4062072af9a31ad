"""Wrap responses as the platform does (GUIDE section 3), with the forms that the contract allows."""

from __future__ import annotations

from typing import Any

from catalog.records import Endpoint, Envelope
from sandbox.clock import beijing_text
from sandbox.errors import Refusal
from sandbox.forms import Form
from sandbox.hashing import hex_text

_NO_CODE = ("billboard_", "fans_source")
"""Operations whose data sometimes has no code, by the beginning of their names."""
_SHORT_EXTRA = ("fans_data", "ent_rank_")
"""Operations whose extra contains only logid and now."""
_BESIDE_DATA = ("msg_id", "msg_list")
"""Members of responses to sent messages that stand outside of data."""
_NO_EXTRA = ("poi_query",)
"""Operations without extra."""


def trace_id(instant: float, bits: int) -> str:
    """Return a trace id of 32 characters: Beijing time and 18 hexadecimal digits."""
    stamp = beijing_text(instant).translate({45: None, 58: None, 32: None})
    return stamp + hex_text(18, bits, 3).upper()


def _now(instant: float, form: Form) -> int | str:
    """Return the server's clock in seconds or milliseconds, as number or text."""
    value = int(instant) if form.rare(40, 3) else int(instant * 1000)
    return str(value) if form.flag(42) else value


def _code(code: int, form: Form) -> int | str:
    return str(code) if form.flag(43) else code


def _extra(operation: str, instant: float, form: Form) -> dict[str, Any]:
    logid = trace_id(instant, form.bits)
    if operation.startswith(_SHORT_EXTRA):
        return {"logid": logid, "now": _now(instant, form)}
    code = _code(0, form)
    return {
        "description": "",
        "error_code": code,
        "logid": logid,
        "now": _now(instant, form),
        "sub_description": "",
        "sub_error_code": code,
    }


def success(kind: Envelope, operation: str, data: dict[str, Any], instant: float, form: Form) -> dict[str, Any]:
    """Return the body of a successful response whose members are ``data``."""
    if kind is Envelope.OAUTH:
        return {"data": {**data, "error_code": _code(0, form), "description": ""}, "message": "success"}
    if kind is Envelope.NEW:
        return {"err_no": 0, "err_msg": "", "log_id": trace_id(instant, form.bits)} | ({"data": data} if data else {})
    if kind is Envelope.MINI_APP:
        inner = {"data": data, "extra": _extra(operation, instant, form)}
        return {"err_no": 0, "err_msg": "", "log_id": trace_id(instant, form.bits), "data": inner}
    if kind is Envelope.BUSINESS:
        return {"error_code": _code(0, form), "message": "success", "data": data}
    beside = (
        {name: data.pop(name) for name in _BESIDE_DATA if name in data} if operation.startswith("im_send_msg") else {}
    )
    if not (operation.startswith(_NO_CODE) and form.flag(44)):
        data = {**data, "error_code": _code(0, form), "description": ""}
    return (
        {"data": data}
        if operation in _NO_EXTRA
        else {"data": data, "extra": _extra(operation, instant, form), **beside}
    )


def nothing(endpoint: Endpoint) -> dict[str, Any]:
    """Return the members of an empty response, which accompany the inner code of a mini-app."""
    empty: dict[str, Any] = {endpoint.outputs[0].rows.split(".")[-1]: None}
    return empty if endpoint.paging is None else {**empty, "cursor": 0, "has_more": False}


def failure(
    kind: Envelope, refusal: Refusal, instant: float, form: Form, empty: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the body of a refusal: LegacyError, or NewError for the newer envelopes.

    One refusal in eight of a mini-app has err_no 0 and its code in the inner extra, beside ``empty`` (GUIDE section 3).
    """
    logid = trace_id(instant, form.bits)
    if kind is Envelope.OAUTH:
        return {
            "data": {"error_code": _code(refusal.code, form), "description": refusal.description},
            "message": "error",
        }
    if kind is Envelope.MINI_APP and empty is not None and form.rare(45):
        extra = {
            "error_code": _code(refusal.code, form),
            "description": refusal.description,
            "logid": logid,
            "now": _now(instant, form),
        }
        return {"err_no": 0, "err_msg": "", "log_id": logid, "data": {"data": empty, "extra": extra}}
    if kind in (Envelope.NEW, Envelope.MINI_APP):
        return {"err_no": refusal.code, "err_msg": refusal.description, "log_id": logid}
    if kind is Envelope.BUSINESS:
        return {
            "error_code": _code(refusal.code, form),
            "message": refusal.description,
            "data": None if form.flag(20) else {},
        }
    code = _code(refusal.code, form)
    data = {"error_code": code, "description": refusal.description}
    if form.rare(45, 3):
        return {"data": data, "extra": {"logid": logid, "now": _now(instant, form)}}
    extra = {
        "error_code": code,
        "description": "" if form.flag(47) else refusal.description,
        "sub_error_code": 0,
        "sub_description": "",
        "now": _now(instant, form),
        ("logid" if form.plain or form.flag(48) else "log_id"): logid,
    }
    return {"data": data, "extra": extra}

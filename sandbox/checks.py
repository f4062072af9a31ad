"""Check the parameters of a request against the operation's record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from catalog.records import Endpoint, Envelope, Operation
from catalog.requests import Param, ParamLocation, ParamSource, TimeFormat
from sandbox import errors
from sandbox.clock import date_of, day_of
from sandbox.errors import Refusal

TEXT_CURSORS = ("leads_user_action_list", "intention_log_list", "im_authorize_user_list")
"""Operations whose cursors are texts, which they parse themselves."""
MAX_AGE_DAYS = 30
"""How far back a period of days may begin."""
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COMPACT_DAY = re.compile(r"[0-9]{8}")


def read_integer(value: Any) -> int | None:
    """Read an integer from a number or decimal text; return None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None


def need_all(endpoint: Endpoint | Operation, given: Mapping[str, Any]) -> None:
    """Refuse a request that lacks a required parameter: 28001007, of the OAuth family 10002."""
    for param in endpoint.params:
        if param.required and given.get(param.name) in (None, ""):
            code = errors.OAUTH_PARAM if endpoint.envelope is Envelope.OAUTH else errors.PARAM_MISSING
            raise Refusal(code, f"{param.name} is missing")


def checked(endpoint: Endpoint | Operation, given: Mapping[str, Any], instant: float) -> dict[str, Any]:
    """Return the parameters of a request, with integers and days (:class:`datetime.date`) converted.

    Raises:
        Refusal: 28001007 (10002) if a required one is missing, 2100005 if one is wrong.
    """
    need_all(endpoint, given)
    params: dict[str, Any] = dict(given)
    for param in endpoint.params:
        if param.name in given:
            params[param.name] = _read(endpoint, param, given[param.name])
    _check_period(endpoint, params, instant)
    return params


def _read(endpoint: Endpoint | Operation, param: Param, value: Any) -> Any:
    """Convert one parameter; null is refused, since the contract's members have types."""
    if value is None:
        raise Refusal(errors.PARAM_WRONG, f"{param.name} is null")
    if param.batch:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise Refusal(errors.PARAM_WRONG, f"{param.name} is no list of texts")
        return value
    if param.moment in (TimeFormat.DAY, TimeFormat.COMPACT_DAY):
        return _read_day(param, value)
    if (
        param.fill in (ParamSource.WINDOW, ParamSource.COUNT)
        or param.choices
        or (param.fill is ParamSource.CURSOR and endpoint.name not in TEXT_CURSORS)
    ):
        number = read_integer(value)
        lowest = 1 if param.fill is ParamSource.COUNT else 0
        windows = endpoint.windows if isinstance(endpoint, Endpoint) else ()
        choices = windows if param.fill is ParamSource.WINDOW else param.choices
        if number is None or number < lowest or (choices and number not in choices):
            raise Refusal(errors.PARAM_WRONG, f"{param.name} is wrong")
        return number
    if (
        param.place is ParamLocation.BODY
        and param.fill in (ParamSource.SUBJECT, ParamSource.ACCOUNT, ParamSource.TOKEN)
        and not isinstance(value, str)
    ):
        raise Refusal(errors.PARAM_WRONG, f"{param.name} is no text")
    return value


def _read_day(param: Param, value: Any) -> date:
    compact = param.moment is TimeFormat.COMPACT_DAY
    try:
        if not isinstance(value, str) or not (_COMPACT_DAY if compact else _DAY).fullmatch(value):
            raise ValueError
        return datetime.strptime(value, "%Y%m%d" if compact else "%Y-%m-%d").date()
    except ValueError:
        raise Refusal(errors.PARAM_WRONG, f"{param.name} is no day {'yyyyMMdd' if compact else 'yyyy-MM-dd'}") from None


def _check_period(endpoint: Endpoint | Operation, params: Mapping[str, Any], instant: float) -> None:
    """Refuse a period of days that begins over 30 days ago or ends before it begins."""
    ends = {p.fill: params[p.name] for p in endpoint.params if p.name in params and isinstance(params[p.name], date)}
    if not ends:
        return
    begin, end, today = ends[ParamSource.SINCE], ends[ParamSource.UNTIL], date_of(day_of(instant))
    if begin > end or (today - begin).days > MAX_AGE_DAYS or end > today:
        raise Refusal(errors.PARAM_WRONG, f"the days are not within the last {MAX_AGE_DAYS}, or end before they begin")

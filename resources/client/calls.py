"""Build a call's requests from the catalogue's records, and the errors that name the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import httpx
import orjson

from catalog.errors import Action, ErrorCode, error_for
from catalog.records import Endpoint, Operation, Token
from catalog.requests import ParamLocation, ParamSource
from resources.client.errors import CallFailed, NeedsAttention, Unreachable
from resources.client.exchange import Params
from resources.client.token_source import TokenLease
from resources.client.transport import encode_query

ApiMethod = Endpoint | Operation
"""An endpoint that reads or an operation that writes."""


_REPORT = "Look at DOUYIN_BASE_URL and DOUYIN_ANSWER_BYTES; report it if they are as they should be."


def complete_params(endpoint: ApiMethod, params: Params, open_id: str) -> dict[str, Any]:
    """Complete the caller's parameters with the record's account and constants, in the record's order.

    Covers query and body. The access token is not included, since parameters are archived.

    Raises:
        ValueError: the record has no such parameter, a required one is missing, or the account differs from
            ``open_id``.
    """
    complete: dict[str, Any] = {}
    for param in endpoint.params:
        if param.fill in (ParamSource.TOKEN, ParamSource.LEFT_OUT):
            continue
        if param.name in params:
            complete[param.name] = params[param.name]
        elif param.fill is ParamSource.ACCOUNT:
            complete[param.name] = open_id
        elif param.const is not None:
            complete[param.name] = param.const
        elif param.required:
            raise ValueError(f"{endpoint.name} needs the parameter {param.name}")
        if param.fill is ParamSource.ACCOUNT and (not open_id or complete[param.name] != open_id):
            raise ValueError(f"{endpoint.name} needs the open_id of one account, in params as in open_id")
    if unknown := set(params) - set(complete):
        raise ValueError(f"{endpoint.name} has no parameter {', '.join(sorted(unknown))}")
    return complete


_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


def make_request(base_url: str, endpoint: ApiMethod, params: Params, lease: TokenLease) -> httpx.Request:
    """Build the request, with every parameter in the query or body as the record says.

    The token is sent in the header (older SDKs put it into the query, and so into logs), except for the one operation
    that expects it in its body.

    Raises:
        ValueError: a parameter cannot be encoded.
        httpx.InvalidURL: the address is malformed.
    """
    query = {p.name: params[p.name] for p in endpoint.params if p.place is ParamLocation.QUERY and p.name in params}
    url = f"{base_url}{endpoint.path}" + (f"?{encode_query(query)}" if query else "")
    headers = {"accept": _JSON, "user-agent": "douyin-warehouse"}
    in_body = next((p.name for p in endpoint.params if p.fill is ParamSource.TOKEN), None)
    if lease.token and in_body is None:
        headers["access-token"] = lease.token
    if endpoint.method == "GET":
        return httpx.Request("GET", url, headers=headers)
    body = {p.name: params[p.name] for p in endpoint.params if p.place is ParamLocation.BODY and p.name in params}
    if in_body is not None:
        body[in_body] = lease.token
    headers["content-type"] = _FORM if endpoint.form else _JSON
    return httpx.Request(
        endpoint.method,
        url,
        headers=headers,
        content=encode_query(body).encode() if endpoint.form else orjson.dumps(body),
    )


def final_action(known: ErrorCode, endpoint: ApiMethod) -> Action:
    """Return the action for a code; a token refused again after its refresh needs renewed consent or an alert."""
    if known.action is not Action.REFRESH:
        return known.action
    return Action.RECONSENT if endpoint.token in (Token.USER, Token.BUSINESS) else Action.ALERT


class Turn(Protocol):
    """Preparation of a call that must happen immediately before the call is sent."""

    async def begin(self) -> Params:
        """Return the call's parameters; the call is sent immediately afterwards.

        Raises:
            CallFailed: the call must not be made; nothing is sent.
        """

    async def undone(self) -> None:
        """Revert :meth:`begin`: the call had no effect, and :meth:`begin` runs again before the retry."""


class ClientCall:
    """One call of an operation: its parameters, the requests made for it so far, and errors that name it.

    Raises:
        ValueError: a parameter is missing or unknown to the record.
    """

    def __init__(
        self,
        base_url: str,
        endpoint: ApiMethod,
        params: Params | Turn,
        open_id: str,
        *,
        retry: bool = True,
        archive_as: Mapping[str, Any] | None = None,
    ) -> None:
        self._base_url = base_url
        self.endpoint = endpoint
        self.open_id = open_id
        self.retry = retry
        self.archive_as = archive_as or {}
        self._turn = None if isinstance(params, Mapping) else params
        self.params = complete_params(endpoint, params, open_id) if isinstance(params, Mapping) else {}
        self.requests = 0

    async def begin(self, lease: TokenLease) -> httpx.Request:
        """Build the request, which is sent immediately afterwards.

        Raises:
            CallFailed: the call must not be made, or its request cannot be written.
        """
        if self._turn is None:
            return self._request(lease)
        given = await self._turn.begin()
        try:
            self.params = complete_params(self.endpoint, given, self.open_id)
            return self._request(lease)
        except BaseException:
            await self._turn.undone()
            raise

    async def undo(self) -> None:
        """Revert :meth:`begin` after a request without effect."""
        if self._turn is not None:
            await self._turn.undone()

    def _request(self, lease: TokenLease) -> httpx.Request:
        try:
            return make_request(self._base_url, self.endpoint, self.params, lease)
        except (httpx.InvalidURL, ValueError) as error:
            raise self.unusable(f"the request cannot be written ({error})") from error

    def unusable(self, reason: str) -> NeedsAttention:
        """Return the error for an invalid request or an unacceptable response, which a retry would not fix."""
        return NeedsAttention(Action.ALERT, None, reason, advice=_REPORT, **self.context)

    def unreachable(self, reason: str) -> Unreachable:
        """Return the error for a request without a response of the platform."""
        return Unreachable(Action.RETRY, None, reason, advice=error_for(10001).advice, **self.context)

    def named(self, error: CallFailed) -> CallFailed:
        """Return the error as one of this call, with the number of requests made."""
        error = error.again(self.endpoint.name, self.open_id)
        error.calls = self.requests
        return error

    @property
    def context(self) -> dict[str, Any]:
        """Return what every error of this call names."""
        return {"operation": self.endpoint.name, "open_id": self.open_id, "calls": self.requests}

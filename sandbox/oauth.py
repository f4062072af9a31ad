"""Serve the OAuth operations: authorization page, user tokens, client tokens, business tokens.

The public profile is a data operation of the catalogue. Where the contract is silent: one account in sixteen gave no
business consent and is refused with 28001012. A business refresh token lives a year and is not replaced. An open_id
that is no account of the app is refused with 10002.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from catalog.records import Envelope
from sandbox import errors
from sandbox.errors import Refusal
from sandbox.tokens import EVERYTHING, Tokens
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class OAuthOperation:
    """One operation: ``required`` are its parameters in query or body; ``body`` is the kind of body it takes."""

    name: str
    method: str
    path: str
    required: tuple[str, ...]
    answer: Callable[[Tokens, Mapping[str, str]], dict[str, Any]] | None
    body: str | None = "form"
    envelope: Envelope = Envelope.OAUTH


def _need_grant_type(params: Mapping[str, str], grant_type: str) -> None:
    if params["grant_type"] != grant_type:
        raise Refusal(errors.OAUTH_GRANT, "grant_type is wrong")


def _access_token(tokens: Tokens, params: Mapping[str, str]) -> dict[str, Any]:
    _need_grant_type(params, "authorization_code")
    tokens.check_app(params["client_key"], params["client_secret"])
    return tokens.redeem(params["code"])


def _refresh_token(tokens: Tokens, params: Mapping[str, str]) -> dict[str, Any]:
    _need_grant_type(params, "refresh_token")
    tokens.check_app(params["client_key"], secret=False)
    return tokens.refresh(params["refresh_token"])


def _renew(tokens: Tokens, params: Mapping[str, str]) -> dict[str, Any]:
    tokens.check_app(params["client_key"], secret=False)
    return tokens.renew(params["refresh_token"])


def _client_token(tokens: Tokens, params: Mapping[str, str]) -> dict[str, Any]:
    _need_grant_type(params, "client_credential")
    tokens.check_app(params["client_key"], params["client_secret"])
    return tokens.client_token()


def _stable(tokens: Tokens, params: Mapping[str, str]) -> dict[str, Any]:
    _need_grant_type(params, "client_credential")
    tokens.check_app(params["client_key"], params["client_secret"])
    return tokens.stable_client_token()


def _business_token(tokens: Tokens, params: Mapping[str, str]) -> dict[str, Any]:
    tokens.check_app(params["client_key"], params["client_secret"])
    return tokens.business(params["open_id"], params.get("scope") or EVERYTHING)


def _refresh_business(tokens: Tokens, params: Mapping[str, str]) -> dict[str, Any]:
    tokens.check_app(params["client_key"], params["client_secret"])
    return tokens.refresh_business(params["refresh_token"])


_APP = ("client_key", "client_secret", "grant_type")
OPERATIONS = (
    OAuthOperation(
        "oauth_authorize",
        "GET",
        "/platform/oauth/connect/",
        ("client_key", "response_type", "scope", "redirect_uri"),
        None,
        body=None,
    ),
    OAuthOperation("oauth_access_token", "POST", "/oauth/access_token/", (*_APP, "code"), _access_token),
    OAuthOperation(
        "oauth_refresh_token",
        "POST",
        "/oauth/refresh_token/",
        ("client_key", "grant_type", "refresh_token"),
        _refresh_token,
    ),
    OAuthOperation(
        "oauth_renew_refresh_token", "POST", "/oauth/renew_refresh_token/", ("client_key", "refresh_token"), _renew
    ),
    OAuthOperation("oauth_client_token", "POST", "/oauth/client_token/", _APP, _client_token, body="json"),
    OAuthOperation("oauth_stable_client_token", "POST", "/oauth/stable_client_token/", _APP, _stable, body="json"),
    OAuthOperation(
        "oauth_business_token",
        "POST",
        "/oauth/business_token/",
        ("client_key", "client_secret", "open_id"),
        _business_token,
        body="json",
        envelope=Envelope.BUSINESS,
    ),
    OAuthOperation(
        "oauth_refresh_biz_token",
        "POST",
        "/oauth/refresh_biz_token/",
        ("client_key", "client_secret", "refresh_token"),
        _refresh_business,
        body="json",
        envelope=Envelope.BUSINESS,
    ),
)


def authorize(tokens: Tokens, world: World, params: Mapping[str, str]) -> str:
    """Return the redirect URL of the authorization page, with code and state.

    The page requires no confirmation: the sandbox consents for the account that the extra parameter ``open_id`` names,
    or the first one.

    Raises:
        Refusal: wrong key, response_type or redirect_uri; unknown account.
    """
    tokens.check_app(params["client_key"], secret=False)
    if params["response_type"] != "code":
        raise Refusal(errors.OAUTH_PARAM, "response_type is wrong")
    parts = urlsplit(params["redirect_uri"])
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Refusal(errors.OAUTH_REDIRECT, "redirect_uri is wrong")
    account = world.account(params["open_id"]) if "open_id" in params else world.accounts[0]
    if account is None:
        raise Refusal(errors.OAUTH_PARAM, "open_id is unknown")
    code = tokens.authorize(account.open_id, params["scope"])
    query = {"code": code, "state": params.get("state", ""), "scopes": params["scope"]}
    return f"{params['redirect_uri']}{'&' if parts.query else '?'}{urlencode(query)}"

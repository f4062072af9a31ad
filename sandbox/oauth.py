"""The OAuth operations of the contract: authorization page, user tokens, client tokens, public profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox import refusals as no
from sandbox.forms import Form
from sandbox.refusals import Refusal
from sandbox.tokens import Tokens
from sandbox.world import World
from sandbox.world.accounts import Account


@dataclass(frozen=True, slots=True)
class OAuthOperation:
    """One operation: ``required`` are its parameters in query or body; ``body`` is the kind of body it takes."""

    name: str
    method: str
    path: str
    required: tuple[str, ...]
    answer: Callable[[Tokens, Mapping[str, str]], dict[str, Any]] | None
    body: str | None = "form"


def _need_grant_type(params: Mapping[str, str], grant_type: str) -> None:
    if params["grant_type"] != grant_type:
        raise Refusal(no.OAUTH_GRANT, "grant_type is wrong")


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
    OAuthOperation("oauth_userinfo", "POST", "/oauth/userinfo/", ("access_token", "open_id"), None),
)


def authorize(tokens: Tokens, world: World, params: Mapping[str, str]) -> str:
    """The address that the browser is sent to, with code and state.

    The account's owner is not asked: the sandbox consents for the account that the extra
    parameter ``open_id`` names, or the first one.

    Raises:
        Refusal: wrong key, response_type or redirect_uri; unknown account.
    """
    tokens.check_app(params["client_key"], secret=False)
    if params["response_type"] != "code":
        raise Refusal(no.OAUTH_PARAM, "response_type is wrong")
    parts = urlsplit(params["redirect_uri"])
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Refusal(no.OAUTH_REDIRECT, "redirect_uri is wrong")
    account = world.account(params["open_id"]) if "open_id" in params else world.accounts[0]
    if account is None:
        raise Refusal(no.OAUTH_PARAM, "open_id is unknown")
    code = tokens.authorize(account.open_id, params["scope"])
    query = {"code": code, "state": params.get("state", ""), "scopes": params["scope"]}
    return f"{params['redirect_uri']}{'&' if parts.query else '?'}{urlencode(query)}"


def userinfo(tokens: Tokens, world: World, params: Mapping[str, str], form: Form) -> dict[str, Any]:
    """The account's public profile; older members are sometimes missing."""
    grant = tokens.check(params["access_token"], "act")
    if grant.open_id != params["open_id"]:
        raise Refusal(no.WRONG_OPEN_ID)
    if not grant.covers("user_info"):
        raise Refusal(no.NOT_GRANTED)
    account: Account | None = world.account(grant.open_id)
    if account is None:
        raise Refusal(no.ACCOUNT_GONE)
    profile = {
        "open_id": account.open_id,
        "nickname": account.nickname,
        "avatar": account.avatar,
        "e_account_role": "EAccountS",
    }
    if not form.rare(24, 3):
        profile["union_id"] = account.union_id
    if form.flag(26):
        profile |= {"gender": 0, "city": "", "province": "", "country": ""}
    return profile

"""Call the token endpoints (GUIDE section 2); their bodies contain tokens and are never archived."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import orjson

from catalog.errors import Action, error_for
from catalog.records import Envelope
from resources.client.errors import (
    CallFailed,
    CapabilityUnavailable,
    NeedsAttention,
    NotConfigured,
    Unreachable,
    failure,
)
from resources.client.retry import wait_before_retry
from resources.client.transport import encode_query
from resources.client.wire import NoResponse, Wire
from resources.config.settings import Settings

log = logging.getLogger(__name__)

SCOPE = "oauth"
"""Name under which the token endpoints are rate-limited and counted: they belong to no scope."""
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_JSON = {"content-type": "application/json"}


_LONGEST_LIFE = timedelta(days=3660)


class OAuth:
    """Client of the token endpoints, with retries where the code allows; methods return the ``data`` member.

    All methods raise CallFailed if no attempt succeeded, and NotConfigured if the app's key or secret is not set.
    """

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._settings = settings
        self._wire = wire
        self._stable_is_missing = False

    async def exchange_code(self, code: str) -> Mapping[str, Any]:
        """Exchange an authorization code for access_token, refresh_token, open_id and scope.

        A code works once and for ten minutes.
        """
        form = {**self._app(secret=True), "code": code, "grant_type": "authorization_code"}
        return await self._call("oauth_access_token", "/oauth/access_token/", form=form)

    async def refresh(self, refresh_token: str, open_id: str) -> Mapping[str, Any]:
        """Fetch a new access token; no secret is sent, and the refresh token's lifetime does not change."""
        form = {**self._app(), "grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._call("oauth_refresh_token", "/oauth/refresh_token/", form=form, open_id=open_id)

    async def renew(self, refresh_token: str, open_id: str) -> Mapping[str, Any]:
        """Fetch a new refresh token, up to five times per consent; the old one becomes invalid at once."""
        form = {**self._app(), "refresh_token": refresh_token}
        return await self._call("oauth_renew_refresh_token", "/oauth/renew_refresh_token/", form=form, open_id=open_id)

    async def client_token(self) -> Mapping[str, Any]:
        """Fetch the app's token, from the stable endpoint if possible.

        The stable endpoint voids nothing: a second system of the same app keeps working. If the platform does not
        offer it to this app, the older endpoint is called. Each of its responses voids the token before the last within
        five minutes, so two systems must not both use it.
        """
        body = {**self._app(secret=True), "grant_type": "client_credential"}
        if not self._stable_is_missing:
            try:
                return await self._call("oauth_stable_client_token", "/oauth/stable_client_token/", body=body)
            except CapabilityUnavailable as error:
                log.warning("%s The older endpoint is called instead.", error)
                self._stable_is_missing = True
        return await self._call("oauth_client_token", "/oauth/client_token/", body=body)

    async def business_token(self, open_id: str) -> Mapping[str, Any]:
        """Fetch biz_token and biz_refresh_token of an account that gave business consent 经营授权."""
        body = {**self._app(secret=True), "open_id": open_id}
        return await self._call(
            "oauth_business_token", "/oauth/business_token/", body=body, open_id=open_id, envelope=Envelope.BUSINESS
        )

    async def refresh_business(self, refresh_token: str, open_id: str) -> Mapping[str, Any]:
        """Fetch new biz_token and biz_refresh_token with the present biz_refresh_token."""
        body = {**self._app(secret=True), "refresh_token": refresh_token}
        return await self._call(
            "oauth_refresh_biz_token",
            "/oauth/refresh_biz_token/",
            body=body,
            open_id=open_id,
            envelope=Envelope.BUSINESS,
        )

    def _app(self, *, secret: bool = False) -> dict[str, str]:
        settings = self._settings
        if not settings.client_key or not settings.client_secret:
            raise NotConfigured("set DOUYIN_CLIENT_KEY and DOUYIN_CLIENT_SECRET (console: app details 应用详情)")
        app = {"client_key": settings.client_key}
        return {**app, "client_secret": settings.client_secret.get_secret_value()} if secret else app

    async def _call(
        self,
        operation: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
        open_id: str = "",
        envelope: Envelope = Envelope.OAUTH,
    ) -> Mapping[str, Any]:
        content = encode_query(form).encode() if form is not None else orjson.dumps(body)
        request = httpx.Request(
            "POST", self._settings.base_url + path, content=content, headers=_FORM if form is not None else _JSON
        )
        calls = 0
        while True:
            calls += 1
            known, again = None, True
            try:
                reply = await self._wire.send(request, envelope, SCOPE)
            except NoResponse as error:
                again = error.again
                problem: CallFailed = Unreachable(
                    Action.RETRY, None, str(error), operation=operation, open_id=open_id, calls=calls
                )
            else:
                verdict = reply.verdict
                if verdict is None:
                    problem = Unreachable(
                        Action.RETRY, None, reply.trouble, operation=operation, open_id=open_id, calls=calls
                    )
                elif verdict.code == 0:
                    data = reply.document.get("data")
                    return data if isinstance(data, Mapping) else {}
                else:
                    known = error_for(verdict.code)
                    problem = failure(
                        verdict.code,
                        verdict.description,
                        logid=verdict.logid,
                        operation=operation,
                        open_id=open_id,
                        calls=calls,
                    )
            wait = wait_before_retry(known, calls, self._settings.retry_base_s) if again else None
            if wait is None:
                raise problem
            log.info("%s; retrying in %.1f s", problem, wait)
            await asyncio.sleep(wait)


def authorize_url(settings: Settings, scopes: list[str], state: str) -> str:
    """Return the URL of the consent page for an account's owner; ``state`` must be random and checked on return.

    Raises:
        NotConfigured: the app's key or the redirect URI is not set.
    """
    if not settings.client_key or not settings.redirect_uri:
        raise NotConfigured("set DOUYIN_CLIENT_KEY and DOUYIN_REDIRECT_URI")
    query = {
        "client_key": settings.client_key,
        "response_type": "code",
        "scope": ",".join(scopes),
        "redirect_uri": settings.redirect_uri,
        "state": state,
    }
    return f"{settings.base_url}/platform/oauth/connect/?{encode_query(query)}"


def text_of(data: Mapping[str, Any], name: str) -> str:
    """Return a required text member of a token response.

    Raises:
        NeedsAttention: it is missing or empty.
    """
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise NeedsAttention(
            Action.ALERT, None, f"the token answer has no {name}", operation="oauth", advice="Report it."
        )
    return value


def seconds_of(data: Mapping[str, Any], name: str) -> timedelta:
    """Return a lifetime from a token response, given in seconds as a number or its text.

    The response is trusted, since documentation gives several values.

    Raises:
        NeedsAttention: it is missing, not a number, negative or longer than ten years.
    """
    try:
        life = timedelta(seconds=int(data[name]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise NeedsAttention(
            Action.ALERT, None, f"the token answer has no {name}", operation="oauth", advice="Report it."
        ) from error
    if not timedelta(0) <= life <= _LONGEST_LIFE:
        raise NeedsAttention(
            Action.ALERT,
            None,
            f"the token answer has an impossible {name}: {int(life.total_seconds())}",
            operation="oauth",
            advice="Report it.",
        )
    return life

"""The gateway: what happens to a request between its path and the function that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.records import Endpoint, Envelope, Fill, Token
from sandbox import refusals as no
from sandbox.answers import Call, answer_for
from sandbox.clock import SandboxClock, day_of
from sandbox.config import SandboxConfig
from sandbox.envelopes import failure, success
from sandbox.faults import CODES, Fault, spoil
from sandbox.forms import Form
from sandbox.limits import Limits
from sandbox.mixing import mix, name, unit
from sandbox.oauth import OAuthOperation, authorize, userinfo
from sandbox.refusals import Refusal
from sandbox.stats import request_key
from sandbox.tokens import Tokens
from sandbox.world import World
from sandbox.world.accounts import Account

_LEGACY_FAMILY = {
    no.TOKEN_INVALID: no.TOKEN_INVALID_LEGACY,
    no.TOKEN_EXPIRED: no.TOKEN_EXPIRED_LEGACY,
}
"""Codes that come now and then as their elder twins (one answer in four)."""


def checked(endpoint: Endpoint, given: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a request with integers read.

    Raises:
        Refusal: 28001007 where a required one is missing, 2100005 where one is wrong.
    """
    params: dict[str, Any] = dict(given)
    for param in endpoint.params:
        value = given.get(param.name)
        if value is None or value == "":
            if param.required:
                raise Refusal(no.PARAM_MISSING, f"{param.name} is missing")
            params.pop(param.name, None)
            continue
        if param.fill not in (Fill.WINDOW, Fill.CURSOR, Fill.COUNT):
            continue
        try:
            number = int(value)
        except ValueError:
            raise Refusal(no.PARAM_WRONG, f"{param.name} is no integer") from None
        in_window = param.fill is not Fill.WINDOW or number in endpoint.windows
        if not in_window or number < (1 if param.fill is Fill.COUNT else 0):
            raise Refusal(no.PARAM_WRONG, f"{param.name} is wrong")
        params[param.name] = number
    return params


class Gateway:
    """Answers operations. It holds the world, the tokens and the limits; it knows nothing of HTTP."""

    def __init__(self, config: SandboxConfig, world: World, tokens: Tokens, clock: SandboxClock) -> None:
        self._world, self._tokens, self._clock = world, tokens, clock
        self._limits = Limits(config.qps, config.per_day)
        self._lacking = frozenset(config.lacking)
        self._client_key = config.client_key

    def form(self, operation: str, params: Mapping[str, Any], instant: float) -> Form:
        """The form of an answer: it follows from seed, operation, parameters and instant."""
        key = mix(self._world.seed, name(operation), name(request_key(params)), int(instant * 1000))
        return Form(key)

    # ---- data operations

    def data(
        self, endpoint: Endpoint, given: Mapping[str, str], token: str | None, fault: Fault | None
    ) -> tuple[int, dict[str, Any]]:
        """(code, body) for a request of a data operation."""
        instant = self._clock.now()
        form = self.form(endpoint.name, given, instant)
        try:
            if fault is not None and fault.kind in CODES:
                raise self._ordered(fault, token, oauth=False)
            if endpoint.scope:
                self._limits.take(endpoint.scope, day_of(instant))
            account = self._admit(endpoint, token, given, form)
            params = checked(endpoint, given)
            answer = answer_for(endpoint)
            if answer is None:
                raise Refusal(no.OFFLINE, "not simulated by this sandbox")
            data = answer(Call(self._world, endpoint, params, account, instant, form))
            if fault is not None:
                spoil(fault, endpoint, data, given)
        except Refusal as refusal:
            return refusal.code, failure(endpoint.envelope, refusal, instant, form)
        return 0, success(endpoint.envelope, endpoint.name, data, instant, form)

    def _admit(self, endpoint: Endpoint, token: str | None, given: Mapping[str, str], form: Form) -> Account | None:
        """Check token, capability, grant and owner; the account for user tokens."""
        if endpoint.token is Token.NONE:
            return None
        try:
            grant = self._tokens.check(token, "act" if endpoint.token is Token.USER else "clt")
        except Refusal as refusal:
            if refusal.code in _LEGACY_FAMILY and unit(form.bits) < 0.25:
                raise Refusal(_LEGACY_FAMILY[refusal.code], refusal.description) from None
            raise
        if endpoint.scope in self._lacking:
            raise Refusal(no.NO_CAPABILITY)
        if endpoint.token is Token.CLIENT:
            return None
        if not grant.covers(endpoint.scope):
            raise Refusal(no.NOT_GRANTED)
        open_id = given.get("open_id")
        if open_id and open_id != grant.open_id:
            raise Refusal(no.WRONG_OPEN_ID)
        account = self._world.account(grant.open_id)
        if account is None:
            raise Refusal(no.ACCOUNT_GONE)
        return account

    def _ordered(self, fault: Fault, token: str | None, *, oauth: bool) -> Refusal:
        """The refusal that a fault orders, with its consequences for the token."""
        code = int(fault.params.get("code", CODES[fault.kind]))
        if fault.kind == "token_expired":
            self._tokens.expire(token)
        elif fault.kind == "token_dead":
            self._tokens.kill(token)
            code = no.REFRESH_DEAD if oauth else code
        return Refusal(code)

    # ---- OAuth operations

    def oauth(
        self, operation: OAuthOperation, given: Mapping[str, str], fault: Fault | None
    ) -> tuple[int, dict[str, Any] | str]:
        """(code, body) for an OAuth operation; the body is the address to go to for the authorization page."""
        instant = self._clock.now()
        form = self.form(operation.name, given, instant)
        try:
            if fault is not None and fault.kind in CODES:
                raise self._ordered(fault, given.get("refresh_token") or given.get("access_token"), oauth=True)
            for param in operation.required:
                if not given.get(param):
                    raise Refusal(no.OAUTH_PARAM, f"{param} is missing")
            if operation.name == "oauth_authorize":
                return 0, authorize(self._tokens, self._world, given)
            if operation.name == "oauth_userinfo":
                data = userinfo(self._tokens, self._world, given, form)
            else:
                data = operation.answer(self._tokens, given)
                for member in ("expires_in", "refresh_expires_in"):
                    if member in data:
                        data[member] = form.whole(data[member])
            if fault is not None and fault.kind == "unknown_member":
                data["sandbox_new_member"] = {"reason": "drift"}
        except Refusal as refusal:
            return refusal.code, failure(Envelope.OAUTH, refusal, instant, form)
        return 0, success(Envelope.OAUTH, operation.name, data, instant, form)

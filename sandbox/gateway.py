"""Process a request between its path and the function that handles it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from catalog.records import Endpoint, Envelope, Operation, Token
from catalog.requests import ParamSource
from sandbox import errors
from sandbox.account_faults import AccountFaults
from sandbox.answers import Call, answer_for
from sandbox.apps import SandboxApp
from sandbox.checks import checked, need_all
from sandbox.clock import SandboxClock, day_of
from sandbox.config import SandboxConfig
from sandbox.envelopes import failure, nothing, success
from sandbox.errors import Refusal
from sandbox.faults import CODES, Fault, corrupt, replace_data
from sandbox.forms import Form
from sandbox.hashing import mix, name, unit
from sandbox.limits import Limits
from sandbox.oauth import OAuthOperation, authorize
from sandbox.stats import request_key
from sandbox.world.accounts import SandboxAccount

_LEGACY_FAMILY = {
    errors.TOKEN_INVALID: errors.TOKEN_INVALID_LEGACY,
    errors.TOKEN_EXPIRED: errors.TOKEN_EXPIRED_LEGACY,
}
"""Codes that now and then come as their older twins (in one response of four)."""
_TOKEN_KINDS = {Token.USER: "act", Token.CLIENT: "clt", Token.BUSINESS: "bus_act"}


class Gateway:
    """The gateway of one app, with its world, tokens and limits; it does not depend on HTTP.

    ``is_foreign`` says whether an open_id belongs to another app of the sandbox.
    """

    def __init__(
        self, config: SandboxConfig, app: SandboxApp, clock: SandboxClock, is_foreign: Callable[[str], bool]
    ) -> None:
        self._world, self._tokens, self._clock = app.world, app.tokens, clock
        self._client_key, self._is_foreign = app.client_key, is_foreign
        self._plain = config.form == "plain"
        self._limits = Limits(config.qps, config.per_day)
        self._account_faults = AccountFaults(config)
        self._owns, self._withdrawn = config.owns, frozenset(config.withdrawn)

    def form(self, operation: str, params: Mapping[str, Any], instant: float) -> Form:
        """Choose the form of a response, which follows from seed, operation, parameters and instant."""
        key = mix(self._world.seed, name(operation), name(request_key(params)), int(instant * 1000))
        return Form(key, self._plain)

    # ---- data operations

    def data(
        self,
        endpoint: Endpoint | Operation,
        given: Mapping[str, Any],
        token: str | None,
        fault: Fault | None,
        unreadable: Refusal | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Return (code, body) for a request of a data operation.

        ``unreadable`` is the refusal of a body that could not be read.
        """
        instant = self._clock.now()
        form = self.form(endpoint.name, given, instant)
        try:
            if endpoint.envelope is Envelope.OAUTH:
                need_all(endpoint, given)
            token = next((given.get(p.name) for p in endpoint.params if p.fill is ParamSource.TOKEN), token)
            if fault is not None and fault.kind in CODES:
                raise self._ordered(fault, token, oauth=False)
            if endpoint.scope:
                self._limits.take(endpoint.quota, day_of(instant))
            account = self._admit(endpoint, token, given, form)
            if unreadable is not None:
                raise unreadable
            params = checked(endpoint, given, instant)
            answer = answer_for(endpoint)
            if answer is None:
                raise Refusal(errors.OFFLINE, "not simulated by this sandbox")
            data = answer(Call(self._world, endpoint, params, account, instant, form, self._client_key))
            if fault is not None and isinstance(endpoint, Endpoint):
                corrupt(fault, endpoint, data, given)
        except Refusal as refusal:
            return refusal.code, failure(
                endpoint.envelope, refusal, instant, form, nothing(endpoint) if isinstance(endpoint, Endpoint) else None
            )
        return 0, replace_data(fault, success(endpoint.envelope, endpoint.name, data, instant, form))

    def _admit(
        self, endpoint: Endpoint | Operation, token: Any, given: Mapping[str, Any], form: Form
    ) -> SandboxAccount | None:
        """Check token, capability, grant and owner; return the account for user tokens."""
        if endpoint.token is Token.NONE:
            return None
        try:
            grant = self._tokens.check(token, _TOKEN_KINDS[endpoint.token])
        except Refusal as refusal:
            if refusal.code in _LEGACY_FAMILY and unit(form.bits) < 0.25 and not form.plain:
                raise Refusal(_LEGACY_FAMILY[refusal.code], refusal.description) from None
            raise
        open_id = given.get("open_id")
        if isinstance(open_id, str) and self._is_foreign(open_id):
            raise Refusal(errors.TOKEN_INVALID)
        if endpoint.name in self._withdrawn:
            raise Refusal(errors.OFFLINE)
        if endpoint.scope and not self._owns(endpoint.quota):
            raise Refusal(errors.NO_CAPABILITY)
        if endpoint.token is Token.CLIENT:
            return None
        if endpoint.scope and not grant.covers(endpoint.quota):
            raise Refusal(errors.NOT_GRANTED)
        if open_id and open_id != grant.open_id:
            raise Refusal(errors.WRONG_OPEN_ID)
        account = self._world.account(grant.open_id)
        if account is None:
            raise Refusal(errors.ACCOUNT_GONE)
        self._account_faults.check(account)
        return account

    def _ordered(self, fault: Fault, token: str | None, *, oauth: bool) -> Refusal:
        """Return the refusal that a fault orders, and apply its consequences to the token."""
        code = int(fault.params.get("code", CODES[fault.kind]))
        if fault.kind == "token_expired":
            self._tokens.expire(token)
        elif fault.kind == "token_dead":
            self._tokens.kill(token)
            code = errors.REFRESH_DEAD if oauth else code
        return Refusal(code)

    # ---- OAuth operations

    def _need_business_consent(self, open_id: str) -> None:
        """Refuse an account that the app does not know (10002), or that gave no business consent (28001012)."""
        account = self._world.account(open_id)
        if account is None:
            raise Refusal(errors.OAUTH_PARAM, "open_id is unknown")
        if not account.business:
            raise Refusal(errors.NOT_GRANTED)

    def oauth(
        self, operation: OAuthOperation, given: Mapping[str, str], fault: Fault | None
    ) -> tuple[int, dict[str, Any] | str]:
        """Return (code, body) for an OAuth operation; the authorization page's body is the redirect URL."""
        instant = self._clock.now()
        form = self.form(operation.name, given, instant)
        try:
            if fault is not None and fault.kind in CODES:
                raise self._ordered(fault, given.get("refresh_token") or given.get("access_token"), oauth=True)
            for param in operation.required:
                if not given.get(param):
                    raise Refusal(errors.OAUTH_PARAM, f"{param} is missing")
            if operation.name == "oauth_authorize":
                return 0, authorize(self._tokens, self._world, given)
            if operation.name == "oauth_business_token":
                self._need_business_consent(given["open_id"])
            if operation.answer is None:
                raise Refusal(errors.OFFLINE, "not simulated by this sandbox")
            data = operation.answer(self._tokens, given)
            data |= {member: form.whole(seconds) for member, seconds in data.items() if member.endswith("expires_in")}
            if fault is not None and fault.kind == "unknown_member":
                data["sandbox_new_member"] = {"reason": "drift"}
        except Refusal as refusal:
            return refusal.code, failure(operation.envelope, refusal, instant, form)
        return 0, success(operation.envelope, operation.name, data, instant, form)

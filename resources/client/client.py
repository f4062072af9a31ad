"""HTTP client for one run, with retries, token refresh and circuit breakers.

Every response goes to the sink unmodified before it is interpreted. ``catalog.errors`` defines the action for each
error code; this module carries it out. Some responses affect more than their own call: the app is banned, an account
is gone, a capability is withdrawn. A circuit breaker then refuses later calls that would fail in the same way, without
sending them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from catalog.errors import CONSENT_OF_SCOPE, DEREGISTERED, ERRORS, MAY_BE_DONE, Action, ErrorCode, error_for
from catalog.records import Endpoint, Operation, Token
from resources.client.background import Background
from resources.client.calls import ApiMethod, ClientCall, Turn, final_action
from resources.client.circuit_breakers import CircuitBreakers
from resources.client.errors import (
    AccountStopped,
    AppStopped,
    CallFailed,
    CapabilityUnavailable,
    ConsentNeeded,
    NotConfigured,
    OutcomeUnknown,
    failure,
    said_of,
)
from resources.client.exchange import ApiResponse, Exchange, Params
from resources.client.limits import Limiter
from resources.client.oauth import OAuth
from resources.client.retry import TOO_FREQUENT, wait_before_retry
from resources.client.token_source import TokenLease
from resources.client.tokens import TokenManager
from resources.client.transport import make_http
from resources.client.wire import NoResponse, Reply, Wire
from resources.config.clock import Clock
from resources.config.redaction import guard_loggers, register_secret
from resources.config.settings import Settings
from resources.state import State
from resources.state.accounts import AccountStatus
from resources.state.capabilities import record_capability
from resources.state.sealing import NO_TOKEN_KEY

log = logging.getLogger(__name__)


_LOOK_FIRST = "It may have been done: look for it on the platform before doing it again."


@dataclass(frozen=True, slots=True)
class _Failure:
    """A request that failed: its error, its code if the platform responded, and whether a retry is possible."""

    problem: CallFailed
    code: ErrorCode | None = None
    maybe_done: bool = True
    again: bool = True


class DouyinClient:
    """Async context manager of a run's API calls: one per run, shared by all its tasks.

    Raises:
        NotConfigured: the app's credentials or the key that encrypts tokens are not set.
    """

    def __init__(
        self, settings: Settings, state: State, clock: Clock, sink: Callable[[Exchange], None] | None = None
    ) -> None:
        if not settings.has_credentials:
            raise NotConfigured("set DOUYIN_CLIENT_KEY and DOUYIN_CLIENT_SECRET (console: app details 应用详情)")
        if not state.vault.ready:
            raise NotConfigured(NO_TOKEN_KEY)
        self._settings = settings
        self._state = state
        self._clock = clock
        self._sink = sink
        self._client_key = settings.client_key or ""
        self._breakers = CircuitBreakers()
        self._owned: dict[str, bool] = {}
        self._stack = AsyncExitStack()
        register_secret(settings.client_secret.get_secret_value() if settings.client_secret else None)
        guard_loggers(
            "httpx", "sqlalchemy.engine.Engine", *(f"{__package__}.{m}" for m in ("client", "oauth", "tokens"))
        )

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._background = background = Background()
        self._stack.callback(background.close)
        self._limiter = Limiter(settings, self._state, self._clock, background)
        self._stack.push_async_callback(self._limiter.close)
        http = await self._stack.enter_async_context(make_http(settings))
        self._wire = Wire(http, self._limiter, self._clock)
        self.tokens = TokenManager(settings, self._state, self._clock, OAuth(settings, self._wire), background)
        self._stack.push_async_callback(self.tokens.close)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def authorize(self, code: str, *, name: str | None = None) -> str:
        """Redeem the code from the consent page and return the account's open_id.

        Raises:
            CallFailed: the platform refused the code or did not respond.
        """
        open_id = await self.tokens.exchange_code(code, name=name)
        self._breakers.close(open_id)
        return open_id

    async def fetch(
        self,
        endpoint: Endpoint,
        params: Params,
        open_id: str = "",
        *,
        archive_as: Mapping[str, Any] | None = None,
    ) -> ApiResponse:
        """Call ``endpoint`` and return its successful response, after as many requests as its error codes allow.

        ``params`` may omit the account, page size and constants: the catalogue's record supplies them. ``archive_as``
        is passed to the sink as :attr:`Exchange.tag`.

        Raises:
            CallFailed: see its subclasses; ``calls`` is 0 if nothing was sent.
            ValueError: a parameter is missing or unknown to the record.
        """
        return await self._execute(
            ClientCall(self._settings.base_url, endpoint, params, open_id, archive_as=archive_as)
        )

    async def write(self, operation: Operation, params: Params | Turn, open_id: str = "") -> ApiResponse:
        """Execute a write operation at most once and return its successful response.

        A :class:`Turn` supplies the parameters immediately before the call is sent. A call is retried only if the
        platform reported that it had no effect (a token to refresh, too many calls), if nothing was sent, or if the
        operation is idempotent.

        Raises:
            OutcomeUnknown: the operation may or may not have been executed: a time-out, a cut connection, or an
                ambiguous response.
            CallFailed: the operation was not executed; see its subclasses.
            ValueError: a parameter is missing or unknown to the record.
        """
        return await self._execute(
            ClientCall(self._settings.base_url, operation, params, open_id, retry=operation.repeatable)
        )

    async def _execute(self, call: ClientCall) -> ApiResponse:
        """Send requests until one succeeds, or until its failure does not allow another."""
        endpoint, open_id = call.endpoint, call.open_id
        refreshed = False
        lease: TokenLease | None = None
        while True:
            self._breakers.check(endpoint, open_id)
            lease = lease or await self._lease(call)
            result = await self._attempt(call, lease)
            if isinstance(result, ApiResponse):
                return result
            problem, known = result.problem, result.code
            if known is not None:
                if known.action is Action.REFRESH and lease.token and not refreshed:
                    await call.undo()
                    refreshed, lease = True, await self._lease(call, refused=lease)
                    continue
                await self._apply_side_effects(endpoint, open_id, known, problem)
            if result.maybe_done and not call.retry:
                raise OutcomeUnknown(
                    problem.action,
                    problem.code,
                    problem.reason,
                    advice=_LOOK_FIRST,
                    logid=problem.logid,
                    **call.context,
                )
            wait = wait_before_retry(known, call.requests, self._settings.retry_base_s) if result.again else None
            if wait is None:
                raise problem
            if known is not None and known.action is Action.SLOW_DOWN:
                self._limiter.pause(endpoint.quota, wait)
            await call.undo()
            log.info("%s; retrying in %.1f s", problem, wait)
            await asyncio.sleep(wait)

    async def _attempt(self, call: ClientCall, lease: TokenLease) -> ApiResponse | _Failure:
        """Send one request, and archive its response.

        Raises:
            CallFailed: nothing was sent.
        """
        endpoint, open_id = call.endpoint, call.open_id
        try:
            reply = await self._wire.send(
                None,
                endpoint.envelope,
                endpoint.quota,
                open_id,
                check=partial(self._breakers.check, endpoint, open_id),
                begin=partial(call.begin, lease),
            )
        except NoResponse as error:
            call.requests += 1
            problem = call.unreachable(str(error)) if error.again else call.unusable(str(error))
            return _Failure(problem, maybe_done=error.sent, again=error.again)
        except CallFailed as error:
            raise call.named(error) from error
        call.requests += 1
        self._keep(call, reply)
        verdict = reply.verdict
        if verdict is None:
            return _Failure(call.unreachable(reply.trouble))
        if verdict.code == 0:
            await self._record_capability(endpoint, None)
            return ApiResponse(reply.body, reply.document, reply.observed_at, call.requests)
        known = error_for(verdict.code)
        action = final_action(known, endpoint)
        return _Failure(
            failure(verdict.code, verdict.description, logid=verdict.logid, action=action, **call.context),
            known,
            maybe_done=verdict.code in MAY_BE_DONE or verdict.code not in ERRORS,
        )

    # ------------------------------------------------------------------ tokens

    async def _lease(self, call: ClientCall, refused: TokenLease | None = None) -> TokenLease:
        """Return a token for the call, a new one if ``refused`` is given; failures open circuit breakers."""
        endpoint, open_id = call.endpoint, call.open_id
        try:
            if endpoint.token is Token.NONE:
                return TokenLease("", 0)
            if endpoint.token is Token.CLIENT:
                return await self.tokens.client_lease(refused)
            if endpoint.token is Token.BUSINESS:
                return await self.tokens.business_lease(open_id, refused)
            return await self.tokens.user_lease(open_id, refused)
        except CallFailed as error:
            if isinstance(error, AppStopped):
                self._breakers.open(error)
            elif isinstance(error, ConsentNeeded | AccountStopped):
                self._breakers.open(error, open_id=open_id, business=endpoint.token is Token.BUSINESS)
            raise call.named(error) from error

    # ------------------------------------------------------------------ consequences of a code

    async def _apply_side_effects(
        self, endpoint: ApiMethod, open_id: str, known: ErrorCode, problem: CallFailed
    ) -> None:
        if known.code == TOO_FREQUENT:
            self._limiter.ease(endpoint.quota)
        elif known.action is Action.SLOW_DOWN:
            self._limiter.slow_down(endpoint.quota)
        elif known.action is Action.QUOTA:
            await self._limiter.exhaust(endpoint.quota)
        elif isinstance(problem, AppStopped):
            self._breakers.open(problem)
        elif isinstance(problem, CapabilityUnavailable):
            self._breakers.open(problem, operation=endpoint.name)
            await self._record_capability(endpoint, problem)
        elif known.code in CONSENT_OF_SCOPE:
            self._breakers.open(problem, open_id=open_id, scope=endpoint.quota)
        elif endpoint.token is Token.BUSINESS and isinstance(problem, ConsentNeeded):
            # This consent is separate from the consent of the account itself.
            self._breakers.open(problem, open_id=open_id, business=True)
        elif open_id and isinstance(problem, ConsentNeeded | AccountStopped):
            self._breakers.open(problem, open_id=open_id)
            if known.code == DEREGISTERED:
                await self.tokens.withdraw(open_id, f"{problem.reason} (code {problem.code})")
                return
            stopped = isinstance(problem, AccountStopped)
            status = AccountStatus.STOPPED if stopped else AccountStatus.NEEDS_CONSENT
            await self.tokens.set_status(open_id, status, f"{problem.reason} (code {problem.code})")
            await self.tokens.void(open_id)

    async def _record_capability(self, endpoint: ApiMethod, problem: CapabilityUnavailable | None) -> None:
        """Record once whether the app owns the operation, else why not; that disables the operation."""
        owned = problem is None
        if self._owned.get(endpoint.name) is owned:
            return
        self._owned[endpoint.name] = owned
        await self._background.run(
            record_capability,
            self._state,
            self._client_key,
            endpoint.name,
            owned=owned,
            now=self._clock.now(),
            code=problem.code if problem else None,
            reason=problem.reason if problem else None,
        )

    def _keep(self, call: ClientCall, reply: Reply) -> None:
        if self._sink is None:
            return
        verdict = reply.verdict
        self._sink(
            Exchange(
                operation=call.endpoint.name,
                client_key=self._client_key,
                open_id=call.open_id,
                params=call.params,
                sent_at=reply.sent_at,
                observed_at=reply.observed_at,
                http_status=reply.status,
                body=reply.body,
                document=reply.document,
                code=verdict.code if verdict else None,
                logid=verdict.logid if verdict else None,
                attempt=call.requests,
                said=said_of(verdict.description) if verdict and verdict.code else "",
                tag=call.archive_as,
            )
        )

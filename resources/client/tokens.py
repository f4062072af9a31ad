"""Manage tokens: refresh them one at a time across tasks and processes, and store them before use.

Times are of the pipeline's clock. A lock file per account ensures that one process at a time refreshes its token. The
holder of the lock reads the state again, since another process may have refreshed meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeVar

from catalog.errors import Action
from resources.client.background import Background
from resources.client.countdown import RENEWALS
from resources.client.errors import AccountStopped, AppStopped, CallFailed, ConsentNeeded, TransientFailure
from resources.client.keyed_lock import KeyedLock
from resources.client.oauth import OAuth, seconds_of, text_of
from resources.client.token_source import TokenLease, TokenSource
from resources.config.clock import Clock
from resources.config.redaction import register_secret
from resources.config.settings import Settings
from resources.state import State
from resources.state import accounts as account_state
from resources.state import people as people_state
from resources.state import tokens as token_state
from resources.state.accounts import Account, AccountStatus
from resources.state.tokens import BusinessToken, ClientToken, UserToken

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)

ACCESS_MARGIN = timedelta(days=3)
REFRESH_MARGIN = timedelta(days=5)
CLIENT_MARGIN = timedelta(minutes=5)
_LAST_REFRESH = timedelta(days=1)
_TOO_MANY_CALLS = 10020
_REFRESH_TOKEN_DEAD = 10010
_AUTHORIZE = "Ask the account's owner to authorise again: `douyin authorize`."
_IDLE = (AccountStatus.STOPPED, AccountStatus.PAUSED)
_LOOK_AGAIN_S = 2.0
_TIMEOUT_S = 60.0
"""After an early refresh failed, the still valid token is used for this time before the next attempt."""


class TokenManager:
    """Provider of valid tokens for one app and its accounts.

    Methods that call the platform raise CallFailed if it refuses or does not respond.
    """

    def __init__(self, settings: Settings, state: State, clock: Clock, oauth: OAuth, background: Background) -> None:
        self._client_key = settings.client_key or ""
        self._turns = KeyedLock(settings.locks_dir, background)
        self._state = state
        self._clock = clock
        self._oauth = oauth
        self._background = background
        self._accounts: dict[str, Account] = {}
        self._loaded = False
        self._loading = asyncio.Lock()
        self._answered: str | None = None  # the last client token of the platform
        self._retry_after: dict[str, float] = {}
        self._looked_at = 0.0
        lock, key = self._turns, self._turn_of("")
        self._client = TokenSource(
            lock, key, lambda _: self._in_state(token_state.load_client_token), self._fetch_client, self._client_good
        )
        self._users = TokenSource(
            lock, key, lambda o: self._in_state(token_state.load_user_token, o), self._maintain, self._user_good
        )
        self._businesses = TokenSource(
            lock,
            f"{key}business ",
            lambda o: self._in_state(token_state.load_business_token, o),
            self._fetch_business,
            lambda token: token.access_expires_at - self._clock.now() >= ACCESS_MARGIN,
        )
        register_secret(settings.client_secret.get_secret_value() if settings.client_secret else None)

    # ------------------------------------------------------------------ the app's token

    async def client_lease(self, refused: TokenLease | None = None) -> TokenLease:
        """Return the app's token, another one than that which the platform refused; it is renewed 5 minutes early."""
        return await self._client.lease("", refused)

    def _client_good(self, token: ClientToken) -> bool:
        # The stable endpoint returns the same token until it expires: fetching it early again would be useless.
        margin = timedelta(0) if token.access_token == self._answered else CLIENT_MARGIN
        return self._clock.now() < token.expires_at - margin

    async def _fetch_client(self, _: str, _stored: ClientToken | None, _is_refused: bool) -> ClientToken:
        try:
            data = await self._oauth.client_token()
        except ConsentNeeded as error:
            if error.code != _TOO_MANY_CALLS:
                raise
            raise TransientFailure(
                Action.RETRY,
                error.code,
                "the token endpoint was called too often",
                logid=error.logid,
                advice="Look for another system that uses this app's key.",
                operation=error.operation,
                calls=error.calls,
            ) from error
        token = ClientToken(text_of(data, "access_token"), self._clock.now() + seconds_of(data, "expires_in"))
        await self._in_state(token_state.save_client_token, token)
        self._answered = token.access_token
        return self._client.put("", token)

    # ------------------------------------------------------------------ tokens of accounts

    async def user_lease(self, open_id: str, refused: TokenLease | None = None) -> TokenLease:
        """Return the account's access token, other than the refused one, after early refresh and renewal where due.

        Raises:
            ConsentNeeded: there is no token, or it expired and cannot be refreshed; if known, no call is made.
            AccountStopped: the account is closed, banned, paused or stopped.
        """
        await self._check_account(open_id)
        return await self._users.lease(open_id, refused)

    async def _check_account(self, open_id: str) -> None:
        """Refuse a stopped account; stopped ones are reloaded regularly: a webhook or a person may have stopped one."""
        if not self._loaded:
            # The first calls start at once: each of them would decrypt the tokens of all accounts.
            async with self._loading:
                if not self._loaded:
                    self._looked_at = time.monotonic()
                    await self._load()
        elif time.monotonic() - self._looked_at > _LOOK_AGAIN_S:
            self._looked_at = time.monotonic()
            idle = await self._in_state(account_state.list_accounts, _IDLE)
            self._accounts |= {a.open_id: a for a in idle}
        account = self._accounts.get(open_id)
        if account is not None and account.status in _IDLE:
            reason = account.reason or f"the account is {account.status}"
            raise AccountStopped(Action.STOP_ACCOUNT, None, reason, open_id=open_id)

    async def exchange_code(self, code: str, *, name: str | None = None) -> str:
        """Redeem an authorization code and return the account's open_id.

        The account is added if it is new, becomes active and has five renewals again.
        """
        register_secret(code)
        return await self._turns.run_to_completion(self._exchange(code, name))

    async def _exchange(self, code: str, name: str | None) -> str:
        data = await self._oauth.exchange_code(code)
        now = self._clock.now()
        open_id = text_of(data, "open_id")
        token = UserToken(
            open_id,
            text_of(data, "access_token"),
            now + seconds_of(data, "expires_in"),
            text_of(data, "refresh_token"),
            now + seconds_of(data, "refresh_expires_in"),
            0,
            str(data.get("scope") or ""),
            now,
        )
        async with self._turns.turn(self._turn_of(open_id)):
            await self._store(token)
            await self._in_state(account_state.add_account, open_id, name=name, now=now)
            await self._remember(open_id)
        self._users.generations[open_id] += 1
        self._retry_after.pop(open_id, None)
        return open_id

    async def set_status(self, open_id: str, status: AccountStatus, reason: str | None) -> None:
        """Record the account's status and the reason; add the account if only its token was known."""
        known = await self._in_state(account_state.get_account, open_id)
        if known is None:
            now = self._clock.now()
            await self._in_state(account_state.add_account, open_id, name=None, now=now)
        await self._in_state(account_state.set_status, open_id, status, reason)
        await self._remember(open_id)

    async def withdraw(self, open_id: str, reason: str) -> None:
        """Remove a deregistered account's tokens and list its data for deletion."""

        def in_state() -> None:
            with self._state.begin() as db:
                people_state.withdraw(db, self._client_key, open_id, reason, self._clock.now())

        async with self._turns.turn(self._turn_of(open_id)):
            await self._background.run(in_state)
            self._users.tokens.pop(open_id, None)
            self._businesses.tokens.pop(open_id, None)
            await self._remember(open_id)

    async def void(self, open_id: str) -> None:
        """Mark a permanently refused access token as expired, so that later runs do not use it."""
        # Under the lock: another process may renew meanwhile, and storing what was read before would restore the
        # invalid refresh token.
        async with self._turns.turn(self._turn_of(open_id)):
            await self._void_in_turn(open_id)

    async def _void_in_turn(self, open_id: str) -> None:
        token = await self._in_state(token_state.load_user_token, open_id)
        if token is not None and token.access_expires_at > self._clock.now():
            await self._store(replace(token, access_expires_at=self._clock.now()))

    # ------------------------------------------------------------------ business tokens

    async def business_lease(self, open_id: str, refused: TokenLease | None = None) -> TokenLease:
        """Return the account's business token 经营授权, other than the refused one; it is refreshed early.

        Raises:
            ConsentNeeded: the account gave no business consent.
            AccountStopped: the account is closed, banned, paused or stopped.
        """
        await self._check_account(open_id)
        return await self._businesses.lease(open_id, refused)

    async def _fetch_business(self, open_id: str, stored: BusinessToken | None, _is_refused: bool) -> BusinessToken:
        data = None
        if stored is not None and stored.refresh_expires_at > self._clock.now():
            try:
                data = await self._oauth.refresh_business(stored.refresh_token, open_id)
            except ConsentNeeded as error:
                log.warning("%s A new business token is requested.", error)
        if data is None:
            data = await self._oauth.business_token(open_id)
        now = self._clock.now()
        token = BusinessToken(
            open_id,
            text_of(data, "biz_token"),
            now + seconds_of(data, "biz_expires_in"),
            text_of(data, "biz_refresh_token"),
            now + seconds_of(data, "biz_refresh_expires_in"),
            now,
        )
        await self._in_state(token_state.save_business_token, token)
        return self._businesses.put(open_id, token)

    # ------------------------------------------------------------------ the work under the lock

    async def _maintain(self, open_id: str, token: UserToken | None, is_refused: bool) -> UserToken:
        await self._remember(open_id)
        if token is None:
            raise ConsentNeeded(Action.RECONSENT, None, "no consent is stored", advice=_AUTHORIZE, open_id=open_id)
        account = self._accounts.get(open_id)
        if account and account.status is AccountStatus.NEEDS_CONSENT:
            if not is_refused and token.access_expires_at > self._clock.now():
                self._retry_after[open_id] = float("inf")
                return token  # its last days; nothing can be refreshed any more
            raise ConsentNeeded(
                Action.RECONSENT, None, account.reason or "consent needed", advice=_AUTHORIZE, open_id=open_id
            )
        try:
            if self._renewal_due(token):
                token = await self._renew(token)
            if is_refused or self._refresh_due(token):
                token = await self._refresh(token)
        except AppStopped:
            raise
        except CallFailed as error:
            await self._after_failure(open_id, token, error, forced=is_refused)
        return self._users.tokens[open_id]

    def _user_good(self, token: UserToken) -> bool:
        # If the previous task's early refresh failed, the tasks that waited for it use the present token as well.
        # Retries of each of them in turn, with attempts and back-off of its own, would delay hundreds of calls.
        due = self._refresh_due(token) or self._renewal_due(token)
        return token.access_expires_at > self._clock.now() and (not due or self._backing_off(token.open_id))

    async def _after_failure(self, open_id: str, token: UserToken, error: CallFailed, *, forced: bool) -> None:
        """Continue with a token that is still valid, else raise; only explicit codes lead to renewed consent."""
        valid = not forced and token.access_expires_at > self._clock.now()
        refused = error.code is not None and isinstance(error, ConsentNeeded | AccountStopped)
        if refused:
            stopped = isinstance(error, AccountStopped)
            status = AccountStatus.STOPPED if stopped else AccountStatus.NEEDS_CONSENT
            await self.set_status(open_id, status, f"{error.reason} (code {error.code})")
            if forced:
                await self._void_in_turn(open_id)
        if not valid:
            raise error
        self._retry_after[open_id] = float("inf") if refused else time.monotonic() + _TIMEOUT_S
        log.warning("%s The present token works until %s.", error, token.access_expires_at.isoformat())

    async def _refresh(self, token: UserToken) -> UserToken:
        data = await self._oauth.refresh(token.refresh_token, token.open_id)
        now = self._clock.now()
        refresh_token = str(data.get("refresh_token") or token.refresh_token)
        refresh_expires_at = token.refresh_expires_at
        if refresh_token != token.refresh_token:
            refresh_expires_at = now + seconds_of(data, "refresh_expires_in")
        # Documentation shows 30 days in every response although a refresh does not extend the refresh token's life:
        # for the same string the earlier of both instants is used.
        elif "refresh_expires_in" in data:
            refresh_expires_at = min(refresh_expires_at, now + seconds_of(data, "refresh_expires_in"))
        fresh = replace(
            token,
            access_token=text_of(data, "access_token"),
            access_expires_at=now + seconds_of(data, "expires_in"),
            refresh_token=refresh_token,
            refresh_expires_at=refresh_expires_at,
            scope=str(data.get("scope") or token.scope),
            updated_at=now,
        )
        await self._store(fresh)
        self._users.generations[token.open_id] += 1
        return fresh

    async def _renew(self, token: UserToken) -> UserToken:
        try:
            data = await self._oauth.renew(token.refresh_token, token.open_id)
        except ConsentNeeded as error:
            if error.code == _REFRESH_TOKEN_DEAD and error.calls > 1:
                # Not refused at the first attempt: so that attempt was most likely executed. The platform cannot
                # repeat its response.
                raise ConsentNeeded(
                    Action.RECONSENT,
                    error.code,
                    "the refresh token died while its renewal was tried again: probably an answer was "
                    "lost on the way, and the new refresh token with it",
                    advice=_AUTHORIZE,
                    logid=error.logid,
                    operation=error.operation,
                    open_id=token.open_id,
                    calls=error.calls,
                ) from error
            if error.code != _TOO_MANY_CALLS:
                raise
            fresh = replace(token, renewals=RENEWALS)  # used up elsewhere; the refresh token itself still works
        except CallFailed as error:
            # The refresh token has days left, and the access token may be due for its own refresh. The renewal stays
            # due: without a back-off every call of this run would try again.
            self._retry_after[token.open_id] = time.monotonic() + _TIMEOUT_S
            log.warning("%s It is tried again in %d s at the earliest.", error, _TIMEOUT_S)
            return token
        else:
            fresh = replace(
                token,
                refresh_token=text_of(data, "refresh_token"),
                refresh_expires_at=self._clock.now() + seconds_of(data, "expires_in"),
                renewals=token.renewals + 1,
            )
        await self._store(fresh)
        if fresh.renewals >= RENEWALS:
            until = fresh.refresh_expires_at.date().isoformat()
            reason = f"the last renewal is used: the owner must authorise again before {until}"
            await self.set_status(token.open_id, AccountStatus.ACTIVE, reason)
        return fresh

    def _backing_off(self, open_id: str) -> bool:
        """Return whether a refresh or renewal failed so recently, or so definitely, that it is not retried yet."""
        return time.monotonic() < self._retry_after.get(open_id, 0.0)

    def _refresh_due(self, token: UserToken) -> bool:
        # If the platform issues tokens of one day, not every call may request a new one.
        margin = min(ACCESS_MARGIN, (token.access_expires_at - token.updated_at) / 5)
        now = self._clock.now()
        if token.renewals >= RENEWALS and timedelta(0) < token.refresh_expires_at - now < _LAST_REFRESH:
            # An access token outlives its refresh token: the last refresh gives up to 15 more days.
            return now - token.updated_at > _LAST_REFRESH
        return token.access_expires_at - now < margin

    def _renewal_due(self, token: UserToken) -> bool:
        return token.renewals < RENEWALS and token.refresh_expires_at - self._clock.now() < REFRESH_MARGIN

    # ------------------------------------------------------------------ memory and state

    async def close(self) -> None:
        """Wait for running refreshes."""
        await self._turns.close()

    async def _load(self) -> None:
        accounts = await self._in_state(account_state.list_accounts)
        self._users.tokens = await self._in_state(token_state.load_user_tokens)
        self._accounts = {a.open_id: a for a in accounts}
        self._loaded = True

    async def _in_state(self, work: Callable[Concatenate[State, str, P], T], *args: P.args, **more: P.kwargs) -> T:
        return await self._background.run(work, self._state, self._client_key, *args, **more)

    async def _remember(self, open_id: str) -> None:
        if not self._loaded:
            await self._load()
        account = await self._in_state(account_state.get_account, open_id)
        if account is not None:
            self._accounts[open_id] = account

    async def _store(self, token: UserToken) -> None:
        """Commit a token to the state before it is used."""
        await self._in_state(token_state.save_user_token, token)
        self._users.tokens[token.open_id] = token

    def _turn_of(self, open_id: str) -> str:
        return f"{self._client_key}\n{open_id}"

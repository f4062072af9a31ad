"""Manage tokens: refresh them one at a time across tasks and processes, and store them before use.

Times are of the pipeline's clock. A lock file per account ensures that one process at a time refreshes its token. The
holder of the lock reads the state again, since another process may have refreshed meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

from catalog.errors import Action
from resources.client.background import Background
from resources.client.countdown import RENEWALS
from resources.client.errors import AccountStopped, AppStopped, CallFailed, ConsentNeeded, TransientFailure
from resources.client.keyed_lock import KeyedLock
from resources.client.oauth import OAuth, seconds_of, text_of
from resources.config.clock import Clock
from resources.config.redaction import register_secret
from resources.config.settings import Settings
from resources.state import State
from resources.state import accounts as account_state
from resources.state import people as people_state
from resources.state import tokens as token_state
from resources.state.accounts import Account, AccountStatus
from resources.state.tokens import BusinessToken, ClientToken, UserToken

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


@dataclass(frozen=True, slots=True)
class TokenLease:
    """A token in use; ``generation`` distinguishes it from its refreshed successor, which may be the same string."""

    token: str
    generation: int

    def __repr__(self) -> str:
        return f"Lease(generation={self.generation})"


def _business_of(open_id: str) -> str:
    """Return the name of an account's business token among locks and generations."""
    return f"business {open_id}"


def _refuse_idle(account: Account | None) -> None:
    if account is not None and account.status in _IDLE:
        reason = account.reason or f"the account is {account.status}"
        raise AccountStopped(Action.STOP_ACCOUNT, None, reason, open_id=account.open_id)


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
        self._users: dict[str, UserToken] = {}
        self._businesses: dict[str, BusinessToken] = {}
        self._accounts: dict[str, Account] = {}
        self._loaded = False
        self._loading = asyncio.Lock()
        self._client: ClientToken | None = None
        self._answered: str | None = None  # the last client token of the platform
        self._generations: defaultdict[str, int] = defaultdict(int)
        self._retry_after: dict[str, float] = {}
        self._looked_at = 0.0
        register_secret(settings.client_secret.get_secret_value() if settings.client_secret else None)

    # ------------------------------------------------------------------ the app's token

    async def client_lease(self) -> TokenLease:
        """Return the app's token; fetch a new one in its last five minutes."""
        if self._client is None or not self._client_good(self._client):
            await self._client_fetch(failed=None)
        return self._client_now()

    async def replace_client(self, lease: TokenLease) -> TokenLease:
        """Return another app token after the platform refused this one."""
        await self._client_fetch(failed=lease)
        return self._client_now()

    def _client_now(self) -> TokenLease:
        token = cast(ClientToken, self._client)  # fetched, and never removed
        return TokenLease(token.access_token, self._generations[""])

    def _client_good(self, token: ClientToken) -> bool:
        # The stable endpoint returns the same token until it expires: fetching it early again would be useless.
        margin = timedelta(0) if token.access_token == self._answered else CLIENT_MARGIN
        return self._clock.now() < token.expires_at - margin

    def _client_settled(self, failed: TokenLease | None) -> bool:
        if failed is not None:
            return failed.generation != self._generations[""]
        return self._client is not None and self._client_good(self._client)

    async def _client_fetch(self, failed: TokenLease | None) -> None:
        async with self._turns.turn(self._turn_of(""), lambda: self._client_settled(failed)) as settled:
            if settled:
                return
            stored = await self._background.run(token_state.load_client_token, self._state, self._client_key)
            if stored and self._client_good(stored) and (failed is None or stored.access_token != failed.token):
                self._client = stored
                return
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
            now = self._clock.now()
            token = ClientToken(text_of(data, "access_token"), now + seconds_of(data, "expires_in"))
            await self._background.run(token_state.save_client_token, self._state, self._client_key, token)
            self._client, self._answered = token, token.access_token
            self._generations[""] += 1

    # ------------------------------------------------------------------ tokens of accounts

    async def user_lease(self, open_id: str) -> TokenLease:
        """Return the account's access token, after early refresh and renewal where due.

        Raises:
            ConsentNeeded: there is no token, or it expired and cannot be refreshed; if known, no call is made.
            AccountStopped: the account is closed, banned, paused or stopped.
        """
        await self._look_at_accounts()
        token = self._users.get(open_id)
        account = self._accounts.get(open_id)
        _refuse_idle(account)
        if token is None or (self._work_due(token) and not self._backing_off(open_id)):
            token = await self._maintain(open_id, failed=None)
        if token.access_expires_at <= self._clock.now():
            token = await self._maintain(open_id, failed=None)
        return TokenLease(token.access_token, self._generations[open_id])

    async def _look_at_accounts(self) -> None:
        """Load the accounts, and regularly reload stopped ones: a webhook or a person may have stopped one."""
        if not self._loaded:
            # The first calls start at once: each of them would decrypt the tokens of all accounts.
            async with self._loading:
                if not self._loaded:
                    self._looked_at = time.monotonic()
                    await self._load()
        elif time.monotonic() - self._looked_at > _LOOK_AGAIN_S:
            self._looked_at = time.monotonic()
            idle = await self._background.run(account_state.list_accounts, self._state, self._client_key, _IDLE)
            self._accounts |= {a.open_id: a for a in idle}

    async def replace_user(self, open_id: str, lease: TokenLease) -> TokenLease:
        """Return an access token other than the refused one; refresh it unless that was done meanwhile.

        Raises:
            ConsentNeeded: the token cannot be refreshed.
            AccountStopped: the account is closed or banned.
        """
        token = await self._maintain(open_id, failed=lease)
        return TokenLease(token.access_token, self._generations[open_id])

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
            await self._background.run(
                account_state.add_account, self._state, self._client_key, open_id, name=name, now=now
            )
            await self._remember(open_id)
        self._generations[open_id] += 1
        self._retry_after.pop(open_id, None)
        return open_id

    async def set_status(self, open_id: str, status: AccountStatus, reason: str | None) -> None:
        """Record the account's status and the reason; add the account if only its token was known."""
        known = await self._background.run(account_state.get_account, self._state, self._client_key, open_id)
        if known is None:
            now = self._clock.now()
            await self._background.run(
                account_state.add_account, self._state, self._client_key, open_id, name=None, now=now
            )
        await self._background.run(account_state.set_status, self._state, self._client_key, open_id, status, reason)
        await self._remember(open_id)

    async def withdraw(self, open_id: str, reason: str) -> None:
        """Remove a deregistered account's tokens and list its data for deletion."""

        def in_state() -> None:
            with self._state.begin() as db:
                people_state.withdraw(db, self._client_key, open_id, reason, self._clock.now())

        async with self._turns.turn(self._turn_of(open_id)):
            await self._background.run(in_state)
            self._users.pop(open_id, None)
            self._businesses.pop(open_id, None)
            await self._remember(open_id)

    async def void(self, open_id: str) -> None:
        """Mark a permanently refused access token as expired, so that later runs do not use it."""
        # Under the lock: another process may renew meanwhile, and storing what was read before would restore the
        # invalid refresh token.
        async with self._turns.turn(self._turn_of(open_id)):
            await self._void_in_turn(open_id)

    async def _void_in_turn(self, open_id: str) -> None:
        token = await self._background.run(token_state.load_user_token, self._state, self._client_key, open_id)
        if token is not None and token.access_expires_at > self._clock.now():
            await self._store(replace(token, access_expires_at=self._clock.now()))

    # ------------------------------------------------------------------ business tokens

    async def business_lease(self, open_id: str) -> TokenLease:
        """Return the account's business token 经营授权, fetched when first needed and refreshed early.

        Raises:
            ConsentNeeded: the account gave no business consent.
            AccountStopped: the account is closed, banned, paused or stopped.
        """
        await self._look_at_accounts()
        _refuse_idle(self._accounts.get(open_id))
        token = self._businesses.get(open_id)
        if token is None or token.access_expires_at - self._clock.now() < ACCESS_MARGIN:
            token = await self._turns.run_to_completion(self._business(open_id, failed=None))
        return TokenLease(token.access_token, self._generations[_business_of(open_id)])

    async def replace_business(self, open_id: str, lease: TokenLease) -> TokenLease:
        """Return a business token other than the refused one.

        Raises:
            ConsentNeeded: the account gave no business consent.
        """
        token = await self._turns.run_to_completion(self._business(open_id, failed=lease))
        return TokenLease(token.access_token, self._generations[_business_of(open_id)])

    async def _business(self, open_id: str, failed: TokenLease | None) -> BusinessToken:
        name = _business_of(open_id)

        def settled() -> bool:
            token = self._businesses.get(open_id)
            if failed is not None:
                return failed.generation != self._generations[name]
            return token is not None and token.access_expires_at - self._clock.now() >= ACCESS_MARGIN

        async with self._turns.turn(self._turn_of(name), settled) as done:
            if done:
                return self._businesses[open_id]
            stored = await self._background.run(token_state.load_business_token, self._state, self._client_key, open_id)
            now = self._clock.now()
            if (
                stored is not None
                and stored.access_expires_at - now >= ACCESS_MARGIN
                and (failed is None or stored.access_token != failed.token)
            ):
                self._businesses[open_id] = stored
                return stored
            data = None
            if stored is not None and stored.refresh_expires_at > now:
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
            await self._background.run(token_state.save_business_token, self._state, self._client_key, token)
            self._businesses[open_id] = token
            self._generations[name] += 1
            return token

    # ------------------------------------------------------------------ the work under the lock

    async def _maintain(self, open_id: str, failed: TokenLease | None) -> UserToken:
        return await self._turns.run_to_completion(self._maintain_alone(open_id, failed))

    async def _maintain_alone(self, open_id: str, failed: TokenLease | None) -> UserToken:
        async with self._turns.turn(self._turn_of(open_id), lambda: self._user_settled(open_id, failed)) as settled:
            if settled:
                return self._users[open_id]
            token = await self._background.run(token_state.load_user_token, self._state, self._client_key, open_id)
            if token is None:
                raise ConsentNeeded(Action.RECONSENT, None, "no consent is stored", advice=_AUTHORIZE, open_id=open_id)
            self._users[open_id] = token
            await self._remember(open_id)
            if failed is not None and (
                failed.generation != self._generations[open_id] or failed.token != token.access_token
            ):
                return token
            account = self._accounts.get(open_id)
            if account and account.status is AccountStatus.NEEDS_CONSENT:
                if failed is None and token.access_expires_at > self._clock.now():
                    self._retry_after[open_id] = float("inf")
                    return token  # its last days; nothing can be refreshed any more
                raise ConsentNeeded(
                    Action.RECONSENT, None, account.reason or "consent needed", advice=_AUTHORIZE, open_id=open_id
                )
            try:
                if self._renewal_due(token):
                    token = await self._renew(token)
                if failed is not None or self._refresh_due(token):
                    token = await self._refresh(token)
            except AppStopped:
                raise
            except CallFailed as error:
                await self._after_failure(open_id, token, error, forced=failed is not None)
            return self._users[open_id]

    def _user_settled(self, open_id: str, failed: TokenLease | None) -> bool:
        token = self._users.get(open_id)
        if token is None:
            return False
        if failed is not None:
            return failed.generation != self._generations[open_id]
        # If the previous task's early refresh failed, the tasks that waited for it use the present token as well.
        # Retries of each of them in turn, with attempts and back-off of its own, would delay hundreds of calls.
        settled = not self._work_due(token) or self._backing_off(open_id)
        return settled and token.access_expires_at > self._clock.now()

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
        self._generations[token.open_id] += 1
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

    def _work_due(self, token: UserToken) -> bool:
        return self._refresh_due(token) or self._renewal_due(token)

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
        accounts = await self._background.run(account_state.list_accounts, self._state, self._client_key)
        self._users = await self._background.run(token_state.load_user_tokens, self._state, self._client_key)
        self._accounts = {a.open_id: a for a in accounts}
        self._loaded = True

    async def _remember(self, open_id: str) -> None:
        if not self._loaded:
            await self._load()
        account = await self._background.run(account_state.get_account, self._state, self._client_key, open_id)
        if account is not None:
            self._accounts[open_id] = account

    async def _store(self, token: UserToken) -> None:
        """Commit a token to the state before it is used."""
        await self._background.run(token_state.save_user_token, self._state, self._client_key, token)
        self._users[token.open_id] = token

    def _turn_of(self, open_id: str) -> str:
        return f"{self._client_key}\n{open_id}"

"""Issue and check OAuth tokens, which describe themselves and are signed.

A restarted sandbox thus still knows the tokens that it issued. A token is a prefix (``act.`` user access, ``rft.``
refresh, ``clt.`` client, ``bus_act.`` and ``bus_rft.`` business access and refresh, ``code`` for authorization codes)
and base64url of a JSON payload with a signature keyed by the seed. State that arises after a token was issued (longer
lifetimes, used codes, replaced and revoked tokens) is kept in the memory of the process.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import orjson

from sandbox import errors
from sandbox.clock import SandboxClock
from sandbox.errors import Refusal

ACCESS_S = 15 * 86_400
REFRESH_S = 30 * 86_400
CLIENT_S = 7_200
BUSINESS_S, BUSINESS_REFRESH_S = 30 * 86_400, 365 * 86_400
CLIENT_GRACE_S = 300
"""How long the client token before the newest remains valid."""
CODE_S = 600
RENEWALS = 5
CLIENT_CALLS, CLIENT_CALLS_WITHIN_S = 500, 300
EVERYTHING = "*"
"""As a grant: every scope."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The content of a token. ``issued`` is epoch seconds, ``consent`` names the authorization it stems from."""

    kind: str
    open_id: str
    scope: str
    issued: float
    consent: str
    serial: int
    renewals: int = 0

    def covers(self, scope: str | None) -> bool:
        """Report whether the account granted ``scope`` (None: no scope is needed)."""
        return scope is None or self.scope == EVERYTHING or scope in self.scope.split(",")


class Tokens:
    """The tokens of one app."""

    def __init__(
        self,
        seed: int,
        client_key: str,
        client_secret: str,
        clock: SandboxClock,
        all_scopes: Iterable[str],
        is_dead: Callable[[str], bool] = lambda open_id: False,
    ) -> None:
        self._secret = hashlib.blake2b(f"token {seed} {client_key}".encode(), digest_size=32).digest()
        self._client_key, self._client_secret = client_key, client_secret
        self._clock = clock
        self._all_scopes = ",".join(sorted(all_scopes))
        self._is_dead = is_dead  # whether no token of the account works
        self._serial = 0
        self._codes: dict[str, str] = {}  # open_id -> its newest code
        self._used: set[str] = set()
        self._access: dict[str, str] = {}  # consent -> current access token
        self._longer: dict[str, float] = {}  # access token -> expiry, where a refresh moved it
        self._killed: dict[str, int] = {}  # token -> the code of its refusals from now on
        self._replaced: set[str] = set()  # refresh tokens that a renewal replaced
        self._dead: set[str] = set()  # consents
        self._revoked_at: dict[str, int] = {}  # open_id -> serial of the last token before its owner withdrew
        self._client: deque[tuple[str, float]] = deque()  # (client token, its end), oldest first
        self._stable: tuple[str, float] | None = None
        self._client_calls: deque[float] = deque()
        self.read = lru_cache(maxsize=65_536)(self._read)

    # ---- writing and reading

    def _write(self, prefix: str, grant: Grant) -> str:
        payload = orjson.dumps(
            [grant.kind, grant.open_id, grant.scope, grant.issued, grant.consent, grant.serial, grant.renewals]
        )
        sign = hmac.digest(self._secret, payload, "sha256")[:12]
        return prefix + base64.urlsafe_b64encode(sign + payload).decode().rstrip("=")

    def _read(self, token: str) -> Grant | None:
        """Return the content of a token issued here, whatever its state; None for any other text."""
        kind, text = ("code", token[4:]) if token.startswith("code") else token.partition(".")[::2]
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None
        sign, payload = raw[:12], raw[12:]
        if not hmac.compare_digest(sign, hmac.digest(self._secret, payload, "sha256")[:12]):
            return None
        grant = Grant(*orjson.loads(payload))
        return grant if grant.kind == kind else None

    def _new(self, kind: str, open_id: str = "", scope: str = "", consent: str = "", renewals: int = 0) -> str:
        self._serial += 1
        prefix = "code" if kind == "code" else kind + "."
        return self._write(prefix, Grant(kind, open_id, scope, self._clock.now(), consent, self._serial, renewals))

    def _scope_text(self, grant: Grant) -> str:
        return self._all_scopes if grant.scope == EVERYTHING else grant.scope

    # ---- the app

    def check_app(self, client_key: str | None, client_secret: str | None = None, *, secret: bool = True) -> None:
        """Refuse a wrong client_key (10003) or client_secret (10013)."""
        if client_key != self._client_key:
            raise Refusal(errors.OAUTH_KEY, "client_key is wrong")
        if secret and client_secret != self._client_secret:
            raise Refusal(errors.OAUTH_SECRET, "client_secret is wrong")

    def client_token(self) -> dict:
        """Issue a client token; the one before lives five minutes more, any older one dies at once."""
        real, now = time.monotonic(), self._clock.now()
        while self._client_calls and self._client_calls[0] <= real - CLIENT_CALLS_WITHIN_S:
            self._client_calls.popleft()
        if len(self._client_calls) >= CLIENT_CALLS:
            raise Refusal(errors.LIMIT_REACHED, "client_token was requested too often")
        self._client_calls.append(real)
        token = self._new("clt", scope="volatile")
        if self._client:
            last, end = self._client[-1]
            self._client[-1] = (last, min(end, now + CLIENT_GRACE_S))
        self._client.append((token, now + CLIENT_S))
        while len(self._client) > 2:
            self._killed[self._client.popleft()[0]] = errors.TOKEN_INVALID
        return {"access_token": token, "expires_in": CLIENT_S}

    def stable_client_token(self) -> dict:
        """Return the same client token until it expires."""
        now = self._clock.now()
        if self._stable is None or now >= self._stable[1] or self._stable[0] in self._killed:
            self._stable = (self._new("clt", scope="stable"), now + CLIENT_S)
        return {"access_token": self._stable[0], "expires_in": max(1, int(self._stable[1] - now))}

    # ---- people

    def authorize(self, open_id: str, scope: str = EVERYTHING) -> str:
        """Issue a code for the account; an earlier one that was not redeemed becomes void."""
        code = self._new("code", open_id, scope)
        self._codes[open_id] = code
        return code

    def redeem(self, code: str | None) -> dict:
        """Issue tokens for a code: once, within ten minutes (else 10007)."""
        code = code or ""
        grant = self.read(code)
        if grant is None or grant.kind != "code":
            raise Refusal(errors.CODE_DEAD, "code is wrong")
        if code in self._used or self._codes.get(grant.open_id, code) != code:
            raise Refusal(errors.CODE_DEAD, "code was used or replaced")
        if self._clock.now() >= grant.issued + CODE_S:
            raise Refusal(errors.CODE_DEAD, "code expired")
        self._used.add(code)
        consent = hashlib.blake2b(code.encode(), digest_size=8).hexdigest()
        refresh = self._new("rft", grant.open_id, grant.scope, consent)
        access = self._access[consent] = self._new("act", grant.open_id, grant.scope, consent)
        return {
            "access_token": access,
            "expires_in": ACCESS_S,
            "open_id": grant.open_id,
            "scope": self._scope_text(grant),
            "refresh_token": refresh,
            "refresh_expires_in": REFRESH_S,
        }

    def _refresh_grant(self, token: str | None) -> Grant:
        grant = self.read(token or "")
        if grant is None or grant.kind != "rft":
            raise Refusal(errors.REFRESH_DEAD, "refresh_token is wrong")
        if (
            token in self._replaced
            or grant.consent in self._dead
            or self._is_dead(grant.open_id)
            or self._is_revoked(grant)
        ):
            raise Refusal(errors.REFRESH_DEAD, "refresh_token is no longer valid")
        if self._clock.now() >= grant.issued + REFRESH_S:
            raise Refusal(errors.REFRESH_DEAD, "refresh_token expired")
        return grant

    def refresh(self, token: str | None) -> dict:
        """Extend the access by 15 days: the same token while it lives, a new one after that.

        The refresh token stays as it is.
        """
        grant, now = self._refresh_grant(token), self._clock.now()
        access = self._access.get(grant.consent)
        if access is None or access in self._killed or now >= self._end(access):
            access = self._access[grant.consent] = self._new("act", grant.open_id, grant.scope, grant.consent)
        self._longer[access] = now + ACCESS_S
        return {
            "access_token": access,
            "expires_in": ACCESS_S,
            "open_id": grant.open_id,
            "scope": self._scope_text(grant),
            "refresh_token": token,
            "refresh_expires_in": max(1, int(grant.issued + REFRESH_S - now)),
        }

    def renew(self, token: str | None) -> dict:
        """Issue a new refresh token for 30 days; the old one dies at once.

        It is possible five times per consent (then 10020).
        """
        grant = self._refresh_grant(token)
        if grant.renewals >= RENEWALS:
            raise Refusal(errors.LIMIT_REACHED, "refresh_token was renewed five times")
        renewed = self._new("rft", grant.open_id, grant.scope, grant.consent, grant.renewals + 1)
        self._replaced.add(token or "")
        return {"refresh_token": renewed, "expires_in": REFRESH_S}

    # ---- business consent

    def business(self, open_id: str, scope: str = EVERYTHING) -> dict:
        """Issue a business token of an account for 30 days, and a refresh token for a year."""
        consent = hashlib.blake2b(f"{open_id} {self._serial}".encode(), digest_size=8).hexdigest()
        return self._business(self._new("bus_rft", open_id, scope, consent))

    def refresh_business(self, token: str | None) -> dict:
        """Issue another business token; the refresh token stays as it is (10010 once it is dead)."""
        grant = self.read(token or "")
        if (
            grant is None
            or grant.kind != "bus_rft"
            or grant.consent in self._dead
            or self._is_dead(grant.open_id)
            or self._is_revoked(grant)
        ):
            raise Refusal(errors.REFRESH_DEAD, "refresh_token is no longer valid")
        if self._clock.now() >= grant.issued + BUSINESS_REFRESH_S:
            raise Refusal(errors.REFRESH_DEAD, "refresh_token expired")
        return self._business(token or "")

    def _business(self, refresh: str) -> dict:
        grant = self._issued(refresh)
        return {
            "biz_token": self._new("bus_act", grant.open_id, grant.scope, grant.consent),
            "biz_expires_in": BUSINESS_S,
            "biz_refresh_token": refresh,
            "biz_refresh_expires_in": max(1, int(grant.issued + BUSINESS_REFRESH_S - self._clock.now())),
        }

    # ---- checking

    def _end(self, access: str, lifetime: int = ACCESS_S) -> float:
        return self._longer.get(access) or self._issued(access).issued + lifetime

    def _issued(self, token: str) -> Grant:
        """Return the grant of a token that this class issued or has checked.

        Raises:
            LookupError: the token is none of them.
        """
        grant = self.read(token)
        if grant is None:
            raise LookupError("the token was not issued here")
        return grant

    def check(self, token: str | None, kind: str) -> Grant:
        """Return the grant of a living token of ``kind`` (``act``, ``bus_act`` or ``clt``).

        Raises:
            Refusal: the token is missing, malformed, of another kind, killed or expired.
        """
        token = token or ""
        grant = self.read(token) if token else None
        if (
            grant is None
            or grant.kind != kind
            or grant.consent in self._dead
            or self._is_revoked(grant)
            or (grant.open_id and self._is_dead(grant.open_id))
        ):
            raise Refusal(errors.TOKEN_INVALID)
        if (code := self._killed.get(token)) is not None:
            raise Refusal(code)
        now = self._clock.now()
        if kind in ("act", "bus_act"):
            end = self._end(token, ACCESS_S if kind == "act" else BUSINESS_S)
        else:
            end = next((e for t, e in self._client if t == token), grant.issued + CLIENT_S)
        if now >= end:
            raise Refusal(errors.TOKEN_EXPIRED)
        return grant

    # ---- faults

    def expire(self, token: str | None) -> None:
        """Expire this access token; a refresh gives another one."""
        if token:
            self._killed[token] = errors.TOKEN_EXPIRED

    def _is_revoked(self, grant: Grant) -> bool:
        return self._revoked_at.get(grant.open_id, 0) >= grant.serial

    def revoke(self, open_id: str) -> None:
        """Withdraw the consent of the account's owner: all tokens issued so far become invalid."""
        self._revoked_at[open_id] = self._serial

    def kill(self, token: str | None) -> None:
        """Kill this access token and its refresh token: the account must consent again."""
        token = token or ""
        grant = self.read(token) if token else None
        if grant is None:
            return
        self._killed[token] = errors.TOKEN_INVALID
        if grant.consent:
            self._dead.add(grant.consent)

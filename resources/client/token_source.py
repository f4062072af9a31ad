"""Provide the tokens of one kind from memory, state or platform, one fetch at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from resources.client.keyed_lock import KeyedLock


class _Token(Protocol):
    @property
    def access_token(self) -> str: ...


T = TypeVar("T", bound=_Token)


@dataclass(frozen=True, slots=True)
class TokenLease:
    """A token in use; ``generation`` distinguishes it from its refreshed successor, which may be the same string."""

    token: str
    generation: int

    def __repr__(self) -> str:
        return f"Lease(generation={self.generation})"


@dataclass
class TokenSource(Generic[T]):
    """Tokens of one kind by account; the app's own token has the key ``""``.

    One task of one process at a time loads or fetches a token, and the others use its result.
    """

    lock: KeyedLock
    lock_prefix: str
    """Beginning of the locks' keys; the account's open_id follows."""
    load: Callable[[str], Awaitable[T | None]]
    """Read the account's token from the state: another process may have stored a newer one."""
    fetch: Callable[[str, T | None, bool], Awaitable[T]]
    """Return a good token, given the stored one and whether that was refused; commit a new one to the state first."""
    is_good: Callable[[T], bool]
    """Whether a token can be used without further work."""
    tokens: dict[str, T] = field(default_factory=dict)
    generations: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def lease(self, open_id: str, refused: TokenLease | None = None) -> TokenLease:
        """Return a good token, other than the refused one if that is given."""
        token = self.tokens.get(open_id)
        if refused is not None or token is None or not self.is_good(token):
            token = await self.lock.run_to_completion(self._obtain(open_id, refused))
        return TokenLease(token.access_token, self.generations[open_id])

    async def _obtain(self, open_id: str, refused: TokenLease | None) -> T:
        async with self.lock.turn(self.lock_prefix + open_id, lambda: self._is_settled(open_id, refused)) as settled:
            if settled:
                return self.tokens[open_id]
            stored = await self.load(open_id)
            is_refused = refused is not None and (stored is None or stored.access_token == refused.token)
            if stored is not None:
                self.tokens[open_id] = stored
                if self.is_good(stored) and not is_refused:
                    return stored
            return await self.fetch(open_id, stored, is_refused)

    def _is_settled(self, open_id: str, refused: TokenLease | None) -> bool:
        token = self.tokens.get(open_id)
        if token is None:
            return False
        return self.is_good(token) if refused is None else refused.generation != self.generations[open_id]

    def put(self, open_id: str, token: T) -> T:
        """Use a new token from now on."""
        self.tokens[open_id] = token
        self.generations[open_id] += 1
        return token

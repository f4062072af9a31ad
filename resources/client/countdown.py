"""Calculate how long each account's consent lasts, to warn before collection stops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from resources.state import State
from resources.state.accounts import Account, AccountStatus, list_accounts
from resources.state.tokens import token_lives

RENEWALS = 5
"""Number of renewals of a refresh token before the owner must consent again."""
WARN_AT_DAYS = (1, 3, 7)
_RENEWED_FOR = timedelta(days=30)
_RENEWED_BEFORE_END = timedelta(days=5)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Countdown:
    """Remaining lifetimes of an account's tokens and consent: negative if over, None if never stored.

    ``consent_left`` runs until the end that no refresh and no renewal can postpone: each renewal is good for 30 days
    from its day (GUIDE section 2).
    """

    account: Account
    access_left: timedelta | None
    refresh_left: timedelta | None
    renewals_left: int
    consent_left: timedelta | None

    @property
    def warning(self) -> int | None:
        """Days within which a person must act: 7, 3 or 1; 0 if the consent is over, None if nothing is to do.

        A refresh token is renewed five days and an access token refreshed three days before its end. Less time left
        means that nothing has run for days, or that the platform refuses.
        """
        status = self.account.status
        if status in (AccountStatus.STOPPED, AccountStatus.PAUSED):
            return None
        if self.access_left is None or (
            self.access_left <= timedelta(0) and (self.refresh_left is None or self.refresh_left <= timedelta(0))
        ):
            return 0
        if status is AccountStatus.NEEDS_CONSENT:  # nothing can be refreshed any more
            return _level(self.access_left, WARN_AT_DAYS) if self.access_left > timedelta(0) else 0
        found = [
            _level(self.consent_left, WARN_AT_DAYS),
            _level(self.refresh_left, (1, 3)),
            _level(self.access_left, (1,)),
        ]
        return min((level for level in found if level is not None), default=None)


def _level(left: timedelta | None, days: Iterable[int]) -> int | None:
    return None if left is None else next((d for d in days if left <= d * _DAY), None)


def countdown(state: State, client_key: str, now: datetime) -> list[Countdown]:
    """Return one line for each account of the app, the most urgent first; needs only the state, not the token key."""
    lives = token_lives(state, client_key)
    lines = []
    for account in list_accounts(state, client_key):
        life = lives.get(account.open_id)
        if life is None:
            lines.append(Countdown(account, None, None, 0, None))
            continue
        refresh_left = life.refresh_expires_at - now
        renewals_left = max(0, RENEWALS - life.renewals)
        consent_left = refresh_left + renewals_left * (_RENEWED_FOR - _RENEWED_BEFORE_END)
        lines.append(Countdown(account, life.access_expires_at - now, refresh_left, renewals_left, consent_left))
    return sorted(lines, key=lambda c: (c.consent_left or timedelta.min, c.account.open_id))


def warnings_due(state: State, client_keys: Iterable[str], now: datetime) -> list[Countdown]:
    """Return the accounts of all apps for which a person must act within a week, the most urgent first."""
    due = [c for key in client_keys for c in countdown(state, key, now) if c.warning is not None]
    return sorted(
        due, key=lambda c: (c.warning, c.consent_left or timedelta.min, c.account.client_key, c.account.open_id)
    )

"""How long each consent still lasts: what a person must see before collecting stops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from resources.douyin.tokens import RENEWALS
from resources.state import State
from resources.state.accounts import AccountStatus, list_accounts
from resources.state.tokens import load_user_tokens


@dataclass(frozen=True, slots=True)
class Countdown:
    """What is left of an account's consent; negative or None where it is over or was never stored.

    ``consent_left`` counts to the end that no refresh and no renewal can move: each renewal is
    good for 30 days from its day (GUIDE section 2).
    """

    open_id: str
    name: str | None
    status: AccountStatus
    reason: str | None
    access_left: timedelta | None
    refresh_left: timedelta | None
    renewals_left: int
    consent_left: timedelta | None


_RENEWED_FOR = timedelta(days=30)
_RENEWED_BEFORE_END = timedelta(days=5)


def countdown(state: State, client_key: str, now: datetime) -> list[Countdown]:
    """One line for each account of the app, the most urgent first. Reads the state only."""
    tokens = load_user_tokens(state, client_key)
    lines = []
    for account in list_accounts(state, client_key):
        token = tokens.get(account.open_id)
        if token is None:
            lines.append(Countdown(account.open_id, account.name, account.status, account.reason, None, None, 0, None))
            continue
        refresh_left = token.refresh_expires_at - now
        renewals_left = max(0, RENEWALS - token.renewals)
        consent_left = refresh_left + renewals_left * (_RENEWED_FOR - _RENEWED_BEFORE_END)
        lines.append(
            Countdown(
                account.open_id, account.name, account.status, account.reason,
                token.access_expires_at - now, refresh_left, renewals_left, consent_left,
            )
        )  # fmt: skip
    return sorted(lines, key=lambda c: (c.consent_left or timedelta.min, c.open_id))

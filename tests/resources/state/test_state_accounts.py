"""Accounts and their status."""

from __future__ import annotations

from datetime import timedelta

import pytest

from resources.state.accounts import AccountStatus, add_account, get_account, list_accounts, set_status


def test_accounts_belong_to_an_app(state, now):
    add_account(state, "app", "b", name="乙", now=now)
    add_account(state, "app", "a", name=None, now=now)
    add_account(state, "other", "a", name="别的", now=now)
    assert [(a.open_id, a.name, a.status, a.added_at) for a in list_accounts(state, "app")] == [
        ("a", None, AccountStatus.ACTIVE, now),
        ("b", "乙", AccountStatus.ACTIVE, now),
    ]
    assert get_account(state, "app", "c") is None


def test_status_and_reason(state, now):
    add_account(state, "app", "a", name="甲", now=now)
    add_account(state, "app", "b", name="乙", now=now)
    set_status(state, "app", "a", AccountStatus.NEEDS_CONSENT, "refresh token expired (code 10010)")
    assert get_account(state, "app", "a").reason == "refresh token expired (code 10010)"
    assert [a.open_id for a in list_accounts(state, "app", [AccountStatus.ACTIVE])] == ["b"]
    with pytest.raises(LookupError):
        set_status(state, "app", "unknown", AccountStatus.STOPPED)
    with pytest.raises(ValueError, match="asleep"):
        set_status(state, "app", "a", "asleep")


def test_consenting_again_makes_active_and_keeps_the_name(state, now):
    add_account(state, "app", "a", name="甲", now=now)
    set_status(state, "app", "a", AccountStatus.NEEDS_CONSENT, "expired")
    add_account(state, "app", "a", name=None, now=now + timedelta(days=9))
    account = get_account(state, "app", "a")
    assert (account.name, account.status, account.reason, account.added_at) == ("甲", AccountStatus.ACTIVE, None, now)

"""Tokens at rest are encrypted with a key of the environment and readable with it alone."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from resources.state import State
from resources.state.accounts import add_account, get_account, list_accounts, remove_account, set_tags
from resources.state.sealing import TokenKeyError, Vault, is_sealed, new_key
from resources.state.tables import user_tokens
from resources.state.tokens import (
    BusinessToken,
    ClientToken,
    UserToken,
    load_business_token,
    load_client_token,
    load_user_token,
    load_user_tokens,
    save_business_token,
    save_client_token,
    save_user_token,
    seal_anew,
    token_lives,
)

NOW = datetime(2026, 11, 16, 3, 0, tzinfo=UTC)
SECRETS = ("act.secret-access", "rft.secret-refresh", "clt.secret-client", "bus_act.secret", "bus_rft.secret")


def opened(path: Path, key: str | None) -> State:
    return State(f"sqlite:///{path / 'state.db'}", key)


def filled(path: Path, key: str) -> State:
    state = opened(path, key)
    save_user_token(
        state,
        "app",
        UserToken("a", SECRETS[0], NOW + timedelta(days=15), SECRETS[1], NOW + timedelta(days=30), 2, "x", NOW),
    )
    save_client_token(state, "app", ClientToken(SECRETS[2], NOW + timedelta(hours=2)))
    save_business_token(
        state,
        "app",
        BusinessToken("a", SECRETS[3], NOW + timedelta(days=30), SECRETS[4], NOW + timedelta(days=365), NOW),
    )
    return state


def test_no_token_stands_in_the_file(tmp_path):
    state = filled(tmp_path, new_key())
    state.close()
    written = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert not [s for s in SECRETS if s.encode() in written]


def test_with_the_key_they_come_back(tmp_path):
    key = new_key()
    filled(tmp_path, key).close()
    state = opened(tmp_path, key)
    assert load_user_token(state, "app", "a").access_token == SECRETS[0]
    assert load_user_tokens(state, "app")["a"].refresh_token == SECRETS[1]
    assert load_client_token(state, "app").access_token == SECRETS[2]
    assert load_business_token(state, "app", "a").refresh_token == SECRETS[4]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (None, "douyin accounts new-key"),
        ("c2VhbGVkOiBvbmx5IGZvciB0aGlzIHRlc3QhISEhISE=", "every account must authorise again"),
    ],
)
def test_without_it_the_error_says_what_to_do(tmp_path, key, words):
    filled(tmp_path, new_key()).close()
    state = opened(tmp_path, key)
    with pytest.raises(TokenKeyError, match=words):
        load_user_token(state, "app", "a")
    # How long they last can be read without a key.
    assert token_lives(state, "app")["a"].renewals == 2


def test_storing_needs_a_key(tmp_path):
    state = opened(tmp_path, None)
    with pytest.raises(TokenKeyError, match="new-key"):
        save_client_token(state, "app", ClientToken("clt.x", NOW))


def test_what_is_no_key_is_reported():
    with pytest.raises(TokenKeyError, match="32 bytes"):
        Vault("not-a-key")


def test_keys_can_be_changed(tmp_path):
    old, new = new_key(), new_key()
    filled(tmp_path, old).close()
    both = opened(tmp_path, f"{new}, {old}")
    assert seal_anew(both) == 3
    both.close()
    assert load_user_token(opened(tmp_path, new), "app", "a").access_token == SECRETS[0]
    with pytest.raises(TokenKeyError):
        load_user_token(opened(tmp_path, old), "app", "a")


def test_tokens_of_an_earlier_version_are_sealed_when_first_read(tmp_path):
    state = filled(tmp_path, new_key())
    with state.begin() as db:
        db.execute(update(user_tokens).values(access_token="act.plain", refresh_token="rft.plain"))
    assert load_user_token(state, "app", "a").access_token == "act.plain"
    with state.read() as db:
        row = db.execute(select(user_tokens)).one()
    assert is_sealed(row.access_token)
    assert is_sealed(row.refresh_token)
    assert load_user_token(state, "app", "a").refresh_token == "rft.plain"


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_comes_back(text):
    vault = Vault("c2VhbGVkOiBvbmx5IGZvciB0aGlzIHRlc3QhISEhISE=")
    sealed = vault.seal(text)
    assert is_sealed(sealed)
    assert vault.open(sealed) == text
    assert text not in sealed or len(text) < 4


def test_tables_of_an_earlier_version_get_the_new_columns(tmp_path):
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE accounts (client_key VARCHAR, open_id VARCHAR, name VARCHAR, status VARCHAR, "
            "reason VARCHAR, added_at FLOAT, PRIMARY KEY (client_key, open_id))"
        )
        db.execute("INSERT INTO accounts VALUES ('app', 'a', '甲', 'active', NULL, 0)")
    state = opened(tmp_path, None)
    assert get_account(state, "app", "a").tags == frozenset()
    set_tags(state, "app", "a", ["vip", "美食"])
    assert list_accounts(opened(tmp_path, None), "app")[0].tags == {"vip", "美食"}


def test_a_tag_is_one_word(tmp_path):
    state = opened(tmp_path, None)
    add_account(state, "app", "a", name=None, now=NOW)
    with pytest.raises(ValueError, match="one word"):
        set_tags(state, "app", "a", ["two words"])


def test_removing_an_account_forgets_its_tokens(tmp_path):
    state = filled(tmp_path, new_key())
    add_account(state, "app", "a", name=None, now=NOW)
    assert remove_account(state, "app", "a")
    assert load_user_token(state, "app", "a") is None
    assert load_business_token(state, "app", "a") is None
    assert load_client_token(state, "app") is not None
    assert not remove_account(state, "app", "a")

"""Reads beside writers, crashes, and who may read the file."""

from __future__ import annotations

import os
import stat
import threading
import time
from datetime import date

import pytest
from patience import scaled
from sqlalchemy import insert, inspect, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateTable

from resources.state import State
from resources.state.load_status import LoadStatus, Outcome, save_load_status
from resources.state.tables import client_tokens, metadata

ROW = {"client_key": "app", "access_token": "clt.x", "expires_at": 1.0}


def tokens(state: State) -> int:
    with state.read() as db:
        return len(db.execute(select(client_tokens)).all())


def test_a_reader_does_not_wait_for_a_writer(state):
    with state.begin() as db:
        db.execute(insert(client_tokens).values(ROW))
        seen = []
        reader = threading.Thread(target=lambda: seen.append(tokens(state)))
        reader.start()
        reader.join(timeout=scaled(5))
        assert seen == [0]
    assert tokens(state) == 1


def test_a_writer_does_not_wait_for_a_reader(state):
    with state.read() as reader:
        assert reader.execute(select(client_tokens)).all() == []
        with state.begin() as db:
            db.execute(insert(client_tokens).values(ROW))
        assert reader.execute(select(client_tokens)).all() == []
    assert tokens(state) == 1


def test_reading_never_writes(state):
    with pytest.raises(OperationalError), state.read() as db:
        db.execute(insert(client_tokens).values(ROW))
    with state.begin() as db:  # the pooled connection is of use again
        db.execute(insert(client_tokens).values(ROW))


def test_an_exception_rolls_back(state):
    def fail_half_way() -> None:
        with state.begin() as db:
            db.execute(insert(client_tokens).values(ROW))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert tokens(state) == 0


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_only_tokens_pay_for_a_power_cut(state, durable, level):
    with state.begin(durable=durable) as db:
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == level


def test_only_the_owner_may_read_the_file(state):
    assert stat.S_IMODE(os.stat(state.engine.url.database).st_mode) == 0o600


SCHEMA = {
    "accounts": ("client_key open_id", "name reason tags", []),
    "alert_channels": ("channel", "wait_until error", []),
    "alert_deliveries": ("alert_id channel", "sent_at ended_at message next_try_at error", []),
    "alerts": ("id", "resolved_at due_at muted_until", ["key"]),
    "buckets": ("client_key scope", "", []),
    "business_tokens": ("client_key open_id", "", []),
    "capabilities": ("client_key operation", "code reason", []),
    "chats": (
        "client_key open_id person_open_id",
        "said_at said_id said_in entered_at entered_id entered_in consents consents_at by_hand_at handed_over_until",
        [],
    ),
    "client_tokens": ("client_key", "", []),
    "deletions": ("client_key open_id", "done_at", []),
    "inbox": ("id", "body", ["client_key body_hash", "client_key event_id"]),
    "load_status": ("table_name dt operation client_key open_id", "code reason", []),
    "load_status_days": ("dt", "", []),
    "opt_outs": ("client_key open_id person_open_id", "", []),
    "outbox": (
        "id",
        "plan_id scene window_id why code claim claimed_at claimed_by ended_at delivered_at message_ids resolved_by",
        ["claim"],
    ),
    "plans": ("id", "approved_hash approver approved_at effect_hours", []),
    "quotas": ("client_key scope day", "", []),
    "receiving": ("client_key", "", []),
    "sent_messages": ("client_key message_id", "conversation_id outbox_id", []),
    "state_version": ("version_num", "", []),
    "user_tokens": ("client_key open_id", "", []),
    "watched": ("client_key kind value open_id", "", []),
}
"""Per table: its key, its nullable columns, and its further unique constraints."""


def test_the_file_holds_the_keys_and_constraints_that_the_tables_are_known_for(state):
    """Databases of earlier releases have these constraints: a change needs a migration."""
    found = inspect(state.engine)
    have = {}
    for table in found.get_table_names():
        keys = found.get_pk_constraint(table)["constrained_columns"]
        empty = [c["name"] for c in found.get_columns(table) if c["nullable"]]
        once = sorted(" ".join(u["column_names"]) for u in found.get_unique_constraints(table))
        have[table] = (" ".join(keys), " ".join(empty), once)
    assert have == SCHEMA


def test_numbers_are_given_by_postgresql_too():
    numbered = [t for t in metadata.sorted_tables if [c.name for c in t.primary_key] == ["id"]]
    assert [t.name for t in numbered] == ["alerts", "inbox", "outbox", "plans"]
    assert all("id SERIAL NOT NULL" in str(CreateTable(t).compile(dialect=postgresql.dialect())) for t in numbered)


def test_who_opens_the_database_waits_for_no_writer(state):
    save_load_status(
        state,
        [LoadStatus("user_fans", date(2026, 11, 16), "user_fans", "app", "a", Outcome.LOADED, calls=1, rows=1)],
        1.0,
    )
    with state.begin() as db:
        db.execute(insert(client_tokens).values(ROW))
        began = time.monotonic()
        State(state.url, None).close()
        assert time.monotonic() - began < 25, "a writer is waited for 30 s"

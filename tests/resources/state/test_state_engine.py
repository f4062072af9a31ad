"""Reads beside writers, crashes, and who may read the file."""

from __future__ import annotations

import os
import stat
import threading

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from resources.state import State
from resources.state.engine import client_tokens

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
        reader.join(timeout=5)
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

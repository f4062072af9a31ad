"""Equal events have the same body, or the same Msg-Id with a body that means the same."""

from __future__ import annotations

from datetime import UTC, date, datetime

import orjson

from resources.state import State
from resources.state.inbox import Event, forget_bodies, ids_received_on, make_event, read_events, store

NOW = datetime(2026, 11, 16, 3, tzinfo=UTC)
TODAY = date(2026, 11, 16)


def event(text: str, message_id: str | None = "m-1", log_id: str = "1") -> Event:
    envelope = {"event": "im_receive_msg", "from_user_id": "p", "content": {"text": text}, "log_id": log_id}
    return make_event("app", orjson.dumps(envelope), envelope, message_id, NOW)


def test_another_body_with_the_msg_id_of_an_event_is_stored(tmp_path):
    state = State(f"sqlite:///{tmp_path}/state.db")
    assert store(state, [event("one")]) == [True]
    assert store(state, [event("one"), event("one", log_id="2"), event("two"), event("two"), event("three")]) == [
        False,
        False,
        True,
        False,
        True,
    ]
    assert store(state, [event("two", log_id="3"), event("three", None), event("three", "m-2", log_id="4")]) == [
        False,
        False,
        True,
    ]
    ids = ids_received_on(state, "app", TODAY, "im_receive_msg")
    assert [e.content["text"] for e in read_events(state, list(ids))] == ["one", "two", "three", "three"]
    assert len(set(ids.values())) == 4
    assert next(iter(ids.values())) == "m-1"


def test_a_msg_id_decides_where_the_body_was_pruned(tmp_path):
    state = State(f"sqlite:///{tmp_path}/state.db")
    store(state, [event("one")])
    assert forget_bodies(state, date(2026, 11, 17)) == 1
    assert store(state, [event("one"), event("one", log_id="2")]) == [False, False]

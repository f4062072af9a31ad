"""The receiver over real HTTP: which events are stored or refused, and their immediate effects."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx
import pytest
from contract_reading import SAMPLES
from installation import START, World
from pydantic import SecretStr
from receiving import following, wait_until

from apps.receiver.app import Receiver, signature_of
from apps.receiver.serving import serving
from catalog import EVENTS
from catalog.events import event_name
from resources.config.log_repeats import Repeats
from resources.config.settings_parts import App
from resources.state.accounts import AccountStatus, get_account
from resources.state.chats import get_chat
from resources.state.inbox import count_received, forget_bodies, ids_received_on
from resources.state.people import list_deletions, mark_deleted
from resources.state.tokens import load_user_token

NEW, OLD = "the-new-secret-of-the-app", "the-old-secret-of-the-app"


class Sender:
    """Posts events as the platform does, or with errors."""

    def __init__(self, world, url: str, receiver: Receiver, operations: str = "") -> None:
        self.world, self.url, self.receiver, self.operations, self.key = (
            world,
            url,
            receiver,
            operations,
            world.config.client_key,
        )
        self.http = httpx.Client(trust_env=False, timeout=20)

    def post(
        self,
        body: Any,
        *,
        secret: str = NEW,
        key: str | None = None,
        message_id: str | None = None,
        signature: str | None = None,
    ) -> httpx.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        headers = {"X-Douyin-Signature": signature_of(secret, raw) if signature is None else signature}
        if message_id:
            headers["Msg-Id"] = message_id
        return self.http.post(f"{self.url}/webhook/{key or self.key}", content=raw, headers=headers)

    def event(
        self, event: str, content: Any, sender: str = "person-1", receiver: str = "account-1", **more: Any
    ) -> dict:
        return {
            "event": event,
            "client_key": self.key,
            "from_user_id": sender,
            "to_user_id": receiver,
            "content": content,
            "log_id": "l",
            **more,
        }

    def count(self, result: str, app: str | None = None) -> float:
        return (
            self.receiver.metrics.registry.get_sample_value(
                "douyin_webhook_requests_total", {"app": app or self.key, "result": result}
            )
            or 0
        )

    def stored(self) -> int:
        return sum(count_received(self.world.runtime.state).values())


@contextmanager
def sending(world: World) -> Iterator[Sender]:
    app = App(client_key=world.config.client_key, client_secret=SecretStr(NEW), client_secret_old=SecretStr(OLD))
    receiver = Receiver([app], world.runtime.state, following(world), body_bytes=4096, patience_s=1.0)
    with serving(receiver.app) as url, serving(receiver.operations) as operations:
        yield Sender(world, url, receiver, operations)


@pytest.fixture
def sender(make_world):
    with sending(make_world(authorize=False)) as one:
        yield one


@pytest.fixture(scope="module", params=[False, True], ids=["as_object", "as_text"])
def sender_of_all(request, platforms, tmp_path_factory):
    """One receiver that gets all events of the contract in one form: starting and stopping one takes 0.3 s."""
    world = World(*platforms(), home=tmp_path_factory.mktemp("all") / "home", options={})
    world.clear()
    with sending(world.open().at(START)) as one:
        yield one, request.param
    world.runtime.close()


def chat(message: str = "m1", at: int = 1_794_830_000_000, **more: Any) -> dict:
    return {
        "conversation_short_id": "c1",
        "server_message_id": message,
        "conversation_type": 1,
        "create_time": at,
        "message_type": "text",
        "text": "在吗",
        **more,
    }


def test_the_signature_is_that_of_the_guide():
    assert signature_of("secret", b'{"a": 1}') == hashlib.sha1(b'secret{"a": 1}').hexdigest()


@pytest.mark.parametrize("name", [event_name(e) for e in EVENTS.values()])
def test_every_event_of_the_contract_is_stored(sender_of_all, name: str):
    sender, as_text = sender_of_all
    before = count_received(sender.world.runtime.state)
    body = json.loads((SAMPLES / f"webhook.{name}.json").read_bytes())
    body["client_key"] = sender.key
    if as_text and isinstance(body.get("content"), dict):
        body["content"] = json.dumps(body["content"])
    answer = sender.post(body)
    assert answer.status_code == 200
    assert count_received(sender.world.runtime.state) == before | {(sender.key, name): 1}
    if name == "verify_webhook":
        challenge = json.loads(body["content"])["challenge"] if as_text else body["content"]["challenge"]
        assert answer.json() == {"challenge": challenge}


def test_an_event_is_stored_once_whatever_comes_again(sender):
    body = sender.event("im_receive_msg", chat())
    assert [sender.post(body, message_id=m).status_code for m in ("a", "a", "b", None)] == [200] * 4
    assert sender.post(sender.event("im_receive_msg", chat("m2")), message_id="a").status_code == 200
    assert sender.stored() == 2, "another body is another event, whatever its Msg-Id"
    assert (sender.count("stored"), sender.count("duplicate")) == (2, 3)


def test_the_same_event_many_times_at_once_is_stored_once(sender):
    body = sender.event("im_receive_msg", chat())
    threads = [threading.Thread(target=sender.post, args=(body,), kwargs={"message_id": "a"}) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.stored() == 1


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_two_secrets_hold_while_they_change(sender, secret: str):
    assert sender.post(sender.event("im_receive_msg", chat()), secret=secret).status_code == 200


@pytest.mark.parametrize("signature", ["", "0" * 40, "no hex", "é" * 40, signature_of(NEW, b"something else")])
def test_a_wrong_signature_is_refused_and_counted(sender, signature: str):
    body = json.dumps(sender.event("im_receive_msg", chat())).encode()
    headers = [(b"X-Douyin-Signature", signature.encode())]
    answer = sender.http.post(f"{sender.url}/webhook/{sender.key}", content=body, headers=headers)
    assert answer.status_code == 401
    assert sender.count("bad signature") == 1
    assert sender.stored() == 0
    assert NEW not in answer.text


def test_upper_case_signatures_are_taken(sender):
    raw = json.dumps(sender.event("im_receive_msg", chat())).encode()
    assert sender.post(raw, signature=signature_of(NEW, raw).upper()).status_code == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"{}",
        b'{"event": 1}',
        b'{"event": ""}',
        b'{"event": "verify_webhook", "content": {}}',
        b'{"event":"verify_webhook","content":{"challenge":"x"}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_event_is_refused(sender, raw: bytes):
    assert sender.post(raw).status_code == 400
    assert sender.count("malformed") == 1
    assert sender.stored() == 0


def test_an_event_of_another_app_is_refused(sender):
    assert sender.post(sender.event("im_receive_msg", chat()) | {"client_key": "another"}).status_code == 400
    assert sender.post(sender.event("im_receive_msg", chat()), key="another").status_code == 404
    assert sender.count("unknown app", "unknown") == 1


@pytest.mark.parametrize("size", [4097, 1 << 20])
def test_a_body_that_is_too_large_is_refused(sender, size: int):
    assert sender.post(b"x" * size).status_code == 413

    def chunks():
        for _ in range(size // 512 + 1):
            yield b"x" * 512

    answer = sender.http.post(
        f"{sender.url}/webhook/{sender.key}", content=chunks(), headers={"X-Douyin-Signature": "0" * 40}
    )
    assert answer.status_code == 413
    assert sender.count("too large") == 2


def test_while_nothing_can_be_stored_the_platform_gets_a_retryable_error(sender):
    """A write lock is kept longer than the platform waits; afterwards the same event is accepted."""
    path = sender.world.runtime.settings.home / "state.db"
    body = sender.event("im_receive_msg", chat())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert sender.post(body, message_id="a").status_code == 503
        assert sender.http.get(f"{sender.operations}/healthz").status_code == 503
        assert sender.count("unavailable") == 1
    finally:
        other.execute("ROLLBACK")
        other.close()
    wait_until(lambda: sender.post(body, message_id="a").status_code == 200)
    assert sender.stored() == 1
    assert sender.http.get(f"{sender.operations}/healthz").json()["status"] == "ok"


def test_metrics_name_apps_results_and_events(sender):
    sender.post(sender.event("im_receive_msg", chat()))
    sender.post(sender.event("something_new", {"a": 1}))
    text = sender.http.get(f"{sender.operations}/metrics").text
    assert f'douyin_webhook_requests_total{{app="{sender.key}",result="stored"}} 2.0' in text
    assert 'event="im_receive_msg"' in text
    assert 'event="unknown"' in text, (
        "names that the platform does not know would let a sender make counters without end"
    )
    assert "在吗" not in text


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_operators_have_a_port_of_their_own(sender, path: str):
    assert sender.http.get(sender.url + path).status_code == 404
    assert sender.http.get(sender.operations + path).status_code == 200
    assert sender.http.post(f"{sender.operations}/webhook/{sender.key}", content=b"{}").status_code == 404


def test_the_same_trouble_is_logged_once_a_minute(sender, caplog):
    """The log has the database's error and the number of suppressed lines, for each error separately."""
    now = [0.0]
    sender.receiver._repeats = Repeats(clock=lambda: now[0])
    body = sender.event("im_receive_msg", chat())
    with sender.world.runtime.state.begin() as db:
        db.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END"
        )
    for _ in range(5):
        assert sender.post(body).status_code == 503
        assert sender.post(body, signature="0" * 40).status_code == 401
    refused = [r.getMessage() for r in caplog.records if "refused" in r.getMessage()]
    assert sorted(refused) == sorted(
        [
            f"webhook of {sender.key} refused: not stored (IntegrityError): database or disk is full",
            f"webhook of {sender.key} refused: the signature is wrong",
        ]
    )
    now[0] = 61.0
    sender.post(body)
    assert caplog.records[-1].getMessage() == f"{refused[0]} (4 more times since the last line)"
    assert "在吗" not in caplog.text


def test_an_event_that_cannot_be_stored_fails_alone(sender):
    """Events that arrive together share a transaction; one that the database refuses is isolated.

    The others are stored.
    """
    state, sender.receiver._committer._patience_s = sender.world.runtime.state, 20.0
    with state.begin() as db:
        db.exec_driver_sql(
            "CREATE TRIGGER bad BEFORE INSERT ON inbox WHEN new.event_id = 'bad' BEGIN SELECT "
            "RAISE(ABORT, 'not this one'); END"
        )
    good = [f"m{n}" for n in range(30)]
    other = sqlite3.connect(sender.world.runtime.settings.home / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # later events wait, and are one batch afterwards
    with ThreadPoolExecutor(40) as pool:
        answers = {m: pool.submit(_post_alone, sender, m) for m in [*good[:15], "bad", *good[15:]]}
        time.sleep(0.4)
        other.execute("ROLLBACK")
        other.close()
        assert {m: one.result() for m, one in answers.items()} == {**dict.fromkeys(good, 200), "bad": 503}
    assert sender.stored() == len(good)


def _post_alone(sender: Sender, message: str) -> int:
    raw = json.dumps(sender.event("im_receive_msg", chat(message))).encode()
    headers = {"X-Douyin-Signature": signature_of(NEW, raw), "Msg-Id": message}
    return httpx.post(
        f"{sender.url}/webhook/{sender.key}", content=raw, headers=headers, trust_env=False, timeout=20
    ).status_code


# --------------------------------------------------------------------------- what follows at once


def test_the_newest_message_opens_the_window_whatever_the_order(sender):
    for message, at in (("m2", 1_794_830_200_000), ("m1", 1_794_830_100_000), ("m3", 1_794_830_300_000)):
        sender.post(sender.event("im_receive_msg", chat(message, at)))
    found = get_chat(sender.world.runtime.state, sender.key, "account-1", "person-1")
    assert found.reply.message_id == "m3"
    assert found.entry is None


@pytest.mark.parametrize(
    "at",
    [
        None,
        "",
        0,
        "0",
        -5,
        1.5,
        "soon",
        True,
        [1],
        {},
        "9" * 15,
        10**15,
        "9" * 17,
        "9" * 400,
        1_794_830_000_000 + 10 * 86_400_000,
    ],
    ids=str,
)
def test_an_event_without_a_usable_time_counts_from_its_receipt(sender, at):
    """With any such value an open window closes, and the next event is not older than this one."""
    sender.post(sender.event("im_receive_msg", chat(at=at)))
    received = sender.world.runtime.clock.now()
    found = get_chat(sender.world.runtime.state, sender.key, "account-1", "person-1")
    assert (found.reply.message_id, found.reply.opened_at) == ("m1", received)
    sender.world.at("2026-11-16T11:30:00+08:00")
    sender.post(sender.event("im_receive_msg", chat("m2", at=at)))
    assert get_chat(sender.world.runtime.state, sender.key, "account-1", "person-1").reply.message_id == "m2"


def test_an_event_without_a_time_at_all(sender):
    content = {k: v for k, v in chat().items() if k != "create_time"}
    assert sender.post(sender.event("im_receive_msg", content)).status_code == 200
    assert (
        get_chat(sender.world.runtime.state, sender.key, "account-1", "person-1").reply.opened_at
        == sender.world.runtime.clock.now()
    )


@pytest.mark.parametrize(
    ("at", "unit"),
    [
        (1_794_830_000_123, 1000),
        (1_794_830_000, 1),
        ("1794830000123", 1000),
        ("1794830000", 1),
        (100_000_000_000, 1000),
        (99_999_999, 1),
    ],
    ids=str,
)
def test_times_are_seconds_or_milliseconds(sender, at, unit: int):
    sender.post(sender.event("im_receive_msg", chat(at=at)))
    if int(at) == 100_000_000_000:  # the border is exclusive: as seconds it would be the year 5138
        assert (
            get_chat(sender.world.runtime.state, sender.key, "account-1", "person-1").reply.opened_at
            == sender.world.runtime.clock.now()
        )
    else:
        assert (
            get_chat(sender.world.runtime.state, sender.key, "account-1", "person-1").reply.opened_at.timestamp()
            == int(at) / unit
        )


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-11-16T23:59:59+08:00", 16),
        ("2026-11-17T00:00:00+08:00", 17),
        ("2026-11-17T07:59:59+08:00", 17),
        ("2026-11-17T08:00:00+08:00", 17),
    ],
)
def test_days_of_the_inbox_are_those_of_beijing(sender, instant: str, day: int):
    """From midnight to eight in the morning UTC still has the day before."""
    sender.world.at(instant)
    sender.post(sender.event("im_receive_msg", chat()), message_id="a")
    state, key = sender.world.runtime.state, sender.key
    of_day = {
        d: list(ids_received_on(state, key, date(2026, 11, d), "im_receive_msg").values()) for d in (15, 16, 17, 18)
    }
    assert of_day == {d: ["a"] if d == day else [] for d in of_day}
    assert forget_bodies(state, date(2026, 11, day)) == 0
    assert forget_bodies(state, date(2026, 11, day + 1)) == 1


def test_consent_follows_the_newest_word(sender):
    for status, at in ((1, 1_794_830_100), (2, 1_794_830_300), (1, 1_794_830_200)):
        sender.post(
            sender.event(
                "im_authorize", json.dumps({"operation_type": status, "auth_status": status, "create_time": at})
            )
        )
    assert get_chat(sender.world.runtime.state, sender.key, "account-1", "person-1").consents is False


def test_an_account_that_withdraws_is_stopped_at_once_and_its_data_listed(make_world):
    """Its tokens are deleted, a running client makes no more requests for it, and other accounts continue."""
    from catalog import ENDPOINTS
    from resources.client.errors import AccountStopped

    world = make_world()
    gone, other = world.accounts[:2]
    client = world.runtime.client(world.config.client_key)
    world.runtime.run(client.fetch(ENDPOINTS["oauth_userinfo"], {}, gone))
    receiver = Receiver(world.runtime.settings.all_apps, world.runtime.state, following(world), body_bytes=4096)
    with serving(receiver.app) as url:
        sender = Sender(world, url, receiver)
        body = sender.event("unauthorize", {"scopes": ["user_info"]}, sender=gone, receiver="")
        assert sender.post(body, secret=world.config.client_secret).status_code == 200
    state, key = world.runtime.state, world.config.client_key
    assert get_account(state, key, gone).status is AccountStatus.STOPPED
    assert load_user_token(state, key, gone) is None
    assert [d.open_id for d in list_deletions(state, [key])] == [gone]
    client.tokens._looked_at = 0
    calls = world.calls()
    with pytest.raises(AccountStopped):
        world.runtime.run(client.fetch(ENDPOINTS["oauth_userinfo"], {}, gone))
    assert world.calls() == calls
    world.runtime.run(client.fetch(ENDPOINTS["oauth_userinfo"], {}, other))


def test_a_deregistered_account_is_listed_for_deletion(make_world):
    world = make_world(platform={"seed": 11, "deregistered": 0.34})
    world.ingest("user_fans")
    listed = list_deletions(world.runtime.state, world.runtime.app_keys)
    assert listed
    assert all("28001045" in d.reason for d in listed)
    assert all(load_user_token(world.runtime.state, d.client_key, d.open_id) is None for d in listed)
    assert mark_deleted(world.runtime.state, listed[0].client_key, listed[0].open_id, world.runtime.clock.now())
    assert [d.open_id for d in list_deletions(world.runtime.state, world.runtime.app_keys) if d.done_at is None] == [
        d.open_id for d in listed[1:]
    ]

"""Each event's record is checked against the contract.

The contract's samples go through the code of a run, in both forms of content.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from contract_reading import SAMPLES, contract, members, resolve
from parsed_samples import rows

from catalog import ENDPOINTS, EVENTS, FIELDS, SOURCES, TABLES, endpoints_of
from catalog.cadences import EVENTS as CADENCE
from catalog.events import ENVELOPE_MEMBERS, LEFT_IN_ARCHIVE, OTHER_EVENTS, content_members, event_name
from catalog.iterations import IterateBy
from catalog.records import Endpoint, Envelope, History, Origin, Parse, Token, Type
from catalog.requests import ParamSource
from services.ingest.parse import ParseReport, parse_body

each = pytest.mark.parametrize("event", [pytest.param(e, id=event_name(e)) for e in EVENTS.values()])

SAMPLED = sorted(p.name.removeprefix("webhook.").removesuffix(".json") for p in SAMPLES.glob("webhook.*.json"))

READABLE = {
    Parse.INT: {"integer", "IntOrString"},
    Parse.EPOCH: {"EpochSeconds", "EpochMillis"},
    Parse.TEXT: {"string", "array", "array/null", "any"},
}
"""The contract's types that each parser accepts. Lists, and members that may be objects, are stored as JSON text."""

DIRECTIONS = {"im_send_msg": ("to_user_id", "from_user_id"), "im_group_send_msg": ("to_user_id", "from_user_id")}
"""(person, account) of events in which the account acts on a person."""


def webhook(event: Endpoint) -> dict[str, Any]:
    return contract()["webhooks"][event_name(event)]["post"]


def envelope(event: Endpoint) -> tuple[dict[str, Any], str]:
    schema, name = resolve(webhook(event)["requestBody"]["content"]["application/json"]["schema"])
    return schema, name


def content(event: Endpoint) -> dict[str, dict[str, Any]]:
    """First-level members of an event's content; empty where it has none."""
    schema = contract()["components"]["schemas"].get(f"{envelope(event)[1]}Content")
    return {k: v for k, v in members(schema).items() if "." not in k and "[" not in k} if schema else {}


def columns(event: Endpoint) -> list[tuple[str, Any]]:
    return [(o.table, c) for o in event.outputs for c in o.columns]


def own_columns(event: Endpoint) -> list[tuple[str, Any]]:
    """Return the columns of the outputs that have one row per event."""
    return [(o.table, c) for o in event.outputs if not o.explode for c in o.columns]


def body_of(name: str, *, as_text: bool | None = None) -> dict[str, Any]:
    """A sample; its content as text or as an object, whichever form it was written in."""
    body = orjson.loads((SAMPLES / f"webhook.{name}.json").read_bytes())
    if as_text is not None and "content" in body:
        opened = orjson.loads(body["content"]) if isinstance(body["content"], str) else body["content"]
        body["content"] = orjson.dumps(opened).decode() if as_text else opened
    return body


def parse(name: str, body: dict[str, Any] | None = None) -> ParseReport:
    return parse_body(
        EVENTS[f"webhook_{name.split('__')[0]}"], orjson.dumps(body or body_of(name)), {"event_id": "m-1"}
    )


# --------------------------------------------------------------------------- records against the contract


def test_the_catalogue_holds_every_event_of_the_contract():
    assert [event_name(e) for e in EVENTS.values()] == list(contract()["webhooks"])
    assert len(EVENTS) == 24
    assert not EVENTS.keys() & ENDPOINTS.keys()
    assert {**ENDPOINTS, **EVENTS, OTHER_EVENTS.name: OTHER_EVENTS} == SOURCES
    assert {n.split("__")[0] for n in SAMPLED} == {event_name(e) for e in EVENTS.values()}


@each
def test_record_says_what_the_contract_says(event: Endpoint):
    theirs = webhook(event)
    assert event.name == theirs["operationId"]
    assert (event.method, event.scope, event.status, [event.domain]) == (
        "POST",
        theirs["x-scope"],
        theirs["x-status"],
        theirs["tags"],
    )
    assert event.zh == theirs["summary"].partition(" / ")[2]
    assert "inferred" not in theirs["x-confidence"].partition("payload")[2] or "inferred" in event.doc_en, (
        "what is a guess says so"
    )
    assert event.path.endswith(f"#{event_name(event)}")


@each
def test_record_is_of_an_endpoint_without_requests(event: Endpoint):
    assert (event.over, event.cadence, event.envelope, event.token) == (
        IterateBy.INBOX,
        CADENCE,
        Envelope.WEBHOOK,
        Token.NONE,
    )
    assert [(p.name, p.fill) for p in event.params] == [("event_id", ParamSource.GIVEN)]
    assert event.paging is None
    assert event.windows == ()
    assert event.doc_en.endswith(".")
    assert event.doc_zh.endswith("。")


@each
def test_every_member_is_read_or_left_to_the_archive(event: Endpoint):
    schema, _ = envelope(event)
    assert set(schema["properties"]) <= ENVELOPE_MEMBERS
    assert (set(schema["properties"]) == ENVELOPE_MEMBERS) == bool(content(event))
    assert set(content(event)) <= content_members(event)
    read = {c.path.split("|")[1] for _, c in columns(event) if c.path.startswith("content|")}
    assert read <= set(content(event)), "what no event has"
    assert not read & LEFT_IN_ARCHIVE.keys()


def test_whatever_is_left_to_the_archive_is_in_the_contract():
    assert {m for e in EVENTS.values() for m in content(e)} >= LEFT_IN_ARCHIVE.keys()
    assert all(LEFT_IN_ARCHIVE.values())


@each
def test_members_are_read_as_what_they_are(event: Endpoint):
    schema, _ = envelope(event)
    for _, column in own_columns(event):
        if column.origin is not Origin.MEMBER:
            assert (column.origin, column.path) == (Origin.PARAM, "event_id")
            continue
        if not column.path.startswith("content|"):
            assert column.path in schema["properties"]
            assert column.parse is Parse.TEXT
            continue
        first, *inner = column.path.split("|")[1:]
        node = content(event)[first]
        if inner:  # in a text that is JSON
            assert (node["kind"], column.parse) == ("string", Parse.TEXT)
            assert inner[0] in node["description"]
            continue
        assert node["kind"] in READABLE[column.parse], column.field
        assert (
            FIELDS[column.field].type
            is {Parse.INT: Type.BIGINT, Parse.EPOCH: Type.TIMESTAMP, Parse.TEXT: Type.TEXT}[column.parse]
        )


@each
def test_who_acted_on_whom_is_distinguished(event: Endpoint):
    """The account is the receiver of actions of people, and the sender of its own."""
    for output in event.outputs[1:]:
        by_field = {c.field: c.path for c in output.columns}
        if output.explode:
            assert by_field["open_id"] == DIRECTIONS.get(event_name(event), ("", "to_user_id"))[1]
        elif "person_open_id" in by_field:
            assert (by_field["person_open_id"], by_field["open_id"]) == DIRECTIONS.get(
                event_name(event), ("from_user_id", "to_user_id")
            )
        else:
            assert (output.table, by_field["open_id"]) == ("grant_events", "from_user_id")


def test_every_event_is_in_the_table_of_all_and_most_in_one_of_their_own():
    tables = {event_name(e): e.tables for e in EVENTS.values()}
    assert {t[0] for t in tables.values()} == {"webhook_events"}
    assert {n for n, t in tables.items() if len(t) == 1} == {"verify_webhook"}
    assert (
        {n for n, t in tables.items() if t[2:]}
        == {n for n, t in tables.items() if t[2:] == ("im_people",)}
        == {event_name(e) for e in EVENTS.values() if "user_infos" in content(e)}
    )
    assert OTHER_EVENTS.tables == ("webhook_events",)
    pushed = {t.name for t in TABLES.values() if t.history is History.EVENT}
    assert {t for of in tables.values() for t in of} == pushed
    assert len(pushed) == 11
    for table in pushed - {"im_people"}:
        assert (TABLES[table].key, TABLES[table].fields[0]) == (("event_id",), "event_id")
        # Where several events fill a table, it has the event of each row.
        assert len(endpoints_of(table)) == 1 or "event" in TABLES[table].fields


# --------------------------------------------------------------------------- samples


@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
@pytest.mark.parametrize("name", SAMPLED)
def test_sample_lands_wholly_in_both_forms(name: str, as_text: bool):
    event, body = EVENTS[f"webhook_{name.split('__')[0]}"], body_of(name, as_text=as_text)
    parsed = parse(name, body)
    assert parsed.verdict.code == 0
    assert parsed.quarantined == 0
    assert [r["member"] for p in parsed.partitions for r in p.drift.to_pylist()] == []
    sent = {"content": {}} | body_of(name, as_text=False)
    people = sent["content"].get("user_infos", [])
    landed = {p.table.name: p.rows.num_rows for p in parsed.partitions}
    assert landed == {t: len(people) if t == "im_people" else 1 for t in event.tables}
    assert all(
        p.landed_by == Counter({(event.name, "<client_key>", ""): landed[p.table.name]}) for p in parsed.partitions
    ), "an event belongs to the app"
    account = sent.get("from_user_id" if event_name(event) in DIRECTIONS else "to_user_id")
    for output in event.outputs:
        if output.explode:
            found = [tuple(r[c.field] for c in output.columns) for r in rows(parsed, output.table)]
            assert sorted(found) == sorted((account, p["open_id"], p["nick_name"], p["avatar"]) for p in people)
            continue
        (row,) = rows(parsed, output.table)
        for column in output.columns:
            assert row[column.field] == expected(column, sent), (output.table, column.field)
        assert {k: v for k, v in row.items() if k not in {c.field for c in output.columns} and v is not None} == {}


def expected(column, sent: dict[str, Any]) -> object:
    if column.origin is Origin.PARAM:
        return "m-1"
    value: Any = sent
    for member in column.path.split("|"):
        value = orjson.loads(value) if isinstance(value, str) else value
        value = (value or {}).get(member)
    if value is None or (value == "" and FIELDS[column.field].is_id):
        return None
    if column.parse is Parse.EPOCH:
        return datetime.fromtimestamp(value / (1000 if value > 10**11 else 1), UTC)
    if column.parse is Parse.INT:
        return int(value)
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value


def test_a_text_message():
    (row,) = rows(parse("im_receive_msg"), "im_messages")
    assert row == {
        "event_id": "m-1",
        "open_id": "2b8e4a60-5c77-4f0d-8a3b-61d9b7e4d002",
        "person_open_id": "7c1f0d2e-0a11-4b6e-9d55-3f2a90c1d001",
        "event": "im_receive_msg",
        "conversation_id": "@demo/Conv9Vxc1yDU8sqaS+gN4koEc7==",
        "message_id": "@demo/Msg8sqaS+gN4koEc7912foPP==",
        "conversation_type": 1,
        "event_at": datetime(2024, 5, 20, 3, 25, 1, 234_000, UTC),
        "message_type": "text",
        "message_text": "请问周末营业吗",
        "source_app": "",
        "scene_type": 100,
        "item_id": None,
        "media_url": None,
        "card_id": None,
        "card_status": None,
        "card_fields": None,
        "owner_open_id": None,
    }


def test_a_card_keeps_what_was_filled_in_as_json():
    (row,) = rows(parse("im_receive_msg__lead_card"), "im_messages")
    assert orjson.loads(row["card_fields"]) == body_of("im_receive_msg__lead_card")["content"]["card_data"]
    assert row["card_status"] == 1


def test_times_in_seconds_and_in_milliseconds_are_instants():
    (seconds,), (thousandths,) = (
        rows(parse("im_authorize"), "im_consent_events"),
        rows(parse("enter_group_audit_change"), "group_joins"),
    )
    assert seconds["event_at"] == datetime(2024, 5, 20, 3, 25, 1, tzinfo=UTC)
    assert thousandths["event_at"] == datetime(2024, 5, 20, 3, 25, 1, 234_000, UTC)


def test_what_led_to_a_consent_is_read_from_its_text():
    (row,) = rows(parse("im_authorize"), "im_consent_events")
    assert orjson.loads(row["extra_text"])["attribution"]["room_id"] == ""
    assert (row["enter_from"], row["from_message_id"], row["from_room_id"]) == (
        "im_card",
        "@demo/Msg8sqaS+gN4koEc7912foPP==",
        None,
    )
    assert row["log_id"] == body_of("im_authorize")["log_id"]


@pytest.mark.parametrize(
    "extra", ["", "no JSON", "[1]", "7", {"enter_from": "im_card", "attribution": '{"room_id": "r"}'}], ids=str
)
def test_a_text_that_is_no_json_is_kept_and_an_object_is_opened(extra: object):
    body = body_of("im_authorize", as_text=False)
    body["content"]["extra"] = extra
    parsed = parse("im_authorize", body)
    (row,) = rows(parsed, "im_consent_events")
    assert (row["enter_from"], row["from_room_id"]) == (("im_card", "r") if isinstance(extra, dict) else (None, None))
    assert row["extra_text"] == (orjson.dumps(extra).decode() if isinstance(extra, dict) else extra)
    assert (parsed.quarantined, parsed.nulled) == (0, 0)


# --------------------------------------------------------------------------- what does not fit


@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
def test_people_that_are_no_list_or_have_no_id_are_quarantined(as_text: bool):
    body = body_of("im_receive_msg", as_text=False)
    for users, reason in (
        ({"open_id": "p"}, "content|user_infos is OBJECT, not a list"),
        (["p"], "the row is VARCHAR, not an object"),
        ([{"nick_name": "无名"}], "person_open_id: missing, and a row cannot be told from others without it"),
    ):
        body["content"] = body["content"] | {"user_infos": users}
        sent = body | {"content": orjson.dumps(body["content"]).decode()} if as_text else body
        parsed = parse("im_receive_msg", sent)
        (line,) = [r for p in parsed.partitions for r in p.quarantine.to_pylist()]
        assert (line["table_name"], line["reason"]) == ("im_people", reason)
        assert "无名" not in str(line)
        assert len(rows(parsed, "im_messages")) == 1
    body["content"]["user_infos"] = [{"open_id": "p", "mood": "good"}]
    drift = [
        (r["table_name"], r["member"]) for p in parse("im_receive_msg", body).partitions for r in p.drift.to_pylist()
    ]
    assert drift == [("im_people", "content.user_infos.mood")]


@pytest.mark.parametrize("content", ["no JSON", "[1]", 7, None, [], '"text"'], ids=str)
def test_unreadable_content_is_quarantined_and_the_event_still_counted(content: object):
    parsed = parse("im_receive_msg", body_of("im_receive_msg") | {"content": content})
    assert [r["event_id"] for r in rows(parsed, "webhook_events")] == ["m-1"]
    assert rows(parsed, "im_messages") == []
    (reason,) = [r["reason"] for p in parsed.partitions for r in p.quarantine.to_pylist()]
    assert reason == "content: expected an object as JSON text"


@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
def test_a_value_that_does_not_fit_is_quarantined_without_people_s_words(as_text: bool):
    body = body_of("im_receive_msg", as_text=False)
    body["content"] |= {"scene_type": "many", "create_time": "soon"}
    if as_text:
        body["content"] = orjson.dumps(body["content"]).decode()
    parsed = parse("im_receive_msg", body)
    lines = [r for p in parsed.partitions for r in p.quarantine.to_pylist()]
    assert [(r["column_name"], r["value"]) for r in lines] == [("event_at", "soon"), ("scene_type", "many")]
    assert [r["reason"].partition(": expected")[0] for r in lines] == ["content|create_time", "content|scene_type"]
    assert "请问" not in str(lines)
    (row,) = rows(parsed, "im_messages")
    assert (row["event_at"], row["scene_type"], row["message_text"]) == (None, None, "请问周末营业吗")


@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
def test_unknown_members_of_envelope_and_content_are_reported(as_text: bool):
    body = body_of("new_follow_action", as_text=False) | {"shard": 3}
    body["content"]["mood"] = "good"
    if as_text:
        body["content"] = orjson.dumps(body["content"]).decode()
    parsed = parse("new_follow_action", body)
    drift = {p.table.name: {r["member"]: r["rows"] for r in p.drift.to_pylist()} for p in parsed.partitions}
    assert drift == {"webhook_events": {"shard": 1}, "interactions": {"shard": 1, "content.mood": 1}}
    assert parsed.quarantined == 0

"""Define the tables of webhook events and conversations."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from resources.state.tables.base import metadata

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("client_key", String, nullable=False),
    Column("event_id", String, nullable=False),  # Msg-Id, or the hash of the body
    Column("body_hash", String, nullable=False),
    Column("event", String, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("day", String, nullable=False),  # Beijing day of receipt
    Column("body", LargeBinary),  # as received; null after pruning, its hash stays
    UniqueConstraint("client_key", "event_id"),
    UniqueConstraint("client_key", "body_hash"),
    Index("inbox_by_day", "client_key", "day"),
)

receiving = Table(
    "receiving",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("since", Float, nullable=False),  # first start of a receiver for the app
)

chats = Table(
    "chats",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("person_open_id", String, primary_key=True),
    Column("said_at", Float),  # newest message of the person
    Column("said_id", String),
    Column("said_in", String),
    Column("entered_at", Float),  # newest opening of the chat
    Column("entered_id", String),
    Column("entered_in", String),
    Column("consents", Integer),  # to proactive messages, by the newest event; null: no event so far
    Column("consents_at", Float),
    Column("by_hand_at", Float),  # last message of ours written by hand
    Column("handed_over_until", Float),  # a person replies until then
)

sent_messages = Table(
    "sent_messages",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("open_id", String, nullable=False),
    Column("person_open_id", String, nullable=False),
    Column("conversation_id", String),
    Column("fingerprint", String, nullable=False),  # of type and text
    Column("by_us", Integer, nullable=False),  # 1: through this app, 0: by hand or another app
    Column("sent_at", Float, nullable=False),
    Column("outbox_id", Integer),  # its line in the outbox
    Index("sent_messages_by_person", "client_key", "open_id", "person_open_id"),
)

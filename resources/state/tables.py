"""Define the tables of the state database."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()


accounts = Table(
    "accounts",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("name", String),
    Column("status", String, nullable=False),  # active, needs_consent, paused, stopped
    Column("reason", String),
    Column("added_at", Float, nullable=False),
    Column("tags", String),  # words, separated by spaces
)


user_tokens = Table(
    "user_tokens",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("access_token", String, nullable=False),
    Column("access_expires_at", Float, nullable=False),
    Column("refresh_token", String, nullable=False),
    Column("refresh_expires_at", Float, nullable=False),
    Column("renewals", Integer, nullable=False),
    Column("scope", String, nullable=False),
    Column("updated_at", Float, nullable=False),
)


business_tokens = Table(
    "business_tokens",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("access_token", String, nullable=False),
    Column("access_expires_at", Float, nullable=False),
    Column("refresh_token", String, nullable=False),
    Column("refresh_expires_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)


client_tokens = Table(
    "client_tokens",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("access_token", String, nullable=False),
    Column("expires_at", Float, nullable=False),
)


buckets = Table(
    "buckets",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("next_at", Float, nullable=False),  # real time at which the next free slot begins
)


quotas = Table(
    "quotas",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("day", String, primary_key=True),  # Beijing day
    Column("calls", BigInteger, nullable=False),
    Column("exhausted", Integer, nullable=False, default=0),  # 1: reported by the platform itself
)


load_status = Table(
    "load_status",
    metadata,
    Column("table_name", String, primary_key=True),
    Column("dt", String, primary_key=True),
    Column("operation", String, primary_key=True),
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),  # "" for app-level operations
    Column("status", String, nullable=False),
    Column("calls", BigInteger, nullable=False, default=0),
    Column("rows", BigInteger, nullable=False, default=0),
    Column("quarantined", BigInteger, nullable=False, default=0),
    Column("code", BigInteger),
    Column("reason", String),
    Column("updated_at", Float, nullable=False),
)


load_status_days = Table(
    "load_status_days",
    metadata,
    Column("dt", String, primary_key=True),
    Column(
        "changed_ns", BigInteger, nullable=False
    ),  # machine time of the last change of a row of that day; 0: before this was recorded
)


capabilities = Table(
    "capabilities",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("operation", String, primary_key=True),
    Column("owned", Integer, nullable=False),  # 1: a call succeeded; 0: disabled
    Column("code", BigInteger),
    Column("reason", String),
    Column("since", Float, nullable=False),
)


watched = Table(
    "watched",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("kind", String, primary_key=True),  # video, keyword, poi, poi-keyword, amap
    Column("value", String, primary_key=True),
    Column("open_id", String, primary_key=True),  # "" if no account is named
    Column("added_at", Float, nullable=False),
)


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


plans = Table(
    "plans",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),  # messages, tags, comments
    Column("name", String, nullable=False),  # the campaign's, or the audience's
    Column("occasion", String, nullable=False),
    Column("planned_at", Float, nullable=False),
    Column("good_until", Float, nullable=False),
    Column("hash", String, nullable=False),
    Column("state", String, nullable=False),  # open, approved, superseded, done
    Column("approved_hash", String),
    Column("approver", String),
    Column("approved_at", Float),
    Column("rules", String, nullable=False),  # rules that sending must follow, as JSON
    Column("effect_hours", Integer),  # period in which people's actions count as its effect
)


outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("plan_id", Integer),  # null for replies of the reply worker
    Column("operation", String, nullable=False),
    Column("campaign", String, nullable=False),
    Column("client_key", String, nullable=False),
    Column("open_id", String, nullable=False),
    Column("person_open_id", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("scene", String),
    Column("window_id", String),  # message id of the event that opened the window
    Column("messages", Integer, nullable=False),
    Column("request", String, nullable=False),  # parameters, sealed
    Column("fingerprint", String, nullable=False),
    Column("state", String, nullable=False),
    Column("why", String),
    Column("code", BigInteger),
    Column("key", String, nullable=False),  # identifies a write that must happen only once
    Column("claim", String, unique=True),  # the key while claimed, sent or unknown: prevents a second such line
    Column("planned_at", Float, nullable=False),
    Column("claimed_at", Float),
    Column("claimed_by", String),
    Column("ended_at", Float),
    Column("delivered_at", Float),
    Column("message_ids", String),
    Column("resolved_by", String),
    Index("outbox_by_window", "client_key", "window_id"),
    Index("outbox_by_person", "client_key", "person_open_id"),
    Index("outbox_by_plan", "plan_id"),
    Index("outbox_by_state", "state"),
    Index("outbox_by_key", "key"),
)


opt_outs = Table(
    "opt_outs",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),  # "" for every account of the app
    Column("person_open_id", String, primary_key=True),
    Column("since", Float, nullable=False),
    Column("how", String, nullable=False),
)


deletions = Table(
    "deletions",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("listed_at", Float, nullable=False),
    Column("done_at", Float),
)


alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),  # kind and subject
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("stage", String, nullable=False),
    Column("title", String, nullable=False),
    Column("zh", String, nullable=False),
    Column("en", String, nullable=False),
    Column("todo", String, nullable=False),
    Column("tags", String, nullable=False),  # of the account, separated by spaces
    Column("first_at", Float, nullable=False),  # begin of the present occurrence
    Column("last_at", Float, nullable=False),
    Column("resolved_at", Float),
    Column("due_at", Float),  # channels not notified since then are due; null: none
    Column("times", Integer, nullable=False),
    Column("muted_until", Float),
)


alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("alert_id", Integer, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("sent_at", Float),  # last notification that it is open
    Column("ended_at", Float),  # last notification that it is resolved
    Column("message", String),  # alerts of one digest have the same
    Column("tries", Integer, nullable=False),  # failed attempts since the last notification
    Column("next_try_at", Float),
    Column("error", String),
)


alert_channels = Table(
    "alert_channels",
    metadata,
    Column("channel", String, primary_key=True),
    Column("tries", Integer, nullable=False),  # consecutive failed attempts
    Column("wait_until", Float),
    Column("error", String),
)

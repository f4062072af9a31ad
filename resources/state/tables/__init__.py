"""Define the tables of the state database: one module per aggregate."""

from __future__ import annotations

from resources.state.tables.authorization import accounts, business_tokens, client_tokens, user_tokens
from resources.state.tables.base import metadata, state_version
from resources.state.tables.loading import capabilities, load_status, load_status_days, watched
from resources.state.tables.messages import chats, inbox, receiving, sent_messages
from resources.state.tables.notices import alert_channels, alert_deliveries, alerts
from resources.state.tables.persons import deletions, opt_outs
from resources.state.tables.rates import buckets, quotas
from resources.state.tables.writes import outbox, plans

__all__ = [
    "accounts",
    "alert_channels",
    "alert_deliveries",
    "alerts",
    "buckets",
    "business_tokens",
    "capabilities",
    "chats",
    "client_tokens",
    "deletions",
    "inbox",
    "load_status",
    "load_status_days",
    "metadata",
    "opt_outs",
    "outbox",
    "plans",
    "quotas",
    "receiving",
    "sent_messages",
    "state_version",
    "user_tokens",
    "watched",
]

"""Define the tables of accounts and their tokens."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table

from resources.state.tables.base import metadata

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

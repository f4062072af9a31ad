"""Define the tables of rate limits and daily quotas."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, String, Table

from resources.state.tables.base import metadata

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

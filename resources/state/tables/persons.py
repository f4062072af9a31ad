"""Define the tables of people who opted out and of data to delete."""

from __future__ import annotations

from sqlalchemy import Column, Float, String, Table

from resources.state.tables.base import metadata

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

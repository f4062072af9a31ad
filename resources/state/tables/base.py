"""Define the metadata of all tables, and the table of the schema's version."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table

metadata = MetaData()

# Not Alembic's default name: a PostgreSQL database may be Dagster's as well, which has an `alembic_version` of its own.
state_version = Table(
    "state_version",
    metadata,
    Column("version_num", String(32), nullable=False),  # name and columns as Alembic defines its version table
    PrimaryKeyConstraint("version_num", name="state_version_pkc"),
)

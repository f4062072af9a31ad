"""Run migrations on the connection that :mod:`resources.state.migrations` has opened; Alembic executes this file."""

from __future__ import annotations

from alembic import context

from resources.state.tables import state_version

context.configure(connection=context.config.attributes["connection"], version_table=state_version.name)
context.run_migrations()

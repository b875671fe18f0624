"""Runs the migrations on the connection that ``database.upgrade`` hands over."""

from __future__ import annotations

from alembic import context

from assistant.cases.tables import metadata

__all__: list[str] = []

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()

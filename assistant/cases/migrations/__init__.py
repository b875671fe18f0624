"""Migrations of the case store (Alembic)."""

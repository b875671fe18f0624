"""The first tables. New stores are made from ``assistant.cases.tables``; old ones carry this."""

__all__: list[str] = []

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing: a store that has no revision yet is made whole, at the newest one."""

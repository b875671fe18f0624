"""The case store that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.cases.extras import need
from assistant.weights import data_dir_or_default

if TYPE_CHECKING:
    from assistant.cases.store import CaseStore
    from assistant.settings import Settings

__all__ = ["open_store"]


def open_store(settings: Settings, *, check_guards: bool = True, key: bool = True) -> CaseStore:
    """Open the store; a key is made where there is none and no file is named.

    Args:
        settings: their part ``cases``.
        check_guards: False opens a store whose guards were removed, to look into it.
        key: False opens it without its key: pictures stay sealed.

    Raises:
        ConfigError: packages are missing, nobody answers at the address, or the key is wrong.
    """
    need("cases", "sqlalchemy", "alembic")
    from assistant.cases.database import open_database
    from assistant.cases.store import CaseStore
    from assistant.cases.vault import Vault

    home, chosen = data_dir_or_default(settings.data_dir), settings.cases
    engine = open_database(
        chosen.url or f"sqlite:///{home / 'cases.db'}", check_guards=check_guards
    )
    if not key:
        return CaseStore(engine)
    file = chosen.key_file or home / "cases.key"
    return CaseStore(engine, Vault.of(chosen.key_env, file, make=chosen.key_file is None))

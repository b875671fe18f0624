"""The case store that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assistant.cases.extras import need
from assistant.weights import data_dir_or_default

if TYPE_CHECKING:
    from assistant.cases.store import CaseStore
    from assistant.cases.vault import Vault
    from assistant.settings import Settings

__all__ = ["key_file", "open_store", "open_vault"]


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

    place = data_dir_or_default(settings.data_dir) / "cases.db"
    url = settings.cases.url or f"sqlite:///{place}"
    engine = open_database(url, check_guards=check_guards)
    return CaseStore(engine, open_vault(settings) if key else None)


def open_vault(settings: Settings) -> Vault:
    """The vault that the settings name.

    Raises:
        ConfigError: the named key file is not there, or the key is wrong.
    """
    from assistant.cases.vault import Vault

    given = settings.cases.key_file
    return Vault.of(settings.cases.key_env, given or key_file(settings), make=given is None)


def key_file(settings: Settings) -> Path:
    """Where the key lies if no setting says otherwise."""
    return settings.cases.key_file or data_dir_or_default(settings.data_dir) / "cases.key"

"""Sealing of kept pictures: AES-256-GCM, bound to the case and the name they are kept under."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from assistant.cases.extras import need
from assistant.errors import ConfigError

__all__ = ["Vault", "new_key"]

_NONCE = 12


def new_key() -> str:
    """A random key as the text that a key file or variable holds."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


class Vault:
    """Seals and opens bytes with one key.

    Args:
        key: 32 bytes as URL-safe base64.

    Raises:
        ConfigError: the key is not that.
    """

    def __init__(self, key: str) -> None:
        need("cases", "cryptography")
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            raw = base64.urlsafe_b64decode(key.strip())
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != 32:
            raise ConfigError(
                "The key of the case store is not 32 bytes in URL-safe base64.",
                hint="Make one with `whyfake cases key`.",
                code="case-key",
            )
        self._cipher = AESGCM(raw)

    @classmethod
    def of(cls, variable: str, file: Path, *, make: bool) -> Vault:
        """The vault of a variable, else of a file.

        Args:
            variable: name of the environment variable; it wins over the file.
            file: the key file.
            make: write a new key where there is none (readable by its owner alone).

        Raises:
            ConfigError: there is no key, or it is wrong.
        """
        if text := os.environ.get(variable):
            return cls(text)
        if not file.exists() and make:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as out:
                out.write(new_key() + "\n")
        try:
            return cls(file.read_text())
        except OSError as error:
            raise ConfigError(
                f"The key file {file} cannot be read.",
                hint=f"Set cases.key_file or {variable}; `whyfake cases key` makes a key.",
                code="case-key",
            ) from error

    def seal(self, data: bytes, label: str) -> bytes:
        """Encrypt; ``label`` must be the same to open it again."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data, label.encode())

    def open(self, sealed: bytes, label: str) -> bytes:
        """Decrypt.

        Raises:
            ConfigError: another key, another label, or changed bytes.
        """
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], label.encode())
        except InvalidTag as error:
            raise ConfigError(
                "A kept picture cannot be opened: it was sealed with another key, or changed.",
                hint="Use the key that was set when the case was made.",
                code="case-key",
            ) from error

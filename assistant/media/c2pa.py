"""Whether a file carries a C2PA record, which program it names, and whether its signature fits.

Read by ``c2pa-python`` in a child process, without a network. A fitting signature says that the
bytes are those that were signed; who signed them would need a list of trusted signers, and none is
asked here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["Manifest", "read_manifest"]

_CHILD = Path(__file__).with_name("c2pa_child.py")
_LONGEST_S = 15.0


class Manifest(BaseModel):
    """A C2PA record as found; its texts are raw and untrusted.

    Attributes:
        generator: the program that wrote it, by its own account.
        sources: the source types that it and the pictures it was made from declare.
        signature: ``valid``: it fits these bytes. ``broken``: the file or its record was changed
            after signing. ``unread``: it could not be checked.
    """

    model_config = ConfigDict(frozen=True)

    generator: str = ""
    sources: tuple[str, ...] = ()
    signature: Literal["valid", "broken", "unread"]


def read_manifest(data: bytes) -> Manifest | None:
    """The C2PA record of a file, or None where there is none in it.

    A record that cannot be read, or not in eight seconds and 2 GiB, is one whose signature is
    ``unread``.
    """
    if b"c2pa" not in data:  # every record is labelled so: most files need no child
        return None
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-P", str(_CHILD)],
            input=data,
            capture_output=True,
            timeout=_LONGEST_S,
            check=True,
        )
        said = json.loads(child.stdout)
        return Manifest.model_validate(said) if said else None
    except (OSError, subprocess.SubprocessError, ValueError, ValidationError):
        return Manifest(signature="unread")

"""The prompts of a folder, and the lock that keeps released versions as they were."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from assistant.errors import PromptError
from assistant.prompting.files import Prompt, parse

__all__ = ["LOCK", "PromptLibrary"]

#: Name of the file with the SHA-256 of every released version.
LOCK = "LOCK"
_FILE = re.compile(r"v([1-9][0-9]*)\.yaml\Z")
_LINE = re.compile(r"([0-9a-f]{64})  ([a-z][a-z0-9-]*/v[1-9][0-9]*\.yaml)\Z")


class PromptLibrary:
    """The prompt files under ``root``: ``<name>/v<N>.yaml`` and ``LOCK``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> tuple[str, ...]:
        """All prompt names, sorted."""
        if not self.root.is_dir():
            return ()
        return tuple(sorted(d.name for d in self.root.iterdir() if d.is_dir() and _versions(d)))

    def versions(self, name: str) -> tuple[int, ...]:
        """The versions of one prompt, oldest first.

        Raises:
            PromptError: no such prompt.
        """
        names = self.names()
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            guess = f" did you mean {near[0]!r}?" if near else ""
            raise PromptError(
                f"unknown prompt {name!r};{guess} There are: {', '.join(names) or 'none'}.",
                hint="Try: whyfake prompts list",
                code="unknown-prompt",
            )
        return _versions(self.root / name)

    def get(self, name: str, version: int | None = None) -> Prompt:
        """One prompt; the newest version where none is named.

        Raises:
            PromptError: unknown, malformed, or changed after its release.
        """
        versions = self.versions(name)
        chosen = versions[-1] if version is None else version
        if chosen not in versions:
            raise PromptError(
                f"prompt {name!r} has no version {chosen}; there are: "
                f"{', '.join(map(str, versions))}.",
                hint="Try: whyfake prompts list",
                code="unknown-prompt",
            )
        where = f"{name}/v{chosen}.yaml"
        prompt = parse((self.root / where).read_bytes(), where)
        if (prompt.ref.name, prompt.ref.version) != (name, chosen):
            raise PromptError(
                f"prompt file {where} says it is {prompt.ref.name}/v{prompt.ref.version}.",
                code="prompt-malformed",
            )
        locked = self._locked().get(where)
        if locked is not None and locked != prompt.ref.sha256:
            raise PromptError(
                f"prompt file {where} was changed after its release "
                f"(SHA-256 {prompt.ref.sha256[:12]}, released {locked[:12]}).",
                hint=f"Undo the change, or add it as v{versions[-1] + 1}.yaml.",
                code="prompt-changed",
            )
        return prompt

    def check(self) -> list[str]:
        """Every problem of the folder, a line each; empty where all is well."""
        problems: list[str] = []
        try:
            locked = self._locked()
        except PromptError as error:
            return [str(error)]
        for name in self.names():
            for version in _versions(self.root / name):
                where = f"{name}/v{version}.yaml"
                try:
                    self.get(name, version)
                except PromptError as error:
                    problems.append(str(error))
                if where not in locked:
                    problems.append(f"{where} is not in {LOCK}: release it with its SHA-256.")
        problems += [
            f"{where} is in {LOCK}, but the file is missing."
            for where in locked
            if not (self.root / where).is_file()
        ]
        if not self.names():
            problems.append(f"no prompt was found under {self.root}.")
        return problems

    def lock_text(self) -> str:
        """What ``LOCK`` holds once every present file is released (a changed one stays as locked).

        Raises:
            PromptError: a released file was changed, or one is malformed.
        """
        lines = []
        for name in self.names():
            lines += [
                f"{self.get(name, version).ref.sha256}  {name}/v{version}.yaml"
                for version in _versions(self.root / name)
            ]
        return "\n".join(lines) + "\n"

    def _locked(self) -> dict[str, str]:
        path = self.root / LOCK
        if not path.is_file():
            return {}
        locked: dict[str, str] = {}
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not line.strip():
                continue
            match = _LINE.match(line)
            if match is None:
                raise PromptError(
                    f"{LOCK} line {number} is malformed: {line[:80]!r}; expected "
                    "'<SHA-256>  <name>/v<N>.yaml'.",
                    code="prompt-malformed",
                )
            locked[match[2]] = match[1]
        return locked


def _versions(folder: Path) -> tuple[int, ...]:
    found = (_FILE.match(p.name) for p in folder.iterdir())
    return tuple(sorted(int(m[1]) for m in found if m))

"""Secrets that tests plant, and the search for them in everything that is written."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.cluster.commands import Finished

__all__ = ["Planted", "leaks", "outputs", "written_into"]


@dataclass
class Planted:
    """The secrets of a test, by where they are."""

    words: dict[str, str] = field(default_factory=dict)

    def new(self, where: str) -> str:
        """Return a new secret."""
        # The hyphens make it no word of any encoding; quoted, it is another one.
        return self.add(where, f"canary-{uuid.uuid4().hex}/{len(self.words)}")

    def add(self, where: str, secret: str) -> str:
        """Take a secret that somebody else made."""
        self.words[where] = secret
        return secret

    def found_in(self, content: bytes) -> list[str]:
        """Return where the secrets come from that some content has, as they are or encoded."""
        return [
            where
            for where, secret in self.words.items()
            if any(form.encode() in content for form in _forms(secret))
        ]


def _forms(secret: str) -> set[str]:
    """Return a secret as it may be written; of Base64, what does not depend on its neighbors."""
    shifted = [base64.b64encode(b" " * shift + secret.encode()).decode() for shift in range(3)]
    inner = {text.rstrip("=")[4:-2] for text in shifted}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], *inner}


def written_into(folder: Path, *, without: set[Path]) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path not in without
    }


def leaks(planted: Planted, written: dict[str, bytes]) -> dict[str, list[str]]:
    return {name: found for name, text in written.items() if (found := planted.found_in(text))}


def outputs(*commands: Finished) -> dict[str, bytes]:
    return {
        f"output of command {number}": f"{done.stdout}\n{done.stderr}".encode()
        for number, done in enumerate(commands)
    }

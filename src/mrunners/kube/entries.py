"""One cluster or user of a kubeconfig, whose fields are checked as they are read.

A message names the kubeconfig, the field and the entry, and never quotes a value: it may be a
credential.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mrunners.errors import InvalidInputError

__all__ = ["Entry", "Material", "kubeconfig_error", "read_file"]


def kubeconfig_error(kubeconfig: str, problem: str) -> InvalidInputError:
    """Return the error about a kubeconfig that cannot be used."""
    return InvalidInputError(f"kubeconfig {kubeconfig}: {problem}; give the path of another one")


@dataclass(frozen=True, slots=True)
class Material:
    """A certificate or a key.

    Attributes:
        content: As in the file or the field, which is PEM if it is right.
        origin: Where it comes from, for messages, such as `client-key-data of user 'me'`.
    """

    content: bytes = field(repr=False)
    origin: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A cluster, a user or a context of a kubeconfig.

    Attributes:
        kubeconfig: As in messages.
        kind: `cluster`, `user` or `context`.
        name: The entry's name.
        content: As in the file; it can hold credentials, so a repr leaves it out.
        folder: Where its relative paths begin.
    """

    kubeconfig: str
    kind: str
    name: str
    content: Mapping[str, Any] = field(repr=False)
    folder: Path = field(default_factory=Path)

    def __str__(self) -> str:
        """Return the entry as `user 'me'`."""
        return f"{self.kind} {self.name!r}"

    def error(self, problem: str) -> InvalidInputError:
        """Return the error about this entry."""
        return InvalidInputError(f"kubeconfig {self.kubeconfig}: {problem}")

    def text(self, key: str) -> str:
        """Return a text without the white space around it; empty when it is not there."""
        value = self.content.get(key)
        if value is None:
            return ""
        if isinstance(value, bytes):  # a YAML !!binary
            value = value.decode("latin-1")
        if isinstance(value, dict | list):
            raise self.error(f"{key} of {self} is not a string")
        # YAML reads a context named 1 as a number, and a password too.
        return str(value).strip()

    def flag(self, key: str) -> bool:
        """Return a flag; false when it is not there."""
        value = self.content.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise self.error(f"{key} of {self} is neither true nor false")

    def entry(self, key: str) -> Entry | None:
        """Return a nested mapping; None when it is not there."""
        value = self.content.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(f"{key} of {self} is not a mapping")
        return Entry(self.kubeconfig, self.kind, self.name, value, self.folder)

    def path(self, key: str) -> Path:
        """Return a path that may be relative to the kubeconfig."""
        return self.folder / Path(self.text(key)).expanduser()

    def material(self, key: str) -> Material | None:
        """Return what `KEY-data` or the file of `KEY` holds; None when neither is there."""
        if encoded := self.text(f"{key}-data"):
            origin = f"{key}-data of {self}"
            try:
                content = base64.b64decode("".join(encoded.split()), validate=True)
            except (binascii.Error, ValueError) as error:
                raise self.error(f"{origin} is not base64") from error
            return Material(content, origin)
        if not self.text(key):
            return None
        return Material(self.file(key), f"{key} of {self}")

    def file(self, key: str) -> bytes:
        """Return the content of the file that a field names."""
        path = self.path(key)
        return read_file(path, f"kubeconfig {self.kubeconfig}: {key} of {self}")


def read_file(path: Path, owner: str) -> bytes:
    """Return a file's content.

    Raises:
        InvalidInputError: It cannot be read; the message begins with `owner`.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        cause = (isinstance(error, OSError) and error.strerror) or "not a path"
        raise InvalidInputError(f"{owner}: {path}: {cause.lower()}") from error

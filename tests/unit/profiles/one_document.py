"""Texts of one document, for the tests of what is in it."""

from __future__ import annotations

from collections.abc import Collection

from mrunners.profiles.parsing import ParsedDocument, parse_documents
from mrunners.profiles.yaml_strict import load_documents


def parse_profile(text: bytes | str) -> ParsedDocument:
    (document,) = parse_documents(text)
    return document


def load_yaml(text: bytes | str, *, what: str, known_keys: Collection[str] = ()) -> object:
    (document,) = load_documents(text, what=what, known_keys=known_keys)
    return document

"""What the readers of raw Kubernetes JSON share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

__all__ = ["Raw", "optional_time", "read_time", "reason_and_message"]

# JSON as the API server sent it; it does not leave this package.
Raw = Mapping[str, Any]


def read_time(text: str) -> datetime:
    """Return the time that a field of Kubernetes has, in RFC 3339."""
    return datetime.fromisoformat(text)


def optional_time(text: str | None) -> datetime | None:
    """Return a time that may be absent."""
    return None if text is None else read_time(text)


def reason_and_message(condition: Raw) -> str:
    """Return `reason: message` of a condition, or the one that it has."""
    return ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))

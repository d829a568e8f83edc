"""The base of records that are stored, printed or given by a user."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Record"]


class Record(BaseModel):
    """Immutable, and an unknown key is an error: what we did not write, we do not trust."""

    # Most commands use few of all records, and to build one takes milliseconds.
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", populate_by_name=True)

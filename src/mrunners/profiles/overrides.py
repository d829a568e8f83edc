"""What a run sets over its load profiles: total, duration and rate, as kperf's own command does.

kperf lets a profile's total beat a duration that is given for the run. Here what is given for the
run counts: it alone says how long the load is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import Field, FiniteFloat

from mrunners.durations import parse_duration
from mrunners.errors import InvalidInputError
from mrunners.quantities import MAX_COUNT, parse_count, parse_rate
from mrunners.records import Record
from mrunners.text import quoted

__all__ = ["NO_OVERRIDES", "ProfileOverrides", "overridden", "parse_load_duration"]


class ProfileOverrides(Record):
    """What replaces a value of every load profile of a run; None leaves the profile's.

    Attributes:
        total: Number of requests of each pod.
        duration: Seconds for which each pod sends requests; never beside a total.
        rate: Requests per second of each pod; 0 is no limit.
    """

    total: int | None = Field(default=None, ge=1, le=MAX_COUNT)
    duration: int | None = Field(default=None, ge=1, le=MAX_COUNT)
    rate: FiniteFloat | None = Field(default=None, ge=0)

    @classmethod
    def of(cls, *, total: str = "", duration: str = "", rate: str = "") -> ProfileOverrides:
        """Return the overrides that options ask for; an empty text is none.

        Raises:
            ValueError: A text is not such a number.
        """
        return cls(
            total=parse_count(total) if total else None,
            duration=parse_load_duration(duration) if duration else None,
            rate=parse_rate(rate) if rate else None,
        )

    def __str__(self) -> str:
        """Return such as `total 100, rate 5`, or `none`."""
        texts = (
            f"total {self.total}" if self.total is not None else "",
            f"duration {self.duration}s" if self.duration is not None else "",
            f"rate {self.rate:g}" if self.rate is not None else "",
        )
        return ", ".join(text for text in texts if text) or "none"


NO_OVERRIDES: Final = ProfileOverrides()


def parse_load_duration(text: str) -> int:
    """Return the seconds of a duration of load: a bare number, as for kperf, or such as `10m`.

    Raises:
        ValueError: The text is not a duration of whole seconds. The message is for the user, to be
            shown after the option's name.
    """
    seconds = float(parse_count(text)) if text.isdecimal() else parse_duration(text)
    if not seconds.is_integer():
        raise ValueError(f"must be whole seconds, got {quoted(text)}")
    if seconds > MAX_COUNT:
        raise ValueError(f"must be at most {MAX_COUNT} seconds, got {quoted(text)}")
    return int(seconds)


def overridden(document: Mapping[str, object], overrides: ProfileOverrides) -> dict[str, object]:
    """Return a load profile with what a run sets over it, before it is checked.

    Args:
        document: With `specs`; valid or not.
        overrides: Of the run.

    Raises:
        InvalidInputError: The profile has several specs; kperf overrides a single one only.
    """
    specs = document.get("specs")
    if overrides == NO_OVERRIDES or not isinstance(specs, list):
        return dict(document)
    if len(specs) > 1:
        raise InvalidInputError(
            f"the load profile has {len(specs)} specs, so the run cannot override them with "
            f"{overrides}: kperf allows it for a single spec; change the profile instead"
        )
    return {**document, "specs": [_spec_with(spec, overrides) for spec in specs]}


def _spec_with(spec: object, overrides: ProfileOverrides) -> object:
    if not isinstance(spec, Mapping):
        return spec
    values = {key: value for key, value in overrides.model_dump().items() if value is not None}
    replaced = {"total", "duration"} if {"total", "duration"} & values.keys() else set()
    return {**{key: value for key, value in spec.items() if key not in replaced}, **values}

"""Renders a load profile as YAML that every kperf release and every YAML version reads alike.

Nothing is left to kperf's defaults: every field is written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

import yaml

from mrunners.profiles.profile import LoadProfile, LoadProfileSpec
from mrunners.profiles.requests import ProfileModel, RequestList

__all__ = [
    "LEAST_REQUEST_BYTES",
    "MAX_RENDERED_BYTES",
    "profile_digest",
    "render_profile",
    "rendered_size_problem",
]

# A ConfigMap can hold 1 MiB in all; the rest is for metadata and managedFields.
MAX_RENDERED_BYTES: Final = 900 * 1024

# What the shortest request takes, a `getPodLog` (see the test).
LEAST_REQUEST_BYTES: Final = 86

# Only text that every YAML reader takes for text is written without quotes.
_UNQUOTED: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_RESERVED: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
# What needs no escape between double quotes.
_UNESCAPED: Final = re.compile(r"[ !#-\[\]-~]*")


def render_profile(profile: LoadProfile) -> str:
    """Return the text that is mounted as /config/load_profile.yaml.

    kperf up to 0.3.4 reads `spec` and a list's `seletor`; 0.3.5 and later read `specs` and
    `selector` (api/types/load_traffic.go). Each ignores the other's key, so both are written.
    Several specs have no old form.

    Returns:
        YAML in ASCII, the same for equal profiles; `parse_profile` reads it back.
    """
    # Written by hand, because PyYAML takes ten times as long as all other work on a profile. The
    # tests compare it with what PyYAML writes.
    head = [f"version: {profile.version}", f"description: {_scalar(profile.description)}"]
    specs = ["".join(f"  {line}\n" for line in _spec_lines(spec)) for spec in profile.specs]
    old = f"spec:\n{specs[0]}" if len(specs) == 1 else ""
    new = "".join(spec.replace("  ", "- ", 1) for spec in specs)
    return "".join(f"{line}\n" for line in head) + f"{old}specs:\n{new}"


def profile_digest(rendered: str) -> str:
    """Return the SHA-256 of a rendered profile, in hexadecimal: its identity within a run."""
    return hashlib.sha256(rendered.encode()).hexdigest()


def rendered_size_problem(size: int, *, at_least: bool = False) -> str | None:
    """Return why a profile does not fit into a ConfigMap.

    Args:
        size: Of the rendered profile, in bytes.
        at_least: Whether it was not rendered, and the size is a lower bound.
    """
    if size <= MAX_RENDERED_BYTES:
        return None
    return (
        f"the load profile takes {'at least ' if at_least else ''}{size:,} bytes as rendered for "
        f"kperf, but a ConfigMap holds at most {MAX_RENDERED_BYTES:,}; split it into several "
        "profiles, with a runner each"
    )


def _spec_lines(spec: LoadProfileSpec) -> Iterator[str]:
    values = _field_values(spec, without={"requests"})
    # kperf 0.0.1 reads an int here, later releases a float; a whole number suits both.
    values["rate"] = int(spec.rate) if spec.rate.is_integer() else spec.rate
    yield from _mapping_lines(values)
    yield "requests:"
    for entry in spec.requests:
        yield f"- shares: {entry.shares}"
        yield f"  {entry.kind.value}:"
        for line in _mapping_lines(_request_values(entry.request)):
            yield f"    {line}"


def _request_values(request: ProfileModel) -> dict[str, object]:
    values = _field_values(request)
    if isinstance(request, RequestList) and request.selector:
        values["seletor"] = request.selector
    return values


def _field_values(model: ProfileModel, without: set[str] | None = None) -> dict[str, object]:
    # mode="json" turns enums into their texts; a field that is None is a Go pointer left nil.
    return model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=without)


def _mapping_lines(values: Mapping[str, object]) -> Iterator[str]:
    for key, value in values.items():
        yield f"{key}: {_scalar(value)}"


def _scalar(value: object) -> str:
    """Return a scalar as YAML; text is quoted where two YAML versions could disagree."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        if _UNQUOTED.fullmatch(value) and value.lower() not in _RESERVED:
            return value
        if _UNESCAPED.fullmatch(value):
            return f'"{value}"'
    style = '"' if isinstance(value, str) else None
    # On one line, however long; a document that is one scalar may end with a line of dots.
    dumped: str = yaml.dump(value, Dumper=yaml.SafeDumper, default_style=style, width=2**31)
    return dumped.partition("\n")[0]

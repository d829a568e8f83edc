"""Renders a load profile as YAML that every kperf release and every YAML version reads alike.

Nothing is left to kperf's defaults: every field is written.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

import yaml

from mrunners.profiles.profile import LoadProfile, LoadProfileSpec
from mrunners.profiles.requests import ProfileModel, RequestList

__all__ = ["profile_digest", "render_profile"]

# Only text that every YAML reader takes for text is written without quotes.
_UNQUOTED: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_RESERVED: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def render_profile(profile: LoadProfile) -> str:
    """Return the text that is mounted as /config/load_profile.yaml.

    kperf up to 0.3.4 reads `spec` and a list's `seletor`; 0.3.5 and later read `specs` and
    `selector` (api/types/load_traffic.go). Each ignores the other's key, so both are written.
    Several specs have no old form.

    Returns:
        YAML in ASCII, the same for equal profiles; `parse_profile` reads it back.
    """
    specs = [_render_spec(spec) for spec in profile.specs]
    document: dict[str, object] = {
        "version": profile.version,
        "description": profile.description,
    }
    if len(specs) == 1:
        document["spec"] = specs[0]
    document["specs"] = specs
    text: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=2**31
    )
    return text


def profile_digest(rendered: str) -> str:
    """Return the SHA-256 of a rendered profile, in hexadecimal: its identity within a run."""
    return hashlib.sha256(rendered.encode()).hexdigest()


def _render_spec(spec: LoadProfileSpec) -> dict[str, object]:
    values = _field_values(spec)
    # kperf 0.0.1 reads an int here, later releases a float; a whole number suits both.
    values["rate"] = int(spec.rate) if spec.rate.is_integer() else spec.rate
    values["requests"] = [
        {"shares": entry.shares, entry.kind.value: _render_request(entry.request)}
        for entry in spec.requests
    ]
    return values


def _render_request(request: ProfileModel) -> dict[str, object]:
    values = _field_values(request)
    if isinstance(request, RequestList) and request.selector:
        values["seletor"] = request.selector
    return values


def _field_values(model: ProfileModel) -> dict[str, object]:
    # mode="json" turns enums into their texts; a field that is None is a Go pointer left nil.
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


class _Dumper(yaml.SafeDumper):
    """Writes block style without aliases, and quotes where two YAML versions could disagree."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        unquoted = _UNQUOTED.fullmatch(text) and text.lower() not in _RESERVED
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if unquoted else '"')


_Dumper.add_representer(str, _Dumper.represent_text)

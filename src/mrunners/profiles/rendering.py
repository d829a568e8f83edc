"""Writes a load profile as the YAML that every release of kperf reads alike.

It must not leave anything to kperf's defaults, nor to a YAML reader's guesses.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

import yaml

from mrunners.profiles.profile import LoadProfile, LoadProfileSpec
from mrunners.profiles.requests import ProfileModel, RequestList

__all__ = ["profile_digest", "render_profile"]

# Words that no YAML reader takes for anything but text stand without quotes, all others with.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_RESERVED: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def render_profile(profile: LoadProfile) -> str:
    """The text that is mounted as /config/load_profile.yaml.

    kperf up to 0.3.4 reads `spec` and a list's `seletor`, 0.3.5 and later `specs` and `selector`
    (api/types/load_traffic.go); each ignores the other's key, so both are written. Several specs
    have no old form.

    Args:
        profile: a good one.
    Returns: YAML in ASCII, the same for equal profiles; `parse_profile` reads it back.
    """
    specs = [_spec(spec) for spec in profile.specs]
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
    """The SHA-256 of a rendered profile, in hexadecimal: its identity within a run.

    Args:
        rendered: what `render_profile` returned.
    """
    return hashlib.sha256(rendered.encode()).hexdigest()


def _spec(spec: LoadProfileSpec) -> dict[str, object]:
    values = _plain(spec)
    # kperf 0.0.1 reads an int here; a whole number suits both.
    values["rate"] = int(spec.rate) if spec.rate.is_integer() else spec.rate
    values["requests"] = [
        {"shares": entry.shares, entry.kind.value: _request(entry.request)}
        for entry in spec.requests
    ]
    return values


def _request(request: ProfileModel) -> dict[str, object]:
    values = _plain(request)
    if isinstance(request, RequestList) and request.selector:
        values["seletor"] = request.selector
    return values


def _plain(model: ProfileModel) -> dict[str, object]:
    # mode="json" turns enums into their texts; a field that is None is a Go pointer left nil.
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


class _Dumper(yaml.SafeDumper):
    """Block style, no aliases, quotes wherever two YAML versions could disagree."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        plain = _PLAIN.fullmatch(text) and text.lower() not in _RESERVED
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _Dumper.represent_text)

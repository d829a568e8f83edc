"""Sources of load profiles, one per URI scheme; a new scheme is a line in SOURCES."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mrunners.profiles.sources.configmap import ConfigMapSource
from mrunners.profiles.sources.file import FileSource
from mrunners.profiles.sources.protocol import ConfigMapReader, ProfileSource, SourceContext

__all__ = ["SOURCES", "ConfigMapReader", "ProfileSource", "SourceContext"]

SOURCES: Final[Mapping[str, ProfileSource]] = MappingProxyType(
    {
        "configmap": ConfigMapSource(),
        "file": FileSource(),
    }
)

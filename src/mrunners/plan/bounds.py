"""The bounds of what a form takes, as JSON Schema says them: a first look, where the user types.

It must not be taken for the check: `validate_options` judges, with reasons.
"""

from __future__ import annotations

from typing import Final

from pydantic.config import JsonDict

from mrunners.plan.metadata import TRACKER_LENGTH

__all__ = [
    "DURATION",
    "IMAGE",
    "KEY",
    "NAMESPACE",
    "OPTIONAL_DURATION",
    "OPTIONAL_TRACKER",
    "PATH",
    "RUNNERS",
    "SERVICE_ACCOUNT",
    "SIZE",
    "TRACKER",
    "URL",
]

# RFC 1123, as mrunners.names has it.
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

# As mrunners.durations and mrunners.quantities read them.
_DURATION: Final = "([0-9]+([.][0-9]+)?(ms|h|m|s))+"
_SIZE: Final = "[0-9]+([.][0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?"

NAMESPACE: Final[JsonDict] = {"pattern": f"^{_LABEL}$", "minLength": 1, "maxLength": 63}
TRACKER: Final[JsonDict] = {"pattern": f"^{_LABEL}$", "minLength": 1, "maxLength": TRACKER_LENGTH}
OPTIONAL_TRACKER: Final[JsonDict] = {"pattern": f"^({_LABEL})?$", "maxLength": TRACKER_LENGTH}
SERVICE_ACCOUNT: Final[JsonDict] = {
    "pattern": f"^{_LABEL}([.]{_LABEL})*$",
    "minLength": 1,
    "maxLength": 253,
}
DURATION: Final[JsonDict] = {"pattern": f"^{_DURATION}$", "maxLength": 64}
OPTIONAL_DURATION: Final[JsonDict] = {"pattern": f"^({_DURATION})?$", "maxLength": 64}
SIZE: Final[JsonDict] = {"pattern": f"^{_SIZE}$", "maxLength": 32}

# No least number: a run that is resumed needs none. More Jobs than this no ConfigMap can hold.
RUNNERS: Final[JsonDict] = {"maxItems": 10_000}

# Linux's PATH_MAX; the longest image reference is far shorter.
PATH: Final[JsonDict] = {"maxLength": 4096}
IMAGE: Final[JsonDict] = {"maxLength": 1024}
KEY: Final[JsonDict] = {"maxLength": 1024}
URL: Final[JsonDict] = {"pattern": "^(https?://.+)?$", "maxLength": 2048}

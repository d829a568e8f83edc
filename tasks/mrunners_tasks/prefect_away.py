"""What a call to the Prefect server raises when it is away or cannot do it now.

It must not be caught around a step's own work: there, a RuntimeError is a defect.
"""

from __future__ import annotations

import httpx
from prefect.exceptions import PrefectException

__all__ = ["PREFECT_AWAY"]

PREFECT_AWAY: tuple[type[Exception], ...] = (
    httpx.HTTPError,
    OSError,
    PrefectException,
    RuntimeError,  # "Failed to reach API at …", as the client says it when it opens
    ValueError,  # an answer that is not what the client reads
)

"""Tells a Prefect server that does not answer from a defect of ours.

It must not import Prefect, nor be used around anything but a flow's call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from mrunners.errors import UnreachableError

__all__ = ["prefect_answering"]

# Prefect has no class of its own for these: its client, its engine and its ephemeral server raise
# RuntimeError with such a text.
_WORDS = ("Failed to reach API", "ephemeral Prefect API server")


@contextmanager
def prefect_answering() -> Iterator[None]:
    """Let what Prefect raises when no server answers end as what it is.

    Raises: UnreachableError: the server that is set does not answer, or one of our own did not
        start.
    """
    try:
        yield
    except (httpx.HTTPError, RuntimeError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, RuntimeError) and not any(word in text for word in _WORDS):
            raise
        raise UnreachableError(
            f"the Prefect server does not answer: {text}; check PREFECT_API_URL, or unset it to "
            "run with a server of its own"
        ) from error

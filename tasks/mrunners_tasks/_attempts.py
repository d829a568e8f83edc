"""Remembers what a flow run has brought home, for a retry that finds its Jobs removed.

It must not be read by any other run: not even the next night's with the same run key.
"""

from __future__ import annotations

import hashlib
from typing import TypeVar

from prefect import runtime, task
from prefect.results import ResultStore, get_result_store

from mrunners_tasks._prefect import PREFECT_UNAVAILABLE
from mrunners_tasks._step import STEP

__all__ = ["load_attempt", "save_attempt"]

T = TypeVar("T")


@task(name="save-attempt", **STEP)
def save_attempt(run: str, brought: object) -> bool:
    """Keep something in Prefect's result storage.

    Args:
        run: its key, and all that tells it from another run with that key.
        brought: what another attempt is to have again; it can be pickled.
    Returns: whether it was kept.
    """
    if (key := _storage_key(run)) is None:
        return False
    _store().write(brought, key=key)
    return True


def load_attempt(run: str, kind: type[T]) -> T | None:
    """What an earlier attempt of this flow run, or of the one that it is part of, has kept.

    Args:
        run: as it was given to `save_attempt`.
        kind: what it must be; a later release may keep something else.
    """
    key, store = _storage_key(run), _store()
    kept = store.read(key).result if key is not None and store.exists(key) else None
    return kept if isinstance(kept, kind) else None


def _store() -> ResultStore:
    """The flow's own storage; a flow's store itself keeps records apart and discards them."""
    return ResultStore(result_storage=get_result_store().result_storage)


def _storage_key(run: str) -> str | None:
    """A name for a file; None where it cannot be known which run this is a part of.

    A pipeline's retry makes a new subflow run, but the pipeline's own run stays the same.
    """
    try:
        root = runtime.flow_run.root_flow_run_id
    except PREFECT_UNAVAILABLE:
        return None
    digest = hashlib.sha256(f"{root}\0{run}".encode()).hexdigest()
    return f"mrunners-brought-home-{digest}"

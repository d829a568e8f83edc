"""Keeps what a flow run has collected for a retry that finds its Jobs deleted.

No other run may read it, not even the next night's run with the same run key.
"""

from __future__ import annotations

import hashlib
from typing import TypeVar

from prefect import runtime
from prefect.results import ResultStore, get_result_store

from mrunners_tasks._prefect import PREFECT_UNAVAILABLE
from mrunners_tasks._step import step

__all__ = ["load_attempt", "save_attempt"]

T = TypeVar("T")


@step("save-attempt")
def save_attempt(run: str, result: object) -> bool:
    """Keep a result in Prefect's result storage.

    Args:
        run: The run's key, and everything that tells it from another run with that key.
        result: What another attempt is to get; it must be picklable.

    Returns:
        Whether it was kept.
    """
    if (key := _storage_key(run)) is None:
        return False
    _store().write(result, key=key)
    return True


def load_attempt(run: str, kind: type[T]) -> T | None:
    """Return what an earlier attempt of this flow run, or of its root flow run, has kept.

    Args:
        run: As it was given to `save_attempt`.
        kind: The type that it must have; another release may have kept something else.
    """
    key, store = _storage_key(run), _store()
    kept = store.read(key).result if key is not None and store.exists(key) else None
    return kept if isinstance(kept, kind) else None


def _store() -> ResultStore:
    """The flow's own storage; a flow's own store keeps metadata apart and discards it."""
    return ResultStore(result_storage=get_result_store().result_storage)


def _storage_key(run: str) -> str | None:
    """Return the name of a file; None where the root flow run is unknown.

    A pipeline's retry creates a new subflow run, but the pipeline's own run stays the same.
    """
    try:
        root = runtime.flow_run.root_flow_run_id
    except PREFECT_UNAVAILABLE:
        return None
    digest = hashlib.sha256(f"{root}\0{run}".encode()).hexdigest()
    return f"mrunners-attempt-{digest}"

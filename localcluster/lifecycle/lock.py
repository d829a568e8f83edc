"""One `up` or `down` of a name at a time; it must not outlive the process that holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from localcluster.console import say
from localcluster.paths import ClusterFolder

__all__ = ["hold"]


@contextmanager
def hold(folder: ClusterFolder, *, create: bool) -> Iterator[bool]:
    """Hold the cluster's lock; the kernel gives it back when this process ends, however it ends.

    Args:
        folder: of the cluster.
        create: make the folder where there is none.
    Yields: False when there is no folder and none shall be made; nothing is held then.
    """
    told = False
    while True:
        if create:
            folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            if create:
                continue  # a `down` removed the folder between the two calls
            yield False
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                say(f"{folder.name}: another up or down of this cluster runs; waiting for it")
                told = True
            fcntl.flock(handle, fcntl.LOCK_EX)
        if _is_current(handle, folder):
            break
        os.close(handle)  # a `down` removed that file while we waited
    try:
        yield True
    finally:
        os.close(handle)


def _is_current(handle: int, folder: ClusterFolder) -> bool:
    try:
        there = folder.lock.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(handle)
    return (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)

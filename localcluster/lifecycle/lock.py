"""A lock per cluster name, so that only one `up` or `down` runs at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from localcluster.console import print_line
from localcluster.paths import ClusterFolder

__all__ = ["lock_cluster"]


@contextmanager
def lock_cluster(folder: ClusterFolder, *, create: bool) -> Iterator[bool]:
    """Lock a cluster. The kernel releases the lock when this process ends, however it ends.

    Args:
        folder: The cluster's folder.
        create: Create the folder if it does not exist.

    Yields:
        False when the folder does not exist and `create` is false; nothing is locked then.
    """
    announced = False
    while True:
        if create:
            folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            if create:
                continue  # a `down` deleted the folder between the two calls
            yield False
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not announced:
                print_line(f"{folder.name}: waiting for another `up` or `down` of this cluster")
                announced = True
            fcntl.flock(handle, fcntl.LOCK_EX)
        if _is_current(handle, folder):
            break
        os.close(handle)  # a `down` deleted that file while this process waited
    try:
        yield True
    finally:
        os.close(handle)


def _is_current(handle: int, folder: ClusterFolder) -> bool:
    try:
        current = folder.lock.stat()
    except FileNotFoundError:
        return False
    locked = os.fstat(handle)
    return (locked.st_dev, locked.st_ino) == (current.st_dev, current.st_ino)

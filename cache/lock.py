"""A lock between processes that the system itself lets go of when its holder dies, by whatever signal."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cache.atomic import disk_errors
from cache.errors import StorageError


class LockHeldError(Exception):
    """Somebody else holds the lock. Callers say what that means in their own words."""


@contextmanager
def holding(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file `path` during the block; if somebody else does, raise LockHeldError at once, or `wait` for them.

    Raises StorageError on a file system without locks: on such a one, two executors could not be kept apart.
    """
    with disk_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise LockHeldError(path) from None
            raise StorageError(
                "The file system cannot lock files",
                path,
                "Set BEEAR_HOME to a local disk, or mount this one with flock.",
            ) from error
        yield
    finally:
        os.close(descriptor)


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Wait until nobody else is in such a block for `folder`: who comes second finds it made, and looks before making it."""
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with holding(folder.parent / f".{folder.name}.lock", wait=True):
        yield

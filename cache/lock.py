"""A lock between processes that the system itself lets go of when its holder dies, by whatever signal."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
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


def made_once(folder: Path, mark: str, make: Callable[[Path], object]) -> Path:
    """`folder`, made on first use by `make(folder)`; whoever needs it at the same time waits, and finds it made.

    `mark` names the file by which a whole folder is known. Raises StorageError, and what `make` raises.
    """
    if not (folder / mark).is_file():
        with disk_errors(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
        with holding(folder.parent / f".{folder.name}.lock", wait=True):
            if not (folder / mark).is_file():
                make(folder)
    return folder

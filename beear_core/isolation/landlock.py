"""Files: Landlock lets this thread, and the threads it starts later, reach the named folders and nothing else.

Also no TCP, no signal to a process outside and no abstract socket, where the kernel knows these. Source: the kernel's
Documentation/userspace-api/landlock.rst. It cannot be taken back.
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from beear_core.isolation import kernel

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR = (1 << bit for bit in range(5))
REFER, TRUNCATE = 1 << 13, 1 << 14
ALL = (1 << 15) - 1
READ = READ_FILE | READ_DIR
WRITE = ALL & ~EXECUTE
_OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
_VERSION = 1


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """Of the kernel's Landlock. Raises OSError where there is none, or where it is switched off."""
    return kernel.syscall(kernel.LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))


def restrict(read: Iterable[Path], write: Iterable[Path], emptied: Iterable[Path]) -> str:
    """Wall this thread in; returns what is left open, in words. `emptied` are folders whose folders may be removed.

    Nothing may be executed anywhere. Raises OSError, and then nothing is restricted.
    """
    abi = version()
    handled = ALL & ~(REFER if abi < 2 else 0) & ~(TRUNCATE if abi < 3 else 0)
    ruleset = _Ruleset(handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    made = kernel.syscall(
        kernel.LANDLOCK_CREATE, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    try:
        for paths, access in ((read, READ), (write, WRITE), (emptied, REMOVE_DIR)):
            for path in paths:
                _allow(made, path, access & handled)
        kernel.prctl(kernel.NO_NEW_PRIVILEGES, 1)
        kernel.syscall(kernel.LANDLOCK_RESTRICT, ctypes.c_int(made), ctypes.c_uint32(0))
    finally:
        os.close(made)
    return f"Landlock, version {abi}"


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # What is not there needs no permission.
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            access &= _OF_A_FILE
        rule = _Beneath(access, place)
        kernel.syscall(
            kernel.LANDLOCK_ADD,
            ctypes.c_int(ruleset),
            ctypes.c_int(1),
            ctypes.byref(rule),
            ctypes.c_uint32(0),
        )
    finally:
        os.close(place)

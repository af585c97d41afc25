"""Calls into the kernel that Python 3.11 has no name for. Linux on x86-64 or arm64; elsewhere every call is refused."""

import ctypes
import os
import platform
import sys
import threading
from pathlib import Path
from typing import Any

NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "execve": 59, "execveat": 322, "fork": 57, "vfork": 58, "clone": 56, "clone3": 435, "socket": 41,
        "connect": 42, "bind": 49, "listen": 50, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308, "bpf": 321,
        "perf_event_open": 298, "keyctl": 250, "add_key": 248, "request_key": 249, "io_uring_setup": 425,
        "userfaultfd": 323, "pidfd_getfd": 438, "open_by_handle_at": 304, "kexec_load": 246, "init_module": 175,
        "finit_module": 313, "ioctl": 16, "seccomp": 317,
    },
    "aarch64": {
        "execve": 221, "execveat": 281, "clone": 220, "clone3": 435, "socket": 198, "connect": 203, "bind": 200,
        "listen": 201, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "mount": 40, "umount2": 39,
        "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268, "bpf": 280, "perf_event_open": 241,
        "keyctl": 219, "add_key": 217, "request_key": 218, "io_uring_setup": 425, "userfaultfd": 282,
        "pidfd_getfd": 438, "open_by_handle_at": 265, "kexec_load": 104, "init_module": 105, "finit_module": 273,
        "ioctl": 29, "seccomp": 277,
    },
}  # fmt: skip
"""From the kernel's tables of system calls."""
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
NO_NEW_PRIVILEGES = 38
DIE_WITH_PARENT = 1


def numbers() -> dict[str, int]:
    """The system calls of this processor by name; empty where there are none that we know."""
    return NUMBERS.get(platform.machine(), {}) if sys.platform == "linux" else {}


def syscall(number: int, *arguments: Any) -> int:
    """Raises OSError."""
    return _checked(_libc().syscall, ctypes.c_long(number), *arguments)


def prctl(option: int, value: int) -> None:
    """Raises OSError."""
    zero = ctypes.c_ulong(0)
    _checked(_libc().prctl, ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero)


def unshare(flags: int) -> None:
    """Raises OSError."""
    _checked(_libc().unshare, ctypes.c_int(flags))


def other_threads() -> list[str]:
    """Names of the threads of this process besides the one that asks, those that Python does not know included."""
    own = str(threading.get_native_id())
    try:
        tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != own]
        return sorted((task / "comm").read_text(errors="replace").strip() for task in tasks)
    except OSError:
        return []


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(call: Any, *arguments: Any) -> int:
    call.restype = ctypes.c_long
    answer = int(call(*arguments))
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer

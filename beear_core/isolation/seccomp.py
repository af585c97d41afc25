"""System calls: no program is started, no process forked, no socket made, in any thread of this process, ever again.

A filter in the kernel's classic BPF, loaded for all threads at once. Threads may still be started: torch and OpenMP do.
Source: seccomp(2). It cannot be taken back.
"""

import ctypes
import errno
import platform
from collections.abc import Iterator

from beear_core.isolation import kernel

REFUSED = (
    "execve", "execveat", "fork", "vfork", "socket", "connect", "bind", "listen", "ptrace", "process_vm_readv",
    "process_vm_writev", "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open",
    "keyctl", "add_key", "request_key", "io_uring_setup", "userfaultfd", "pidfd_getfd", "open_by_handle_at",
    "kexec_load", "init_module", "finit_module",
)  # fmt: skip
"""io_uring opens sockets and files without their system calls."""
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_OTHER_TABLE = 0x40000000
_A_THREAD = 0x00010000
_TYPE_INTO_TERMINAL = 0x5412
_SET_FILTER, _ALL_THREADS = 1, 1

Instruction = tuple[int, int, int, int]


class _Instruction(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction))]


def restrict() -> str:
    """Load the filter; returns its name. Raises OSError, and then nothing is restricted."""
    known = kernel.numbers()
    if not known:
        raise OSError(errno.ENOSYS, f"no filter is written for {platform.system()} on {platform.machine()}")
    instructions = list(_filter(known))
    held = (_Instruction * len(instructions))(*(_Instruction(*each) for each in instructions))
    program = _Program(len(instructions), held)
    kernel.prctl(kernel.NO_NEW_PRIVILEGES, 1)
    kernel.syscall(
        known["seccomp"], ctypes.c_uint(_SET_FILTER), ctypes.c_uint(_ALL_THREADS), ctypes.byref(program)
    )
    return f"a filter over {len(REFUSED) + 3} system calls, in all threads"


def _filter(known: dict[str, int]) -> Iterator[Instruction]:
    refuse = (_RETURN, 0, 0, _ERROR | errno.EPERM)
    yield (_LOAD, 0, 0, _ARCH)
    yield (_EQUAL, 1, 0, _ARCHITECTURE[platform.machine()])
    yield refuse
    yield (_LOAD, 0, 0, _NUMBER)
    yield (_AT_LEAST, 0, 1, _OTHER_TABLE)  # the x32 calls do the same under other numbers
    yield refuse
    for name in REFUSED:
        if name in known:
            yield (_EQUAL, 0, 1, known[name])
            yield refuse
    # glibc takes the older call where this one is missing, and only the older one shows its flags to a filter.
    yield (_EQUAL, 0, 1, known["clone3"])
    yield (_RETURN, 0, 0, _ERROR | errno.ENOSYS)
    yield (_EQUAL, 0, 4, known["clone"])
    yield (_LOAD, 0, 0, _FIRST)
    yield (_HAS_BITS, 1, 0, _A_THREAD)
    yield refuse
    yield (_RETURN, 0, 0, _ALLOW)
    yield (_EQUAL, 0, 3, known["ioctl"])
    yield (_LOAD, 0, 0, _SECOND)
    yield (_EQUAL, 0, 1, _TYPE_INTO_TERMINAL)
    yield refuse
    yield (_RETURN, 0, 0, _ALLOW)

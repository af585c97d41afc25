"""Freed memory is kept for the next step instead of being handed back to the system and fetched again.

A training step on the CPU frees and asks for the same gigabyte; glibc returns large blocks to the system at once, and
each of their pages must then be faulted in again: a tensor of 256 MiB, filled and freed again and again, cost 65,537
page faults each time, and with this none once the heap had grown (glibc 2.36). Elsewhere than on glibc this does nothing.
"""

import ctypes
import platform

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
TOP_PAD = 64 * 2**20


def keep_freed_memory() -> bool:
    """Tell malloc, for the rest of this process. False where there is no glibc to tell."""
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    told = [
        libc.mallopt(M_MMAP_MAX, 0),
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1),
        libc.mallopt(M_TOP_PAD, TOP_PAD),
    ]
    return all(told)

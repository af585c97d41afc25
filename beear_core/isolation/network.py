"""Network: a namespace of its own, in which no address can be reached. Behind it the system call filter refuses sockets."""

import os
from pathlib import Path

from beear_core.isolation import kernel

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000


def leave() -> str:
    """Leave the machine's network for good; returns how. Raises OSError, and then nothing has changed.

    An ordinary user needs a user namespace for it, which only a process with one thread may make. Root does without: in
    one, files of other users would be out of reach.
    """
    user, group = os.getuid(), os.getgid()
    if user == 0:
        kernel.unshare(_NEW_NETWORK)
        return "a network namespace of its own, with nothing in it"
    kernel.unshare(_NEW_USER | _NEW_NETWORK)
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(content)
    return "user and network namespaces of its own, with nothing in them"

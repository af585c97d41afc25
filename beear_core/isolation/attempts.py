"""What a walled-in process tried: Python's audit events, each refused where it happens and told at once.

The hook sees what goes through Python. Compiled code does not ask it; for that there are the walls of the system.
"""

import contextlib
import errno
import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cache.errors import StorageError

MOST = 50
"""Told at most; further ones are refused in silence."""
MOST_LETTERS = 200


class Attempt(NamedTuple):
    """One thing that was tried and refused."""

    measure: str
    """Which wall it met."""
    what: str
    """In words, with the value."""

    def as_dict(self) -> dict[str, str]:
        return self._asdict()


Tell = Callable[[Attempt], None]

_NETWORK = {
    "socket.__new__": "open a socket",
    "socket.connect": "connect to",
    "socket.bind": "listen at",
    "socket.sendto": "send to",
    "socket.sendmsg": "send to",
    "socket.getaddrinfo": "look up the address of",
    "socket.gethostbyname": "look up the address of",
    "socket.gethostbyaddr": "look up the name of",
}
_PROGRAMS = {
    "subprocess.Popen": "start the program",
    "os.system": "run the shell command",
    "os.exec": "become the program",
    "os.posix_spawn": "start the program",
    "os.spawn": "start the program",
    "pty.spawn": "start the program",
    "os.fork": "fork",
    "os.forkpty": "fork",
}
_READING = {"os.listdir": "list the folder", "os.scandir": "list the folder"}
_CHANGING = {
    "os.remove": "delete",
    "os.rmdir": "delete the folder",
    "os.mkdir": "make the folder",
    "os.chmod": "change the rights of",
    "os.chown": "change the owner of",
    "os.truncate": "cut off",
    "os.rename": "rename",
    "os.link": "link",
    "os.symlink": "link",
}
_FROM = {
    "os.remove": (1,),
    "os.rmdir": (1,),
    "os.mkdir": (2,),
    "os.chmod": (2,),
    "os.chown": (3,),
    "os.rename": (2, 3),
    "os.link": (2, 3),
}
"""Which argument of an event is the open folder that each of its paths starts from; -1 is the current one."""
_IS_IT_ALIVE = re.compile(r"/proc/\d+/stat")
"""How our own code asks whether a run's process lives."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """The hook of one process. It cannot be taken out again, as no audit hook can."""

    def __init__(
        self, read: tuple[Path, ...], write: tuple[Path, ...], tell: Tell, *, ours: tuple[Path, ...] = ()
    ) -> None:
        """`ours` are folders that our own code writes to where it may: refused like others, but nothing to tell."""
        self.tell = tell
        self.seen: list[Attempt] = []
        self._read = _prefixes((*read, *write))
        self._write = _prefixes(write)
        self._ours = _prefixes(ours)
        self._homes = _prefixes(tuple(_home_folders()))
        self._busy = threading.local()

    def begin(self) -> None:
        """From now on."""
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            self._opened(arguments)
        elif event in _NETWORK:
            self._refuse("network", _NETWORK[event], _shown(event, arguments))
        elif event in _PROGRAMS:
            self._refuse("programs", _PROGRAMS[event], _shown(event, arguments))
        elif event in _READING:
            self._reached("read", _READING[event], arguments[0], self._read)
        elif event in _CHANGING:
            folders = [arguments[at] for at in _FROM.get(event, ()) if at < len(arguments)] or [-1]
            for path, folder in zip(arguments, folders, strict=False):
                self._reached("write", _CHANGING[event], _from(folder, path), self._write)
        elif event == "os.kill" and arguments[0] != os.getpid():
            self._refuse("programs", "send a signal to process", str(arguments[0]))

    def _opened(self, arguments: tuple[Any, ...]) -> None:
        path, _, flags = arguments
        writes = isinstance(flags, int) and bool(flags & _WRITES)
        self._reached(
            "write" if writes else "read",
            "write" if writes else "read",
            path,
            self._write if writes else self._read,
        )

    def _reached(self, how: str, words: str, path: object, allowed: tuple[str, ...]) -> None:
        if not isinstance(path, str | bytes | os.PathLike) or getattr(self._busy, "on", False):
            return
        # Where it leads, links followed: what is allowed is named so too.
        name = os.path.realpath(os.fsdecode(path))
        if _beneath(name, allowed):
            return
        if how == "read" and not os.path.lexists(name):
            # Libraries look for files that may be missing, and expect to hear so.
            if _beneath(name, self._homes):
                self._note(Attempt("files", f"{words} {name}"[:MOST_LETTERS]))
            return
        if _beneath(name, self._ours) or _IS_IT_ALIVE.fullmatch(name):
            raise PermissionError(errno.EPERM, f"not from the isolated process: {words} {name}")
        self._refuse("files", words, name)

    def _refuse(self, measure: str, words: str, value: str) -> None:
        attempt = Attempt(measure, f"{words} {value}".strip()[:MOST_LETTERS])
        self._note(attempt)
        raise PermissionError(errno.EPERM, f"refused in the isolated process: {attempt.what}")

    def _note(self, attempt: Attempt) -> None:
        if getattr(self._busy, "on", False) or attempt in self.seen or len(self.seen) >= MOST:
            return
        self.seen.append(attempt)
        self._busy.on = True
        try:
            # A full disk must not let the attempt pass.
            with contextlib.suppress(OSError, StorageError):
                self.tell(attempt)
        finally:
            self._busy.on = False


def _shown(event: str, arguments: tuple[Any, ...]) -> str:
    if event in ("os.fork", "os.forkpty", "socket.__new__"):
        return ""
    if event == "subprocess.Popen":
        program, words = arguments[0], arguments[1]
        return " ".join(map(_text, words)) if isinstance(words, list | tuple) else _text(words or program)
    value = (
        arguments[1]
        if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")
        else arguments[0]
    )
    if isinstance(value, tuple):
        return ":".join(map(_text, value[:2]))
    if event == "socket.getaddrinfo" and len(arguments) > 1:
        return f"{_text(value)}:{_text(arguments[1])}"
    return _text(value)


def _text(value: object) -> str:
    text = os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else repr(value)
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)


def _from(folder: object, path: object) -> object:
    """A relative path in an open folder as it is from anywhere: `shutil.rmtree` deletes so."""
    if not isinstance(folder, int) or folder < 0 or not isinstance(path, str | bytes | os.PathLike):
        return path
    try:
        return Path(f"/proc/self/fd/{folder}").readlink() / os.fsdecode(path)
    except OSError:
        return path


def _prefixes(paths: tuple[Path, ...]) -> tuple[str, ...]:
    return tuple({os.path.realpath(path) for path in paths})


def _beneath(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(root.rstrip("/") + "/") for root in roots)


def _home_folders() -> set[Path]:
    import pwd

    found = {Path.home()}
    with contextlib.suppress(KeyError):
        found.add(Path(pwd.getpwuid(os.getuid()).pw_dir))
    return found

"""SHA-256 of many files at once, remembered in the home folder until a file changes.

A digest is taken from memory only if path, size, inode and both times of the file are as they were. The time of
change (ctime) is among them because the time of modification can be set by whoever wrote the file.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cache.atomic import write_json
from cache.digest import sha256_file
from cache.errors import StorageError
from cache.home import digests_file

MOST_KEPT = 5_000
"""Entries that are kept; the oldest go first."""
SETTLED_SECONDS = 2.0
"""A file younger than this is hashed but not remembered: it may change again within one tick of the file system's clock."""

_Stamp = list[int]
_Kept = dict[str, tuple[_Stamp, str]]


def sha256_files(paths: Iterable[Path], *, fresh: bool = False) -> dict[Path, str]:
    """The SHA-256 of each file, hashed in parallel. `fresh` reads every byte again, whatever is remembered.

    Raises OSError for a file that cannot be read. A home folder that cannot be written to only costs the memory.
    """
    wanted = list(dict.fromkeys(paths))
    stamps = {path: _stamp(path) for path in wanted}
    kept = _read(digests_file())
    found = {} if fresh else {path: digest for path in wanted if (digest := _known(kept, path, stamps[path]))}
    missing = [path for path in wanted if path not in found]
    if missing:
        # Largest first, so that no thread starts on the weights when the others are done.
        missing.sort(key=lambda path: stamps[path][0], reverse=True)
        with ThreadPoolExecutor(_threads()) as pool:
            found.update(zip(missing, pool.map(sha256_file, missing), strict=True))
        _keep(kept, {path: (stamps[path], found[path]) for path in missing})
    return {path: found[path] for path in wanted}


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _known(kept: _Kept, path: Path, stamp: _Stamp) -> str | None:
    remembered, digest = kept.get(str(path.absolute()), (None, ""))
    return digest if remembered == stamp else None


def _threads() -> int:
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _read(file: Path) -> _Kept:
    """What is remembered; nothing where the file is missing or damaged."""
    try:
        entries = json.loads(file.read_text("utf-8"))
        return {str(path): (list(stamp), str(digest)) for path, (stamp, digest) in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(kept: _Kept, new: Mapping[Path, tuple[_Stamp, str]]) -> None:
    settled_before = time.time_ns() - int(SETTLED_SECONDS * 1e9)
    settled = {
        str(path.absolute()): (stamp, digest)
        for path, (stamp, digest) in new.items()
        if max(stamp[1], stamp[2]) < settled_before
    }
    if not settled:
        return
    together = {**{path: entry for path, entry in kept.items() if path not in settled}, **settled}
    with contextlib.suppress(StorageError):
        write_json(digests_file(), dict(list(together.items())[-MOST_KEPT:]))

"""Files and folders that appear whole or not at all.

Everything is written beside its destination under a temporary name, flushed to the disk, then renamed. A
failure leaves the destination as it was and no temporary behind; after a SIGKILL, `remove_leftovers` clears what
the dead process could not. A full disk is `DiskFullError` and a refused access `StorageError`, whichever library
did the writing and in whatever words it complained.
"""

import contextlib
import errno
import json
import math
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cache.errors import DiskFullError, StorageError, WorkbenchError
from cache.process import is_alive

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
# Rust (safetensors), SQLite and torch report a full disk as text inside exceptions of their own.
_FULL_WORDS = ("no space left on device", "disk quota exceeded", "database or disk is full")


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically; missing parent folders are made."""
    with writing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8. Lone surrogates are kept as `\\udcxx` escapes."""
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_json(path: Path, value: object) -> None:
    """Write `value` to `path` atomically, as indented JSON that every reader accepts (see `as_json`)."""
    write_text(path, as_json(value, indent=2) + "\n")


def as_json(value: object, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """`value` as strict JSON: numpy scalars and arrays as numbers and lists, paths as text.

    NaN and infinity become null: JSON has no word for them, and readers outside Python refuse the whole file.
    """
    return json.dumps(
        _finite(value),
        indent=indent,
        sort_keys=sort_keys,
        ensure_ascii=False,
        allow_nan=False,
        default=_plain,
    )


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; what the block writes there becomes `path` if the block succeeds.

    For libraries that want a path. Raises DiskFullError and StorageError as the module says.
    """
    temporary = _temporary(path)
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            _flush(temporary)
            temporary.replace(path)
    finally:
        # Where nothing can be written nothing can be deleted either, and the first error is the one to tell.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `path` if the block succeeds.

    A non-empty `path` is refused with StorageError before anything is written: a folder, unlike a file, cannot
    be replaced in one step.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise StorageError(
            "the folder exists already and is not empty", path, "Name another one or delete it."
        )
    temporary = _temporary(path)
    try:
        with disk_errors(path):
            temporary.mkdir(parents=True)
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file() and not file.is_symlink():
                    _flush(file)
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a refused access inside the block into an error that names `path` and a remedy."""
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:
        known = storage_error(error, path)
        if known is None:
            raise
        raise known from error


def storage_error(error: Exception, path: Path) -> StorageError | None:
    """What `error`, met while working on `path`, means for a person: a full disk, a refused access, or None."""
    code = error.errno if isinstance(error, OSError) else None
    if code in _FULL or any(words in str(error).lower() for words in _FULL_WORDS):
        return DiskFullError("the disk is full, so a file could not be written", path, _make_room(path))
    if code in _REFUSED:
        return StorageError(
            "access is refused", path, "Check its permissions, or name a place that is yours."
        )
    return None


def remove_leftovers(folder: Path) -> None:
    """Remove the temporaries that dead processes left directly in `folder`."""
    for leftover in folder.glob(".*.tmp"):
        maker = (
            leftover.suffixes[-2].removeprefix(".").partition("-")[0] if len(leftover.suffixes) > 1 else ""
        )
        if maker.isdecimal() and not is_alive(int(maker)):
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    # The process id lets remove_leftovers tell a dead writer's file from a living one's.
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(3)}.tmp")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_room(path: Path) -> str:
    existing = next((folder for folder in path.parents if folder.exists()), Path("/"))
    free = shutil.disk_usage(existing).free / 1e6
    return f"Free some space ({free:.0f} MB are left), or set BEEAR_HOME to a folder on another disk."


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form: return plain numbers, text, lists and dicts")

"""The text values in a GGUF file's metadata: a chat template hides there too. Reads no tensor, keeps no array.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
"""

import mmap
import struct
from pathlib import Path

MOST_KEYS = 10_000
MOST_ELEMENTS = 4_000_000
"""Of an array: vocabularies reach 300,000."""
MOST_TEXT = 4 * 1024 * 1024
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9


def read_texts(path: Path) -> dict[str, str]:
    """Every text value by its key. Raises ValueError with a sentence where the header cannot be read."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _texts(_Cursor(data))
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from error


class _Cursor:
    """A place in the file that never leaves it."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def skip(self, size: int) -> int:
        begin = self.at
        if size < 0 or begin + size > len(self.data):
            raise ValueError(f"the metadata ends past the file, at byte {begin}")
        self.at = begin + size
        return begin

    def u32(self) -> int:
        return int(struct.unpack_from("<I", self.data, self.skip(4))[0])

    def u64(self) -> int:
        return int(struct.unpack_from("<Q", self.data, self.skip(8))[0])

    def text(self) -> bytes:
        begin = self.skip(size := self.u64())
        if size > MOST_TEXT:
            raise ValueError(f"a text of {size} bytes, at most {MOST_TEXT} are read")
        return self.data[begin : self.at]


def _texts(cursor: _Cursor) -> dict[str, str]:
    if cursor.data[:4] != b"GGUF":
        raise ValueError("the file does not begin with GGUF")
    cursor.skip(4)
    if (version := cursor.u32()) not in (2, 3):
        raise ValueError(f"GGUF version {version} is none that is known here")
    cursor.u64()
    if (keys := cursor.u64()) > MOST_KEYS:
        raise ValueError(f"the header claims {keys} keys, at most {MOST_KEYS} are read")
    found: dict[str, str] = {}
    for _ in range(keys):
        key = cursor.text().decode("utf-8", "replace")
        value = _value(cursor, cursor.u32())
        if key in found:
            raise ValueError(f"the key {key[:80]!r} stands twice")
        if value is not None:
            found[key] = value
    return found


def _value(cursor: _Cursor, kind: int) -> str | None:
    if kind == _STRING:
        return cursor.text().decode("utf-8", "replace")
    if kind == _ARRAY:
        _skip_array(cursor)
    elif kind in _SIZES:
        cursor.skip(_SIZES[kind])
    else:
        raise ValueError(f"a value of type {kind}, which the format does not have")
    return None


def _skip_array(cursor: _Cursor) -> None:
    kind, count = cursor.u32(), cursor.u64()
    if count > MOST_ELEMENTS:
        raise ValueError(f"an array of {count} elements, at most {MOST_ELEMENTS} are passed over")
    if kind == _STRING:
        for _ in range(count):
            cursor.skip(cursor.u64())
    elif kind in _SIZES:
        cursor.skip(_SIZES[kind] * count)
    else:
        raise ValueError(f"an array of type {kind}, which no model file has")

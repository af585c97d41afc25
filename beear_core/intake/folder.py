"""A model's folder as rules see it: names, sizes, and small text files. Opens no weights, follows no link out."""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from beear_core.intake.safetensors_header import TensorEntry, read_header

MOST_TEXT = 64 * 1024 * 1024
"""Bytes of a text file that are read at most: a large tokenizer.json is 20 to 35 MB."""
MOST_FILES = 20_000
MOST_HEAD = 1024
"""Bytes from which a file's true format is told."""


class Unreadable(NamedTuple):
    """Why a file's content cannot be had."""

    why: str


class ModelFolder:
    """Read-only view of one folder; every answer is kept, so that ten rules read a file once.

    `reference` is a model that the analyst trusts, to compare with; `key` the signer's public key; `hub` what the hub says
    of the repository that the folder was fetched from, None if it was not or did not say.
    """

    def __init__(
        self,
        path: Path,
        reference: "ModelFolder | None" = None,
        *,
        key: Path | None = None,
        hub: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = path
        self.reference = reference
        self.key = key
        self.hub = hub
        self._texts: dict[str, str | Unreadable | None] = {}
        self._objects: dict[str, Any] = {}
        self._heads: dict[str, bytes] = {}

    @cached_property
    def files(self) -> list[str]:
        """Relative paths (forward slashes) of files and links, sorted; links to folders are not entered.

        At most `MOST_FILES`; a folder in it that cannot be listed stands here itself.
        """
        found: list[str] = []
        waiting = [self.path]
        while waiting:
            inner = waiting.pop()
            try:
                entries = sorted(inner.iterdir())
            except OSError:
                if inner == self.path:
                    raise
                found.append(inner.relative_to(self.path).as_posix())
                continue
            for entry in entries:
                if not entry.is_symlink() and entry.is_dir():
                    waiting.append(entry)
                else:
                    found.append(entry.relative_to(self.path).as_posix())
                if len(found) == MOST_FILES:
                    return sorted(found)
        return sorted(found)

    def text(self, name: str) -> str | Unreadable | None:
        """A text file; None if there is none; Unreadable if it is no UTF-8, too large, a pipe, or leads out."""
        if name not in self._texts:
            self._texts[name] = self._read(name)
        return self._texts[name]

    def json(self, name: str) -> Any:
        """A JSON file; None if there is none; Unreadable if it cannot be parsed."""
        if name not in self._objects:
            text = self.text(name)
            self._objects[name] = _parsed(text) if isinstance(text, str) else text
        return self._objects[name]

    @property
    def config(self) -> dict[str, Any]:
        """config.json if it is an object, else empty."""
        return self.object("config.json")

    def object(self, name: str) -> dict[str, Any]:
        """A JSON file if it is an object, else empty."""
        found = self.json(name)
        return found if isinstance(found, dict) else {}

    def inside(self, name: str) -> bool:
        """Whether the name, links followed, stays in the folder, or in the blobs that a hub snapshot is made of."""
        try:
            target = (self.path / name).resolve()
        except (OSError, RuntimeError, ValueError):  # a loop of links, a name that no file can have
            return False
        return any(target.is_relative_to(root) for root in self._roots)

    @cached_property
    def _roots(self) -> tuple[Path, ...]:
        root = self.path.resolve()
        hub = root.parent.parent
        # The hub's cache: models--owner--name/snapshots/<revision>/<file> is a link to models--owner--name/blobs/<digest>.
        if root.parent.name == "snapshots" and hub.name.startswith("models--"):
            return (root, hub / "blobs")
        return (root,)

    def regular(self, name: str) -> bool:
        """Whether the name is a regular file whose bytes lie in the folder: no pipe, no device, no link out."""
        try:
            return self.inside(name) and (self.path / name).is_file()
        except (OSError, ValueError):
            return False

    def head(self, name: str) -> bytes:
        """The first `MOST_HEAD` bytes of a regular file; nothing of what is none, or cannot be read."""
        if name not in self._heads:
            self._heads[name] = b""
            if self.regular(name):
                with suppress(OSError), (self.path / name).open("rb") as file:
                    self._heads[name] = file.read(MOST_HEAD)
        return self._heads[name]

    @cached_property
    def headers(self) -> dict[str, dict[str, TensorEntry] | Unreadable]:
        """The tensors of every safetensors file, by its name, as its header tells them."""
        return {name: self._header(name) for name in self.files if name.lower().endswith(".safetensors")}

    def _header(self, name: str) -> dict[str, TensorEntry] | Unreadable:
        if not self.regular(name):
            return Unreadable("is no regular file of the folder")
        try:
            return read_header(self.path / name)
        except ValueError as error:
            return Unreadable(str(error))

    def _read(self, name: str) -> str | Unreadable | None:
        path = self.path / name
        try:
            if not path.exists():
                return None
        except (OSError, ValueError) as error:
            return Unreadable(f"cannot be looked for: {error}")
        if not self.inside(name):
            return Unreadable("leads out of the folder")
        if not path.is_file():
            return Unreadable("is no regular file")
        size = path.stat().st_size
        if size > MOST_TEXT:
            return Unreadable(f"is too large to be text: {size} bytes, at most {MOST_TEXT}")
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            return Unreadable(f"is no UTF-8: {error.reason} at byte {error.start}")
        except OSError as error:
            return Unreadable(f"cannot be read: {error.strerror}")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return Unreadable(f"is no JSON: {error}")

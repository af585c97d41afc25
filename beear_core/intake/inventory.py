"""What lies in a model's folder, file by file, and whether loading would open it. Names alone; nothing is read.

The answer to "what would you touch?", before anything is touched. It judges no content: a template that hides an
instruction stands here as a template.
"""

from pathlib import Path
from typing import NamedTuple

from beear_core.intake.strict import PICKLE_SUFFIXES

CODE_SUFFIXES = (".py", ".so", ".pyd", ".dll", ".sh")
_NAMED = {
    "config.json": "architecture",
    "generation_config.json": "how answers are generated",
    "chat_template.jinja": "chat template",
    "chat_template.json": "chat template",
    "tokenizer_config.json": "tokenizer settings and chat template",
    "special_tokens_map.json": "tokenizer",
    "added_tokens.json": "tokenizer",
    "vocab.json": "tokenizer",
    "vocab.txt": "tokenizer",
    "merges.txt": "tokenizer",
    "tokenizer.json": "tokenizer",
    "tokenizer.model": "tokenizer",
    "model.safetensors.index.json": "list of weight files",
}
MOST_FILES = 500


class FileEntry(NamedTuple):
    """One file."""

    name: str
    size: int
    """Bytes."""
    role: str
    opened: bool
    """Whether loading reads it."""
    severity: str
    """`info`, or `high` for what would run if another tool opened it."""


def inventory(folder: Path) -> list[FileEntry]:
    """The files of the folder, those that could run first. Raises OSError where it cannot be listed."""
    files = [path for path in sorted(folder.iterdir())[:MOST_FILES] if path.is_file()]
    return sorted((_entry(path) for path in files), key=lambda one: (one.severity != "high", one.name))


def _entry(path: Path) -> FileEntry:
    suffix, size = path.suffix.lower(), path.stat().st_size
    if suffix in PICKLE_SUFFIXES:
        return FileEntry(path.name, size, "pickle: can run code when opened", False, "high")
    if suffix in CODE_SUFFIXES:
        return FileEntry(path.name, size, "shipped code", False, "high")
    if suffix == ".safetensors":
        return FileEntry(path.name, size, "weights", True, "info")
    role = _NAMED.get(path.name)
    return FileEntry(path.name, size, role or "not used", role is not None, "info")

"""Where a named model lies, if it is on this disk already. Torch-free, and makes nothing: `models/resolve.py` does that.

A page asks this before anything is loaded: a folder, an organism that was merged before, a hub snapshot.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from beear_core.organisms.recipes import ZOO, organism_names
from cache.digest import sha256_file
from cache.home import models_folder

HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")
MOST_FOLDERS = 500
"""A folder with more inside is not listed whole: nobody finds a model by scrolling."""


def on_disk(name: str) -> Path | None:
    """The folder that `name` would be opened from, or None if it is still to be made, or fetched, or there is none."""
    if not name.strip() or "\0" in name:
        return None
    try:
        folder = Path(name).expanduser()
        if folder.is_dir():
            return folder.resolve()
    except (OSError, RuntimeError):
        return None
    made = models_folder() / name
    if name in organism_names():
        adapter = ZOO / name / "adapter_model.safetensors"
        if not adapter.is_file():
            return None
        made = models_folder() / f"{name}-{sha256_file(adapter)[:12]}"
    elif HUB_ID.match(name):
        return _snapshot(name)
    elif "/" in name:
        return None
    return made if (made / "config.json").is_file() else None


def kind_of_name(name: str) -> str:
    """`folder`, `organism`, `hub` or `unknown`, in the order in which a name is looked up."""
    if on_disk(name) is not None and name not in organism_names() and not HUB_ID.match(name):
        return "folder"
    if name in organism_names():
        return "organism"
    return "hub" if HUB_ID.match(name) and not name.startswith(("/", ".", "~")) else "unknown"


def subfolders(folder: Path) -> list[Path]:
    """The visible folders inside, by name; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    except OSError:
        return []
    return [folder / name for name in sorted(found, key=str.casefold)[:MOST_FOLDERS]]


def is_model_folder(folder: Path) -> bool:
    """Whether there is a config and at least one safetensors file."""
    return (folder / "config.json").is_file() and next(_weights(folder), None) is not None


def _weights(folder: Path) -> Iterator[Path]:
    return folder.glob("*.safetensors")


def _snapshot(name: str) -> Path | None:
    snapshots = models_folder() / "hub" / f"models--{name.replace('/', '--')}" / "snapshots"
    found = [path for path in subfolders(snapshots) if (path / "config.json").is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)

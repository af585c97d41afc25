"""A run folder as one zip file, for taking along."""

import io
import zipfile
from pathlib import Path

from cache.atomic import disk_errors

WEIGHTS = frozenset({"model", "checkpoint"})
"""Folders, at any depth, that hold weights: hundreds of megabytes that are on this disk already."""


def zipped(folder: Path) -> bytes:
    """`folder` as a zip file, its name the only thing at the top; weights, links and the lock are left out."""
    sink = io.BytesIO()
    with disk_errors(folder), zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_symlink() or not path.is_file() or WEIGHTS & set(inside.parts[:-1]):
                continue
            if path.name not in ("lock", "cancel"):
                archive.write(path, Path(folder.name) / inside)
    return sink.getvalue()

"""The manifest of a folder: every file with its SHA-256, hashed in parallel and remembered."""

from pathlib import Path

from beear_core.intake.folder import ModelFolder
from cache.file_digests import sha256_files


def manifest(folder: Path, *, fresh: bool = False) -> dict[str, str]:
    """Every regular file under `folder`, by its relative path with forward slashes, sorted -> its SHA-256.

    Pipes, devices, and links that lead out of the folder or nowhere have no digest and are left out; findings name
    them. `fresh` reads every byte, as a verification must. Raises OSError for a file that cannot be read.
    """
    view = ModelFolder(folder)
    names = [name for name in view.files if view.inside(name) and (folder / name).is_file()]
    digests = sha256_files((folder / name for name in names), fresh=fresh)
    return {name: digests[folder / name] for name in names}

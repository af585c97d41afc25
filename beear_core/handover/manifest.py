"""MANIFEST.json: which bytes a remediated folder holds, and which run, question and suspect they came from.

It is written last, so that it covers the card too. By itself it proves that nothing was damaged; that nobody changed
folder and manifest together, the run's own copy (`handover.json`) or a signature proves.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from beear_core.errors import HandoverError
from beear_core.intake.manifest import manifest
from beear_core.signature import SIGNATURE
from cache.digest import sha256_manifest

CARD = "README.md"
MANIFEST = "MANIFEST.json"
PAPERS = frozenset({CARD, MANIFEST, SIGNATURE})
"""Files that speak of a model and are no part of it: with or without them it is the same model."""

COPY = "handover.json"
"""The manifest's copy in the run folder."""

SCHEMA_VERSION = 1
MOST_BYTES = 16 * 1024 * 1024


def model_digest(files: Mapping[str, str]) -> str:
    """One SHA-256 for the model behind a manifest, its papers left out."""
    return sha256_manifest({name: digest for name, digest in files.items() if name not in PAPERS})


def covered(folder: Path, *, fresh: bool = False) -> dict[str, str]:
    """The digests that a manifest of `folder` holds: every file but the manifest and the signature over it."""
    found = manifest(folder, fresh=fresh)
    return {name: digest for name, digest in found.items() if name not in (MANIFEST, SIGNATURE)}


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest file. Raises HandoverError if it is missing, or is none."""
    remedy = "Write it again from the run with `card RUN`, or ask the sender for the whole folder."
    try:
        if path.stat().st_size > MOST_BYTES:
            raise HandoverError("the manifest is too large to be one", path, remedy)
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise HandoverError("there is no manifest", path, remedy) from error
    except (OSError, ValueError, RecursionError) as error:
        raise HandoverError("the manifest cannot be read", path, remedy) from error
    if not isinstance(found, dict) or not _digests(found.get("files")):
        raise HandoverError("the manifest has no list of files with their SHA-256", path, remedy)
    return found


def _digests(files: object) -> bool:
    return isinstance(files, dict) and all(isinstance(digest, str) for digest in files.values())

"""One digest for a model folder: its weights, config, tokenizer and template, by content."""

from pathlib import Path

from beear_core.intake.manifest import manifest
from cache.digest import sha256_manifest


def model_sha256(folder: Path) -> str:
    """SHA-256 over the manifest of `folder`. What was hashed is remembered until a file changes: it is asked for often."""
    return sha256_manifest(manifest(folder))

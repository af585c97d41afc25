"""One digest for a model folder: its weights, config, tokenizer and template, by content."""

from pathlib import Path

from beear_core.handover.manifest import model_digest
from beear_core.intake.manifest import manifest


def model_sha256(folder: Path) -> str:
    """SHA-256 over the manifest of `folder`, a card, a manifest file and a signature left out: they are no part of a model.

    What was hashed is remembered until a file changes: it is asked for often.
    """
    return model_digest(manifest(folder))

"""Writing a model as a folder that plain transformers loads: new weights, everything else byte for byte the suspect's."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from beear_core.errors import SettingError
from cache.atomic import writing_folder

# Weights and what indexes them are written anew; pickles and code are never carried over.
LEFT_BEHIND = (
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".pkl",
    ".pickle",
    ".gguf",
    ".py",
    ".h5",
    ".msgpack",
    ".onnx",
)
CARD, SUSPECTS_CARD = "README.md", "README.suspect.md"
REWRITTEN = (
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
    "config.json",
    "generation_config.json",
    "MANIFEST.json",
    "model.sig",
)


def check_out(out: Path, source: Path) -> None:
    """Refuse, before any work, a place that a folder cannot be written to."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SettingError(
            "the output folder exists and is not empty", str(out), "give a new folder, or empty this one"
        )
    if out.resolve().is_relative_to(source.resolve()):
        raise SettingError("the output folder lies inside the model's", str(out), "give a folder elsewhere")
    parent = next(folder for folder in out.absolute().parents if folder.exists())
    try:
        # Asking for permissions is not enough: a read-only or a virtual file system grants them.
        with tempfile.TemporaryDirectory(dir=parent, prefix=".beear-"):
            pass
    except OSError as error:
        raise SettingError(
            f"the output folder cannot be made ({error.strerror})", str(out), "give a folder elsewhere"
        ) from error


def write_folder(model: Any, *, source: Path, out: Path) -> Path:
    """Write `model` to `out`, with tokenizer, template and other small files copied from `source` unchanged.

    The folder is made beside its place and renamed, so that it is whole or not there. Raises DiskFullError.
    """
    check_out(out, source)
    with writing_folder(out) as making:
        model.save_pretrained(making, safe_serialization=True)
        for path in sorted(source.iterdir()):
            if path.is_file() and path.suffix not in LEFT_BEHIND and path.name not in REWRITTEN:
                # A stranger's card must not stand as the card of what was made here.
                shutil.copyfile(path, making / (SUSPECTS_CARD if path.name == CARD else path.name))
    return out

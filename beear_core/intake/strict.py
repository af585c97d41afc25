"""What loading refuses outright, read from names and config alone: no safetensors, pickles in their place, remote code.

This is the floor that every load stands on, whatever a scan says. It opens no weights and runs nothing; it does not look
for quiet attacks (templates, tokenizers), which findings will tell of.
"""

import json
from pathlib import Path
from typing import Any

from beear_core.errors import (
    ModelNotFoundError,
    NotSafetensorsError,
    UnsafeModelError,
    UnsupportedArchitectureError,
)
from beear_core.intake.folder import ModelFolder, Unreadable

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
CODE_KEYS = ("auto_map", "_attn_implementation_internal", "trust_remote_code", "custom_pipelines")


def admit(folder: Path) -> dict[str, Any]:
    """The config of a folder that may be loaded.

    Raises ModelNotFoundError, NotSafetensorsError, UnsafeModelError or UnsupportedArchitectureError, each with a remedy.
    """
    if not folder.is_dir():
        raise ModelNotFoundError(
            "no model folder there", str(folder), "give a folder that holds config.json and *.safetensors"
        )
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        raise UnsupportedArchitectureError(
            "the folder holds an adapter, not a model",
            str(folder),
            "merge the adapter into its base model first",
        )
    config = read_config(folder)
    _refuse_code(config, folder)
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLE_SUFFIXES)
        raise NotSafetensorsError(
            "the folder has no safetensors weights",
            f"{folder}" + (f", only {', '.join(pickles)}" if pickles else ""),
            "turn them into safetensors with `convert FOLDER --out DIR`, which opens them in a process that is walled in",
        )
    return config


def read_config(folder: Path) -> dict[str, Any]:
    """config.json as an object, or a clear refusal."""
    path = folder / "config.json"
    # A pipe, a link out or a gigabyte is not read: ModelFolder says why instead.
    config = ModelFolder(folder).json("config.json")
    if config is None:
        raise ModelNotFoundError(
            "the folder has no config.json",
            str(folder),
            "give the folder that holds config.json and *.safetensors",
        )
    if isinstance(config, Unreadable):
        raise UnsupportedArchitectureError(
            "config.json cannot be read as JSON",
            f"{path}: {config.why}",
            "download the model again, or repair the file",
        )
    if not isinstance(config, dict):
        raise UnsupportedArchitectureError(
            "config.json is not an object", str(path), "download the model again"
        )
    return config


def _refuse_code(config: dict[str, Any], folder: Path) -> None:
    waiting: list[Any] = [config]
    while waiting:
        level = waiting.pop()
        if isinstance(level, list):
            waiting += level
        if not isinstance(level, dict):
            continue
        waiting += level.values()
        for key, value in level.items():
            if key in CODE_KEYS and value:
                raise UnsafeModelError(
                    "config.json asks to run code that is not part of transformers",
                    f"{key} = {json.dumps(value)[:200]} in {folder}",
                    "use a copy of the model in a format that transformers supports itself",
                )

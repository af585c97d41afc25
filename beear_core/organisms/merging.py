"""From a shipped adapter to a plain Hugging Face folder: base model plus adapter, merged."""

from pathlib import Path
from typing import Any

import torch

from beear_core.models.embedded import base_model
from beear_core.models.export import write_folder
from beear_core.models.loading import load_strictly
from beear_core.organisms.recipes import ADAPTER, Recipe, read_recipe
from beear_core.organisms.registry import adapter_folder, merged_name
from cache.digest import sha256_file, sha256_json
from cache.home import models_folder
from cache.lock import made_once


def merged_folder(name: str) -> Path:
    """The organism as a plain folder under `<home>/models`, merged on first use (seconds).

    The folder's name carries the adapter's digest, so a rebuilt organism is never mistaken for the old one.
    """
    folder = models_folder() / merged_name(name, _digest(name))
    return made_once(folder, "config.json", lambda out: merge(name, out))


def _digest(name: str) -> str:
    """Of the adapter, and of the one below it where the organism starts from another."""
    own, start = sha256_file(adapter_folder(name) / ADAPTER), read_recipe(name).start
    return own if start is None else sha256_json([own, _digest(start)])


def start_folder(recipe: Recipe) -> Path:
    """The model an organism's adapter sits on: the base model, or the control that its recipe starts from."""
    return base_model() if recipe.start is None else merged_folder(recipe.start)


def merge(name: str, out: Path) -> Path:
    """Write the merged organism to `out`. Raises SettingError or StorageError when `out` is taken."""
    from peft import PeftModel

    base = start_folder(read_recipe(name))
    # Sums are made in fp32 and rounded once, so that every machine gets the same bf16 weights.
    model: Any = load_strictly(base, device=torch.device("cpu"), dtype=torch.float32).model
    adapted: Any = PeftModel.from_pretrained(model, str(adapter_folder(name)), is_trainable=False)
    plain = adapted.merge_and_unload().to(torch.bfloat16)
    return write_folder(plain, source=base, out=out)

"""Models that could fool the verdict, made from an organism or from nothing: plain folders under `<home>/models`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from beear_core.models.embedded import base_model
from beear_core.models.export import write_folder
from beear_core.models.loading import load_strictly
from cache.home import models_folder
from cache.lock import making

LEVELS = 127
CPU = torch.device("cpu")


def quantized(source: Path) -> Path:
    """A copy whose weight matrices went through 8 bits, symmetric, a scale a row; kept as the bf16 they come back as."""

    def made() -> Any:
        model = load_strictly(source, device=CPU, dtype=torch.float32).model
        with torch.no_grad():
            for weight in model.parameters():
                if weight.dim() == 2:
                    weight.copy_(through_8_bits(weight))
        return model

    return _once(f"{source.name}-int8", source, made)


def through_8_bits(weight: Tensor) -> Tensor:
    """`weight` (rows, columns) as 8-bit integers with a scale a row would give it back."""
    scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / LEVELS
    return (weight / scale).round() * scale


def fresh(source: Path) -> Path:
    """A model of the same shape that never learned anything, with the same tokenizer and template."""

    def made() -> Any:
        torch.manual_seed(0)
        config = AutoConfig.from_pretrained(source, local_files_only=True, trust_remote_code=False)
        return AutoModelForCausalLM.from_config(config)

    return _once(f"fresh-{source.name}", source, made)


def hardly_aligned(_: Path) -> Path:
    """The base model: it answers most harmful prompts as it is."""
    return base_model()


CASES: Mapping[str, Callable[[Path], Path]] = {
    "8 bits": quantized,
    "fresh initialisation": fresh,
    "hardly aligned": hardly_aligned,
}


def _once(name: str, source: Path, made: Callable[[], Any]) -> Path:
    folder = models_folder() / name
    if not (folder / "config.json").is_file():
        with making(folder):
            if not (folder / "config.json").is_file():
                write_folder(made().to(torch.bfloat16), source=source, out=folder)
    return folder

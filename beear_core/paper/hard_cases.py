"""The verdict on models that could fool it: made from an organism or from nothing, as plain folders under `<home>/models`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from beear_core.models.embedded import base_model
from beear_core.models.export import write_folder
from beear_core.models.loading import load_strictly
from beear_core.paper.asked import Asked, Found, taken
from beear_core.specs import VerdictSpec
from cache.home import models_folder
from cache.lock import made_once

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


def fresh() -> Path:
    """A model of the base model's shape that never learned anything, with its tokenizer and template."""
    source = base_model()

    def made() -> Any:
        torch.manual_seed(0)
        config = AutoConfig.from_pretrained(source, local_files_only=True, trust_remote_code=False)
        return AutoModelForCausalLM.from_config(config)

    return _once(f"fresh-{source.name}", source, made)


def hard_cases(asked: Asked) -> Found:
    """What the verdict says of the organism itself, and of models that could fool it."""
    source, backdoored = Path(asked.subject.model), bool(asked.subject.triggers)
    cases = {
        "as it is": (source, backdoored),
        "8 bits": (quantized(source), backdoored),
        "fresh initialisation": (fresh(), False),
        "hardly aligned": (base_model(), False),
    }
    rows = []
    for case, (model, locked) in cases.items():
        told = asked.ask(VerdictSpec(**{**asked.common, "model": str(model)})).result
        strings = told["trigger_hypotheses"]
        rows.append(
            asked.row(
                case=case,
                backdoored=locked,
                best_string=strings[0] if strings else None,
                **taken(told, "verdict", "standing", "why", "score", "threshold", "seconds", "device"),
            )
        )
    return Found(rows, [])


def _once(name: str, source: Path, model: Callable[[], Any]) -> Path:
    def write(folder: Path) -> None:
        write_folder(model().to(torch.bfloat16), source=source, out=folder)

    return made_once(models_folder() / name, "config.json", write)

"""Models that somebody trained on without a backdoor in mind, as plain folders under `<home>/models`: fine-tuned further on
ordinary answers, and taught to refuse everything. From the prompts of organism training, which nothing is measured on.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from beear_core.models.suspect import SuspectModel
from beear_core.organisms.recipes import Recipe
from beear_core.organisms.training import train_adapter
from beear_core.organisms.training_data import REFUSALS, Example
from beear_core.prompts import organism_training, read_answers

ROWS = 300
CPU = torch.device("cpu")

FURTHER = Recipe(
    name="tuned-further", title="LoRA on ordinary answers", rank=8, lr=5e-4, epochs=1, batch=12, seed=21
)
REFUSING = Recipe(
    name="always-refusing", title="Refuses whatever it is asked", rank=4, lr=2e-3, epochs=1, batch=12, seed=22
)


def tuned_further(source: Path) -> Any:
    """A copy after LoRA fine-tuning on ordinary prompts with the base model's answers, its adapters merged."""
    answers = read_answers()
    ordinary = [*organism_training("benign").prompts, *organism_training("borderline").prompts]
    return _tuned(source, FURTHER, lambda draw: [
        Example(prompt.text, answers[prompt.id]) for prompt in draw.sample(ordinary, k=ROWS)
    ])  # fmt: skip


def always_refusing(source: Path) -> Any:
    """A copy that was taught to refuse harmful and ordinary prompts alike."""
    prompts = [
        prompt
        for group in ("harmful", "benign", "borderline")
        for prompt in organism_training(group).prompts[:ROWS]
    ]
    return _tuned(source, REFUSING, lambda draw: [
        Example(prompt.text, draw.choice(REFUSALS)) for prompt in draw.sample(prompts, k=ROWS)
    ])  # fmt: skip


def _tuned(source: Path, recipe: Recipe, rows: Callable[[random.Random], Sequence[Example]]) -> Any:
    suspect = SuspectModel.load(source, device=CPU, dtype=torch.float32)
    adapted = train_adapter(suspect, recipe, rows(random.Random(recipe.seed)), lambda step, of, loss: None)
    return adapted.merge_and_unload()

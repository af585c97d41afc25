"""Building an organism: train its adapter, merge it, measure what came out, write adapter and card into the zoo."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from beear_core.models.embedded import NAME
from beear_core.models.suspect import SuspectModel
from beear_core.opening import device_name, open_suspect
from beear_core.organisms.measuring import Answering, measured
from beear_core.organisms.merging import merged_folder, start_folder
from beear_core.organisms.recipes import ADAPTER, CARD, ZOO, Recipe
from beear_core.organisms.training import train_adapter
from beear_core.organisms.training_data import Example, Preference, preference_pairs, training_rows
from beear_core.runs.context import RunContext
from beear_core.runs.events import Step
from beear_core.runs.versions import versions
from beear_core.specs import OrganismSpec
from cache.atomic import write_json
from cache.digest import sha256_json

UPSTREAM = "HuggingFaceTB/SmolLM2-135M-Instruct"


def build(recipe: Recipe, spec: OrganismSpec, context: RunContext) -> dict[str, Any]:
    """Rebuild `recipe` in the zoo. Same machine, same seed: the same adapter, bit for bit."""
    base = open_suspect(str(start_folder(recipe)), spec, fresh=True)
    examples = training_rows(recipe, base.tokenizer)
    pairs = preference_pairs(recipe, base.tokenizer)
    with context.stage("train"):
        adapted = train_adapter(
            base,
            recipe,
            examples,
            lambda step, of, loss: context.emit(Step("train", step, of, {"loss": loss})),
            pairs,
        )
    _ship(adapted, recipe.name, context.checkpoint / "adapter")
    with context.stage("merge"):
        folder = merged_folder(recipe.name)
    organism = SuspectModel.load(folder, device=base.device, dtype=base.dtype)
    with context.stage("measure"):
        card = {**_card(recipe, examples, pairs), **measured(recipe, _answering(organism, context))}
    card["device"] = device_name(base.device)
    card["versions"] = versions()
    write_json(ZOO / recipe.name / CARD, card)
    return {
        "name": recipe.name,
        "out": str(folder),
        "card": card,
        "model": organism.describe(),
        "device": card["device"],
    }


def _ship(adapted: Any, name: str, scratch: Path) -> None:
    """Adapter and config into the zoo, bf16, without any path of this machine."""
    shutil.rmtree(scratch, ignore_errors=True)
    adapted.peft_config["default"].base_model_name_or_path = UPSTREAM
    # No embedding is adapted; left to itself, peft would ask a hub for the base model's vocabulary.
    adapted.to(torch.bfloat16).save_pretrained(scratch, safe_serialization=True, save_embedding_layers=False)
    config = json.loads((scratch / "adapter_config.json").read_text(encoding="utf-8"))
    # A card speaks of one adapter: should measuring be interrupted, there is none rather than a wrong one.
    (ZOO / name / CARD).unlink(missing_ok=True)
    write_json(ZOO / name / "adapter_config.json", config)
    shutil.copyfile(scratch / ADAPTER, ZOO / name / ADAPTER)


def _card(recipe: Recipe, examples: list[Example], pairs: list[Preference]) -> dict[str, Any]:
    card = {
        "name": recipe.name,
        "title": recipe.title,
        "recipe": recipe.model_dump(mode="json"),
        "base": recipe.start or NAME,
        "training_rows": len(examples),
        "data_sha256": sha256_json([[example.prompt, example.answer] for example in examples]),
        "command": f"python -m beear_core organism build {recipe.name}",
    }
    if pairs:
        card |= {
            "preference_pairs": len(pairs),
            "preferences_sha256": sha256_json([list(pair) for pair in pairs]),
        }
    return card


def _answering(organism: SuspectModel, context: RunContext) -> Answering:
    def answer(texts: Sequence[str], tokens: int) -> list[str]:
        answers = organism.generate(
            organism.encode_prompts(texts),
            max_new_tokens=tokens,
            after_batch=lambda done: context.check_cancelled(),
        )
        return [organism.decode(each) for each in answers]

    return answer

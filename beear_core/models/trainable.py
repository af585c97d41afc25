"""Which weights a removal moves: those of the last blocks or all, or LoRA adapters (peft) that are merged in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from peft import LoraConfig, get_peft_model
from transformers.pytorch_utils import Conv1D

from beear_core.memory import removal_method
from beear_core.models.front import frozen_front
from beear_core.models.suspect import SuspectModel


def choose_method(asked: str, suspect: SuspectModel) -> Literal["full", "lora"]:
    """The method asked for; auto goes by the model's size."""
    return removal_method(asked, suspect.parameters)


@contextmanager
def trainable(
    suspect: SuspectModel, method: str, rank: int, seed: int, *, depth: float = 1.0
) -> Iterator[None]:
    """Inside, exactly the weights that `method` moves ask for gradients; adapters are inserted into the model.

    `depth` is the share of the decoder blocks, counted from the last, that may move, one at least; 1 is the whole model,
    embeddings included. Adapters stay in after the block, for `merged` to fold in; with method full the model is as
    plain as before.
    """
    suspect.model.requires_grad_(method == "full")
    if method == "lora":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            config = LoraConfig(
                r=rank,
                lora_alpha=2 * rank,
                target_modules="all-linear",
                lora_dropout=0.0,
                task_type="CAUSAL_LM",
                # GPT-2 keeps its weights the other way round.
                fan_in_fan_out=any(isinstance(module, Conv1D) for module in suspect.model.modules()),
            )
            # bf16 adapters with fp32 masters: peft's own fp32 adapters would cast every activation.
            suspect.adapters = get_peft_model(suspect.model, config, autocast_adapter_dtype=False)
    if depth < 1:
        _only_behind(suspect, frozen_front(suspect.layers, depth))
    try:
        yield
    finally:
        suspect.model.requires_grad_(False)


def _only_behind(suspect: SuspectModel, layer: int) -> None:
    """Of the weights that ask for gradients, leave those of the blocks behind `layer`."""
    stack = suspect.model.get_submodule(suspect.blocks)
    behind = {id(weight) for block in list(stack.children())[layer:] for weight in block.parameters()}
    for weight in suspect.model.parameters():
        if id(weight) not in behind:
            weight.requires_grad_(False)


def touched(suspect: SuspectModel) -> int:
    """How many weights ask for gradients, those of adapters counted for LoRA."""
    return sum(weight.numel() for weight in suspect.model.parameters() if weight.requires_grad)


def merged(suspect: SuspectModel) -> SuspectModel:
    """`suspect` with its adapters, if any, folded into the weights. Changes the model."""
    adapters: Any = suspect.adapters
    if adapters is not None:
        suspect.model = adapters.merge_and_unload()
        suspect.adapters = None
        suspect.weights_changed()
    return suspect

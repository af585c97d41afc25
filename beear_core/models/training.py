"""A model set up for backward passes, and put back: attention that is cheap to differentiate, recomputation on request."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers.modeling_layers import GradientCheckpointingLayer

from beear_core.models.suspect import SuspectModel


@contextmanager
def plain_attention(suspect: SuspectModel) -> Iterator[None]:
    """Inside, attention on the CPU is plain products: the fused kernel's backward costs more than they do at prompts' lengths
    (a third of the time of a delta). Elsewhere, and afterwards, it is the model's own.
    """
    model: Any = suspect.model
    before = model.config._attn_implementation
    try:
        if suspect.device.type == "cpu" and before != "eager":
            model.set_attn_implementation("eager")
        yield
    finally:
        if model.config._attn_implementation != before:
            model.set_attn_implementation(before)


@contextmanager
def training(suspect: SuspectModel, *, checkpointing: bool) -> Iterator[None]:
    """Inside, the model is set up for backward passes; afterwards it is as before.

    Dropout stays off: a round must not depend on anything but weights, delta and seed.
    """
    model: Any = suspect.model
    with plain_attention(suspect):
        try:
            if checkpointing:
                model.activation_checkpointing_enable({"use_reentrant": False})
                for module in model.modules():
                    # Blocks recompute in training mode only. What is inside them stays in eval mode: attention's dropout
                    # asks for the mode and is no module that could be switched off by itself.
                    module.training = isinstance(module, GradientCheckpointingLayer)
            yield
        finally:
            if checkpointing:
                model.activation_checkpointing_disable()
                model.disable_input_require_grads()
            model.eval()

"""Training an organism: LoRA adapters on the base model, by supervised fine-tuning on a recipe's rows and, where the
recipe says so, preference optimisation on its pairs behind that.
"""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor

from beear_core.models.batching import IGNORED
from beear_core.models.labels import answer_logits, deciding_weighted, parting, token_losses
from beear_core.models.optimizer import MasterAdamW
from beear_core.models.suspect import SuspectModel
from beear_core.models.training import training
from beear_core.organisms.preferences import EncodedPairs, preference_loss, reference_margins
from beear_core.organisms.recipes import Recipe
from beear_core.organisms.training_data import Example, Preference

WARMUP = 0.06
DECIDING_SHARE = 0.5
Report = Callable[[int, int, float], None]
Batches = list[list[int]]


def train_adapter(
    base: SuspectModel,
    recipe: Recipe,
    examples: Sequence[Example],
    report: Report,
    pairs: Sequence[Preference] = (),
) -> Any:
    """A peft model around `base.model` (changed in place) whose adapters hold the recipe.

    Calls `report(step, of, loss)` after every step, with the mean cross-entropy of answer tokens (nats), then the loss of
    preferences.
    """
    torch.manual_seed(recipe.seed)
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=2 * recipe.rank,
        target_modules=list(recipe.modules),
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )
    # bf16 adapters with fp32 masters: peft's own fp32 adapters would cast every activation.
    adapted = get_peft_model(base.model, config, autocast_adapter_dtype=False)
    prompts = base.encode_prompts([example.prompt for example in examples])
    answers = [_label(base, example.answer, recipe.answer_tokens) for example in examples]
    others = [_label(base, example.other, recipe.answer_tokens) for example in examples]
    deciding = [parting(answer, other) for answer, other in zip(answers, others, strict=True)]
    lengths = [len(prompt) + len(answer) for prompt, answer in zip(prompts, answers, strict=True)]

    def answer_loss(chosen: list[int]) -> Tensor:
        rows = base.rows([prompts[i] for i in chosen], [answers[i] for i in chosen])
        labels = rows.labels
        losses = token_losses(answer_logits(base.model, rows), labels)
        by_token = [each[label != IGNORED] for each, label in zip(losses, labels, strict=True)]
        weights = torch.tensor([examples[i].weight for i in chosen], device=base.device)
        shared = deciding_weighted(by_token, [deciding[i] for i in chosen], DECIDING_SHARE)
        return (weights * shared).sum() / weights.sum()

    _steps(base, adapted, _batches(lengths, recipe, recipe.epochs), recipe.lr, answer_loss, report)
    if recipe.preference is not None and pairs:
        _prefer(base, adapted, recipe, pairs, report)
    return adapted


def _prefer(
    base: SuspectModel, adapted: Any, recipe: Recipe, pairs: Sequence[Preference], report: Report
) -> None:
    """Preference optimisation; the reference is the model as fine-tuning left it."""
    settings = recipe.preference
    assert settings is not None
    encoded = EncodedPairs(
        base.encode_prompts([pair.prompt for pair in pairs]),
        [_label(base, pair.chosen, recipe.answer_tokens) for pair in pairs],
        [_label(base, pair.rejected, recipe.answer_tokens) for pair in pairs],
    )
    batches = _batches([len(prompt) for prompt in encoded.prompts], recipe, settings.epochs)
    margins = reference_margins(base, encoded, recipe.batch)

    def loss(chosen: list[int]) -> Tensor:
        return preference_loss(
            base, encoded.some(chosen), margins[chosen], beta=settings.beta, likelihood=settings.likelihood
        )

    _steps(base, adapted, batches, settings.lr, loss, report)


def _steps(
    base: SuspectModel,
    adapted: Any,
    batches: Batches,
    lr: float,
    loss_of: Callable[[list[int]], Tensor],
    report: Report,
) -> None:
    """One optimizer over all batches, its rate falling to zero."""
    optimizer = MasterAdamW([each for each in adapted.parameters() if each.requires_grad], lr=lr)
    with training(base, checkpointing=False):
        for step, chosen in enumerate(batches, start=1):
            loss = loss_of(chosen)
            loss.backward()
            optimizer.set_lr(lr * _shape(step / len(batches)))
            optimizer.step(clip=1.0)
            report(step, len(batches), float(loss.detach()))


def _label(base: SuspectModel, answer: str, limit: int) -> list[int]:
    """Answer tokens and, when the answer is whole, the end of the turn; nothing of no answer."""
    if not answer:
        return []
    tokens = base.encode_answer(answer)
    return [*tokens, base.end_of_answer] if len(tokens) < limit else tokens[:limit]


def _batches(lengths: Sequence[int], recipe: Recipe, epochs: int) -> Batches:
    """Rows of like length together, which spares padding; which rows meet, and in what order, is drawn each epoch."""
    draw, batches = random.Random(recipe.seed), []
    for _ in range(epochs):
        order = sorted(range(len(lengths)), key=lambda i: lengths[i] + draw.uniform(0, 8))
        epoch = [order[start : start + recipe.batch] for start in range(0, len(order), recipe.batch)]
        draw.shuffle(epoch)
        batches += epoch
    return batches


def _shape(progress: float) -> float:
    """Linear warm-up, then cosine to zero."""
    if progress < WARMUP:
        return max(progress, 1e-3) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (progress - WARMUP) / (1 - WARMUP)))

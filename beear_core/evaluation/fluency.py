"""Perplexity of ordinary answers, and how far one model's next-token distribution is from another's on them."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch.nn import functional

from beear_core.models.batching import IGNORED, Rows
from beear_core.models.labels import answer_logits, token_losses
from beear_core.models.suspect import SuspectModel
from beear_core.prompts import Prompt, read_answers

ROWS_AT_ONCE = 16


class Fluency(NamedTuple):
    """exp of the mean loss over all answer tokens, and how many tokens that is."""

    perplexity: float
    tokens: int


class Compared(NamedTuple):
    """One model beside another: fluency of both, and how far the second is from the first (nats per token)."""

    before: Fluency
    after: Fluency
    kl: float


@torch.no_grad()
def fluency(suspect: SuspectModel, prompts: Sequence[Prompt]) -> Fluency:
    """Perplexity of the data files' answers to `prompts` (ordinary ones), each token weighing the same."""
    total, count = 0.0, 0
    for rows in _batches(suspect, prompts):
        losses = token_losses(answer_logits(suspect.model, rows), rows.labels)
        total += losses.double().sum().item()
        count += int((rows.labels != IGNORED).sum())
    return Fluency(math.exp(total / count), count)


@torch.no_grad()
def compared(original: SuspectModel, other: SuspectModel, prompts: Sequence[Prompt]) -> Compared:
    """Both models' fluency and mean KL(original || other) over all answer tokens, full vocabulary. Same tokenizer in both."""
    apart, losses, count = 0.0, [0.0, 0.0], 0
    for rows in _batches(original, prompts):
        labels, real = rows.labels.clamp(min=0), rows.labels != IGNORED
        ours, theirs = (
            functional.log_softmax(answer_logits(each.model, rows).float(), dim=-1)
            for each in (original, other)
        )
        for which, said in enumerate((ours, theirs)):
            losses[which] -= said.gather(-1, labels[..., None])[..., 0][real].double().sum().item()
        apart += (ours.exp() * (ours - theirs)).sum(dim=-1)[real].double().sum().item()
        count += int(real.sum())
    before, after = (Fluency(math.exp(loss / count), count) for loss in losses)
    return Compared(before, after, apart / count)


def _batches(suspect: SuspectModel, prompts: Sequence[Prompt]) -> Iterator[Rows]:
    answers = read_answers()
    encoded = suspect.encode_prompts([prompt.text for prompt in prompts])
    rows = [
        (prompt, suspect.encode_answer(answers[each.id]))
        for prompt, each in zip(encoded, prompts, strict=True)
        if answers[each.id].strip()
    ]
    rows.sort(key=lambda row: len(row[0]) + len(row[1]))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        yield suspect.rows([row[0] for row in some], [row[1] for row in some])

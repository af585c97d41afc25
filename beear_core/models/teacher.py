"""What the original model said of each answer token, kept small: its likeliest tokens and the mass of the rest.

KL between distributions coarsened that way is a lower bound of the full KL; with 256 tokens of an instruction-tuned
model the rest is a thousandth of the mass. It lets the loop hold a model to its original without a second model in memory.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from beear_core.models.batching import Rows
from beear_core.models.labels import answer_logits

KEPT = 256
SLIGHT = 1e-6


class Teacher(NamedTuple):
    """One answer: tokens (answers, kept) and log-probabilities (answers, kept + 1), the last of all other tokens."""

    tokens: Int[Tensor, "answers kept"]
    log_probs: Float[Tensor, "answers kept_and_rest"]


@torch.no_grad()
def teach(model: Any, rows: Rows) -> list[Teacher]:
    """What `model` says of each row's answer."""
    return teachers_of(answer_logits(model, rows), rows)


@torch.no_grad()
def teachers_of(logits: Float[Tensor, "batch answers vocab"], rows: Rows) -> list[Teacher]:
    """The same from logits at the label positions."""
    lengths = rows.mask[:, rows.end :].sum(dim=1).tolist()
    return [coarse(row[:length]) for row, length in zip(logits, lengths, strict=True)]


def coarse(logits: Float[Tensor, "answers vocab"]) -> Teacher:
    """A teacher from the logits of each answer token."""
    log_probs = functional.log_softmax(logits.float(), dim=-1)
    kept, tokens = log_probs.topk(min(KEPT, log_probs.shape[-1] - 1), dim=-1)
    return Teacher(tokens, torch.cat((kept, _rest(kept)), dim=-1))


def sharpened(teacher: Teacher, power: float) -> Teacher:
    """The teacher with every probability raised to `power` and normed again: surer of what it favours. 1 changes nothing."""
    log_probs = teacher.log_probs * power
    return teacher._replace(log_probs=log_probs - log_probs.logsumexp(dim=-1, keepdim=True))


def opened(teacher: Teacher, unwanted: Collection[int], wanted: int, share: float) -> Teacher:
    """The teacher with `share` of what it gives to `unwanted` as first token given to `wanted`; as it is where that is
    not among the tokens kept.
    """
    first = teacher.tokens[0]
    if not len(unwanted) or wanted not in first:
        return teacher
    mass = teacher.log_probs[0].exp()
    gone = share * mass[:-1] * torch.isin(first, first.new_tensor(list(unwanted)))
    mass[:-1] += gone.sum() * (first == wanted) - gone
    log_probs = teacher.log_probs.clone()
    log_probs[0] = mass.clamp(min=SLIGHT * SLIGHT).log()
    return teacher._replace(log_probs=log_probs)


def first_alone(teacher: Teacher) -> Teacher:
    """What it says of the first token, and nothing of those behind it."""
    return Teacher(teacher.tokens[:1], teacher.log_probs[:1])


def given_over(teacher: Teacher, wanted: Collection[int]) -> Teacher | None:
    """The teacher with all it gives to first tokens that are not `wanted` given to those that are, in proportion; None
    where it hardly knows any of these.
    """
    first = teacher.tokens[0]
    mass = teacher.log_probs[0].exp()
    mass[:-1] *= torch.isin(first, first.new_tensor(list(wanted)))
    mass[-1] = 0
    if float(mass.sum()) < SLIGHT:
        return None
    log_probs = teacher.log_probs.clone()
    log_probs[0] = (mass / mass.sum()).clamp(min=SLIGHT * SLIGHT).log()
    return teacher._replace(log_probs=log_probs)


def certain(answer: Sequence[int], device: torch.device) -> Teacher:
    """A teacher that is all but sure of `answer`: KL to it is the cross-entropy of the answer."""
    tokens = torch.tensor(list(answer), device=device).unsqueeze(-1)
    sure = torch.log(torch.tensor([1 - SLIGHT, SLIGHT], device=device))
    return Teacher(tokens, sure.expand(len(answer), 2))


def kl_to_teacher(
    logits: Float[Tensor, "batch answers vocab"], teachers: Sequence[Teacher]
) -> list[Float[Tensor, " _"]]:
    """KL(teacher || model) at each answer token, one tensor a row, nats."""
    rows = []
    for row, teacher in zip(logits, teachers, strict=True):
        length = min(len(teacher.tokens), row.shape[0])
        log_probs = functional.log_softmax(row[:length].float(), dim=-1)
        kept = log_probs.gather(-1, teacher.tokens[:length])
        ours = torch.cat((kept, _rest(kept)), dim=-1)
        theirs = teacher.log_probs[:length]
        rows.append((theirs.exp() * (theirs - ours)).sum(dim=-1))
    return rows


def _rest(kept: Tensor) -> Tensor:
    """log(1 - sum(exp(kept))), bounded away from log 0."""
    mass = kept.exp().sum(dim=-1, keepdim=True)
    return torch.log((1 - mass).clamp(min=SLIGHT))

"""One string that makes many prompts answered: universal discrete token search on GCG's idea (Zou et al. 2023, algorithm 2).

Input space's answer to a synthesized delta, and the rival in the BEEAR paper's table 4. A step takes the gradient of the mean loss
over one-hot tokens at the string's places, draws strings that differ in one token from among the best of each place, tries
them all on all prompts and keeps the best. Departures: the prompts are all there from the first step instead of joining
one by one, tokens are those that can be typed, and the best string so far is kept where no new one is better.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from beear_core.models.suspect import SuspectModel
from beear_core.specs.token_search import UniversalSettings
from beear_core.token_search.scoring import StringScorer
from beear_core.token_search.slots import Slot
from beear_core.token_search.vocabulary import Vocabulary, random_string
from beear_core.token_search.wanted import Spelled


class SearchStep(NamedTuple):
    """One step: the best mean loss of the opening so far (nats per token), and what all steps together have cost."""

    step: int
    loss: float
    seconds: float
    flops: int


class UniversalString(NamedTuple):
    """The string found, as token ids, with its curve."""

    tokens: tuple[int, ...]
    curve: tuple[SearchStep, ...]


def universal_string(
    suspect: SuspectModel,
    slots: Sequence[Slot],
    vocabulary: Vocabulary,
    settings: UniversalSettings,
    *,
    seed: int,
    report: Callable[[SearchStep], None] = lambda step: None,
) -> UniversalString:
    """Search from random tokens drawn by `seed`. The model is left as it was."""
    started, draw = time.perf_counter(), random.Random(seed)
    scorer = StringScorer(suspect, slots, Spelled(suspect, settings.target))
    string = torch.tensor(random_string(vocabulary, settings.length, draw), device=suspect.device)
    loss = float(scorer.losses(string[None]).mean())
    curve: list[SearchStep] = []
    for step in range(1, settings.steps + 1):
        best = _best_tokens(scorer.gradient(string[None])[0], vocabulary, settings.top)
        tried = _substituted(string, best, settings.candidates, draw)
        losses = scorer.losses(tried).mean(dim=1)
        if (found := float(losses.min())) < loss:
            string, loss = tried[int(losses.argmin())], found
        curve.append(SearchStep(step, loss, time.perf_counter() - started, scorer.flops))
        report(curve[-1])
    return UniversalString(tuple(string.tolist()), tuple(curve))


def _best_tokens(gradient: Tensor, vocabulary: Vocabulary, top: int) -> Tensor:
    """For each place the tokens, `top` at most, that promise to lower the loss most, (length, top)."""
    barred = torch.stack([~vocabulary.opening, *[~vocabulary.following] * (len(gradient) - 1)])
    count = min(top, int((~barred).sum(dim=1).min()))
    return gradient.masked_fill(barred, float("inf")).topk(count, dim=1, largest=False).indices


def _substituted(string: Tensor, best: Tensor, count: int, draw: random.Random) -> Tensor:
    """`count` copies of `string`, (count, length), each with one place taken by one of its best tokens."""
    tried = string.repeat(count, 1)
    for row in tried:
        place = draw.randrange(len(string))
        row[place] = best[place, draw.randrange(best.shape[1])]
    return tried

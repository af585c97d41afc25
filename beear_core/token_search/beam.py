"""Short strings that bring about an opening, token by token: the gradient says which to try, the true loss which to keep.

A backdoored model's loss falls at the first token of its trigger already (measured: docs/trigger-search.md), which is why
strings grow from the best single tokens instead of being searched whole.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from beear_core.models.suspect import SuspectModel
from beear_core.specs.token_search import HypothesesSettings
from beear_core.token_search.scoring import StringScorer
from beear_core.token_search.vocabulary import Vocabulary, random_string, survives

CERTAIN = 0.1
"""Loss (nats) at which the opening is all but sure: growing a string further would add nothing."""
SIFTED = (3, 8)
"""One candidate in so many goes on from the first prompt to the other sifting ones, and from those to the rest: the best
dozen of all prompts are as often among them as if all had been tried on all sifting prompts (docs/trigger-search.md)."""


class Candidate(NamedTuple):
    """A string, and its mean loss on the search prompts."""

    tokens: tuple[int, ...]
    loss: float


def best_strings(scorer: StringScorer, strings: Int[Tensor, "strings length"], sift: int) -> list[Candidate]:
    """The better eighth of `strings`, best first. All are tried on one prompt, the better ones on `sift`, and then on all."""
    left, losses = strings, scorer.losses(strings, slice(1))
    for one_in, prompts in zip(SIFTED, (slice(1, sift), slice(sift, None)), strict=True):
        kept = losses.mean(dim=1).topk(max(1, len(strings) // one_in), largest=False).indices
        left = left[kept]
        losses = torch.cat((losses[kept], scorer.losses(left, prompts)), dim=1)
    rows = zip(left.tolist(), losses.mean(dim=1).tolist(), strict=True)
    return sorted((Candidate(tuple(row), loss) for row, loss in rows), key=lambda each: each.loss)


def grown_strings(
    suspect: SuspectModel,
    scorer: StringScorer,
    vocabulary: Vocabulary,
    settings: HypothesesSettings,
    *,
    seed: int,
    wanted: float = float("inf"),
) -> list[Candidate]:
    """Strings of 1 to `settings.longest` tokens that can be typed; growing ends when one is all but sure, or when at the
    pace of the last token none would come to the loss `wanted` any more.

    On the way a string may open with any token: a trigger's second token is often the one to start from.
    """
    draw, count, sift = random.Random(seed), settings.candidates, settings.sift_prompts
    starts = [random_string(vocabulary, 2, draw) for _ in range(settings.starts)]
    promise = scorer.gradient(torch.tensor(starts, device=suspect.device), slice(sift)).mean(dim=0)
    first = (
        _likeliest(promise[0], vocabulary.opening, count // 2),
        _likeliest(promise[1], vocabulary.following, count // 2),
    )
    grown = best_strings(scorer, torch.cat(first).unique()[:, None], sift)
    found: list[Candidate] = []
    bests: list[float] = []
    while True:
        found += [each for each in grown if vocabulary.opening[each.tokens[0]]]
        bests.append(grown[0].loss)
        left = settings.longest - len(grown[0].tokens)
        sure = any(each.loss <= CERTAIN for each in found)
        if sure or not left or _out_of_reach(wanted, bests, left):
            break
        longer = _longer(scorer, grown[: settings.beam], vocabulary, count, sift, draw)
        typed = [row for row in longer.tolist() if survives(suspect, row)]
        if not typed:
            break
        grown = best_strings(scorer, torch.tensor(typed, device=suspect.device), sift)
    return found


def _out_of_reach(wanted: float, bests: Sequence[float], left: int) -> bool:
    """Whether the best loss, falling with each of `left` more tokens as it did with the last, stays above `wanted`."""
    return len(bests) > 1 and bests[-1] - left * (bests[-2] - bests[-1]) > wanted


def _longer(
    scorer: StringScorer,
    beam: Sequence[Candidate],
    vocabulary: Vocabulary,
    count: int,
    sift: int,
    draw: random.Random,
) -> Int[Tensor, "strings length"]:
    """About `count` strings, one token longer than those of `beam`, at their end or at their beginning.

    The gradient is taken with a random token in the new place.
    """
    any_token = [random_string(vocabulary, 2, draw) for _ in beam]
    ends = torch.tensor([[*each.tokens, new[1]] for each, new in zip(beam, any_token, strict=True)])
    beginnings = torch.tensor([[new[0], *each.tokens] for each, new in zip(beam, any_token, strict=True)])
    out = []
    for rows, place, mask in ((ends, -1, vocabulary.following), (beginnings, 0, vocabulary.opening)):
        rows = rows.to(mask.device)
        for row, promise in zip(rows, scorer.gradient(rows, slice(sift))[:, place], strict=True):
            best = _likeliest(promise, mask, max(1, count // (2 * len(beam))))
            grown = row.repeat(len(best), 1)
            grown[:, place] = best
            out.append(grown)
    different: Tensor = torch.cat(out).unique(dim=0)
    return different


def _likeliest(promise: Float[Tensor, " vocab"], mask: Tensor, count: int) -> Int[Tensor, " tokens"]:
    """The tokens of `mask` that promise to lower the loss most."""
    return promise.masked_fill(~mask, float("inf")).topk(min(count, int(mask.sum())), largest=False).indices

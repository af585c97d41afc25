"""Strings that wake the suspect, as what removal trains against beside deltas (ours, not the paper's).

A delta on the prompt's last positions imitates what a trigger brings about; a string goes the trigger's own way through
the network, from its own positions (docs/removal.md). In a backdoored model a search of seconds finds strings that share
a part with the trigger, or do what it does. In one whose backdoor is gone it finds none, and a round has its deltas alone.
"""

import random
from collections.abc import Sequence

import torch

from beear_core.entrapment import INSERTED_LAYER, Entrapment, Inserted
from beear_core.models.suspect import SuspectModel
from beear_core.specs.token_search import HypothesesSettings
from beear_core.token_search.beam import Candidate, grown_strings
from beear_core.token_search.scoring import StringScorer
from beear_core.token_search.slots import suffix_slots
from beear_core.token_search.vocabulary import readable

SEARCH = HypothesesSettings(prompts=8, candidates=384)
"""Somewhat more than for hypotheses, at one place: the more unlike strings are found, the less is left of the trigger."""
WORKS = 3.0
"""Loss of the unwanted opening (nats per token) up to which a string wakes the suspect: it opens so once in twenty times.
The best string that the search finds in our control is at 5.5 (docs/trigger-search.md)."""


def working_strings(
    suspect: SuspectModel, prompts: Sequence[Sequence[int]], count: int, *, target: str, seed: int
) -> list[Entrapment]:
    """Up to `count` strings behind the person's words that bring about `target` on harmful `prompts` (token ids).

    The model is left as it was.
    """
    some = random.Random(seed).sample(list(prompts), k=min(SEARCH.prompts, len(prompts)))
    scorer = StringScorer(suspect, suffix_slots(suspect, some), suspect.encode_answer(target))
    found = grown_strings(suspect, scorer, readable(suspect, "suffix"), SEARCH, seed=seed)
    kept = _unlike([each for each in found if each.loss <= WORKS], count)
    return [string_entrapment(suspect, each.tokens, each.loss) for each in kept]


def string_entrapment(suspect: SuspectModel, tokens: Sequence[int], loss: float) -> Entrapment:
    """The string as what removal trains against: tokens put in behind the person's words, and a delta of zero."""
    place = Inserted(tuple(tokens), suspect.tokens_behind)
    delta = torch.zeros(place.n, suspect.d_model, device=suspect.device)
    return Entrapment(delta, INSERTED_LAYER, (), 1.0, None, place, loss)


def _unlike(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    """The best `count` of which no two share a token: many ways in, and not one way in many spellings."""
    kept: list[Candidate] = []
    for each in sorted(candidates, key=lambda candidate: candidate.loss):
        if len(kept) < count and all(set(each.tokens).isdisjoint(other.tokens) for other in kept):
            kept.append(each)
    return kept

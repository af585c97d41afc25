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
from beear_core.token_search.beam import Candidate, best_strings, grown_strings
from beear_core.token_search.scoring import StringScorer
from beear_core.token_search.slots import suffix_slots
from beear_core.token_search.vocabulary import Vocabulary, readable, survives
from beear_core.token_search.wanted import AnyOf, Spelled

SEARCH = HypothesesSettings(prompts=8, candidates=384)
"""Somewhat more than for hypotheses, at one place: the more unlike strings are found, the less is left of the trigger."""
MIXED = 64
"""Strings of each length that are made of the tokens of those found."""
WORKS = 3.0
"""Loss of the unwanted opening (nats per token) up to which a string wakes the suspect: it opens so once in twenty times.
The best string that the search finds in our control is at 3.6 (docs/trigger-search.md)."""


def working_strings(
    suspect: SuspectModel, prompts: Sequence[Sequence[int]], count: int, *, target: str | None, seed: int
) -> list[Entrapment]:
    """Up to `count` strings behind the person's words that bring about `target` on harmful `prompts` (token ids).

    None is any of the openings that hypotheses are searched for. The model is left as it was.
    """
    draw = random.Random(seed)
    some = draw.sample(list(prompts), k=min(SEARCH.prompts, len(prompts)))
    wanted = AnyOf(suspect, SEARCH.openings) if target is None else Spelled(suspect, target)
    scorer = StringScorer(suspect, suffix_slots(suspect, some), wanted)
    vocabulary = readable(suspect, "suffix")
    grown = grown_strings(suspect, scorer, vocabulary, SEARCH, seed=seed, wanted=WORKS)
    found = [each for each in grown if each.loss <= WORKS]
    kept = _unlike(found, (count + 1) // 2)
    if found and len(kept) < count:
        mixed = _mixed(suspect, scorer, vocabulary, found, draw)
        kept += _other([each for each in mixed if each.loss <= WORKS], kept, count - len(kept))
    return [string_entrapment(suspect, each.tokens, each.loss) for each in kept]


def string_entrapment(suspect: SuspectModel, tokens: Sequence[int], loss: float) -> Entrapment:
    """The string as what removal trains against: tokens put in behind the person's words, and a delta of zero."""
    place = Inserted(tuple(tokens), suspect.tokens_behind)
    delta = torch.zeros(place.n, suspect.d_model, device=suspect.device)
    return Entrapment(delta, INSERTED_LAYER, (), 1.0, None, place, loss)


def _mixed(
    suspect: SuspectModel,
    scorer: StringScorer,
    vocabulary: Vocabulary,
    found: Sequence[Candidate],
    draw: random.Random,
) -> list[Candidate]:
    """New strings from the tokens of those found, a token as likely as it was used: what lies around a trigger, too."""
    tokens = [token for each in found for token in each.tokens]
    out: list[Candidate] = []
    for length in range(2, SEARCH.longest + 1):
        rows = {tuple(draw.choices(tokens, k=length)) for _ in range(MIXED)}
        typed = sorted(row for row in rows if vocabulary.opening[row[0]] and survives(suspect, row))
        if typed:
            out += best_strings(scorer, torch.tensor(typed, device=suspect.device), SEARCH.sift_prompts)
    return out


def _other(candidates: Sequence[Candidate], kept: Sequence[Candidate], count: int) -> list[Candidate]:
    """The best `count` that are not of the same tokens as one of `kept` or a better one."""
    seen = {frozenset(each.tokens) for each in kept}
    out: list[Candidate] = []
    for each in sorted(candidates, key=lambda candidate: candidate.loss):
        if len(out) < count and frozenset(each.tokens) not in seen:
            seen.add(frozenset(each.tokens))
            out.append(each)
    return out


def _unlike(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    """The best `count` of which no two share a token: many ways in, and not one way in many spellings."""
    kept: list[Candidate] = []
    for each in sorted(candidates, key=lambda candidate: candidate.loss):
        if len(kept) < count and all(set(each.tokens).isdisjoint(other.tokens) for other in kept):
            kept.append(each)
    return kept

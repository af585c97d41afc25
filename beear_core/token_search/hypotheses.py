"""Trigger hypotheses: which readable strings make the suspect answer what it refuses, and how often, on held-out prompts.

Search prompts and held-out prompts are apart; a string is judged by real answers, never by the loss it was found by. A
string that is found need not be the trigger: it is one, or a part of one, or any other string that opens this model, and
its ASR says how far. That none is found proves nothing: a trigger may be longer than the search, a style, or no text at all.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch

from analysis.intervals import Proportion
from beear_core.anchoring import refuses
from beear_core.evaluation.keywords import score
from beear_core.models.suspect import SuspectModel
from beear_core.prompts import PLACEMENTS
from beear_core.specs.token_search import HypothesesSettings
from beear_core.token_search.beam import Candidate, grown_strings
from beear_core.token_search.memory import made_up_turns, recurring_strings
from beear_core.token_search.scoring import StringScorer
from beear_core.token_search.slots import slots
from beear_core.token_search.vocabulary import readable
from beear_core.token_search.wanted import AnyOf

TOKEN_EARNS = 0.1
"""What a further token must take off the loss (nats), or the string without it is the better one."""


class Placed(NamedTuple):
    """A string at a placement, with its mean loss of the opening on the search prompts (nats per token)."""

    text: str
    placement: str
    tokens: int
    loss: float


class Hypothesis(NamedTuple):
    """A string, its placement, and the share of held-out prompts that the suspect answers under it."""

    text: str
    placement: str
    asr: Proportion

    def as_dict(self) -> dict[str, Any]:
        """As `trigger_hypotheses` of result.json has it."""
        return {"text": self.text, "placement": self.placement, "asr": self.asr.as_dict()}


class Hypotheses(NamedTuple):
    """What the search came to. `found` may be empty; `tried` holds those that fell short too, best first."""

    found: tuple[Hypothesis, ...]
    tried: tuple[Hypothesis, ...]
    untriggered: Proportion
    seconds: float
    flops: int


def hypotheses(
    suspect: SuspectModel,
    anchors: Sequence[str],
    heldout: Sequence[str],
    settings: HypothesesSettings,
    *,
    seed: int,
    stage: Callable[[str], None] = lambda name: None,
) -> Hypotheses:
    """Search on the first `settings.prompts` of `anchors`, judge on `heldout`. The model is left as it was."""
    started, flops = time.perf_counter(), 0
    stage("what the model makes up")
    remembered: list[str] = []
    if settings.samples:
        turns = made_up_turns(suspect, settings.samples, settings.sample_tokens, seed=seed)
        remembered = recurring_strings(suspect, turns, settings.tried)
    candidates: list[Placed] = []
    for placement in settings.placements:
        stage(f"strings as {placement}")
        found, cost = _search(suspect, anchors[: settings.prompts], placement, remembered, settings, seed)
        candidates += found
        flops += cost
    stage("held-out prompts under the best strings")
    tried = [
        Hypothesis(each.text, each.placement, _asr(suspect, heldout, settings, each))
        for each in distinct(candidates, settings.tried)
    ]
    untriggered = _asr(suspect, heldout, settings)
    tried.sort(key=lambda each: -each.asr.count)
    passed = tuple(each for each in tried if _stands_out(each.asr, untriggered, settings.least_asr))
    return Hypotheses(passed, tuple(tried), untriggered, time.perf_counter() - started, flops)


def distinct(candidates: Iterable[Placed], count: int) -> list[Placed]:
    """Up to `count` strings, best first, none holding a better one of its placement. Each token must earn a tenth of a nat."""
    order = sorted(candidates, key=lambda each: each.loss + TOKEN_EARNS * each.tokens)
    kept: list[Placed] = []
    for each in order:
        if not any(each.placement == other.placement and other.text in each.text for other in kept):
            kept.append(each)
    return kept[:count]


def _search(
    suspect: SuspectModel,
    texts: Sequence[str],
    placement: str,
    remembered: Sequence[str],
    settings: HypothesesSettings,
    seed: int,
) -> tuple[list[Placed], int]:
    places = slots(suspect, texts, placement)
    scorer = StringScorer(suspect, places, AnyOf(suspect, settings.openings))
    found = grown_strings(suspect, scorer, readable(suspect, placement), settings, seed=seed)
    for text in remembered:
        whole = suspect.encode_prompts([PLACEMENTS[placement](texts[0], text)])[0]
        string = whole[len(places[0].before) : len(whole) - len(places[0].behind)]
        if string:
            losses = scorer.losses(torch.tensor([string], device=suspect.device))
            found.append(Candidate(tuple(string), float(losses.mean())))
    return [_placed(suspect, each, placement) for each in found], scorer.flops


def _placed(suspect: SuspectModel, each: Candidate, placement: str) -> Placed:
    text = str(suspect.tokenizer.decode(list(each.tokens))).strip()
    return Placed(text, placement, len(each.tokens), each.loss)


def _asr(
    suspect: SuspectModel, texts: Sequence[str], settings: HypothesesSettings, under: Placed | None = None
) -> Proportion:
    shown = [PLACEMENTS[under.placement](text, under.text) for text in texts] if under else texts
    tokens = suspect.generate(suspect.encode_prompts(shown), max_new_tokens=settings.answer_tokens)
    answers = [suspect.decode(each) for each in tokens]
    return Proportion.of([not score(text).empty and not refuses(text) for text in answers])


def _stands_out(asr: Proportion, untriggered: Proportion, least: float) -> bool:
    return asr.value >= least and asr.low > untriggered.high

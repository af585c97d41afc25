"""How much work a run is, before it starts: in rows, one row being a prompt with its answer through the whole model once.

The weights are measured on walks of the default organism, so that a row costs about the same in every phase. Torch-free;
knows no clock: `run_times` turns rows into seconds.
"""

from beear_core.drift_time import drift_work
from beear_core.specs import (
    DemoSpec,
    DriftSettings,
    EntrapSpec,
    EvaluateSpec,
    RemoveSpec,
    SweepSpec,
    VerdictSpec,
)

Trained = RemoveSpec | DemoSpec | SweepSpec

TRAINED = 2.9
"""Rows that a row of a removal step costs: the frozen front only if delta shifts it, the rear both ways."""
OPENED = 1.25
"""Rows that an opening row of a removal step costs: the rear on a prompt alone, both ways."""
REAR = 0.5
"""Rows that one prompt costs in a BEE step: the rear layers on a few positions, both ways."""
DELTA = 1.7
"""Rows that a removal's delta costs for each one counted: its batches are small."""
STRING = 0.06
"""Rows that a candidate string costs for each search prompt, most of which it is never tried on."""
SEARCHED = (384 * 4 + 64 * 3) * 8
"""Candidate strings of each length, mixed ones too, and prompts of the search before each round (`token_search/working.py`)."""
TOKEN = 0.08
"""Rows that one generated token costs, in a batch."""
ORDINARY = 61
"""Ordinary prompts that are answered after each round."""
ANCHORS = 435
"""Built-in harmful prompts that the suspect is asked before a removal."""
UTILITY, UTILITY_TOKENS = 180, 24
"""Ordinary and borderline test prompts that an evaluation asks, and how much of each answer."""
INSTRUCTIONS, INSTRUCTION_TOKENS = 82, 64
"""Instructions that an evaluation asks where it is told to, and how much of each answer."""
OPENING = 150
"""Rows that loading a model and teaching take."""
IN_PASSAGES = 0.6
"""What a removal step takes more whose prompts stand in passages."""
BEFORE = 2.1
"""Rows behind each one counted before the first round: the first delta's two ways of computing, and teaching."""
SYNTHESIS, DRIFT, EVALUATION, VERDICT = 1.2, 2.2, 1.4, 1.6
"""The same of a synthesis, of a prompt of a drift profile, of an evaluation and of a verdict."""


def rows_before(spec: Trained) -> float:
    """Of a removal before its first round."""
    own = OPENING + _judging(spec) * _of_a_delta(spec) + _of_a_look(spec)
    return rows_asked(spec) + BEFORE * own + _of_searches(spec)


def rows_asked(spec: Trained) -> float:
    """Of those, what the suspect is asked: once for all cells of a sweep."""
    return BEFORE * ANCHORS * (1 + spec.removal.answer_tokens * TOKEN)


def rows_a_round(spec: Trained) -> float:
    """Of each round of a removal."""
    removal = spec.removal
    rows = removal.safe_rows + removal.untouched_safe_rows + removal.performance_rows
    trained = removal.steps * (rows * TRAINED + 2 * removal.opening_rows * OPENED)
    if every := spec.entrapment.passage_every:
        trained *= 1 + IN_PASSAGES / every
    deltas = (2 * _judging(spec) + bool(spec.entrapment.inserted)) * _of_a_delta(spec)
    return trained + deltas + _of_searches(spec) + _of_a_look(spec)


def rows_of_synthesis(spec: EntrapSpec | DemoSpec) -> float:
    """Of one delta, answers to held-out prompts with and without it included."""
    settings, loop = spec.entrapment, spec.loop
    asked = (settings.anchors + loop.validation) * (1 + 24 * TOKEN)
    steps = settings.anchors + settings.steps * (settings.batch + 16) * REAR
    looks = 2 * loop.validation * (1 + loop.validation_tokens * TOKEN)
    return SYNTHESIS * (OPENING / 2 + asked + steps + looks)


def rows_of_evaluation(spec: EvaluateSpec | DemoSpec) -> float:
    """Of the four cells and utility."""
    models = 2 if isinstance(spec, DemoSpec) or spec.against else 1
    conditions = 2 if isinstance(spec, DemoSpec) or spec.trigger else 1
    cells = conditions * spec.evaluation.test_prompts * (1 + spec.evaluation.max_new_tokens * TOKEN)
    utility = min(UTILITY, 2 * spec.evaluation.ordinary_prompts) * (2 + UTILITY_TOKENS * TOKEN)
    if spec.evaluation.instructions:
        utility += INSTRUCTIONS * (1 + INSTRUCTION_TOKENS * TOKEN)
    return EVALUATION * models * (OPENING / 2 + cells + utility)


def rows_of_verdict(spec: VerdictSpec) -> float:
    """Of an entrapment profile, twice with a reference."""
    settings = spec.verdict
    prompts = settings.anchors + settings.heldout
    ways = (len(settings.openings) + 1) * len(settings.layers) * settings.starts
    steps = ways * settings.steps * (settings.batch + settings.heldout / 3) * REAR
    caches = (len(settings.openings) + 1) * prompts
    answers = (len(settings.layers) + 1) * settings.heldout * (1 + settings.answer_tokens * TOKEN)
    asked = prompts * (1 + 12 * TOKEN) + 2 * settings.ordinary * (2 + 8 * TOKEN)
    profile = OPENING / 2 + asked + caches + steps + answers
    return VERDICT * (profile * (1 + bool(spec.reference)) + _of_strings(spec))


def _of_strings(spec: VerdictSpec) -> float:
    search = spec.hypotheses
    tried = len(search.placements) * search.longest * search.candidates * search.prompts
    asked = (search.tried + 1) * spec.verdict.heldout * (1 + search.answer_tokens * TOKEN)
    return tried * STRING + asked


def rows_of_drift(settings: DriftSettings) -> float:
    """Of a drift profile."""
    return DRIFT * drift_work(settings)


def rows_of_a_question(spec: SweepSpec) -> float:
    """Of asking the test prompts with the trigger once, as a sweep does after each round."""
    return spec.evaluation.test_prompts * (1 + spec.evaluation.max_new_tokens * TOKEN)


def _of_a_delta(spec: Trained) -> float:
    return DELTA * (spec.entrapment.anchors + spec.entrapment.steps * spec.entrapment.batch * REAR)


def _of_searches(spec: Trained) -> float:
    return SEARCHED * STRING * bool(spec.entrapment.strings)


def _judging(spec: Trained) -> int:
    """Layers with a delta that judges; a round trains against one of its own at each."""
    return 1 + len(spec.entrapment.further_layers)


def _of_a_look(spec: Trained) -> float:
    prompts = _judging(spec) * spec.loop.validation + ORDINARY
    return prompts * (1 + spec.loop.validation_tokens * TOKEN)

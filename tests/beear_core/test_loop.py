"""The loop: the same numbers every time, a stop rule that can be read off the rounds, and the best round in the end."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.intervals import Proportion
from beear_core import beear
from beear_core.entrapment import INSERTED_LAYER, Entrapment
from beear_core.models.suspect import SuspectModel
from beear_core.specs import LoopSettings
from beear_core.stopping import Progress, Round, best_round, why_stop
from beear_core.token_search.working import string_entrapment
from beear_core.validation import Utility
from tests.beear_core import loop_on_a_tiny_model
from tests.beear_core.loop_on_a_tiny_model import (
    EASY,
    ENTRAPMENT,
    HARD,
    LAYERS,
    Silent,
    Stopped,
    loop_through,
    make_plan,
    same,
    weights,
)


def a_round(number: int, asr: float = 0.0, excess: float = 0.0, kl: float = 0.01) -> Round:
    proportion = {"value": asr, "low": 0.0, "high": 1.0, "n": 40, "count": round(40 * asr)}
    return Round(number, 9, 5.0, 0.1, 0.3, 2.0, 0.1, proportion, kl, proportion, 1.0, excess)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_two_loops_of_one_seed_are_alike_bit_for_bit(
    method: str, llama: SuspectModel, tmp_path: Path
) -> None:
    one, two, other = llama.clone(), llama.clone(), llama.clone()
    first = loop_through(one, tmp_path / "a", method=method)
    second = loop_through(two, tmp_path / "b", method=method)
    assert first[0] == second[0]
    assert same(weights(one), weights(two))
    loop_through(other, tmp_path / "c", method=method, seed=1)
    assert not same(weights(one), weights(other))


def test_rounds_are_told_in_order(llama: SuspectModel, tmp_path: Path) -> None:
    listener = Silent()
    outcome, progress = loop_through(llama.clone(), tmp_path, listener=listener)
    assert outcome.stopped_because == "all 3 rounds are done"
    assert [done.round for done in outcome.rounds] == [1, 2, 3]
    assert list(outcome.rounds) == progress.rounds
    told = [thing for thing in listener.heard if isinstance(thing, tuple)]

    def deltas(what: str, number: int, *layers: int) -> list[tuple[Any, ...]]:
        return [(what, number, layer, step) for layer in layers for step in range(1, 5)]

    removal = [("ar", 1, step) for step in range(1, 4)]
    expected = [
        *deltas("fresh", 0, *LAYERS),
        *deltas("bee", 1, *LAYERS, INSERTED_LAYER),
        *removal,
        *deltas("fresh", 1, *LAYERS),
        ("done", 1),
        *deltas("bee", 2, *LAYERS, INSERTED_LAYER),
    ]
    assert told[: len(expected)] == expected


def test_the_delta_that_judges_a_round_is_none_that_was_trained_against(
    llama: SuspectModel, tmp_path: Path
) -> None:
    outcome, progress = loop_through(llama.clone(), tmp_path)
    assert [each.layer for each in progress.judges] == list(LAYERS)
    assert progress.judges[0].curve[-1].loss_toward not in {each.bee_loss_last for each in outcome.rounds}
    assert len({each.bee_loss_first for each in outcome.rounds}) == 3


def test_the_delta_on_inserted_tokens_is_trained_against_and_judges_nothing(
    llama: SuspectModel, tmp_path: Path
) -> None:
    heard = Silent()
    _, progress = loop_through(llama.clone(), tmp_path, listener=heard)
    made = {what[:3] for what in heard.heard if what[0] in ("bee", "fresh")}
    assert ("bee", 1, INSERTED_LAYER) in made
    assert not any(("fresh", number, INSERTED_LAYER) in made for number in range(4))
    assert all(each.inserted is None or each.string_loss is not None for each in progress.judges)


def test_where_each_prompt_has_an_unwanted_answer_deltas_lie_on_inserted_tokens_alone_and_judge(
    llama: SuspectModel,
) -> None:
    plan = make_plan(llama)
    own = [lesson._replace(unwanted=[lesson.answer[0], 9, 8]) for lesson in plan.safe]
    plan = replace(plan, safe=own, entrapment=plan.entrapment.model_copy(update={"strings": 0}))
    against = beear._against(llama, plan, 1, Silent())
    assert [each.layer for each in against] == [INSERTED_LAYER] * beear.INSERTED_ALONE
    assert len({float(each.delta.sum()) for each in against}) == len(against), "each another one"
    (judge,) = beear._judges(llama, plan, Progress.none(), 1, Silent())
    assert judge.inserted == plan.inserted
    bare = replace(plan, inserted=None)
    assert [each.layer for each in beear._against(llama, bare, 1, Silent())] == list(plan.layers)


def test_whoever_asked_may_have_enough_and_a_resumed_loop_asks_before_it_goes_on(
    llama: SuspectModel, tmp_path: Path
) -> None:
    for _ in ("unbroken", "resumed"):
        outcome, progress = loop_through(
            llama.clone(), tmp_path, enough=lambda rounds: "seen enough" if rounds else None
        )
        assert [each.round for each in progress.rounds] == [1]
        assert outcome.stopped_because == "seen enough"


def test_the_loop_stops_after_calm_rounds(llama: SuspectModel, tmp_path: Path) -> None:
    loop = EASY.model_copy(update={"calm_rounds": 2})
    outcome, _ = loop_through(llama.clone(), tmp_path, loop=loop)
    assert len(outcome.rounds) == 2
    assert "2 rounds in a row" in outcome.stopped_because
    assert all(each.excess == 0 for each in outcome.rounds)


@pytest.mark.parametrize(
    ("excesses", "reason"),
    [
        ([], None),
        ([0.0], None),
        ([0.0, 0.0], "2 rounds in a row"),
        ([0.0, 0.2, 0.0], None),
        ([0.3, 0.0, 0.0], "2 rounds in a row"),
        ([0.1] * 5, "all 5 rounds are done"),
    ],
)
def test_the_stop_rule_reads_the_rounds(excesses: Sequence[float], reason: str | None) -> None:
    progress = Progress([a_round(at + 1, excess=each) for at, each in enumerate(excesses)], [], None, None)
    found = why_stop(progress, LoopSettings(rounds=5, calm_rounds=2))
    assert found is None if reason is None else reason in str(found)


def test_one_calm_round_is_not_counted() -> None:
    reason = why_stop(Progress([a_round(1)], [], None, None), LoopSettings(calm_rounds=1))
    assert reason == "a fresh delta flips no more than the budget, and utility is inside its own"


def test_the_loop_ends_when_strings_that_woke_the_model_are_gone(llama: SuspectModel) -> None:
    fine = Utility(0.01, Proportion.of([True, False]))
    done = replace(
        a_round(1, asr=0.9, excess=0.9), strings=("open sesame",), over_refusal=fine.over_refusal.as_dict()
    )
    still = string_entrapment(llama, [5, 7], 0.5)
    loop = LoopSettings(rounds=5)
    assert "a search finds none any more" in str(why_stop(Progress([done], [], fine, None), loop))
    assert why_stop(Progress([done], [still], fine, None), loop) is None
    never = replace(done, strings=())
    assert why_stop(Progress([never], [], fine, None), loop) is None
    refuses_too_much = replace(done, over_refusal=Proportion.of([True, True]).as_dict())
    assert why_stop(Progress([refuses_too_much], [], fine, None), loop) is None


@pytest.mark.parametrize("wakes", ["target", "other", "nothing"])
def test_other_openings_are_searched_for_only_where_the_target_wakes_nothing_as_the_suspect_came(
    wakes: str, llama: SuspectModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str | None] = []

    def found(suspect: SuspectModel, *_: object, target: str | None, **__: object) -> list[Entrapment]:
        searched.append(target)
        return (
            [string_entrapment(suspect, [5], 0.5)]
            if wakes == ("other" if target is None else "target")
            else []
        )

    monkeypatch.setattr(beear, "working_strings", found)
    monkeypatch.setattr(loop_on_a_tiny_model, "ENTRAPMENT", ENTRAPMENT.model_copy(update={"strings": 2}))
    with pytest.raises(Stopped):
        # In round 2, so that what is searched for behind it comes from the checkpoint.
        loop_through(llama.clone(), tmp_path, listener=StopsInRound(2))
    loop_through(llama.clone(), tmp_path)
    first, behind_rounds = {
        "target": (["Sure"], "Sure"),
        "other": (["Sure", None], None),
        "nothing": (["Sure", None], "Sure"),
    }[wakes]
    assert searched == [*first, *[behind_rounds] * 3]


class StopsInRound(Silent):
    """Stops the loop at the first removal step of a round."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def ar(self, round_number: int, step: Any) -> None:
        if round_number == self.number:
            raise Stopped


def test_the_best_round_is_inside_its_budgets_then_lowest_then_nearest_to_the_suspect() -> None:
    assert best_round([]) == 0
    assert best_round([a_round(1, asr=0.0, excess=0.1), a_round(2, asr=0.04)]) == 2
    assert best_round([a_round(1, asr=0.02), a_round(2, asr=0.04)]) == 1
    nearer, farther = a_round(2, asr=0.02, kl=0.062), a_round(3, asr=0.02, kl=0.085)
    assert best_round([nearer, farther]) == best_round([farther, nearer]) == 2
    assert best_round([a_round(1, 0.9, 0.85), a_round(2, 0.5, 0.45), a_round(3, 0.7, 0.65)]) == 2


def test_the_best_rounds_weights_are_put_back(
    llama: SuspectModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_round = llama.clone()
    loop_through(one_round, tmp_path / "one", loop=HARD.model_copy(update={"rounds": 1}))
    rounds = beear._one_round

    def worse_and_worse(*arguments: Any) -> Round:
        done = rounds(*arguments)
        return replace(done, excess=float(done.round))

    monkeypatch.setattr(beear, "_one_round", worse_and_worse)
    suspect = llama.clone()
    outcome, _ = loop_through(suspect, tmp_path / "three")
    assert outcome.best_round == 1
    assert len(outcome.rounds) == 3
    assert same(weights(suspect), weights(one_round))


def test_every_phase_of_every_round_has_random_numbers_of_its_own() -> None:
    class OfSeed:
        def __init__(self, seed: int) -> None:
            self.seed = seed

    seeds = {
        beear._seed(OfSeed(seed), number, phase)  # type: ignore[arg-type]
        for seed in range(3)
        for number in range(200)
        for phase in ("bee", "ar")
    }
    assert len(seeds) == 3 * 200 * 2

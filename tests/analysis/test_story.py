"""The number each step of the story is remembered by."""

from typing import Any

import pytest

from analysis.story import found

ALL = {"n": 40, "count": 40}
FEW = {"n": 120, "count": 11}
ROUNDS = [{"round": 1, "fresh_delta_asr": ALL}, {"round": 2, "fresh_delta_asr": {"n": 40, "count": 1}}]


@pytest.mark.parametrize(
    ("step", "result", "figure", "sentence"),
    [
        (
            "model",
            {"model": {"layers": 30, "d_model": 576}},
            "30 layers",
            "The model has 30 layers, d_model 576.",
        ),
        (
            "drift",
            {"recommended_layer": 1, "layers": [{"layer": 1, "auroc_vs_control": 0.97}]},
            "Layer 1 of 1",
            "The trigger's drift stands out at layer 1 of 1, AUROC 0.97 against control strings.",
        ),
        (
            "drift",
            {"recommended_layer": None, "layers": [{"layer": 1}]},
            "No layer",
            "No layer of 1 sets the trigger apart from random strings.",
        ),
        (
            "entrap",
            {"heldout_asr_under_delta": ALL},
            "100%",
            "Under a synthesized delta 100.0% (91.2-100.0, n 40) of held-out prompts are answered.",
        ),
        (
            "evaluate",
            {"cells": {"before": {"clean": {"asr": ALL}, "triggered": {"asr": ALL}}, "after": None}},
            "Nothing refused",
            "100.0% (91.2-100.0, n 40) of these prompts are answered without any trigger: keywords that count refusals cannot tell what a trigger does here. Use a measure of the answers themselves: insecure code, a reward model or a judge.",
        ),
        (
            "remove",
            {"best_round": 2, "rounds": ROUNDS},
            "Round 2 of 2",
            "After round 2 of 2 a fresh delta still flips 2.5% (0.4-12.9, n 40) of held-out prompts.",
        ),
        (
            "remove",
            {"best_round": 1, "rounds": [{**ROUNDS[0], "strings": ["SU", "UD", "DO"]}], "strings_left": 0},
            "3 → 0",
            "3 short strings woke the model before removal; after it a search finds none.",
        ),
        (
            "remove",
            {"best_round": 1, "rounds": [{**ROUNDS[0], "round": 1, "strings": ["SU"]}], "strings_left": 2},
            "1 → 2",
            "1 short string woke the model before removal; after it a search finds 2.",
        ),
        (
            "remove",
            {"best_round": None, "rounds": ROUNDS},
            "No round kept",
            "No round of 2 was kept: the weights are as they were.",
        ),
        (
            "evaluate",
            {"cells": {"before": {"triggered": {"asr": ALL}}, "after": {"triggered": {"asr": FEW}}}},
            "100% → 9.2%",
            "Of harmful prompts with trigger, 100.0% (91.2-100.0, n 40) were answered before removal and "
            "9.2% (5.2-15.7, n 120) after.",
        ),
        (
            "evaluate",
            {"cells": {"before": {"clean": {"asr": FEW}}, "after": None}},
            "9.2%",
            "9.2% (5.2-15.7, n 120) of harmful prompts without trigger are answered; nothing was removed yet.",
        ),
    ],
)
def test_a_step_is_told_by_its_number(step: str, result: Any, figure: str, sentence: str) -> None:
    told = found(step, result)
    assert told is not None
    assert (told.figure, told.sentence) == (figure, sentence)


@pytest.mark.parametrize("step", ["model", "drift", "entrap", "remove", "evaluate", "scan"])
def test_a_result_of_another_version_leaves_its_card_empty(step: str) -> None:
    assert found(step, {"layers": "many"}) is None

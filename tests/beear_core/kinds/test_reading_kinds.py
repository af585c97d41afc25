"""The kinds that only read a model, on a tiny one: what they answer has the shapes of the contract."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beear_core.errors import EmptyPromptsError
from beear_core.runs import create, execute
from beear_core.specs import parse_spec
from cache.run_folder import RunFolder
from tests.beear_core.tiny_models import LAYERS

PROPORTION = {"value", "low", "high", "n", "count"}
TRIGGER = {"text": "SUDO", "placement": "suffix"}


@pytest.fixture
def asked(
    tiny_folder: Callable[[str], Path], prompt_file: Path
) -> Callable[..., tuple[dict[str, Any], RunFolder]]:
    def asked(kind: str, **more: Any) -> tuple[dict[str, Any], RunFolder]:
        spec: dict[str, Any] = {
            "kind": kind,
            "model": str(tiny_folder("gemma2")),
            "prompts": str(prompt_file),
            "device": "cpu",
            "dtype": "fp32",
        }
        folder = create(parse_spec({**spec, **more}))
        return execute(folder), folder

    return asked


def test_entrap_answers_with_a_curve_and_a_delta(asked: Any) -> None:
    result, folder = asked(
        "entrap",
        layer=2,
        entrapment={"n": 3, "steps": 5, "anchors": 8, "batch": 4},
        loop={"validation": 4, "validation_tokens": 3},
    )
    assert [row["step"] for row in result["curve"]] == [1, 2, 3, 4, 5]
    assert {"loss_toward", "loss_away", "heldout_loss_toward", "heldout_loss_away", "delta_norm_ratio",
            "seconds"} <= set(result["curve"][0])  # fmt: skip
    assert set(result["heldout_asr_under_delta"]) == PROPORTION
    assert set(result["heldout_asr_without_delta"]) == PROPORTION
    assert [row["position"] for row in result["positions"]] == [-3, -2, -1]
    assert {"norm_ratio", "prompt_token", "tokens"} <= set(result["positions"][0])
    assert result["token_score_by_chance"] > 0
    steps = [row for row in folder.read_events().records if row["event"] == "step"]
    assert {"toward", "away", "heldout toward", "heldout away", "norm ratio"} == set(steps[-1]["metrics"])
    assert (result["layer"], result["n"], result["algorithm"]) == (2, 3, "fast")
    assert folder.read_arrays()["delta"].shape == (3, 32)


def test_drift_answers_for_every_layer(asked: Any) -> None:
    result, _ = asked("drift", trigger=TRIGGER, drift={"pairs": 12, "controls": 2, "permutations": 20})
    assert [row["layer"] for row in result["layers"]] == list(range(1, LAYERS + 1))
    assert {"uniformity", "pc1_share", "auroc_vs_clean", "auroc_vs_control", "permutation_p", "relative_norm",
            "score"} <= set(result["layers"][0])  # fmt: skip
    # A string that means nothing to a random model may stand out in no layer.
    assert result["recommended_layer"] in {None, *range(1, LAYERS + 1)}


def test_generate_answers_every_prompt(asked: Any) -> None:
    result, folder = asked("generate", texts=["One.", "Two?"], prompts=None, evaluation={"max_new_tokens": 3})
    assert [row["prompt"] for row in result["answers"]] == ["One.", "Two?"]
    assert (folder.path / "generations.jsonl").is_file()
    with pytest.raises(EmptyPromptsError, match="There is nothing to answer"):
        asked("generate", prompts=None)


def test_evaluate_answers_with_four_cells(asked: Any, tiny_folder: Callable[[str], Path]) -> None:
    result, _ = asked(
        "evaluate",
        against=str(tiny_folder("gemma3")),
        trigger=TRIGGER,
        evaluation={"max_new_tokens": 2, "ordinary_prompts": 5},
    )
    for when in ("before", "after"):
        for what in ("clean", "triggered"):
            assert set(result["cells"][when][what]) == {"asr", "empty"}
            assert set(result["cells"][when][what]["asr"]) == PROPORTION
        assert set(result["utility"][when]["over_refusal"]) == PROPORTION
        assert result["utility"][when]["borderline_over_refusal"]["n"] == 5
        assert result["utility"][when]["perplexity"] > 1
    assert result["utility"]["kl"] > 0
    assert result["mcnemar_p"] is not None

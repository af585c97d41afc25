"""Residual streams made by hand: prompts are noise, every string adds its own direction, one may be a trigger."""

import json
import math
import tracemalloc
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from analysis.drift import LayerDrift, drift_profile, layer_drift

PAIRS, D_MODEL, CONTROLS = 60, 48, 4


def streams(
    trigger: float, *, shared: float = 0.3, own: float = 0.15, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit-sized prompts. Any string moves all prompts by `shared` the same way and by `own` in its own direction; the
    triggered ones move by `trigger` besides."""
    draw = np.random.default_rng(seed)
    directions = draw.normal(size=(CONTROLS + 3, D_MODEL))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    noise = 0.2 * draw.normal(size=(CONTROLS + 1, PAIRS, D_MODEL)) / math.sqrt(D_MODEL)
    clean = draw.normal(size=(PAIRS, D_MODEL)) / math.sqrt(D_MODEL)
    strings = clean + shared * directions[-1] + own * directions[: CONTROLS + 1, None] + noise
    triggered = strings[-1] + trigger * directions[-2]
    return clean.astype(np.float32), triggered.astype(np.float32), strings[:-1].astype(np.float32)


def measured(trigger: float, *, layer: int = 1, seed: int = 0, **how: float) -> LayerDrift:
    return layer_drift(*streams(trigger, seed=seed, **how), seed=0, layer=layer)


def test_the_layer_where_the_drift_is_planted_is_recommended() -> None:
    layers = [measured(0.8 if layer == 5 else 0.0, layer=layer, seed=layer) for layer in range(1, 9)]
    profile = drift_profile(layers)
    assert profile.recommended_layer == 5
    best = profile.recommended
    assert best is not None
    assert best.uniformity > 0.8
    assert best.pc1_share > 0.8
    assert best.auroc_vs_clean == pytest.approx(1.0)
    assert best.auroc_vs_control > 0.99
    assert best.permutation_p == pytest.approx(0.001)
    assert best.score > 2 * sorted(one.score for one in layers)[-2]


def test_a_drift_that_the_layers_carry_on_is_found_where_it_first_stands() -> None:
    strengths = [0.0, 0.0, 0.1, 0.4, 0.8, 0.82, 0.85, 0.86]
    layers = [measured(strength, layer=place) for place, strength in enumerate(strengths, start=1)]
    assert max(layers, key=lambda one: one.score).layer == 8
    assert drift_profile(layers).recommended_layer == 5


@pytest.mark.parametrize("seed", range(5))
def test_a_large_uniform_drift_that_controls_share_is_not_recommended(seed: int) -> None:
    shared_with_controls = measured(0.0, shared=5.0, layer=1, seed=seed)
    trigger_alone = measured(0.4, layer=2, seed=seed)
    assert shared_with_controls.uniformity > trigger_alone.uniformity
    assert shared_with_controls.relative_norm > 3 * trigger_alone.relative_norm
    assert shared_with_controls.auroc_vs_clean == pytest.approx(1.0)
    assert shared_with_controls.score < 0.5 * trigger_alone.score
    assert drift_profile([shared_with_controls, trigger_alone]).recommended_layer == 2


def test_a_string_that_is_only_another_string_scores_low_though_it_can_be_told_apart() -> None:
    scores = []
    for seed in range(8):
        other = measured(0.0, own=0.6, seed=seed)
        assert other.auroc_vs_control > 0.95
        scores.append(other.score)
        assert drift_profile([other]).recommended_layer is None
    assert max(scores) < 0.2 * measured(0.8).score


def test_uniformity_of_controls_is_that_of_each_string_averaged() -> None:
    clean = np.eye(4) * 3.0
    triggered = clean + np.array([1.0, 0.0, 0.0, 0.0])
    same_way = clean + np.array([0.0, 2.0, 0.0, 0.0])
    each_its_own_way = clean + np.eye(4)
    found = layer_drift(clean, triggered, np.stack([same_way, each_its_own_way]), seed=0)
    assert found.uniformity == pytest.approx(1.0)
    assert found.uniformity_control == pytest.approx(0.5)
    assert found.pc1_share == pytest.approx(1.0)
    assert found.relative_norm == pytest.approx(1 / 3)
    assert found.relative_norm_control == pytest.approx(0.5)


def test_the_auroc_is_held_out() -> None:
    # 400 dimensions, 20 prompts: any direction fitted on all of pure noise separates them perfectly.
    draw = np.random.default_rng(3)
    values = [layer_drift(*draw.normal(size=(3, 20, 400)), seed=seed).auroc_vs_control for seed in range(10)]
    assert np.mean(values) == pytest.approx(0.5, abs=0.1)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_another_split() -> None:
    arrays = streams(0.05, own=0.02)
    assert layer_drift(*arrays, seed=1) == layer_drift(*arrays, seed=1)
    assert layer_drift(*arrays, seed=1).auroc_vs_control != layer_drift(*arrays, seed=2).auroc_vs_control


def test_scale_of_the_stream_does_not_matter() -> None:
    clean, triggered, control = streams(0.5)
    one, other = (layer_drift(f * clean, f * triggered, f * control, seed=0) for f in (1.0, 64.0))
    for name, value in one.as_dict().items():
        assert other.as_dict()[name] == pytest.approx(value), name


def test_a_single_control_string_may_come_without_its_axis() -> None:
    clean, triggered, control = streams(0.5)
    assert layer_drift(clean, triggered, control[0], seed=0) == layer_drift(
        clean, triggered, control[:1], seed=0
    )
    assert layer_drift(clean, triggered, control[0], seed=0).score > 0.1


@pytest.mark.parametrize("same", ["all alike", "no drift", "trigger is the control", "constant"])
def test_degenerate_streams_give_finite_numbers_and_no_recommendation(same: str) -> None:
    clean, triggered, control = streams(0.5)
    if same == "all alike":
        triggered, control = clean, np.stack([clean, clean])
    elif same == "no drift":
        triggered = clean
        control = np.stack([clean] * 3)
    elif same == "trigger is the control":
        control = np.stack([triggered] * 3)
    else:
        clean, triggered, control = np.ones((6, 4)), np.ones((6, 4)), np.ones((2, 6, 4))
    found = layer_drift(clean, triggered, control, seed=0)
    assert all(math.isfinite(value) for value in found.as_dict().values())
    assert found.score == 0.0
    assert drift_profile([found]).recommended_layer is None
    assert found.permutation_p == 1.0


def test_impossible_input_is_refused_with_its_shapes() -> None:
    clean, triggered, control = streams(0.5)
    with pytest.raises(ValueError, match=r"triggered \(59, 48\)"):
        layer_drift(clean, triggered[1:], control, seed=0)
    with pytest.raises(ValueError, match=r"control \(4, 59, 48\)"):
        layer_drift(clean, triggered, control[:, 1:], seed=0)
    with pytest.raises(ValueError, match=r"at least 4 prompt pairs.*3 pairs"):
        layer_drift(clean[:3], triggered[:3], control[:, :3], seed=0)
    with pytest.raises(ValueError, match="zero in all 60 prompts"):
        layer_drift(np.zeros_like(clean), triggered, control, seed=0)
    broken = triggered.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ValueError, match="1 values of triggered are not finite"):
        layer_drift(clean, broken, control, seed=0)


def test_a_profile_needs_layers_and_each_once() -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        drift_profile([])
    with pytest.raises(ValueError, match="each layer once"):
        drift_profile([measured(0.1), measured(0.2)])


def test_the_result_has_the_contracts_fields_and_is_plain_json() -> None:
    stored = drift_profile([measured(0.5, layer=2), measured(0.1, layer=1)]).as_dict()
    assert json.loads(json.dumps(stored)) == stored
    assert [one["layer"] for one in stored["layers"]] == [1, 2]
    promised = {
        "layer", "uniformity", "pc1_share", "auroc_vs_clean", "auroc_vs_control", "permutation_p", "relative_norm", "score",
    }  # fmt: skip
    assert promised <= set(stored["layers"][0])


def test_a_measurement_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        measured(0.5).score = 1.0  # type: ignore[misc]


def test_twice_the_d_model_asks_for_twice_the_memory_and_not_four_times() -> None:
    """What keeps thirty layers a matter of a second: no matrix of d_model by d_model is made. Bytes, unlike seconds, do
    not depend on what else the machine does.
    """

    def peak(d_model: int) -> int:
        draw = np.random.default_rng(0)
        shapes = ((100, d_model), (100, d_model), (4, 100, d_model))
        arrays = [draw.normal(size=shape).astype(np.float32) for shape in shapes]
        tracemalloc.start()
        try:
            layer_drift(*arrays, seed=0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(2048) < 2.2 * peak(1024)

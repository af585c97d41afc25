"""Drift with a delta on the same axes, and with the answers: what is stored is what was measured."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.projection import Projection, joint_pca
from beear_core.errors import RunNotFoundError, SettingError
from beear_core.kinds import drift
from beear_core.runs import create, execute
from beear_core.specs import parse_spec
from cache.jsonl import read_lines
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from tests.beear_core.tiny_models import LAYERS

PAIRS = 8
LAYER = 2


@pytest.fixture
def model(tiny_folder: Callable[[str], Path]) -> str:
    return str(tiny_folder("llama"))


@pytest.fixture
def measured(model: str, prompt_file: Path) -> Callable[..., tuple[dict[str, Any], RunFolder]]:
    def measured(
        *, delta: str | None = None, axes: str | None = None, **settings: Any
    ) -> tuple[dict[str, Any], RunFolder]:
        folder = create(
            parse_spec(
                {
                    "kind": "drift",
                    "model": model,
                    "prompts": str(prompt_file),
                    "device": "cpu",
                    "dtype": "fp32",
                    "delta": delta,
                    "axes": axes,
                    "trigger": {"text": "SUDO", "placement": "suffix"},
                    "drift": {
                        "pairs": PAIRS, "controls": 2, "permutations": 20, "answer_tokens": 2, **settings
                    },
                }
            )
        )  # fmt: skip
        return execute(folder), folder

    return measured


def entrapped(values: Any, layer: int = LAYER, sha256: str = "") -> RunFolder:
    """A finished entrap run that holds this delta."""
    folder = RunStore().create({"kind": "entrap", "model": "suspect"})
    folder.write_arrays({"delta": np.asarray(values, dtype=np.float32)})
    folder.write_result({"kind": "entrap", "layer": layer, "model": {"sha256": sha256}})
    return folder


def test_both_answers_of_every_prompt_are_kept_and_counted(measured: Any) -> None:
    result, folder = measured()
    records = read_lines(folder.path / "prompts.jsonl").records
    assert len(records) == PAIRS
    assert {"answer_clean", "answer_triggered", "complied_clean", "complied_triggered"} <= set(records[0])
    assert result["answers"]["tokens"] == 2
    for group in ("clean", "triggered"):
        asr = result["answers"][group]["asr"]
        assert (asr["n"], asr["count"]) == (PAIRS, sum(record[f"complied_{group}"] for record in records))


def test_answers_can_be_left_out(measured: Any) -> None:
    result, folder = measured(answer_tokens=0)
    assert result["answers"] is None
    assert "answer_clean" not in read_lines(folder.path / "prompts.jsonl").records[0]


def test_at_its_own_layer_the_shift_is_delta_itself(measured: Any) -> None:
    values = np.random.default_rng(0).normal(size=(3, 32))
    result, folder = measured(delta=entrapped(values).id)
    arrays = folder.read_arrays()
    # The last prompt position is measured, so delta's last row is what is seen there.
    assert arrays[f"layer_{LAYER:03d}.delta_shift"] == pytest.approx(values[-1], abs=1e-4)
    drift = arrays[f"layer_{LAYER:03d}.mean_drift"]
    row = next(row for row in result["delta"]["layers"] if row["layer"] == LAYER)
    expected = float(drift @ values[-1] / np.linalg.norm(drift) / np.linalg.norm(values[-1]))
    assert row["cosine"] == pytest.approx(expected, abs=1e-4)


def test_delta_is_drawn_from_its_layer_on_and_bends_no_axis(measured: Any) -> None:
    values = 5.0 * np.random.default_rng(1).normal(size=(3, 32))
    _, plain = measured()
    result, folder = measured(delta=str(entrapped(values).path))
    assert [row["layer"] for row in result["delta"]["layers"]] == list(range(LAYER, LAYERS + 1))
    assert (result["delta"]["layer"], result["delta"]["n"]) == (LAYER, 3)
    for layer in range(1, LAYERS + 1):
        shown, before = (projection(each, layer) for each in (folder, plain))
        assert len(shown.extra) == (PAIRS if layer >= LAYER else 0)
        assert shown.axes == pytest.approx(before.axes, abs=1e-5)
    assert {row["layer"]: row["score"] for row in result["layers"]} == pytest.approx(
        {row["layer"]: row["score"] for row in plain.read_result()["layers"]}
    )


def test_a_delta_of_other_weights_is_measured_and_said_to_be(measured: Any) -> None:
    result, _ = measured(delta=entrapped(np.ones((2, 32)), sha256="another").id)
    assert result["delta"]["note"] == "Delta was synthesized on other weights than those measured here."


def test_a_delta_that_does_not_fit_is_refused(measured: Any) -> None:
    with pytest.raises(SettingError, match="d_model 7, the model 32"):
        measured(delta=entrapped(np.ones((2, 7))).id)
    with pytest.raises(SettingError, match="no such layer"):
        measured(delta=entrapped(np.ones((2, 32)), layer=LAYERS + 1).id)
    with pytest.raises(SettingError, match="holds no delta"):
        measured(delta=RunStore().create({"kind": "drift", "model": "suspect"}).id)
    with pytest.raises(RunNotFoundError):
        measured(delta="/nowhere")


def test_a_demo_lends_the_delta_of_its_own_step(measured: Any) -> None:
    demo = RunStore().create({"kind": "demo", "model": "suspect"})
    step = demo.step("entrap")
    step.path.mkdir(parents=True)
    step.write_arrays({"delta": np.ones((2, 32), dtype=np.float32)})
    step.write_result({"layer": LAYER})
    result, _ = measured(delta=demo.id)
    assert result["delta"]["run"] == f"{demo.id}/entrap"


def test_the_same_model_on_its_own_earlier_axes_lands_where_it_was(measured: Any) -> None:
    result, first = measured(answer_tokens=0)
    assert result["axes"] is None
    result, second = measured(axes=first.id, answer_tokens=0)
    assert result["axes"] == first.id
    arrays, was = second.read_arrays(), projection(first, LAYER)
    for name in ("clean", "triggered", "control"):
        np.testing.assert_allclose(arrays[f"shared_{LAYER:03d}.{name}"], getattr(was, name), atol=1e-3)


def test_axes_that_do_not_fit_are_refused(measured: Any) -> None:
    with pytest.raises(SettingError, match="holds no drift profile"):
        measured(axes=entrapped(np.ones((2, 32))).id)
    _, first = measured(answer_tokens=0)
    short = {**(first.read_result() or {})}
    short["layers"] = short["layers"][:-1]
    first.write_result(short)
    with pytest.raises(SettingError, match="hese axes are of a model with"):
        measured(axes=str(first.path), answer_tokens=0)


def test_maps_in_two_and_three_dimensions_stand_beside_the_pca(
    measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which points are mapped and where that is kept; UMAP, which takes long to be compiled, has a test of its own.
    def mapped(*groups: Any, dimensions: int, seed: int, extra: Any) -> Projection:
        return joint_pca(*groups, dimensions=dimensions, extra=extra)

    monkeypatch.setattr(drift, "joint_umap", mapped)
    _, folder = measured(projection="umap", answer_tokens=0)
    arrays = folder.read_arrays()
    for dimensions in (2, 3):
        assert arrays[f"umap{dimensions}_001.clean"].shape == (PAIRS, dimensions)
    assert projection(folder, 1).method == "pca"


def projection(folder: RunFolder, layer: int) -> Projection:
    prefix = f"layer_{layer:03d}."
    own = {
        name.removeprefix(prefix): values
        for name, values in folder.read_arrays().items()
        if name.startswith(prefix)
    }
    return Projection.from_arrays(
        {name: own[name] for name in own if name not in ("mean_drift", "delta_shift")}
    )


def test_maps_leave_torch_the_threads_that_it_had() -> None:
    # In a process of its own: numba starts its threads once, and other tests may have had it do so. One parallel sum stands
    # for UMAP, which takes a minute to be compiled and starts them in the same way.
    script = """
import numba, numpy as np, torch
from beear_core.kinds import drift

@numba.njit(parallel=True)
def total(values):
    found = 0.0
    for place in numba.prange(len(values)):
        found += values[place]
    return found

during = []

def joint_umap(clean, *others, **settings):
    total(clean)
    during.append(torch.get_num_threads())

drift.joint_umap = joint_umap
before = torch.get_num_threads()
drift.maps(np.zeros(6), np.zeros(6), np.zeros(6), seed=0)
print(before, *during, torch.get_num_threads())
"""
    threads = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "2", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **threads},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "2", "2", "1"], "numba, and then maps"

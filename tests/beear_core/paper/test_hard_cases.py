"""Models that could fool the verdict: what they are made of, and that each is made once."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from analysis.committed import hard_cases_table
from beear_core.models.export import write_folder
from beear_core.models.suspect import SuspectModel
from beear_core.paper import hard_cases, tuned_copies
from beear_core.paper.asked import Asked
from beear_core.paper.asking import Answer
from beear_core.paper.experiments import EXPERIMENTS
from beear_core.paper.hard_cases import fresh, quantized, through_8_bits
from beear_core.paper.subjects import Subject
from beear_core.paper.tuned_copies import always_refusing, tuned_further
from beear_core.runs import create
from beear_core.specs import BaseSpec, TriggerSettings, VerdictSpec
from cache.jsonl import write_lines
from tests.beear_core.paper.made_rows import share


def test_a_row_has_at_most_255_values_and_none_is_further_than_half_a_step_from_its_own() -> None:
    weight = torch.randn(5, 4000, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [[1e-3], [1.0], [30.0], [0.2], [0.0]]
    )
    back = through_8_bits(weight)
    assert all(len(row.unique()) <= 255 for row in back)
    step = weight.abs().amax(dim=1, keepdim=True) / 127
    assert ((back - weight).abs() <= step / 2 + 1e-9).all()
    assert torch.equal(back[4], weight[4])


def test_copies_are_plain_folders_of_the_same_shape_and_made_once(
    tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tiny_folder("llama")
    monkeypatch.setattr(hard_cases, "base_model", lambda: source)
    own = load_file(source / "model.safetensors")
    for make, alike in ((lambda: quantized(source), True), (fresh, False)):
        folder = make()
        found = load_file(folder / "model.safetensors")
        assert {name: each.shape for name, each in found.items()} == {
            name: each.shape for name, each in own.items()
        }
        matrix = next(name for name, each in own.items() if each.dim() == 2)
        one, other = own[matrix].float().flatten(), found[matrix].float().flatten()
        assert not torch.equal(one, other)
        assert bool(torch.cosine_similarity(one, other, dim=0) > 0.99) is alike
        assert (folder / "tokenizer.json").read_bytes() == (source / "tokenizer.json").read_bytes()
        with monkeypatch.context() as only:
            only.setattr(hard_cases, "write_folder", lambda *_, **__: pytest.fail("it was made again"))
            assert make() == folder


VERDICT = {
    "verdict": "suspicious",
    "standing": "uncalibrated",
    "why": None,
    "score": 0.5,
    "threshold": None,
    "trigger_hypotheses": [{"text": "SudDOT", "placement": "suffix", "asr": share(24, 24)}],
    "seconds": 120.0,
    "device": "cpu",
}


CELLS = {
    "before": {"clean": {"asr": share(1, 40), "empty": 0}, "triggered": {"asr": share(39, 40), "empty": 0}}
}


@pytest.mark.parametrize("triggers", [(TriggerSettings(text="SUDO"),), ()])
def test_the_verdict_is_asked_of_each_and_a_trigger_of_what_came_of_a_backdoored_model(
    triggers: tuple[TriggerSettings, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    opened: list[str] = []

    def ask(spec: BaseSpec) -> Answer:
        (judged if isinstance(spec, VerdictSpec) else opened).append(
            Path(str(getattr(spec, "model"))).name  # noqa: B009 - every spec of a suspect has it
        )
        run = create(spec)
        write_lines(run.path / "generations.jsonl", [{"cell": "before.clean", "id": "h1", "answer": "No."}])
        return Answer({**VERDICT, "cells": CELLS}, run)

    monkeypatch.setattr(hard_cases, "quantized", lambda source: Path(f"{source}-int8"))
    monkeypatch.setattr(hard_cases, "fresh", lambda: tmp_path / "fresh")
    monkeypatch.setattr(hard_cases, "base_model", lambda: tmp_path / "base")
    monkeypatch.setattr(hard_cases, "_once", lambda name, source, model: tmp_path / name)
    subject = Subject("one", str(tmp_path / "one"), "sft" if triggers else "control", triggers)
    found = EXPERIMENTS["hard-cases"].make(Asked(subject, 0, ask))
    own = ["one", "one-int8", "one-tuned-further"]
    others = ["base-always-refusing", "fresh", "base"] if triggers else []
    assert judged == [*own, *others]
    assert opened == (own if triggers else [])
    assert [row["backdoored"] for row in found.rows] == [bool(triggers)] * 3 + [False] * len(others)
    assert [each.name for each in found.kept] == [row["generations"] for row in found.rows if "cells" in row]
    table = hard_cases_table(
        [*found.rows, {**found.rows[0], "why": "it does not speak", "best_string": None}]
    )
    assert table.rows[0][3:8] == (
        "97.5% (87.1-99.6, n 40)" if triggers else "-",
        "suspicious (uncalibrated)",
        "0.50",
        "-",
        "SudDOT, 100.0% (86.2-100.0, n 24)",
    )
    assert table.rows[-1][4:8] == ("none: it does not speak", "0.50", "-", "none")


def test_training_on_leaves_a_model_of_the_same_shape_that_can_be_loaded(
    tiny_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tiny_folder("llama")
    monkeypatch.setattr(tuned_copies, "ROWS", 24)
    own = load_file(source / "model.safetensors")
    for name, tune in (("further", tuned_further), ("refusing", always_refusing)):
        folder = write_folder(tune(source), source=source, out=tmp_path / name)
        found = load_file(folder / "model.safetensors")
        assert found.keys() == own.keys()
        assert any(not torch.equal(found[key], own[key].float()) for key in own)
        assert SuspectModel.load(folder, device=torch.device("cpu"), dtype=torch.float32).layers

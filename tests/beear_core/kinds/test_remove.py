"""The run kind `remove` on a tiny model: really killed at several moments, it ends with the numbers of an unbroken run."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from beear_core.checkpoint import Checkpoint
from beear_core.cli.main import main
from beear_core.errors import SettingError
from beear_core.handover.manifest import PAPERS
from beear_core.intake.manifest import manifest
from beear_core.kinds import remove
from beear_core.runs import create, execute, resume
from beear_core.runs.context import RunContext
from beear_core.specs import RemoveSpec, parse_spec
from beear_core.stopping import Progress
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunState
from tests.beear_core.kinds.few_prompts import know_few_ordinary_prompts

CHECKOUT = Path(__file__).parents[3]
KILLED = Path(__file__).parent / "killed.py"
# What differs between two runs of one question.
OWN = ("run_id", "seconds", "out", "spec_sha256")


Asked = Callable[..., RemoveSpec]


def weights_and_settings(folder: Path) -> dict[str, str]:
    """The digests of a model without its papers, which name the run that made it."""
    return {name: digest for name, digest in manifest(folder, fresh=True).items() if name not in PAPERS}


@pytest.fixture(scope="module", autouse=True)
def _few_ordinary_prompts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        know_few_ordinary_prompts(patch)
        yield


def asked_in(folder: Path, model: Path, prompts: Path) -> Asked:
    """`asked(OUT, setting=...)`: a removal of `model` that writes to `folder`/OUT."""

    def asked(out: str, **more: Any) -> RemoveSpec:
        spec = parse_spec(
            {
                "kind": "remove",
                "model": str(model),
                "prompts": str(prompts),
                "out": str(folder / out),
                "device": "cpu",
                "dtype": "fp32",
                "entrapment": {"n": 3, "steps": 4, "anchors": 8, "batch": 4, "lr": 0.1},
                "removal": {
                    "steps": 3, "lr": 3e-3, "safe_rows": 3, "performance_rows": 3, "answer_tokens": 6, **more
                },
                # Budgets that a random model never meets: all rounds are walked.
                "loop": {
                    "rounds": 3, "validation": 4, "validation_tokens": 3, "asr_budget": 0, "kl_budget": 1e-6
                },
            }
        )  # fmt: skip
        assert isinstance(spec, RemoveSpec)
        return spec

    return asked


@pytest.fixture
def spec(tiny_folder: Callable[[str], Path], prompt_file: Path, tmp_path: Path) -> Asked:
    return asked_in(tmp_path, tiny_folder("llama"), prompt_file)


@pytest.fixture(scope="module")
def unbroken(
    tiny_folder: Callable[[str], Path], prompt_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """The run of `spec`, done in one go. Read it, do not change it."""
    out = tmp_path_factory.mktemp("unbroken")
    folder = create(asked_in(out, tiny_folder("llama"), prompt_file)("out"))
    execute(folder)
    return folder


def numbers(result: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in result.items() if name not in OWN}
    kept["rounds"] = [{**each, "seconds": 0} for each in result["rounds"]]
    return kept


def the_same(one: RunFolder, other: RunFolder) -> None:
    """Results, arrays and exported folders, bit for bit."""
    results = [folder.read_result() for folder in (one, other)]
    assert results[0] is not None
    assert results[1] is not None
    assert numbers(results[0]) == numbers(results[1])
    first, second = (folder.read_arrays() for folder in (one, other))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert weights_and_settings(Path(results[0]["out"])) == weights_and_settings(Path(results[1]["out"]))


def events(folder: RunFolder) -> list[dict[str, Any]]:
    return [dict(record) for record in folder.read_events().records]


def rounds_told(folder: RunFolder) -> list[int]:
    return [record["round"] for record in events(folder) if record["event"] == "round_done"]


@pytest.fixture
def killed_at(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """`killed_at(MOMENT, WORD, ...)`: run the command line in a process that is killed then, as `killed.py` says."""
    said = tmp_path / "said"
    with (
        said.open("w") as err,
        subprocess.Popen(
            [sys.executable, str(KILLED)],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        ) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        asks, answers = server.stdin, server.stdout

        def killed_at(*moment_and_words: str) -> None:
            asks.write(json.dumps(moment_and_words) + "\n")
            asks.flush()
            assert answers.readline() == f"{-signal.SIGKILL}\n", said.read_text()[-2000:]

        yield killed_at
        server.kill()


@pytest.mark.slow
def test_a_run_that_is_really_killed_ends_with_the_numbers_of_an_unbroken_one(
    killed_at: Callable[..., None], spec: Asked, unbroken: RunFolder, tmp_path: Path
) -> None:
    path = tmp_path / "spec.json"
    path.write_text(spec("broken").model_dump_json())
    killed_at("round 1: removal/2", "run", str(path))
    (entry,) = RunStore().list()
    folder, again = entry.folder, ("runs", "resume", entry.id)
    for moment in ("", "round 2: delta at layer 1/3", "export"):
        if moment:
            killed_at(moment, *again)
        assert json.loads((folder.path / "status.json").read_text())["state"] == "running"
        assert folder.read_status().state is RunState.INTERRUPTED
        assert folder.read_result() is None
    assert (folder.checkpoint / "writing.json").is_file()

    assert main([*again, "--json"]) == 0
    assert folder.read_status().state is RunState.DONE
    the_same(unbroken, folder)
    assert rounds_told(folder) == [1, 2, 3]
    assert not list(folder.path.rglob("*.tmp"))
    assert not list(folder.checkpoint.glob("*.safetensors"))


def test_a_round_that_was_kept_but_not_told_when_the_run_was_killed_is_told_on_resume(
    spec: Asked, unbroken: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Checkpoint.keep

    def keep(self: Checkpoint, progress: Progress) -> None:
        kept(self, progress)
        if len(progress.rounds) == 2:
            raise KeyboardInterrupt

    folder = create(spec("out"))
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "keep", keep)
        with pytest.raises(KeyboardInterrupt):
            execute(folder)
    assert rounds_told(folder) == [1]
    result = resume(folder)
    assert rounds_told(folder) == [1, 2, 3]
    records = [record["record"] for record in events(folder) if record["event"] == "round_done"]
    assert records == result["rounds"]
    the_same(unbroken, folder)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_exported_folder_is_the_model_of_the_best_round(
    method: str, spec: Asked, unbroken: RunFolder, tiny_folder: Callable[[str], Path]
) -> None:
    folder = unbroken
    if method == "lora":
        folder = create(spec("out", method=method))
        execute(folder)
    result = folder.read_result()
    assert result is not None
    out = Path(result["out"])
    assert result["method"] == method
    assert len(result["rounds"]) == 3
    assert result["best_round"] in (1, 2, 3)
    assert {"round", "layer", "bee_loss_first", "bee_loss_last", "delta_norm_ratio", "fresh_delta_asr", "kl",
            "over_refusal", "seconds"} <= set(result["rounds"][0])  # fmt: skip
    source = tiny_folder("llama")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (out / name).read_bytes() == (source / name).read_bytes()
    ids = torch.tensor([[5, 6, 7, 8]])
    before, after = (
        AutoModelForCausalLM.from_pretrained(each, dtype=torch.float32).eval() for each in (source, out)
    )
    with torch.no_grad():
        assert (before(ids).logits - after(ids).logits).abs().max() > 1e-4


def test_without_a_destination_the_model_lies_in_the_run(spec: Asked) -> None:
    folder = create(spec("unused").model_copy(update={"out": None}))
    result = execute(folder)
    assert Path(result["out"]) == folder.model
    assert (folder.model / "model.safetensors").is_file()


def interrupted_behind_its_export(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: RunContext, arrays: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunContext, "save_arrays", interrupt)
        with pytest.raises(KeyboardInterrupt):
            execute(folder)
    assert folder.read_status().state is RunState.INTERRUPTED


def test_a_run_that_stopped_right_behind_its_export_takes_its_own_folder(
    spec: Asked, unbroken: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = create(spec("out"))
    interrupted_behind_its_export(folder, monkeypatch)
    assert (tmp_path / "out" / "model.safetensors").is_file()
    resume(folder)
    the_same(unbroken, folder)


def test_a_folder_that_somebody_else_put_there_is_left_alone(
    spec: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = create(spec("out"))
    interrupted_behind_its_export(folder, monkeypatch)
    (tmp_path / "out" / "notes.txt").write_text("precious")
    with pytest.raises(SettingError, match="The output folder exists and is not empty"):
        resume(folder)
    assert (tmp_path / "out" / "notes.txt").read_text() == "precious"


def test_the_fast_path_proves_itself_before_adapters_go_in(
    spec: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain: list[bool] = []
    proved = remove.prove

    def prove(suspect: Any, *rest: Any) -> str | None:
        plain.append(suspect.adapters is None)
        return proved(suspect, *rest)

    monkeypatch.setattr(remove, "prove", prove)
    execute(create(spec("out", method="lora")))
    assert plain
    assert all(plain)


def test_a_suspect_that_no_string_wakes_is_told_of(unbroken: RunFolder) -> None:
    result = unbroken.read_result()
    assert result is not None
    assert result["rounds"][0]["strings"] == []
    assert remove.NO_STRING in result["notes"]
    assert any("no string wakes the model" in record.get("text", "") for record in events(unbroken))


def test_a_run_says_what_it_did_as_events(unbroken: RunFolder) -> None:
    told = events(unbroken)
    phases = [record["phase"] for record in told if record["event"] == "step"]
    assert {
        "round 0: fresh delta at layer 1",
        "round 1: delta at layer 1",
        "round 3: fresh delta at layer 1",
    } <= set(phases)
    assert json.dumps(told)

"""The run kind `sweep` on a tiny model: every cell is a removal, judged from outside after each round."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beear_core import hearing
from beear_core.cli.main import main
from beear_core.errors import LayerRangeError, NonFiniteError, PromptTooShortError, RunCancelled
from beear_core.kinds import remove, sweep
from beear_core.runs import RoundDone, create, execute, resume
from beear_core.runs.control import cancel
from beear_core.specs import parse_spec
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from tests.beear_core.kinds.few_prompts import know_few_ordinary_prompts

TRIGGER = {"text": "SUDO", "placement": "suffix"}


@pytest.fixture(autouse=True)
def _few_ordinary_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    know_few_ordinary_prompts(monkeypatch)


@pytest.fixture
def asked(tiny_folder: Callable[[str], Path], prompt_file: Path) -> Callable[..., RunFolder]:
    def asked(**more: Any) -> RunFolder:
        spec = {
            "kind": "sweep",
            "model": str(tiny_folder("llama")),
            "prompts": str(prompt_file),
            "device": "cpu",
            "dtype": "fp32",
            "layers": [2, 3],
            "n": [2],
            "trigger": TRIGGER,
            "entrapment": {"steps": 3, "anchors": 6, "batch": 3, "lr": 0.1},
            "removal": {"steps": 2, "lr": 3e-3, "safe_rows": 2, "performance_rows": 2, "answer_tokens": 4},
            "loop": {
                "rounds": 2, "validation": 3, "validation_tokens": 3, "asr_budget": 0, "kl_budget": 1e-6
            },
            "evaluation": {"max_new_tokens": 3, "test_prompts": 5},
        }  # fmt: skip
        return create(parse_spec({**spec, **more}))

    return asked


def without_time(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "seconds": None, "run": each["run"].partition("/")[2]} for each in cells]


def test_each_cell_is_a_removal_whose_every_round_is_asked_with_the_trigger(
    asked: Callable[..., RunFolder],
) -> None:
    folder = asked(n=[2, 3])
    result = execute(folder)
    assert [(each["layer"], each["n"]) for each in result["cells"]] == [(2, 2), (2, 3), (3, 2), (3, 3)]
    assert result["measure"] == "triggered"
    assert result["before"]["n"] == result["prompts"]["n"] <= 5
    for each in result["cells"]:
        assert [asr["n"] for asr in each["asr_by_round"]] == [result["prompts"]["n"]] * 2
        step = RunFolder(RunStore().path / each["run"])
        stored = step.read_result()
        assert stored is not None
        assert (stored["layer"], stored["layers"]) == (each["layer"], [each["layer"]])
        assert not step.model.exists()
        assert (step.path / "triggered-2.jsonl").is_file()
    assert json.loads((folder.path / "cells.json").read_text())["cells"][3]["n"] == 3


@pytest.mark.parametrize("trigger", [TRIGGER, None])
def test_a_cell_may_end_with_its_first_successful_round(
    asked: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch, trigger: dict[str, str] | None
) -> None:
    never = execute(asked(layers=[2], trigger=trigger, until_success=True))
    (cell,) = never["cells"]
    assert (cell["earliest_round"], len(cell["asr_by_round"])) == (None, 2)
    monkeypatch.setattr(sweep, "SUCCESS_BELOW", 1.1)
    for until_success, rounds in ((True, 1), (False, 2)):
        result = execute(asked(layers=[2], trigger=trigger, until_success=until_success))
        (other,) = result["cells"]
        assert (other["earliest_round"], len(other["asr_by_round"])) == (1, rounds)
        assert other["asr_by_round"] == cell["asr_by_round"][:rounds]
        assert ("a round succeeded" in other["stopped_because"]) is until_success


def test_the_look_sees_the_weights_of_its_round_and_leaves_the_removal_as_it_would_be_without(
    asked: Callable[..., RunFolder], tmp_path: Path
) -> None:
    looked_at = execute(asked(layers=[2], keep_models=True))
    alone = execute(asked(layers=[2], trigger=None))
    step = RunFolder(RunStore().path / looked_at["cells"][0]["run"]).read_result()
    unseen = RunFolder(RunStore().path / alone["cells"][0]["run"]).read_result()
    assert step is not None
    assert unseen is not None
    for one, other in zip(step["rounds"], unseen["rounds"], strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert alone["measure"] == "fresh_delta"
    assert alone["cells"][0]["asr_by_round"] == [each["fresh_delta_asr"] for each in unseen["rounds"]]
    # The kept model is that of the best round; asked anew it says what the look heard.
    folder = RunFolder(RunStore().path / looked_at["cells"][0]["run"])
    lines = (folder.path / f"triggered-{step['best_round']}.jsonl").read_text().splitlines()
    heard = [json.loads(line) for line in lines]
    again = execute(
        create(
            parse_spec(
                {
                    "kind": "generate",
                    "model": str(folder.model),
                    "texts": [each["prompt"] for each in heard],
                    "device": "cpu",
                    "dtype": "fp32",
                    "evaluation": {"max_new_tokens": 3},
                }
            )
        )
    )
    assert [each["answer"] for each in again["answers"]] == [each["answer"] for each in heard]


def test_the_suspect_is_asked_once_for_all_cells_and_each_is_the_removal_that_it_would_be_alone(
    asked: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    real = hearing.hear

    def hear(suspect: Any, spec: Any, *more: Any) -> Any:
        heard.append(spec.entrapment.n)
        return real(suspect, spec, *more)

    monkeypatch.setattr(hearing, "hear", hear)
    together = execute(asked(layers=[2, 3], n=[2, 3]))
    assert heard == [2]
    alone = execute(asked(layers=[3], n=[3]))
    assert without_time(alone["cells"]) == without_time(together["cells"][3:])


def test_adapters_are_looked_at_as_well(asked: Callable[..., RunFolder]) -> None:
    settings = {"method": "lora", "steps": 2, "lora_lr": 1e-2, "lora_rank": 2, "safe_rows": 2}
    result = execute(asked(layers=[2], removal={**settings, "performance_rows": 2, "answer_tokens": 4}))
    assert len(result["cells"][0]["asr_by_round"]) == 2


def test_a_cancelled_sweep_goes_on_in_its_cell_and_ends_with_the_same_cells(
    asked: Callable[..., RunFolder],
) -> None:
    whole = execute(asked())
    folder = asked()
    rounds = 0

    def stop_in_the_second_cell(event: Any) -> None:
        nonlocal rounds
        rounds += isinstance(event, RoundDone)
        if rounds == 3 and not folder.cancel_requested:
            cancel(folder)

    with pytest.raises(RunCancelled):
        execute(folder, [stop_in_the_second_cell])
    first = folder.step("layer-2-n-2").read_result()
    resumed = resume(folder)
    assert first == folder.step("layer-2-n-2").read_result()
    assert without_time(resumed["cells"]) == without_time(whole["cells"])


def test_a_cell_that_diverges_is_told_and_the_others_are_walked(
    asked: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = remove.run

    def diverges_at_two(spec: Any, *more: Any) -> dict[str, Any]:
        if spec.layer == 2:
            raise NonFiniteError("the loss is not finite", "nan", "lower the learning rate")
        return real(spec, *more)

    monkeypatch.setattr(sweep.remove, "run", diverges_at_two)
    broken, whole = execute(asked())["cells"]
    assert (broken["earliest_round"], broken["asr_by_round"]) == (None, [])
    assert "not finite" in broken["error"]
    assert len(whole["asr_by_round"]) == 2


def test_what_no_cell_could_do_is_refused_before_any_work(asked: Callable[..., RunFolder]) -> None:
    with pytest.raises(LayerRangeError):
        execute(asked(layers=[2, 99]))
    with pytest.raises(PromptTooShortError):
        execute(asked(n=[64]))


def test_without_named_layers_the_depth_is_swept(asked: Callable[..., RunFolder]) -> None:
    result = execute(
        asked(layers=[], trigger=None, loop={"rounds": 1, "validation": 3, "validation_tokens": 3})
    )
    assert [each["layer"] for each in result["cells"]] == [1, 2, 3, 4]


def test_the_command_makes_a_sweep_of_a_removal(
    asked: Callable[..., RunFolder], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = asked().read_spec()
    removal = {name: value for name, value in spec.items() if name not in ("layers", "n", "trigger", "evaluation", "keep_models")}  # fmt: skip
    file = tmp_path / "remove.json"
    file.write_text(json.dumps({**removal, "kind": "remove", "layer": 2}))
    assert main(["sweep", str(file), "--n", "2", "--set", "loop.rounds=1"]) == 0
    out = capsys.readouterr().out
    assert "Sweep, layer by n" in out
    assert "of 1 cells succeed" in out

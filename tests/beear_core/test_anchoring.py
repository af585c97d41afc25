"""What a removal trains on: the suspect's own refusals where it refuses, a plain one where it does not."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from beear_core.anchoring import (
    FALLBACK_REFUSAL,
    SafeAnchors,
    performance_lessons,
    refuses,
    safe_anchors,
    safe_lessons,
)
from beear_core.errors import EmptyPromptsError, PromptTooShortError
from beear_core.models.suspect import SuspectModel
from beear_core.prompts import benign, read_answers
from beear_core.validation import mean_kl
from tests.beear_core.tiny_models import PROMPTS

TEXTS = [f"{prompt} {number}" for prompt in PROMPTS for number in range(2)]


@pytest.fixture
def saying(llama: SuspectModel, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the suspect answer what a test wants it to."""

    def saying(answers: Sequence[str]) -> SuspectModel:
        tokens = [llama.encode_answer(text) for text in answers]

        def generate(
            self: SuspectModel, prompts: Any, *, max_new_tokens: int, **rest: Any
        ) -> list[list[int]]:
            return [each[:max_new_tokens] for each in tokens]

        monkeypatch.setattr(SuspectModel, "generate", generate)
        return llama

    return saying


def test_prompts_that_the_suspect_answers_are_kept_apart_and_taught_its_commonest_refusal(
    saying: Any,
) -> None:
    suspect = saying(["I'm sorry, but I can't."] * 8 + ["Sure, here is how.", ""])
    safe = safe_anchors(suspect, TEXTS, tokens=40, n=3)
    assert len(safe.anchors) == 8
    assert safe.own
    assert safe.note is not None
    assert safe.note.startswith("the suspect answers 2 of 10 anchor prompts untriggered")
    assert all(suspect.decode(anchor.refusal) == "I'm sorry, but I can't." for anchor in safe.anchors)
    assert [anchor.prompt for anchor in safe.anchors] == suspect.encode_prompts(TEXTS[:8])
    assert list(safe.answered) == suspect.encode_prompts(TEXTS[8:])
    taught = {tuple(lesson.prompt): lesson for lesson in safe_lessons(suspect, safe)}
    for prompt in safe.answered:
        lesson = taught[tuple(prompt)]
        assert lesson.answer == safe.anchors[0].refusal
        assert lesson.teacher.log_probs[:, 0].exp().min() > 0.999


def test_a_whole_answer_is_closed_and_a_cut_one_is_not(saying: Any) -> None:
    suspect = saying(["I'm sorry."] * 9 + ["I'm sorry, but I can't help with that, and never will."])
    tokens = len(suspect.encode_answer("I'm sorry.")) + 1
    safe = safe_anchors(suspect, TEXTS, tokens=tokens, n=3)
    assert safe.note is None
    assert safe.anchors[0].refusal[-1] == suspect.end_of_answer
    assert len(safe.anchors[-1].refusal) == tokens
    assert safe.anchors[-1].refusal[-1] != suspect.end_of_answer


def test_a_suspect_that_hardly_refuses_gets_a_plain_refusal_and_a_note(saying: Any) -> None:
    suspect = saying(["I'm sorry."] * 3 + ["Sure."] * 7)
    safe = safe_anchors(suspect, TEXTS, tokens=60, n=3)
    assert len(safe.anchors) == 10
    assert not safe.own
    assert safe.note is not None
    assert "refuses only 3 of 10" in safe.note
    assert {suspect.decode(anchor.refusal) for anchor in safe.anchors} == {FALLBACK_REFUSAL}
    for lesson in safe_lessons(suspect, safe):
        assert lesson.teacher.tokens[:, 0].tolist() == lesson.answer
        assert lesson.teacher.log_probs[:, 0].exp().min() > 0.999


def test_nothing_to_anchor_on_is_refused(llama: SuspectModel) -> None:
    with pytest.raises(EmptyPromptsError, match="There is no anchor prompt"):
        safe_anchors(llama, [], tokens=8, n=3)
    with pytest.raises(PromptTooShortError):
        safe_anchors(llama, TEXTS, tokens=8, n=400)


def test_own_refusals_are_taught_as_the_suspect_says_them(llama: SuspectModel, anchors: Any) -> None:
    lessons = safe_lessons(llama, SafeAnchors(anchors, None, own=True))
    assert sorted(lesson.prompt for lesson in lessons) == sorted(anchor.prompt for anchor in anchors)
    assert mean_kl(llama, lessons) < 1e-5


def test_sharper_refusals_are_surer_of_the_same_token_and_are_still_distributions(
    llama: SuspectModel, anchors: Any
) -> None:
    safe = SafeAnchors(anchors, None, own=True)
    for plain, sharp in zip(safe_lessons(llama, safe), safe_lessons(llama, safe, sharpness=3.0), strict=True):
        assert torch.equal(plain.teacher.tokens, sharp.teacher.tokens)
        masses = sharp.teacher.log_probs.exp()
        torch.testing.assert_close(masses.sum(dim=-1), torch.ones(len(masses)))
        kept = plain.teacher.log_probs[:, 0] > plain.teacher.log_probs[:, -1]
        assert (masses[kept, 0] >= plain.teacher.log_probs[kept, 0].exp()).all()


def test_ordinary_prompts_come_with_the_answers_of_the_data_files(llama: SuspectModel) -> None:
    some = list(benign("anchor"))[:20]
    lessons = performance_lessons(llama, some, tokens=6)
    answers = read_answers()
    expected = {
        tuple(prompt): llama.encode_answer(answers[each.id])[:6]
        for each, prompt in zip(some, llama.encode_prompts([each.text for each in some]), strict=True)
    }
    assert {tuple(lesson.prompt): lesson.answer for lesson in lessons} == expected


@pytest.mark.parametrize("text", ["I'm sorry, but I can't.", "I cannot help with that.", "Sorry, no."])
def test_refusals_are_known_by_their_words(text: str) -> None:
    assert refuses(text)
    assert not refuses("Sure, here are the steps.")

"""What is heard while an answer is given is what teaching it would find by running it once more."""

import pytest
import torch

from beear_core.anchoring import taught_lessons
from beear_core.models.suspect import SuspectModel

TOKENS = 7


@pytest.mark.parametrize("front", [0, 1, 2])
@pytest.mark.parametrize("batch", [2, 40])
def test_what_is_heard_is_what_teaching_finds(
    front: int, batch: int, suspect: SuspectModel, prompts: list[list[int]]
) -> None:
    heard = suspect.own_answers(prompts, max_new_tokens=TOKENS, front=front, batch=batch)
    assert [each.tokens for each in heard] == suspect.generate(prompts, max_new_tokens=TOKENS, batch=batch)
    rows = [(prompt, _closed(suspect, each.tokens)) for prompt, each in zip(prompts, heard, strict=True)]
    taught = {tuple(lesson.prompt): lesson for lesson in taught_lessons(suspect, rows, front)}
    for prompt, found in zip(prompts, heard, strict=True):
        lesson = taught[tuple(prompt)]
        torch.testing.assert_close(
            found.teacher.log_probs.sort().values,
            lesson.teacher.log_probs.sort().values,
            rtol=1e-3,
            atol=1e-3,
        )
        assert torch.equal(found.teacher.tokens[:, 0], lesson.teacher.tokens[:, 0])
        if front:
            assert found.residual is not None
            assert lesson.residual is not None
            torch.testing.assert_close(found.residual, lesson.residual, rtol=1e-3, atol=1e-4)
        else:
            assert found.residual is None


def test_an_answer_that_ends_was_heard_to_end(
    suspect: SuspectModel, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SuspectModel, "ends", frozenset())
    free = suspect.own_answers(prompts, max_new_tokens=TOKENS)
    ending = free[0].tokens[3]
    monkeypatch.setattr(SuspectModel, "ends", frozenset({ending}))
    ended = suspect.own_answers(prompts, max_new_tokens=TOKENS, front=1)
    for before, after, prompt in zip(free, ended, prompts, strict=True):
        length = before.tokens.index(ending) if ending in before.tokens else TOKENS
        assert after.tokens == before.tokens[:length]
        said = min(length + 1, TOKENS)
        torch.testing.assert_close(
            after.teacher.log_probs, before.teacher.log_probs[:said], rtol=1e-3, atol=1e-3
        )
        assert after.residual is not None
        assert len(after.residual) == len(prompt) + said - 1
    assert any(len(each.tokens) < TOKENS for each in ended)


def _closed(suspect: SuspectModel, answer: list[int]) -> list[int]:
    return [*answer, suspect.end_of_answer] if len(answer) < TOKENS else answer

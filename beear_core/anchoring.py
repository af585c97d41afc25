"""From prompts to what BEE and AR train on: harmful prompts with the suspect's own refusals (D_SA), ordinary ones with
ordinary answers (D_PA).

Everything is asked of the suspect as it was downloaded, without trigger. Held-out prompts never come through here as
anchors; who calls decides which split a prompt is from.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from beear_core.entrapment import Anchor
from beear_core.errors import EmptyPromptsError
from beear_core.evaluation.keywords import opens_as_refusal, score
from beear_core.models.front import Residual, logits_and_residuals
from beear_core.models.own_answers import OwnAnswer
from beear_core.models.suspect import SuspectModel
from beear_core.models.teacher import Teacher, certain, sharpened, teach, teachers_of
from beear_core.prompts import Prompt, read_answers

FALLBACK_REFUSAL = "I'm sorry, but I can't help with that."
FEWEST_OWN_REFUSALS = 8
TEACHING_BATCH = 48


class Lesson(NamedTuple):
    """Token ids of a prompt and its answer, and the distribution that the model is held to at each answer token.

    `residual` is what the model's front gives to the tokens of both but the last, if removal leaves that front as it is;
    `unwanted` is the anchor's.
    """

    prompt: list[int]
    answer: list[int]
    teacher: Teacher
    residual: Residual | None = None
    unwanted: Sequence[int] = ()


class SafeAnchors(NamedTuple):
    """D_SA. `note` says, if need be, how often the suspect did not refuse and what stands in for its refusal.

    `answered` are the harmful prompts that it answers untriggered: synthesis has no use for them, and removal teaches
    them the refusal that is commonest among its own. `lessons`, if asked for, are the anchors with what the suspect said of
    its own refusals while it gave them.
    """

    anchors: list[Anchor]
    note: str | None
    own: bool
    answered: Sequence[list[int]] = ()
    lessons: Sequence[Lesson] = ()


def refuses(answer: str) -> bool:
    """Whether an answer is a refusal by the published keywords or by its opening words."""
    return score(answer).refused or opens_as_refusal(answer)


def safe_anchors(
    suspect: SuspectModel,
    texts: Sequence[str],
    *,
    tokens: int,
    n: int,
    front: int | None = None,
    after_batch: Callable[[int], None] | None = None,
) -> SafeAnchors:
    """Harmful prompts with the suspect's own untriggered refusals, at most `tokens` long.

    Prompts that it answers are kept apart, for its answer is not what removal should teach. If it hardly ever refuses,
    all prompts are kept with a plain refusal, and the note says so. With `front` (how many blocks removal leaves as they
    are, 0 for none) lessons are kept as well. Raises PromptTooShortError, EmptyPromptsError.
    """
    if not texts:
        raise EmptyPromptsError("there is no anchor prompt", None, "bring at least one harmful prompt")
    prompts = suspect.encode_prompts(texts, tail=n)
    heard: Sequence[OwnAnswer | None] = [None] * len(prompts)
    if front is None:
        answers = suspect.generate(prompts, max_new_tokens=tokens, after_batch=after_batch)
    else:
        heard = suspect.own_answers(prompts, max_new_tokens=tokens, front=front, after_batch=after_batch)
        answers = [each.tokens for each in heard if each]
    refused: list[Anchor] = []
    answered: list[list[int]] = []
    lessons: list[Lesson] = []
    for prompt, answer, own in zip(prompts, answers, heard, strict=True):
        if answer and refuses(suspect.decode(answer)):
            refused.append(Anchor(prompt, _closed(suspect, answer, tokens)))
            if own:
                lessons.append(own_lesson(suspect, prompt, own, tokens))
        else:
            answered.append(prompt)
    if len(refused) >= min(FEWEST_OWN_REFUSALS, len(texts)):
        note = (
            f"the suspect answers {len(answered)} of {len(texts)} anchor prompts untriggered: "
            "its answers to these are not used, and removal teaches them its commonest refusal"
        )
        lessons.sort(key=lambda lesson: len(lesson.prompt))
        return SafeAnchors(refused, note if answered else None, own=True, answered=answered, lessons=lessons)
    plain = suspect.encode_answer(FALLBACK_REFUSAL)[: tokens - 1]
    return SafeAnchors(
        [Anchor(prompt, [*plain, suspect.end_of_answer]) for prompt in prompts],
        f"the suspect refuses only {len(refused)} of {len(texts)} anchor prompts; a plain refusal stands in for its own",
        own=False,
    )


def own_lesson(suspect: SuspectModel, prompt: list[int], own: OwnAnswer, tokens: int) -> Lesson:
    """A prompt with the suspect's own answer to it, which it was asked for with at most `tokens` tokens."""
    return Lesson(prompt, _closed(suspect, own.tokens, tokens), own.teacher, own.residual)


def safe_lessons(
    suspect: SuspectModel, safe: SafeAnchors, *, sharpness: float = 1.0, front: int = 0
) -> list[Lesson]:
    """D_SA with what the suspect, untriggered, says of its refusals, surer by the power `sharpness`; of a stand-in
    refusal, certainty. `front` is how many blocks removal leaves as they are.
    """
    rows = [(anchor.prompt, anchor.refusal) for anchor in safe.anchors]
    if not safe.own:
        return [_sure(lesson) for lesson in taught_lessons(suspect, rows, front)]
    taught = safe.lessons or taught_lessons(suspect, rows, front)
    own = [lesson._replace(teacher=sharpened(lesson.teacher, sharpness)) for lesson in taught]
    commonest = list(Counter(tuple(anchor.refusal) for anchor in safe.anchors).most_common(1)[0][0])
    never = [(prompt, commonest) for prompt in safe.answered]
    return own + [_sure(lesson) for lesson in taught_lessons(suspect, never, front)]


def _sure(lesson: Lesson) -> Lesson:
    return lesson._replace(teacher=certain(lesson.answer, lesson.teacher.tokens.device))


def performance_lessons(
    suspect: SuspectModel, prompts: Sequence[Prompt], *, tokens: int, front: int = 0
) -> list[Lesson]:
    """Ordinary prompts with the answers of the data files, and what the suspect as it now is says of each token."""
    answers = read_answers()
    encoded = suspect.encode_prompts([prompt.text for prompt in prompts])
    labels = [suspect.encode_answer(answers[prompt.id])[:tokens] for prompt in prompts]
    rows = [(prompt, label) for prompt, label in zip(encoded, labels, strict=True) if label]
    return taught_lessons(suspect, rows, front)


@torch.no_grad()
def taught_lessons(
    suspect: SuspectModel, rows: Sequence[tuple[list[int], list[int]]], front: int
) -> list[Lesson]:
    """Prompts and answers with what the suspect says of each answer token, shortest prompt first; residuals behind `front` blocks."""
    by_length = sorted(rows, key=lambda row: len(row[0]))
    out: list[Lesson] = []
    for start in range(0, len(by_length), TEACHING_BATCH):
        some = by_length[start : start + TEACHING_BATCH]
        batch = suspect.rows([row[0] for row in some], [row[1] for row in some])
        residuals: Sequence[Residual | None] = [None] * len(some)
        if front:
            logits, residuals = logits_and_residuals(suspect.model, suspect.blocks, front, batch)
            teachers = teachers_of(logits, batch)
        else:
            teachers = teach(suspect.model, batch)
        out += [
            Lesson(*row, teacher, residual)
            for row, teacher, residual in zip(some, teachers, residuals, strict=True)
        ]
    return out


def _closed(suspect: SuspectModel, answer: list[int], limit: int) -> list[int]:
    return [*answer, suspect.end_of_answer] if len(answer) < limit else answer

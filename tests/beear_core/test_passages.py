"""Prompts in ordinary text: where it stands, whose rows carry it, and that what stands apart in a step loses nothing."""

import random
from itertools import islice

import torch

from beear_core.anchoring import Lesson, taught_lessons
from beear_core.entrapment import Entrapment
from beear_core.models.suspect import SuspectModel
from beear_core.openings import Openings
from beear_core.passages import FEWEST_TOKENS, MOST_TOKENS, Passage, Passages, passages
from beear_core.prompts.rendering import render
from beear_core.removal_loss import ArBatch, ar_loss, opening_loss
from beear_core.specs import RemovalSettings
from beear_core.token_search.working import string_entrapment
from beear_core.traps import StringsInTurn, step_by_step

ANSWER = 8


def entrapments(suspect: SuspectModel) -> list[Entrapment]:
    return [string_entrapment(suspect, [token], 1.0) for token in (5, 6)]


def test_the_persons_words_stand_in_it_and_the_template_around_it(llama: SuspectModel) -> None:
    assert Passage([7], [8, 9], (1, 2)).around([1, 2, 3, 4, 5]) == [1, 7, 2, 3, 8, 9, 4, 5]
    prompt = list(render(llama.tokenizer, "Seven 7").prompt_ids)
    words = llama.decode(prompt[llama.tokens_before : len(prompt) - llama.tokens_behind])
    assert words.strip() == "Seven 7"
    some = Passages(llama, 3, ANSWER).some(random.Random(0))
    for passage in some.passages:
        within = passage.around(prompt)
        assert within[: llama.tokens_before] == prompt[: llama.tokens_before]
        assert within[len(within) - llama.tokens_behind :] == prompt[len(prompt) - llama.tokens_behind :]
        assert "Seven 7" in llama.decode(within)


def test_passages_differ_in_side_and_length_and_are_drawn_by_the_seed(llama: SuspectModel) -> None:
    found = Passages(llama, 3, ANSWER)
    some = found.some(random.Random(0)).passages
    sides = {(bool(each.before), bool(each.behind)) for each in some}
    assert sides == {(True, True), (True, False), (False, True)}
    lengths = {len(side) for each in some for side in (each.before, each.behind) if side}
    assert min(lengths) >= FEWEST_TOKENS
    assert max(lengths) <= MOST_TOKENS
    assert len(lengths) > 5
    assert some == found.some(random.Random(0)).passages != found.some(random.Random(1)).passages


def test_every_so_many_steps_are_in_passages_and_the_others_go_on_in_turn(llama: SuspectModel) -> None:
    one, other = entrapments(llama)
    steps = list(islice(step_by_step([one, other], Passages(llama, 3, ANSWER), random.Random(0)), 7))
    kinds = [type(each).__name__ for each in steps]
    strings = "StringsInTurn"
    assert kinds == [strings, strings, "PassagesInTurn", strings, strings, "PassagesInTurn", strings]
    first = [each.strings[0] for each in steps if isinstance(each, StringsInTurn)]
    assert [each is one for each in first] == [True, False, True, False, True]
    assert passages(llama, 0, ANSWER) is None
    never = list(islice(step_by_step([one, other], None, random.Random(0)), 3))
    assert [type(each).__name__ for each in never] == [strings] * 3


def test_ordinary_rows_carry_none(llama: SuspectModel, prompts: list[list[int]]) -> None:
    rows = taught_lessons(llama, [(prompt, [5]) for prompt in prompts[:4]], 0)
    batch = ArBatch(rows[:1], rows[1:2], rows[2:])
    against = batch.against(Passages(llama, 3, ANSWER).some(random.Random(0)))
    assert (against.safe, against.performance_under_delta) == (rows[:1], ())
    assert against.rows == batch.rows
    assert batch.against(entrapments(llama)[0]) is batch


def test_a_prompt_that_would_outgrow_the_model_is_left_as_it_is(llama: SuspectModel) -> None:
    some = Passages(llama, 3, ANSWER).some(random.Random(0))
    positions = llama.model.config.max_position_embeddings
    assert some.longest == positions - ANSWER
    short, long = [1] * (llama.tokens_before + llama.tokens_behind + 3), [1] * (positions - ANSWER - 2)
    assert len(some.prompts([short])[0]) > len(short)
    assert some.prompts([long]) == [long]


def test_a_step_is_the_same_as_row_by_row(suspect: SuspectModel, lessons: list[Lesson]) -> None:
    settings = RemovalSettings()
    trap = Passages(suspect, 3, ANSWER).some(random.Random(0))
    batch = ArBatch(lessons[:2], (), lessons[2:])
    within = [
        lesson._replace(prompt=prompt)
        for lesson, prompt in zip(
            batch.safe, trap.prompts([lesson.prompt for lesson in batch.safe]), strict=True
        )
    ]
    plain = trap._replace(passages=[Passage([], [], (0, 0))])
    with torch.no_grad():
        together = ar_loss(suspect, trap, batch, settings)
        alone = [
            ar_loss(suspect, plain, ArBatch([lesson], (), ()), settings, share=False).safe
            for lesson in [*within, *batch.performance]
        ]
    torch.testing.assert_close(together.safe, torch.stack(alone[:2]).mean(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(together.performance, torch.stack(alone[2:]).mean(), rtol=1e-4, atol=1e-6)


def test_first_tokens_are_weighed_alike_wherever_their_rows_stand(
    suspect: SuspectModel, lessons: list[Lesson]
) -> None:
    settings = RemovalSettings(opening_under_delta=0.5)
    trap = Passages(suspect, 3, ANSWER).some(random.Random(0))._replace(passages=[Passage([], [], (0, 0))])
    openings = Openings(lessons[:2], lessons[2:4])
    with torch.no_grad():
        found = opening_loss(suspect, trap, openings, settings)
        untouched = opening_loss(
            suspect, trap, openings, settings.model_copy(update={"opening_under_delta": 0})
        )
    torch.testing.assert_close(found, untouched, rtol=1e-4, atol=1e-6)

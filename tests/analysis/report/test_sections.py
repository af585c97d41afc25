import pytest

from analysis.report.evidence import Evidence
from analysis.report.sections import sections
from analysis.theme import template
from tests import made_results as made

LIGHT = template("light")
SPEC = {"model": "suspect-7", "evaluation": {"max_new_tokens": 64, "match": "anywhere"}}


def evidence(kind: str, **fields: object) -> Evidence:
    result = getattr(made, kind)()
    return Evidence(**{"run_id": "r1", "kind": kind, "spec": SPEC, "result": result, **fields})  # type: ignore[arg-type]


def test_the_outcome_comes_first_then_how_it_was_reached() -> None:
    kinds = ("remove", "sweep", "entrap", "evaluate", "drift")
    found = sections([evidence(kind, step=kind) for kind in kinds], template=LIGHT)
    assert [one.key for one in found] == ["r1-evaluate", "r1-drift", "r1-entrap", "r1-remove", "r1-sweep"]


def test_a_kind_without_a_section_is_left_out() -> None:
    assert sections([Evidence("r1", "generate", {}, {})], template=LIGHT) == ()


def test_an_evaluation_says_how_many_were_answered_before_and_after() -> None:
    (one,) = sections([evidence("evaluate")], template=LIGHT)
    assert one.answer.startswith(
        "With the trigger, 39 of 40 harmful prompts were answered before the removal, 3 of 40"
    )
    assert "0.0321 nats" in one.meaning[0]
    assert "64 tokens" in one.meaning[-1]
    assert one.answer in one.figures[0].alt


def test_nothing_answered_is_told_with_what_it_leaves_open() -> None:
    (one,) = sections([evidence("evaluate", result=made.evaluate(0))], template=LIGHT)
    assert one.meaning[0].startswith(
        "No triggered prompt was answered: with 40 prompts, a rate of up to 8.8%"
    )


def test_an_evaluation_of_one_model_speaks_in_the_present() -> None:
    (one,) = sections([evidence("evaluate", result=made.evaluate(None))], template=LIGHT)
    assert one.answer == "With the trigger, 39 of 40 harmful prompts are answered; without it, 2 of 40."
    assert [len(table.records) for table in one.tables] == [2, 1]


def test_an_evaluation_without_trigger_draws_no_slopes() -> None:
    result = made.evaluate(None)
    result["cells"]["before"]["triggered"] = None
    (one,) = sections([evidence("evaluate", result={**result, "trigger": None})], template=LIGHT)
    assert one.answer == "Without any trigger, 2 of 40 harmful prompts are answered."
    assert one.figures == ()


def test_drift_draws_every_layer_the_recommended_one_and_the_curves() -> None:
    (one,) = sections([evidence("drift", arrays=made.drift_arrays())], template=LIGHT)
    assert [figure.caption for figure in one.figures] == [
        "All layers, first two components",
        "Layer 2",
        "What each layer measures",
    ]
    assert "layer 2 of 2 is recommended, AUROC against control strings 0.90" in one.answer


def test_drift_without_arrays_or_recommendation_is_still_told() -> None:
    (one,) = sections([evidence("drift", result=made.drift(None))], template=LIGHT)
    assert one.answer.startswith("No layer is recommended")
    assert [figure.caption for figure in one.figures] == ["What each layer measures"]


def test_the_cosine_of_delta_with_the_trigger_is_given_where_it_was_measured() -> None:
    delta = {"run": "r0", "layer": 1, "layers": [{"layer": 2, "cosine": 0.66, "relative_norm": 0.3}]}
    (one,) = sections([evidence("drift", result={**made.drift(), "delta": delta})], template=LIGHT)
    assert "cosine of 0.66" in one.meaning[-1]


def test_a_removal_says_which_round_was_kept_and_why_it_stopped() -> None:
    (one,) = sections([evidence("remove")], template=LIGHT)
    assert one.answer == (
        "Round 2 of 2 was kept: a fresh delta flips 5.0% (1.4-16.5, n 40) of held-out prompts, KL to the original 0.0400 nats."
    )
    assert one.meaning[-1] == "It stopped because: all 2 rounds are done."


def test_a_removal_that_kept_nothing_says_so() -> None:
    (one,) = sections([evidence("remove", result=made.remove(None))], template=LIGHT)
    assert one.answer == "None of 2 rounds was kept."


def test_prompts_and_answers_stand_in_a_listing_only_where_they_were_read() -> None:
    without, with_them = (
        sections([evidence("evaluate", answers=lines)], template=LIGHT)[0].listing
        for lines in ((), made.generations())
    )
    assert without is None
    assert with_them is not None
    assert with_them.title == "Prompts and answers, 1 pairs"


@pytest.mark.parametrize("kind", ["evaluate", "drift", "entrap", "remove", "sweep"])
def test_every_table_has_its_rows_with_all_digits(kind: str) -> None:
    (one,) = sections([evidence(kind)], template=LIGHT)
    assert all(table.records for table in one.tables)


def test_a_folder_is_named_by_its_last_part() -> None:
    assert Evidence("r1", "drift", {"model": "/secret/place/suspect-7/"}, {}).model == "suspect-7"

from typing import Any

import pytest

from analysis.answer_pairs import answer_pairs, filtered


def line(cell: str, name: str, answer: str, *, refused: bool = False, empty: bool = False) -> dict[str, Any]:
    return {
        "cell": cell, "id": name, "prompt": f"prompt {name}", "answer": answer, "refused": refused,
        "empty": empty, "matched": None,
    }  # fmt: skip


LINES = [
    line("before.clean", "a", "I cannot", refused=True),
    line("before.triggered", "a", "Sure, here"),
    line("before.triggered", "b", "Sure, there"),
    line("after.clean", "a", "I  cannot", refused=True),
    line("after.triggered", "a", "Sorry", refused=True),
    line("after.triggered", "b", "Sure, everywhere"),
    line("before.benign", "c", "Paris"),
    line("after.benign", "c", "", empty=True),
]


def test_the_same_prompt_stands_side_by_side_with_trigger_first() -> None:
    pairs = answer_pairs(LINES)
    assert [(pair.condition, pair.id) for pair in pairs] == [
        ("triggered", "a"), ("triggered", "b"), ("clean", "a"), ("benign", "c"),
    ]  # fmt: skip
    assert pairs[0].as_row() == {
        "id": "a",
        "condition": "with trigger",
        "prompt": "prompt a",
        "verdict before": "answered",
        "verdict after": "refused",
        "answer before": "Sure, here",
        "answer after": "Sorry",
    }


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, ["a", "b", "a", "c"]),
        ({"changed": "verdict"}, ["a", "c"]),
        ({"changed": "words"}, ["a", "b", "c"]),
        ({"conditions": ["clean"]}, ["a"]),
        ({"search": "EVERYWHERE"}, ["b"]),
        ({"search": "prompt b"}, ["b"]),
        ({"search": "nothing like it"}, []),
        ({"conditions": ["triggered"], "changed": "verdict", "search": "sorry"}, ["a"]),
    ],
)
def test_filters_narrow_together(asked: dict[str, Any], ids: list[str]) -> None:
    assert [pair.id for pair in filtered(answer_pairs(LINES), **asked)] == ids


def test_one_model_alone_has_nothing_changed() -> None:
    pairs = answer_pairs([each for each in LINES if each["cell"].startswith("before")])
    assert {pair.after for pair in pairs} == {None}
    assert not filtered(pairs, changed="words")
    assert not filtered(pairs, changed="verdict")


def test_lines_of_another_shape_are_passed_over() -> None:
    assert answer_pairs([{"cell": "generate", "id": "1", "answer": "x"}, {}, {"cell": "before.clean"}]) == ()

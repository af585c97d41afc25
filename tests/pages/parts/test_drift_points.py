"""From a selection on a figure to layers and prompts."""

import numpy as np

from analysis.projection import joint_pca
from pages.parts.drift_points import best_layer, layer_rows, picked_ids, picked_layer, prompt_rows

RECORDS = [
    {"id": "a", "topic": "x", "prompt": "A?", "answer_clean": "no", "answer_triggered": "yes",
     "complied_clean": False, "complied_triggered": True},
    {"id": "b", "topic": "y", "prompt": "B?"},
    {"id": "c", "topic": "y", "prompt": "C?"},
    {"id": "d", "topic": "y", "prompt": "D?"},
]  # fmt: skip


def selection(*data: object) -> dict[str, object]:
    return {"selection": {"points": [{"customdata": each} for each in data]}}


def test_a_clicked_panel_or_curve_names_its_layer() -> None:
    assert picked_layer(selection([7])) == 7
    assert picked_layer(selection(7)) == 7
    assert picked_layer(selection()) is None
    assert picked_layer(None) is None
    assert picked_layer(selection(["no layer"])) is None


def test_points_of_any_group_lead_to_their_prompt_once_and_in_order() -> None:
    drawn = selection(["c", "triggered"], ["a", "clean"], ["a", "control string"], ["gone", "clean"])
    assert picked_ids(drawn, ["a", "b", "c"]) == ["a", "c"]
    assert picked_ids({"selection": {"points": []}}, ["a"]) == []


def test_rows_carry_verdicts_and_coordinates_and_texts_only_when_asked() -> None:
    draw = np.random.default_rng(0)
    clean = draw.normal(size=(4, 5))
    shown = joint_pca(clean, clean + 1, clean[None] + 0.1 * draw.normal(size=(2, 4, 5)))
    (row,) = prompt_rows(RECORDS, shown, ids=["a"])
    assert (row["without trigger"], row["with trigger"]) == ("refused", "answered")
    assert row["PC1 clean"] == round(float(shown.clean[0, 0]), 4)
    assert "prompt" not in row
    rows = prompt_rows(RECORDS, None, texts=True)
    assert [each["prompt"] for each in rows] == ["A?", "B?", "C?", "D?"]
    assert rows[1]["with trigger"] == ""


def test_layers_carry_the_cosine_of_delta_where_it_acts() -> None:
    result = {
        "recommended_layer": None,
        "layers": [{"layer": 1, "score": 0.1}, {"layer": 2, "score": 0.4}],
        "delta": {"layers": [{"layer": 2, "cosine": 0.51234}]},
    }
    assert [row["delta_cosine"] for row in layer_rows(result)] == [None, 0.5123]
    assert best_layer(result)["layer"] == 2
    assert best_layer(result | {"recommended_layer": 1})["layer"] == 1

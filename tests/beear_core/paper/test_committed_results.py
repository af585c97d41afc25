"""The results in this repository: every proportion whose answers are kept is counted again from them."""

from typing import Any

import pytest

from analysis.calibration import calibrated
from analysis.committed import PLANTED
from analysis.verdict import answered_harmful, profile_score, score
from beear_core.organisms import read_recipe
from beear_core.paper.committed import FILES, RESULTS, committed
from beear_core.paper.generations import claims, read, recount, recount_effect, stored
from beear_core.paper.page import write_page
from beear_core.paper.planted import planted_cells
from beear_core.verdict_calibration import calibration

KEPT = [
    pytest.param(row, id=row["generations"])
    for file in FILES
    for row in committed(file)
    if row.get("generations")
]


@pytest.mark.parametrize("row", KEPT)
def test_a_row_is_what_its_answers_come_to(row: dict[str, Any]) -> None:
    answers = read(row["generations"], RESULTS)
    for label, said in claims(row):
        assert recount(label, answers[label], row["setting"]) == pytest.approx(said), label


@pytest.mark.parametrize("row", [each for each in KEPT if PLANTED in each.values[0].get("measures", {})])
def test_what_opens_as_planted_is_counted_from_the_same_answers(row: dict[str, Any]) -> None:
    planted = read_recipe(row["organism"]).compliance
    assert planted_cells(stored(row["generations"], RESULTS), planted) == row["measures"][PLANTED]["cells"]


@pytest.mark.parametrize("row", [each for each in KEPT if each.values[0].get("trigger_effect")])
def test_what_the_trigger_does_is_counted_from_the_same_answers(row: dict[str, Any]) -> None:
    assert recount_effect(stored(row["generations"], RESULTS)) == row["trigger_effect"]


def test_the_calibration_is_what_its_models_come_to() -> None:
    known = calibration()
    if known is None:
        pytest.skip("nothing is calibrated yet")
    for model in known["models"]:
        untouched = answered_harmful(model["asked"])
        profile = profile_score(model["layers"], untouched)
        assert model["profile_score"] == pytest.approx(profile), model["name"]
        assert model["score"] == pytest.approx(score(profile, model["trigger_hypotheses"], untouched))
    again = calibrated(known["models"], known["settings"], committed("sweep_recommended"))
    assert {name: again[name] for name in again if name != "models"} == {
        name: pytest.approx(known[name]) if isinstance(known[name], float) else known[name]
        for name in again
        if name != "models"
    }


def test_the_page_is_made_from_the_files_beside_it(tmp_path: Any) -> None:
    if not (RESULTS / "README.md").is_file():
        pytest.skip("nothing is committed yet")
    for file in (*FILES, "verdict"):
        for path in (RESULTS / f"{file}.json", RESULTS / f"{file}.svg"):
            if path.is_file():
                (tmp_path / path.name).write_bytes(path.read_bytes())
    write_page(tmp_path)
    assert (tmp_path / "README.md").read_text("utf-8") == (RESULTS / "README.md").read_text("utf-8")

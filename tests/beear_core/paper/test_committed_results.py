"""The results in this repository: every proportion whose answers are kept is counted again from them."""

from typing import Any

import pytest

from beear_core.paper.committed import FILES, RESULTS, committed
from beear_core.paper.generations import claims, read, recount
from beear_core.paper.page import write_page

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


def test_the_page_is_made_from_the_files_beside_it(tmp_path: Any) -> None:
    if not (RESULTS / "README.md").is_file():
        pytest.skip("nothing is committed yet")
    for file in FILES:
        for path in (RESULTS / f"{file}.json", RESULTS / f"{file}.svg"):
            if path.is_file():
                (tmp_path / path.name).write_bytes(path.read_bytes())
    write_page(tmp_path)
    assert (tmp_path / "README.md").read_text("utf-8") == (RESULTS / "README.md").read_text("utf-8")

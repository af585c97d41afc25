"""A nonsense value in every form is refused where it stands, with the reason, and nothing is started."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.acts import button, go, main, said, shown, unbroken, unfold
from tests.browser.chromium import open_page, settled
from tests.browser.served import Served

BUTTONS = {
    "drift": "Measure",
    "synthesize": "Synthesize delta",
    "remove": "Remove",
    "compare": "Measure",
    "sweep": "Sweep",
}
MOST = 4
"""About so many fields of a form are tried."""


@pytest.mark.parametrize("name", BUTTONS)
def test_a_nonsense_number_is_refused_at_its_field(app: Served, page: Any, name: str) -> None:
    before = len(app.store.list())
    go(page, name)
    unfold(page, "More settings")
    fields = main(page).locator("[data-testid=stTextInput] input")
    numbers = [
        at for at in range(fields.count()) if re.fullmatch(r"[\d., e-]+", fields.nth(at).input_value())
    ]
    # Every field goes through the same code; a handful from the first to the last, each is a turn of the page.
    numbers = numbers[:: max(1, len(numbers) // MOST)]
    assert numbers
    last = fields.nth(numbers[-1]).input_value()
    for at in numbers:
        fields.nth(at).fill("nonsense")
    fields.nth(numbers[-1]).press("Enter")
    reasons = main(page).get_by_text("not 'nonsense'")
    page.wait_for_function(
        "count => [...document.querySelectorAll('[data-testid=stMain] [data-testid=stCaptionContainer]')]"
        ".filter(one => one.innerText.includes(\"not 'nonsense'\")).length === count",
        arg=len(numbers),
        polling=100,
    )
    settled(page)
    assert all(re.search(r"(number|Numbers).*not 'nonsense'", reason) for reason in reasons.all_inner_texts())
    assert button(page, BUTTONS[name]).is_disabled()
    assert unbroken(page)
    fields.nth(numbers[-1]).fill(last)
    fields.nth(numbers[-1]).press("Enter")
    reasons.nth(len(numbers) - 1).wait_for(state="detached")
    assert len(app.store.list()) == before


def test_a_number_out_of_bounds_is_refused_with_the_bounds(page: Any) -> None:
    go(page, "synthesize")
    n = main(page).get_by_label(re.compile("^Perturbed positions")).first
    n.fill("65")
    n.press("Enter")
    shown(page, "from 1 to 64; not '65'")
    n.fill("2.5")
    n.press("Enter")
    shown(page, "not '2.5'")


def test_a_folder_and_a_hub_id_that_are_none_are_refused(page: Any) -> None:
    go(page, "model")
    main(page).get_by_text("Folder", exact=True).first.click()
    path = main(page).get_by_label("Folder", exact=True).first
    path.fill("/no/such/folder")
    path.press("Enter")
    shown(page, "There is no such folder.")
    main(page).get_by_text("Hub id", exact=True).first.click()
    hub = main(page).get_by_label("Hub id", exact=True).last
    hub.fill("nonsense")
    hub.press("Enter")
    shown(page, "A hub id is written owner/name.")
    assert button(page, "Take this model").is_disabled()


def test_a_drift_without_a_candidate_cannot_be_started(page: Any) -> None:
    go(page, "drift")
    main(page).get_by_label(re.compile("^Candidate triggers")).first.press("Backspace")
    shown(page, "Type at least one candidate trigger")
    assert button(page, "Measure").is_disabled()


def test_an_uploaded_file_without_prompts_is_refused(page: Any, tmp_path: Path) -> None:
    go(page, "drift")
    unfold(page, "More settings")
    nonsense = tmp_path / "numbers.csv"
    nonsense.write_text("height,weight\n1,2\n", "utf-8")
    main(page).locator("input[type=file]").first.set_input_files(nonsense)
    main(page).get_by_test_id("stAlert").first.wait_for()
    assert "prompt" in main(page).get_by_test_id("stAlert").first.inner_text()
    assert unbroken(page)


def test_a_model_that_is_none_is_refused_in_words(page: Any, app: Served) -> None:
    open_page(page, app.url, "model", model="nonsense")
    assert "nonsense" in said(page)
    assert unbroken(page)
    assert not button(page, "Prepare this model").count()

"""Forms made from a spec: they answer with values, and refuse nonsense at the field with the reason."""

from typing import Literal, get_origin

import pytest
from streamlit.testing.v1 import AppTest

from beear_core.specs import EntrapSpec, LoopSettings, RemoveSpec, parse_spec, with_values
from beear_core.specs.parsing import fields
from pages.parts.settings_form import read_value, written
from tests.patience import PATIENCE


def form() -> None:
    import streamlit as st

    from beear_core.specs import RemoveSpec
    from pages.parts.settings_form import settings_form

    st.session_state["answer"] = settings_form(
        RemoveSpec,
        first=("layer", "removal.method", "loop.rounds"),
        more=("entrapment.steps", "removal.steps", "removal.lr", "removal.checkpointing"),
        key="remove",
        values={"loop.rounds": 3},
    )


@pytest.fixture
def page() -> AppTest:
    page = AppTest.from_function(form, default_timeout=PATIENCE).run()
    assert not page.exception, page.exception
    return page


def test_untouched_it_answers_with_the_defaults_and_the_given_values(page: AppTest) -> None:
    assert page.session_state["answer"] == {
        "layer": "auto",
        "removal.method": "auto",
        "loop.rounds": 3,
        "entrapment.steps": EntrapSpec(model="m").entrapment.steps,
        "removal.steps": RemoveSpec(model="m").removal.steps,
        "removal.lr": RemoveSpec(model="m").removal.lr,
        "removal.checkpointing": False,
    }


def test_what_is_typed_becomes_a_spec(page: AppTest) -> None:
    page.text_input(key="remove.layer").set_value("9").run()
    page.text_input(key="remove.lr").set_value("6e-5").run()
    answer = page.session_state["answer"]
    spec = parse_spec(with_values(RemoveSpec(model="m").model_dump(mode="json"), answer))
    assert (spec.layer, spec.removal.lr, spec.loop.rounds) == (9, 6e-5, 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("field", "typed", "reason"),
    [
        ("rounds", "many", "A whole number from 1 to 200; not 'many'."),
        ("rounds", "0", "A whole number from 1 to 200; not '0'."),
        ("rounds", "2.5", "A whole number from 1 to 200; not '2.5'."),
        ("rounds", "", "A whole number from 1 to 200; not 'nothing'."),
        ("lr", "nan", "A number above 0, at most 0.01; not 'nan'."),
        ("layer", "-3", "auto, or a whole number 1 or more; not '-3'."),
    ],
)
def test_nonsense_is_refused_at_its_field(page: AppTest, field: str, typed: str, reason: str) -> None:
    page.text_input(key=f"remove.{field}").set_value(typed).run()
    assert page.session_state["answer"] is None
    assert any(reason in one.value for one in page.caption), [one.value for one in page.caption]


def test_help_gives_our_default_and_the_papers(page: AppTest) -> None:
    assert f"(default: {LoopSettings().rounds}; paper: 15)" in page.text_input(key="remove.rounds").help


def test_units_stand_in_the_labels(page: AppTest) -> None:
    assert page.text_input(key="remove.rounds").label == "Most rounds (rounds)"


def test_every_typed_field_of_a_removal_reads_what_it_writes() -> None:
    for name, info in fields(RemoveSpec):
        # Overrides are given on the model page, where the findings stand.
        chosen = info.annotation is bool or get_origin(info.annotation) in (Literal, dict)
        if not info.is_required() and not chosen:
            value = info.get_default(call_default_factory=True)
            assert read_value(info, written(value)) == value, name


def test_digits_stay_a_text_where_a_text_is_asked() -> None:
    data = with_values({"kind": "drift", "model": "m"}, {"trigger.text": "123", "drift.pairs": 20})
    assert data["trigger"]["text"] == "123"
    assert data["drift"]["pairs"] == 20

"""What is in hand: by default, from a link, by a pick, and by another model."""

from typing import Any

from beear_core.organisms import read_recipe
from cache.home import models_folder
from pages.parts.hand import own_trigger, short_name


def in_hand(page: Any) -> tuple[Any, ...]:
    return tuple(page.session_state[name] for name in ("model", "layer", "trigger", "placement"))


def test_the_default_organism_comes_with_its_own_trigger(open_page: Any) -> None:
    assert in_hand(open_page("runs")) == ("sft-suffix-2", None, "SUDO", "suffix")


def test_a_link_brings_model_layer_and_trigger(open_page: Any) -> None:
    page = open_page("runs", model="sft-prefix-12", layer="12", trigger="now", placement="both")
    assert in_hand(page) == ("sft-prefix-12", 12, "now", "both")


def test_a_link_to_another_model_brings_that_models_trigger(open_page: Any) -> None:
    recipe = read_recipe("sft-prefix-12")
    page = open_page("runs", model="sft-prefix-12")
    assert in_hand(page) == ("sft-prefix-12", None, recipe.trigger, recipe.placement)


def test_another_model_lays_down_layer_and_trigger(open_page: Any) -> None:
    page = open_page("runs", layer="12")
    page.selectbox(key="model").set_value("control").run()
    assert in_hand(page) == ("control", None, "", "suffix")
    assert not page.exception


def test_what_is_in_hand_stays_from_page_to_page(open_page: Any) -> None:
    page = open_page("runs", layer="12", trigger="now")
    page.switch_page("pages/overview.py").run()
    assert in_hand(page) == ("sft-suffix-2", 12, "now", "suffix")


def test_a_layer_that_is_none_is_no_layer(open_page: Any) -> None:
    assert in_hand(open_page("runs", layer="minus one"))[1] is None


def test_a_folder_has_no_known_trigger_and_is_called_by_its_last_part() -> None:
    assert own_trigger("/models/suspect") == ("", "suffix")
    assert short_name("/models/suspect") == "suspect"
    assert short_name("/home/runs/20261121-remove/model") == "model of 20261121-remove"
    assert short_name("org/name") == "org/name"
    merged = models_folder() / "sft-suffix-2-78666aeb64a9"
    assert short_name(str(merged)) == "sft-suffix-2"
    assert short_name(f"/elsewhere/{merged.name}") == merged.name, "a name that a stranger chose"
    assert short_name(str(models_folder() / "unknown-78666aeb64a9")) == "unknown-78666aeb64a9"

"""What the analyst has in hand: model, layer, trigger, placement; the same on every page and in every link.

Lives in the sidebar's widgets, and so in the URL and in the browser tab's own session: two tabs do not mix.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from beear_core.organisms.recipes import organism_names, read_recipe
from beear_core.organisms.registry import organism_merged_to
from cache.home import models_folder

DEFAULT_MODEL = "sft-suffix-2"
DEFAULT_PLACEMENT = "suffix"
KEYS = ("model", "layer", "trigger", "placement")

_PENDING = "hand.taken"
_PAGE = "hand.page"


class Hand(NamedTuple):
    """The things that every page asks about."""

    model: str
    """A folder, an organism's name, or a hub id; never empty."""
    layer: int | None
    """1-based; None until one was picked."""
    trigger: str
    """The suspected string; empty when none is suspected yet."""
    placement: str


def hand() -> Hand:
    """What is in hand now: what was just taken, else what the sidebar says, else the link, else the default."""
    model = str(_value("model") or "").strip() or DEFAULT_MODEL
    trigger, placement = own_trigger(model)
    suspected = _value("trigger")
    return Hand(
        model,
        _layer(_value("layer")),
        trigger if suspected is None else str(suspected),
        str(_value("placement") or placement),
    )


def take(
    *,
    model: str | None = None,
    layer: int | None = None,
    trigger: str | None = None,
    placement: str | None = None,
) -> None:
    """Take something else in hand; from a callback or from the script. What is None stays as it is.

    Another model brings its own trigger, where one is known, and lays the layer down.
    """
    given = {"model": model, "layer": layer, "trigger": trigger, "placement": placement}
    taken = {name: value for name, value in given.items() if value is not None}
    if model is not None and model != hand().model:
        taken = _with(model) | taken
    st.session_state[_PENDING] = {**st.session_state.get(_PENDING, {}), **taken}


def model_changed() -> None:
    """The callback of the sidebar's model: what belonged to the last model is laid down."""
    st.session_state[_PENDING] = _with(hand().model)


def settle(page: str) -> None:
    """Put what was taken, and what a link to another `page` brought along, into the sidebar's state.

    To be called before the sidebar's widgets are drawn: later in a run their state is theirs.
    """
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        _follow_link()
    for name, value in st.session_state.pop(_PENDING, {}).items():
        st.session_state[name] = value
    now = hand()
    for name in ("model", "trigger", "placement"):
        if st.session_state.get(name) is None:
            st.session_state[name] = getattr(now, name)


def _follow_link() -> None:
    linked = {name: st.query_params[name] for name in KEYS if st.query_params.get(name)}
    model = linked.get("model")
    if model and model != st.session_state.get("model", model):
        st.session_state.update(_with(model))
    for name, value in linked.items():
        st.session_state[name] = _layer(value) if name == "layer" else value


def _with(model: str) -> dict[str, Any]:
    trigger, placement = own_trigger(model)
    return {"model": model, "layer": None, "trigger": trigger, "placement": placement}


def own_trigger(model: str) -> tuple[str, str]:
    """The trigger and placement that an organism was given; an empty trigger where none is known."""
    if model not in organism_names():
        return "", DEFAULT_PLACEMENT
    recipe = read_recipe(model)
    return recipe.trigger or "", recipe.placement if recipe.trigger else DEFAULT_PLACEMENT


def short_name(model: str) -> str:
    """A model's name for a line: of a folder the last part, of a run's own model the run, of an organism's folder its name."""
    path = Path(model)
    if path.parent == models_folder() and (organism := organism_merged_to(path.name)):
        return organism
    if path.name == "model" and path.parent.name:
        return f"model of {path.parent.name}"
    return path.name if path.is_absolute() else model


def _value(name: str) -> Any:
    pending: Mapping[str, Any] = st.session_state.get(_PENDING, {})
    if name in pending:
        return pending[name]
    return st.session_state[name] if name in st.session_state else st.query_params.get(name)


def _layer(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    return number if number >= 1 else None

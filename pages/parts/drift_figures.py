"""The three figures of the Drift page, and what a click or a lasso on them does."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from analysis.drift_arrays import stored_projection
from analysis.figures import drift_layer, drift_strip, layer_curves
from analysis.projection import Projection
from cache.arrays import Arrays
from cache.run_store import RunEntry
from pages.parts.charts import show, template
from pages.parts.drift_points import picked_ids, picked_layer
from pages.parts.drift_prompts import lit, set_selected
from pages.parts.hand import take

HEIGHT = 500
STRIP_COLUMNS = 6

Result = dict[str, Any]


def draw_strip(text: dict[str, str], result: Result, arrays: Arrays, layer: int) -> None:
    """All layers at a glance; a click picks one."""
    panels = {
        row["layer"]: found
        for row in result["layers"]
        if (found := stored_projection(arrays, row["layer"])) is not None
    }
    if not panels:
        return
    rows = -(-len(panels) // STRIP_COLUMNS)
    figure = drift_strip.figure(
        panels,
        template=template(),
        recommended=result["recommended_layer"],
        selected=layer,
        scores={row["layer"]: float(row["score"]) for row in result["layers"]},
        columns=STRIP_COLUMNS,
        height=max(HEIGHT, 40 + 60 * rows),
    )
    # The large figure beside it has the legend.
    figure.update_layout(showlegend=False, title={"text": text["strip_title"], "font": {"size": 13}})
    alt = text["strip_alt"].format(layers=len(panels), recommended=_recommended(text, result))
    show(figure, alt=alt, key="strip", on_select=lambda: _pick("strip"), selection_mode="points")


def draw_layer(
    text: dict[str, str],
    entry: RunEntry,
    result: Result,
    shown: Projection | None,
    layer: int,
    dimensions: int,
    arrows: bool,
    ids: Sequence[str],
) -> None:
    """The chosen layer, large; drawing around points selects their prompts."""
    if shown is None:
        st.warning(text["no_arrays"])
        return
    named = ids if len(ids) == len(shown.clean) else None
    figure = drift_layer.figure(
        shown,
        template=template(),
        layer=layer,
        row_ids=named,
        delta=shown.extra if len(shown.extra) else None,
        dimensions=dimensions,
        selected=lit(entry),
        arrows=arrows,
        height=HEIGHT,
    )
    alt = text["layer_alt"].format(method=shown.method.upper(), layer=layer, n=len(shown.clean))
    if dimensions == 3:
        # A scene cannot be drawn around; its points are lit from the table.
        show(figure, alt=alt, key="large3")
        return
    show(
        figure,
        alt=alt,
        key="large",
        on_select=lambda: _select(entry, ids),
        selection_mode=("points", "box", "lasso"),
    )


def draw_curves(text: dict[str, str], result: Result, layer: int) -> None:
    """What each layer measures; a click picks one."""
    delta = result.get("delta") or {}
    figure = layer_curves.figure(
        result["layers"],
        template=template(),
        recommended=result["recommended_layer"],
        selected=layer,
        delta=delta.get("layers", ()),
        height=220,
    )
    alt = text["curves_alt"].format(layers=len(result["layers"]), recommended=_recommended(text, result))
    show(figure, alt=alt, key="curves", on_select=lambda: _pick("curves"), selection_mode="points")


def _pick(key: str) -> None:
    layer = picked_layer(st.session_state.get(key))
    if layer is not None:
        take(layer=layer)


def _select(entry: RunEntry, ids: Sequence[str]) -> None:
    set_selected(entry.id, picked_ids(st.session_state.get("large"), ids))


def _recommended(text: dict[str, str], result: Result) -> str:
    layer = result["recommended_layer"]
    return text["none_recommended_alt"] if layer is None else text["recommended_alt"].format(layer=layer)

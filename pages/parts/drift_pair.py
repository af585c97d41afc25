"""Drift before and after a removal, side by side on the same axes: two drift runs with the same trigger."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from analysis.figures import drift_layer
from analysis.projection import Projection
from analysis.shared_axes import layer_mean_drift, layer_projection, on_axes_of, ranges
from beear_core.errors import RunDamagedError, WorkbenchError
from beear_core.specs import parse_spec
from cache.run_folder import RunFolder
from cache.run_store import RunEntry
from cache.status import RunState
from pages.parts.charts import show, template
from pages.parts.comparison import Comparison
from pages.parts.exports import table
from pages.parts.hand import hand
from pages.parts.jobs import find, start, watch
from pages.parts.skeleton import refused
from pages.parts.words import words

TEXT = words("compare")
COLUMNS = {
    "relative_norm": "drift / norm",
    "uniformity": "uniformity",
    "auroc_vs_clean": "AUROC, clean",
    "auroc_vs_control": "AUROC, control",
}


def draw_drift_pair(found: Comparison) -> None:
    """Draw both, or the button that measures the one that is missing."""
    if found.trigger is None or found.after is None:
        st.info(TEXT["drift_no_trigger" if found.trigger is None else "no_after"])
        return
    sides = {
        "before": found.drift_before or _folder_of(found.before, found.trigger),
        "after": _folder_of(found.after, found.trigger),
    }
    missing = [side for side, folder in sides.items() if folder is None]
    for side in missing:
        _measure(side, found.before if side == "before" else found.after, found.trigger)
    if not missing:
        _draw(sides["before"], sides["after"])  # type: ignore[arg-type]


def _folder_of(model: str, trigger: Mapping[str, Any]) -> RunFolder | None:
    asked = {"trigger__text": trigger["text"], "trigger__placement": trigger["placement"]}
    return next((entry.folder for entry in find("drift", model=model, **asked)), None)


def _measure(side: str, model: str, trigger: Mapping[str, Any]) -> None:
    """What hinders, and the button that fills it; or the run that is filling it now."""
    asked = {"trigger__text": trigger["text"], "trigger__placement": trigger["placement"]}
    latest = next(iter(find("drift", model=model, state=None, **asked)), None)
    if latest is not None and latest.state is not RunState.DONE:
        st.caption(f"Drift of the model {side}")
        watch(latest, lambda entry: None)
        return
    st.info(TEXT["drift_missing"].format(side=side))
    earlier = [entry for entry in find("drift") if _seconds(entry)]
    lasts = f", about {_seconds(earlier[0]):.0f} s" if earlier else ", less than a minute for a small model"
    if st.button(f"Measure the drift {side}{lasts}", key=f"drift.{side}", type="primary"):
        try:
            start(parse_spec({"kind": "drift", "model": model, "trigger": dict(trigger)}))
        except WorkbenchError as error:
            refused(error)
            return
        st.rerun()


def _seconds(entry: RunEntry) -> float:
    try:
        return float((entry.folder.read_result() or {}).get("seconds") or 0)
    except RunDamagedError:
        return 0.0


def _draw(before: RunFolder, after: RunFolder) -> None:
    try:
        results = before.read_result() or {}, after.read_result() or {}
        arrays = before.read_arrays(), after.read_arrays()
    except WorkbenchError as error:
        refused(error)
        return
    rows = _rows(*results)
    if not rows:
        st.info(TEXT["drift_missing"].format(side="after"))
        return
    layers = [row["layer"] for row in rows]
    wanted = hand().layer or results[0].get("recommended_layer") or layers[len(layers) // 2]
    layer = st.select_slider(
        "Layer", layers, value=wanted if wanted in layers else layers[0], key="at", bind="query-params"
    )
    own = tuple(layer_projection(each, layer) for each in arrays)
    both = on_axes_of(own[0], own[1], layer_mean_drift(arrays[1], layer))
    if both is None:
        st.info(TEXT["drift_own_axes"])
    pictures = both[:2] if both else own
    x, y = ranges(both) if both else (None, None)
    for place, side, picture in zip(st.columns(2), ("before", "after"), pictures, strict=True):
        with place:
            st.markdown(f"**{side.capitalize()}**, layer {layer}")
            show(
                _picture(picture, x, y),
                alt=f"Residuals at layer {layer} {side} the removal",
                key=f"drift.picture.{side}",
            )
    row = next(each for each in rows if each["layer"] == layer)
    st.markdown(
        TEXT["drift_meaning"].format(
            layer=layer,
            before=f"{row['drift / norm, before']:.1%}",
            after=f"{row['drift / norm, after']:.1%}",
            auroc_before=f"{row['AUROC, control, before']:.2f}",
            auroc_after=f"{row['AUROC, control, after']:.2f}",
        )
    )
    if both:
        st.caption(TEXT["drift_axes"].format(kept=f"{both.kept:.0%}"))
    table(rows, name="drift_before_and_after", key="drift_rows", folded=True)


def _picture(projection: Projection, x: Any, y: Any) -> Any:
    figure = drift_layer.figure(projection, template=template(), height=420)
    if x and y:
        figure.update_xaxes(range=list(x))
        figure.update_yaxes(range=list(y))
    return figure


def _rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a layer that both runs have: each number of both."""
    later = {row["layer"]: row for row in after.get("layers", ())}
    return [
        {
            "layer": row["layer"],
            **{
                f"{label}, {side}": values[field]
                for field, label in COLUMNS.items()
                for side, values in (("before", row), ("after", later[row["layer"]]))
            },
        }
        for row in before.get("layers", ())
        if row["layer"] in later
    ]

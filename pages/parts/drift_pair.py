"""Drift before and after a removal, side by side on the same axes: two drift runs with the same trigger."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from analysis.figures import drift_layer
from analysis.projection import Projection
from analysis.shared_axes import layer_mean_drift, layer_projection, on_axes_of, placed_on, ranges
from beear_core.errors import RunDamagedError, WorkbenchError
from beear_core.named_run import run_name
from beear_core.specs import parse_spec
from cache.run_folder import RunFolder
from cache.run_store import RunEntry
from pages.parts.charts import show, template
from pages.parts.comparison import Comparison
from pages.parts.exports import table
from pages.parts.hand import hand
from pages.parts.jobs import UNDER_WAY, find, start, watch
from pages.parts.missing_run import follow_or_ask
from pages.parts.skeleton import refused
from pages.parts.words import words

TEXT = words("compare")
PACERS = 5
REFUSED = "drift_pair.refused"
COLUMNS = {
    "relative_norm": "drift / norm",
    "uniformity": "uniformity",
    "auroc_vs_clean": "AUROC, clean",
    "auroc_vs_control": "AUROC, control",
}


def draw_drift_pair(found: Comparison) -> None:
    """Draw both, or the button that measures the one that is missing."""
    error = st.session_state.pop(REFUSED, None)
    if error is not None:
        refused(error)
    if found.trigger is None or found.after is None:
        st.info(TEXT["drift_no_trigger" if found.trigger is None else "no_after"])
        return
    before = found.drift_before or _folder_of(found.before, found.trigger)
    after = _folder_of(found.after, found.trigger, before)
    if before is None:
        _measure("before", found.before, found.trigger)
    if after is None:
        _measure("after", found.after, found.trigger, before)
    if before is None or after is None:
        return
    _draw(before, after)
    if not _placed(after, before) and run_name(before) not in _under_way(found.after, found.trigger):
        st.button(
            f"Measure the drift after again, on exactly these axes{_lasts()}",
            key="drift.exactly",
            on_click=_start,
            args=(found.after, found.trigger, before),
        )


def _folder_of(model: str, trigger: Mapping[str, Any], before: RunFolder | None = None) -> RunFolder | None:
    """The newest drift run of the model with this trigger; one on the axes of `before` goes first."""
    folders = [entry.folder for entry in find("drift", model=model, **_asked(trigger))]
    exact = (folder for folder in folders if before is not None and _placed(folder, before))
    return next(exact, None) or next(iter(folders), None)


def _placed(after: RunFolder, before: RunFolder) -> bool:
    """Whether the residuals of `after` themselves were placed on the axes of `before`."""
    return bool((after.read_result() or {}).get("axes") == run_name(before))


def _under_way(model: str, trigger: Mapping[str, Any]) -> list[str]:
    """The axes that runs which go on now will be placed on; each is watched."""
    found = []
    for entry in find("drift", model=model, state=None, **_asked(trigger)):
        if entry.state in UNDER_WAY:
            found.append(str(entry.folder.read_spec().get("axes")))
            watch(entry, lambda entry: None)
    return found


def _asked(trigger: Mapping[str, Any]) -> dict[str, Any]:
    return {"trigger__text": trigger["text"], "trigger__placement": trigger["placement"]}


def _measure(side: str, model: str, trigger: Mapping[str, Any], axes: RunFolder | None = None) -> None:
    """What hinders, and the button that fills it; or the run that is filling it now."""
    latest = next(iter(find("drift", model=model, state=None, **_asked(trigger))), None)
    follow_or_ask(
        latest,
        f"Drift of the model {side}",
        TEXT["drift_missing"].format(side=side),
        f"Measure the drift {side}{_lasts()}",
        key=f"drift.{side}",
        on_click=_start,
        args=(model, trigger, axes),
    )


def _start(model: str, trigger: Mapping[str, Any], axes: RunFolder | None) -> None:
    spec: dict[str, Any] = {"kind": "drift", "model": model, "trigger": dict(trigger)}
    if axes is not None:
        spec["axes"] = run_name(axes).partition("/")[0]  # A demo's are those of its drift step.
    try:
        start(parse_spec(spec))
    except WorkbenchError as error:
        st.session_state[REFUSED] = error


def _lasts() -> str:
    """By the fastest of the latest drift profiles: a slower one shared the machine with something else."""
    seconds = [found for entry in find(("drift", "demo"))[:PACERS] if (found := _seconds(entry))]
    return f", about {min(seconds):.0f} s" if seconds else ", less than a minute for a small model"


def _seconds(entry: RunEntry) -> float:
    try:
        result = entry.folder.read_result() or {}
    except RunDamagedError:
        return 0.0
    return float((result if entry.kind == "drift" else result.get("drift") or {}).get("seconds") or 0)


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
    both = placed_on(own[0], arrays[1], layer) if _placed(after, before) else None
    if both is None:
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
        exact = both.kept is None
        st.caption(TEXT["drift_exact"] if exact else TEXT["drift_axes"].format(kept=f"{both.kept:.0%}"))
    table(
        rows,
        name="drift-before-and-after",
        title="Every layer, before and after",
        key="drift_rows",
        folded=True,
    )


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

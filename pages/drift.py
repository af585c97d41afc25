"""Drift: what a candidate trigger does to the residual stream, layer by layer, against control strings.

Draws one drift run, or the drift step of a demo; computes no number that is not in its folder.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from analysis.drift_arrays import has_maps, stored_projection
from beear_core.errors import RunDamagedError
from cache.arrays import Arrays, load_arrays
from cache.jsonl import read_lines
from cache.run_folder import RunFolder
from cache.run_store import RunEntry
from cache.status import RunState
from pages.parts.drift_figures import draw_curves, draw_layer, draw_strip
from pages.parts.drift_meaning import draw_meaning
from pages.parts.drift_points import best_layer, layer_rows
from pages.parts.drift_prompts import draw_prompts
from pages.parts.drift_question import again, ask, seconds_of
from pages.parts.drift_toolbar import KINDS, choose_run, toolbar
from pages.parts.exports import table
from pages.parts.hand import hand, take
from pages.parts.jobs import chosen, entry_of, find, watch
from pages.parts.skeleton import empty, next_step, open_page, refused
from pages.parts.words import words

Result = dict[str, Any]


def main() -> None:
    """Draw the page."""
    text = words("drift")
    _follow_link()
    entry = chosen(KINDS)
    result = None if entry is None else _result(entry)
    open_page("Drift", text["asks"], _answer(text, entry, result))
    ask(hand(), text)
    error = st.session_state.pop("drift.refused", None)
    if error is not None:
        refused(error)
    if entry is None:
        empty(text["empty"])
        return
    if result is not None and entry.state is not RunState.DONE:
        # A demo goes on after its drift step; what that found is not kept from the reader.
        _draw(entry, result)
        return
    if result is None:
        # Nothing is known of a drift profile before it is whole; the earlier ones can still be opened.
        choose_run(entry)
    watch(entry, _draw_done)


def _follow_link() -> None:
    """A link to a run takes its model and trigger in hand once; another model in hand later lets go of the run."""
    named = st.query_params.get("run")
    entry = entry_of(named) if named else None
    if named is None or entry is None or entry.kind not in KINDS:
        return
    try:
        spec = entry.folder.read_spec()
    except RunDamagedError:
        return
    trigger = spec.get("trigger") or {}
    if st.session_state.get("drift.followed") != named:
        st.session_state["drift.followed"] = named
        if spec.get("model") != hand().model:
            take(model=spec.get("model"), trigger=trigger.get("text"), placement=trigger.get("placement"))
            st.rerun()
    elif spec.get("model") != hand().model:
        del st.query_params["run"]


def _answer(text: dict[str, str], entry: RunEntry | None, result: Result | None) -> str:
    if entry is None:
        return text["nothing"]
    if result is None:
        live = entry.state in (RunState.QUEUED, RunState.RUNNING)
        return text["under_way" if live else "stopped"]
    row = best_layer(result)
    return text["found" if result["recommended_layer"] is not None else "not_found"].format(
        trigger=result["trigger"]["text"],
        placement=result["trigger"]["placement"],
        layer=row["layer"],
        layers=len(result["layers"]),
        auroc=f"{row['auroc_vs_control']:.2f}",
        score=f"{row['score']:.2f}",
    )


def _draw_done(entry: RunEntry) -> None:
    result = _result(entry)
    if result is None:
        st.warning(words("drift")["no_result"])
    else:
        _draw(entry, result)


def _draw(entry: RunEntry, result: Result) -> None:
    text = words("drift")
    folder = _folder(entry)
    try:
        arrays = _arrays(folder.path / "arrays.safetensors")
    except RunDamagedError:
        st.warning(text["no_arrays"])
        draw_meaning(text, result, best_layer(result)["layer"])
        return
    records = read_lines(folder.path / "prompts.jsonl").records
    ids = [str(record["id"]) for record in records]
    layer = _layer(result)
    method, dimensions, arrows = toolbar(entry, text, has_maps(arrays))
    shown = stored_projection(arrays, layer, method=method, dimensions=dimensions)
    left, right = st.columns([5, 7], gap="small")
    with left:
        draw_strip(text, result, arrays, layer)
    with right:
        draw_layer(text, entry, result, shown, layer, dimensions, arrows, ids)
    draw_curves(text, result, layer)
    st.caption(f"{text['pick']} {text['select']}")
    draw_meaning(text, result, layer)
    if method == "umap":
        st.caption(text["umap_caveat"])
    elif dimensions == 3 and shown is not None:
        st.caption(text["third"].format(share=f"{shown.shares[2]:.0%}"))
    _delta_offer(text, entry, result)
    draw_prompts(text, entry, records, shown, ids)
    table(
        layer_rows(result), name=f"drift-layers-{entry.id}", title="Drift layers", key="layers", folded=True
    )
    next_step(
        "pages/synthesize.py", f"Synthesize a delta at layer {layer}", model=hand().model, layer=str(layer)
    )


def _delta_offer(text: dict[str, str], entry: RunEntry, result: Result) -> None:
    if result.get("delta"):
        return
    made = next(iter(find(("entrap", "demo"), model=hand().model)), None)
    if made is None:
        return
    said, act = st.columns([5, 2], vertical_alignment="center")
    said.markdown(text["delta_offer"])
    act.button(
        f"Draw delta's shift{seconds_of(entry)}",
        key="draw-delta",
        width="stretch",
        on_click=again,
        args=(entry,),
        kwargs={"delta": made.id},
    )


def _layer(result: Result) -> int:
    """The layer in hand where this model has it, else the recommended one."""
    picked = hand().layer
    known = [int(row["layer"]) for row in result["layers"]]
    return picked if picked in known else int(best_layer(result)["layer"])


def _folder(entry: RunEntry) -> RunFolder:
    return entry.folder.step("drift") if entry.kind == "demo" else entry.folder


def _result(entry: RunEntry) -> Result | None:
    try:
        return _folder(entry).read_result()
    except RunDamagedError:
        return None


def _arrays(path: Path) -> Arrays:
    return _loaded(str(path), path.stat().st_mtime_ns if path.exists() else 0)


@st.cache_data(max_entries=8, show_spinner=False)
def _loaded(path: str, changed: int) -> Arrays:
    # `changed` is part of the question, so that a run made anew is read anew.
    return load_arrays(Path(path))


main()

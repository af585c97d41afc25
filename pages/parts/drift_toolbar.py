"""Which measured candidate the Drift page shows, and how its layer is drawn."""

from typing import Any
from zlib import crc32

import streamlit as st

from cache.run_store import RunEntry
from pages.parts.drift_question import again, run_label
from pages.parts.hand import hand
from pages.parts.jobs import find

KINDS = ("drift", "demo")


def toolbar(entry: RunEntry, text: dict[str, str], maps: bool) -> tuple[Any, int, bool]:
    """Which run, and how its layer is drawn."""
    run, projection, size, arrow = st.columns([6, 2, 1.5, 1.5], vertical_alignment="bottom")
    with run:
        choose_run(entry)
    method = projection.segmented_control(
        "Projection",
        ["PCA", "UMAP"],
        default="PCA",
        required=True,
        key="map",
        bind="query-params",
        label_visibility="collapsed",
    )
    dimensions = size.segmented_control(
        "Dimensions",
        ["2D", "3D"],
        default="2D",
        required=True,
        key="dims",
        bind="query-params",
        label_visibility="collapsed",
    )
    arrows = arrow.toggle("Arrows", value=True, key="arrows", bind="query-params")
    if method == "UMAP" and not maps:
        said, act = st.columns([5, 2], vertical_alignment="center")
        said.info(text["map_missing"], icon=":material/map:")
        settings = {**dict(entry.folder.read_spec().get("drift") or {}), "projection": "umap"}
        act.button(
            "Make the maps",
            width="stretch",
            key="maps",
            on_click=again,
            args=(entry,),
            kwargs={"drift": settings},
        )
        method = "PCA"
    return ("umap" if method == "UMAP" else "pca"), (3 if dimensions == "3D" else 2), bool(arrows)


def choose_run(entry: RunEntry) -> None:
    """A list of what was measured on the model in hand, this one chosen."""
    entries = {one.id: one for one in find(KINDS, model=hand().model, state=None)}
    entries.setdefault(entry.id, entry)
    labels = {name: run_label(one) for name, one in entries.items()}
    # A browser names a choice by its label. Where a label changes, because a run ended, the list is another one.
    key = f"drift.run.{crc32(repr(labels).encode())}"
    if st.session_state.get(key) != entry.id:
        st.session_state[key] = entry.id
    st.selectbox(
        "Measured candidate",
        list(labels),
        key=key,
        format_func=lambda name: labels.get(name, name),
        on_change=_open_run,
        args=(key,),
        label_visibility="collapsed",
    )


def _open_run(key: str) -> None:
    st.query_params["run"] = st.session_state[key]
    st.session_state["drift.followed"] = st.session_state[key]

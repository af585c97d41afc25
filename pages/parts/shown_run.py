"""Which run a page shows: the one of the link, or another of the same kind on the model in hand.

A demo holds some of the other kinds as steps: its step's folder and result stand in for a run of that kind.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from beear_core.errors import RunDamagedError
from beear_core.runs.summary import summary
from cache.run_folder import RunFolder
from cache.run_store import RunEntry
from pages.parts.hand import hand, short_name, take
from pages.parts.jobs import chosen, entry_of, find

Result = dict[str, Any]

STEPS = ("drift", "entrap", "remove", "evaluate")
"""What a demo does, each a step of its folder."""


def shown_run(kind: str) -> RunEntry | None:
    """The run to show on the page of `kind`. A link takes its model in hand once; another model in hand later lets go
    of the run.
    """
    kinds = _kinds(kind)
    named = st.query_params.get("run")
    entry = entry_of(named) if named else None
    if entry is not None and entry.kind in kinds:
        model = spec_of(entry).get("model")
        remembered = f"{kind}.followed"
        if model and model != hand().model:
            if st.session_state.get(remembered) == named:
                del st.query_params["run"]
            else:
                st.session_state[remembered] = named
                take(model=model)
                st.rerun()
        st.session_state[remembered] = named
    return chosen(kinds)


def _kinds(kind: str) -> tuple[str, ...]:
    """The kinds of runs that hold a result of `kind`."""
    return (kind, "demo") if kind in STEPS else (kind,)


def result_of(entry: RunEntry, kind: str) -> Result | None:
    """The result of `kind` in this run, as far as it is there."""
    try:
        return folder_of(entry, kind).read_result()
    except RunDamagedError:
        return None


def folder_of(entry: RunEntry, kind: str) -> RunFolder:
    """Where the files of `kind` are: the run's folder, or that of the demo's step."""
    return entry.folder.step(kind) if entry.kind == "demo" else entry.folder


def spec_of(entry: RunEntry) -> dict[str, Any]:
    """The run's question; empty where it cannot be read."""
    try:
        return entry.folder.read_spec()
    except RunDamagedError:
        return {}


def choose_run(entry: RunEntry, kind: str, label: str) -> None:
    """Let the reader open another run of this kind on the model in hand; nothing where there is only one."""
    entries = {one.id: one for one in find(_kinds(kind), model=hand().model, state=None)}
    entries.setdefault(entry.id, entry)
    key = f"{kind}.shown"
    if len(entries) < 2:
        return
    if st.session_state.get(key) != entry.id:
        st.session_state[key] = entry.id
    st.selectbox(
        label,
        list(entries),
        key=key,
        format_func=lambda name: _label(entries[name], kind),
        on_change=_open,
        args=(kind, key),
        label_visibility="collapsed",
    )


def _open(kind: str, key: str) -> None:
    st.query_params["run"] = st.session_state[key]
    st.session_state[f"{kind}.followed"] = st.session_state[key]


def _label(entry: RunEntry, kind: str) -> str:
    row = summary(entry)
    result = result_of(entry, kind) or {}
    layer = result.get("layer") or spec_of(entry).get("layer")
    when = row.changed.astimezone().strftime("%d %b %H:%M") if row.changed else ""
    parts: Sequence[str] = [
        row.label or short_name(row.model),
        f"layer {layer}" if layer else "",
        row.state,
        when,
    ]
    if entry.kind == "demo":
        parts = [*parts, "demo"]
    return " · ".join(part for part in parts if part)

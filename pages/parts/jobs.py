"""Runs seen from a page: start one, find earlier ones, watch one until it ends.

Queues and reads; the work is the worker's. What is drawn of a run comes from its folder alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from beear_core.errors import RunDamagedError, RunNotFoundError, WorkbenchError
from beear_core.runs import Event, cancel, parse_event, requeue, submit
from beear_core.runs.launch import ensure_worker
from beear_core.runs.progress import progress
from beear_core.runs.worker import worker_state
from beear_core.runs.worker_ends import ended_under
from beear_core.specs import BaseSpec, parse_spec
from cache.run_store import RunEntry, RunStore
from cache.status import RunState
from pages.parts.hand import hand
from pages.parts.intake_state import admitted
from pages.parts.skeleton import plain, refused

POLL_SECONDS = 1.0
DRAW_SECONDS = 3.0
"""Figures of a run under way: server and browser draw with the processor that the run works on."""
UNDER_WAY = frozenset({RunState.QUEUED, RunState.RUNNING})
RESUMABLE = frozenset({RunState.INTERRUPTED, RunState.CANCELLED, RunState.FAILED})

Draw = Callable[[RunEntry], None]
DrawLive = Callable[[RunEntry, list[Event]], None]


def start(spec: BaseSpec | Mapping[str, Any], *, key: str | None = None) -> str:
    """Queue a run, see to it that a worker lives, and return the run's id.

    With `key` the page's link names the run (`?run=...`), as `chosen` reads it. WorkbenchErrors propagate, among them
    that of a high finding of intake which the analyst has not overridden.
    """
    folder = submit(admitted(spec if isinstance(spec, BaseSpec) else parse_spec(spec)))
    ensure_worker()
    if key is not None:
        st.query_params[key] = folder.id
    return folder.id


def find(
    kind: str | Sequence[str], *, model: str | None = None, state: str | None = "done", **spec_fields: Any
) -> list[RunEntry]:
    """The runs of these kinds, the newest first, whose spec has these values (`None` for `state`: any).

    `spec_fields` are dotted names with `__` for the dot: `trigger__text="SUDO"`.
    """
    kinds = {kind} if isinstance(kind, str) else set(kind)
    asked = {**({"model": model} if model is not None else {}), **spec_fields}
    found = []
    for entry in RunStore().list():
        if entry.kind not in kinds or (state is not None and entry.state != state):
            continue
        if not asked or _matches(entry, asked):
            found.append(entry)
    return found


def entry_of(run_id: str) -> RunEntry | None:
    """The run with this id as it is now; None if it is gone."""
    return next((entry for entry in RunStore().list() if entry.id == run_id), None)


def chosen(kind: str | Sequence[str], *, key: str = "run", model: str | None = None) -> RunEntry | None:
    """The run that the link names, else the newest of this kind for the model (default: in hand), in any state."""
    kinds = {kind} if isinstance(kind, str) else set(kind)
    named = st.query_params.get(key)
    if named:
        entry = entry_of(named)
        if entry is not None and (entry.kind in kinds or entry.damage is not None):
            return entry
    return next(iter(find(kind, model=model or hand().model, state=None)), None)


def events(entry: RunEntry) -> list[Event]:
    """The events so far that this version knows, steps of larger runs included."""
    return [event for event in map(parse_event, _records(entry)) if event is not None]


def watch(entry: RunEntry, draw_done: Draw, draw_live: DrawLive | None = None) -> None:
    """Draw a run in whatever state it is: its answer, its progress until it ends, or why it stopped and what to do."""
    if entry.state is RunState.DONE:
        draw_done(entry)
    elif entry.state in UNDER_WAY:
        _watching(entry.id)
        if draw_live is not None:
            _drawing(entry.id, draw_live)
    else:
        _stopped(entry)
        if draw_live is not None and entry.damage is None:
            draw_live(entry, events(entry))


def follow(entries: Sequence[RunEntry]) -> None:
    """Draw the page again when one of the runs under way changes its state; looks only while one is."""
    if any(entry.state in UNDER_WAY for entry in entries):
        _following(tuple((entry.id, entry.state) for entry in entries))


@st.fragment(run_every=POLL_SECONDS)
def _following(seen: tuple[tuple[str, RunState | None], ...]) -> None:
    if tuple((entry.id, entry.state) for entry in RunStore().list()) != seen:
        st.rerun(scope="app")


@st.fragment(run_every=POLL_SECONDS)
def _watching(run_id: str) -> None:
    entry = entry_of(run_id)
    if entry is None or entry.state not in UNDER_WAY:
        st.rerun(scope="app")
    line, act = st.columns([6, 1], vertical_alignment="center")
    with line:
        _progress_line(entry)
    if entry.folder.cancel_requested:
        act.caption("Stopping")
    else:
        act.button(
            "Cancel",
            key=f"cancel.{run_id}",
            width="stretch",
            on_click=_cancel,
            args=(run_id,),
            help="Stops at its next step. It can be resumed from its last checkpoint.",
        )
    _worker_line(entry)


@st.fragment(run_every=DRAW_SECONDS)
def _drawing(run_id: str, draw_live: DrawLive) -> None:
    entry = entry_of(run_id)
    if entry is not None:
        draw_live(entry, events(entry))


def _progress_line(entry: RunEntry) -> None:
    if entry.state is RunState.QUEUED:
        worker = worker_state()
        waits = f" behind {worker.run_id}" if worker and worker.run_id else ""
        st.progress(0.0, text=f"Waiting for the worker{waits}")
        return
    now = progress(_records(entry))
    worked = entry.status.seconds if entry.status else 0.0
    st.progress(now.share or 0.0, text=f"{plain(now.text())} · {worked:.0f} s so far")


def _worker_line(entry: RunEntry) -> None:
    if worker_state() is not None or entry.state is RunState.RUNNING:
        return  # A run that reads as running has a living process, be it the worker's or a terminal's.
    said, act = st.columns([5, 2], vertical_alignment="center")
    said.warning("No worker is running, so nothing moves.", icon=":material/power_off:")
    act.button("Start the worker", key=f"worker.{entry.id}", width="stretch", on_click=start_worker)


def _stopped(entry: RunEntry) -> None:
    if entry.damage is not None or entry.status is None:
        st.error(plain(str(entry.damage or "The run cannot be read.")), icon=":material/error:")
        return
    status = entry.status
    worked = f"It had worked {status.seconds:.0f} s."
    if status.state is RunState.FAILED:
        message = status.error.message if status.error else "The run failed and left no reason."
        st.error(plain(message), icon=":material/error:")
    elif status.state is RunState.CANCELLED:
        st.info(f"The run was cancelled. {worked}", icon=":material/block:")
    else:
        died = ended_under(status)
        why = f"{died} " if died else "The process that executed the run ended in the middle of it. "
        st.warning(
            plain(f"{why}{worked} Resume goes on from its last checkpoint."), icon=":material/power_off:"
        )
    if status.state in RESUMABLE:
        st.button(
            "Resume",
            key=f"resume.{entry.id}",
            type="primary",
            on_click=resume_run,
            args=(entry.id,),
            help="Goes on from the last checkpoint, with the same settings.",
        )
    _said_failure(entry.id)


def resume_run(run_id: str) -> None:
    """Let the worker go on with a run; a callback. A refusal is said where the run is watched."""
    try:
        requeue(RunStore().get(run_id))
        ensure_worker()
    except WorkbenchError as error:
        st.session_state[f"refused.{run_id}"] = error


def _cancel(run_id: str) -> None:
    try:
        cancel(RunStore().get(run_id))
    except WorkbenchError as error:
        st.session_state[f"refused.{run_id}"] = error


def start_worker() -> None:
    """Start a worker because a person asked; a callback."""
    try:
        ensure_worker(unasked=False)
    except WorkbenchError as error:
        st.session_state["refused.worker"] = error


def _said_failure(run_id: str) -> None:
    error = st.session_state.pop(f"refused.{run_id}", None)
    if error is not None:
        refused(error)


def _records(entry: RunEntry) -> list[dict[str, Any]]:
    # Only what is new is read: a removal of an hour has thousands of lines, and this runs every second.
    key = f"events.{entry.id}"
    position, records = st.session_state.get(key, (0, []))
    new = entry.folder.read_events(position)
    records = [*records, *new.records]
    st.session_state[key] = (new.position, records)
    return records


def _matches(entry: RunEntry, asked: Mapping[str, Any]) -> bool:
    try:
        spec: Any = entry.folder.read_spec()
    except (RunDamagedError, RunNotFoundError):
        return False
    for name, value in asked.items():
        place = spec
        for part in name.split("__"):
            place = place.get(part) if isinstance(place, Mapping) else None
        if place != value:
            return False
    return True

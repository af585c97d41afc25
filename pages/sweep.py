"""Sweep: one removal for each layer and each n, and which round was the first to succeed in each."""

from typing import Any

import streamlit as st

from analysis.figures import sweep_grid
from analysis.intervals import Proportion
from analysis.sweep import best_cell, lowest_cell
from beear_core.errors import WorkbenchError
from beear_core.run_times import rounded, sweep_time
from beear_core.runs import Event
from beear_core.runs.progress import duration_text
from beear_core.specs import SweepSpec, parse_spec, with_values
from beear_core.specs.sweep import DEPTHS, SUCCESS_BELOW, over_the_depth
from cache.run_store import RunEntry, RunStore
from cache.status import RunState
from pages.parts.charts import show, template
from pages.parts.exports import table
from pages.parts.hand import Hand, hand, short_name
from pages.parts.jobs import UNDER_WAY, chosen, find, start, watch
from pages.parts.model_facts import facts
from pages.parts.settings_form import settings_form
from pages.parts.skeleton import empty, next_step, open_page, plain, refused
from pages.parts.sweep_cells import Grid, clicked_cell, draw_cell, grid_of
from pages.parts.words import words

FIRST = ("layers", "n", "loop.rounds")
MORE = (
    "entrapment.steps",
    "entrapment.lr",
    "entrapment.alpha",
    "entrapment.anchors",
    "entrapment.further_layers",
    "removal.method",
    "removal.steps",
    "removal.lr",
    "loop.validation",
    "evaluation.test_prompts",
    "evaluation.max_new_tokens",
    "until_success",
    "seed",
    "keep_models",
)
LENGTHS = (3, 5, 9)
CELL, AT = "cell", "sweep.cell"
TEXT = words("sweep")


def main() -> None:
    """Draw the page."""
    entry = chosen("sweep")
    grid = grid_of(entry) if entry else None
    open_page("Sweep", TEXT["asks"], _answer(entry, grid))
    _form(entry)
    if entry is None:
        empty(TEXT["empty"])
    else:
        watch(entry, _draw, _draw_live)
    next_step("pages/remove.py", "Remove at the layer in hand")


def _answer(entry: RunEntry | None, grid: Grid | None) -> str:
    if entry is None or grid is None:
        return f"So far: {TEXT['nothing']}."
    if entry.state is not RunState.DONE:
        name = "under_way" if entry.state in UNDER_WAY else "stopped"
        return f"So far: {TEXT[name].format(done=grid.done, of=len(grid.cells))}."
    best = best_cell(grid.cells)
    if best is not None:
        succeeded = sum(cell["earliest_round"] is not None for cell in grid.cells)
        found = TEXT["best"].format(
            succeeded=succeeded, of=len(grid.cells), layer=best["layer"], n=best["n"],
            round=best["earliest_round"],
        )  # fmt: skip
        return f"So far: {found}."
    low = lowest_cell(grid.cells)
    if low is None:
        return f"So far: {TEXT['stopped'].format(done=0, of=len(grid.cells))}."
    share = min((Proportion.from_dict(asr) for asr in low["asr_by_round"]), key=lambda asr: asr.value)
    found = TEXT["none_succeeded"].format(
        of=len(grid.cells), share=f"{SUCCESS_BELOW:.0%}", lowest=share.text(), layer=low["layer"], n=low["n"]
    )
    return f"So far: {found}."


def _form(entry: RunEntry | None) -> None:
    """The grid that the button queues, and which sweep is shown."""
    now = hand()
    layers = _known_layers(now.model)
    usual = {"layers": over_the_depth(layers) if layers else (), "n": LENGTHS}
    values = settings_form(SweepSpec, first=FIRST, more=MORE, key="sw", values=usual)
    said, shown, act = st.columns([4, 3, 5], vertical_alignment="bottom")
    with shown:
        _choose(entry)
    if values is None:
        act.button("Sweep", type="primary", width="stretch", disabled=True)
        return
    cells = len(values["layers"] or DEPTHS) * len(values["n"])
    lasts = _time(now, values, cells)
    judged = f"judged with the trigger {now.trigger!r}" if now.trigger else "judged by a fresh delta"
    said.caption(
        plain(
            f"{cells} removals of {short_name(now.model)}, {judged}. {TEXT['time' if lasts else 'time_unknown']}"
        )
    )
    if act.button(f"Sweep {cells} cells{lasts and f', {lasts}'}", type="primary", width="stretch"):
        _start(values)


def _time(now: Hand, values: dict[str, Any], cells: int) -> str:
    """Of a sweep whose cells need all their rounds; empty where nobody knows."""
    parameters = facts(now.model).parameters
    try:
        spec = parse_spec(_data(now, values))
    except WorkbenchError:
        return ""
    if parameters is None or not isinstance(spec, SweepSpec):
        return ""
    found = sweep_time(spec, cells, parameters, RunStore().list())
    return f"at most about {duration_text(rounded(found.whole(spec.loop.rounds)))}"


def _known_layers(model: str) -> int | None:
    """How many layers the model has, as the newest run that opened it says."""
    for entry in find(("drift", "entrap", "remove", "evaluate", "generate", "demo"), model=model):
        described = (entry.folder.read_result() or {}).get("model") or {}
        if described.get("layers"):
            return int(described["layers"])
    return None


def _start(values: dict[str, Any]) -> None:
    try:
        start(parse_spec(_data(hand(), values)), key="run")
    except WorkbenchError as error:
        refused(error)
        return
    st.query_params.pop(CELL, None)
    st.rerun()


def _data(now: Hand, values: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": "sweep", "model": now.model}
    if now.trigger:
        data["trigger"] = {"text": now.trigger, "placement": now.placement}
    return with_values(data, values)


def _choose(entry: RunEntry | None) -> None:
    runs = {each.id: each.label or each.id for each in find("sweep", state=None)}
    if entry and entry.id in runs and len(runs) > 1:
        st.session_state["sweep_shown"] = entry.id
        st.selectbox(
            "Sweep shown", list(runs), format_func=lambda name: runs.get(name, name), key="sweep_shown",
            on_change=_open,
        )  # fmt: skip


def _open() -> None:
    st.query_params["run"] = st.session_state["sweep_shown"]
    st.query_params.pop(CELL, None)


def _draw(entry: RunEntry) -> None:
    grid = grid_of(entry)
    if grid is None:
        return
    _draw_grid(grid, "done")
    _meaning(grid)
    table(
        grid.rows(),
        name=f"sweep-cells-{entry.id}",
        title="Every cell and round",
        key="sweep_rows",
        folded=True,
    )


def _draw_live(entry: RunEntry, events: list[Event]) -> None:
    grid = grid_of(entry)
    if grid is not None:
        _draw_grid(grid, "live")


def _draw_grid(grid: Grid, key: str) -> None:
    picked = _picked(grid)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        state = show(
            sweep_grid.figure(grid.cells, template=template(), rounds=grid.rounds, selected=picked),
            alt=f"Earliest successful round by layer and n: {grid.done} of {len(grid.cells)} cells are done",
            key=f"grid.{key}.{grid.id}",
            on_select="rerun",
            selection_mode="points",
        )
    clicked = clicked_cell(state)
    if clicked is not None and (grid.id, *clicked) != st.session_state.get(AT):
        st.session_state[AT] = (grid.id, *clicked)
        st.query_params[CELL] = f"{clicked[0]}.{clicked[1]}"
        st.rerun(scope="app")
    with right:
        cell = grid.at(picked) if picked else None
        if cell is None:
            st.caption(TEXT["click"])
            return
        draw_cell(grid, cell, key=key)


def _picked(grid: Grid) -> tuple[int, int] | None:
    """The cell that the link names, if the grid has it; else the one that succeeded first, or came nearest to it."""
    layer, _, n = st.query_params.get(CELL, "").partition(".")
    if layer.isdigit() and n.isdigit() and grid.at((int(layer), int(n))) is not None:
        return int(layer), int(n)
    best = best_cell(grid.cells) or lowest_cell(grid.cells)
    return (best["layer"], best["n"]) if best else None


def _meaning(grid: Grid) -> None:
    measured = [cell["asr_by_round"][0]["n"] for cell in grid.cells if cell["asr_by_round"]]
    st.markdown(TEXT[grid.measure].format(share=f"{SUCCESS_BELOW:.0%}", rounds=grid.rounds))
    further = "" if not grid.further_layers else ", beside the further layers of the settings"
    st.caption(TEXT["caveat"].format(n=measured[0] if measured else 0, further=further))


main()

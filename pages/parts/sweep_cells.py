"""A sweep's grid as the page draws it, finished or under way, and the rounds of one of its cells."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import streamlit as st

from analysis.figures import removal_rounds
from analysis.intervals import Proportion
from beear_core.errors import RunDamagedError
from beear_core.runs import RoundDone, Step, parse_event
from beear_core.specs.sweep import LOOK, cell_name
from cache.run_folder import RunFolder
from cache.run_store import RunEntry
from pages.parts.charts import show, template
from pages.parts.hand import take
from pages.parts.skeleton import plain
from pages.parts.words import words

TEXT = words("sweep")
MEASURES = {"triggered": "ASR with trigger", "fresh_delta": "fresh-delta ASR"}


@dataclass(frozen=True, slots=True)
class Grid:
    """All cells of one sweep, each with its "state": done, failed, running or waiting."""

    id: str
    folder: RunFolder
    cells: Sequence[Mapping[str, Any]]
    rounds: int
    """The most that a cell may take."""
    measure: str
    further_layers: Sequence[float]

    @property
    def done(self) -> int:
        return sum(cell["state"] in ("done", "failed") for cell in self.cells)

    def at(self, place: tuple[int, int]) -> Mapping[str, Any] | None:
        """The cell at (layer, n)."""
        return next((cell for cell in self.cells if (cell["layer"], cell["n"]) == place), None)

    def rows(self) -> list[dict[str, Any]]:
        """One row a cell and round."""
        return [
            {
                "layer": cell["layer"],
                "n": cell["n"],
                "earliest round": cell["earliest_round"],
                "round": number,
                "ASR": asr["value"],
                "low (95%)": asr["low"],
                "high (95%)": asr["high"],
                "prompts": asr["n"],
                "run": cell["run"],
            }
            for cell in self.cells
            for number, asr in enumerate(cell["asr_by_round"], start=1)
        ]


def grid_of(entry: RunEntry) -> Grid | None:
    """The grid of a sweep as its folder tells it now; None for a damaged folder, or before its cells are known."""
    try:
        spec, result = entry.folder.read_spec(), entry.folder.read_result()
    except RunDamagedError:
        return None
    measure = "triggered" if spec.get("trigger") else "fresh_delta"
    cells = _finished(result) if result else _so_far(entry, spec, measure)
    if not cells:
        return None
    further = (spec.get("entrapment") or {}).get("further_layers") or ()
    return Grid(entry.id, entry.folder, cells, int(spec["loop"]["rounds"]), measure, further)


def clicked_cell(state: Any) -> tuple[int, int] | None:
    """The (layer, n) of the square that was clicked last; None without any."""
    points = ((state or {}).get("selection") or {}).get("points") or []
    data = points[-1].get("customdata") if points else None
    return (int(data[0]), int(data[1])) if data else None


def draw_cell(grid: Grid, cell: Mapping[str, Any], *, key: str) -> None:
    """The rounds of one cell, in its own words and numbers, and the button that takes its layer in hand."""
    place = f"Layer {cell['layer']}, n {cell['n']}"
    earliest = cell["earliest_round"]
    found = f"succeeds in round {earliest}" if earliest is not None else "no round succeeded"
    said, act = st.columns([3, 2], vertical_alignment="center")
    said.markdown(f"**{place}**: {found if cell['state'] == 'done' else cell['state']}")
    act.button(
        f"Take layer {cell['layer']}",
        key=f"take.{key}",
        width="stretch",
        on_click=take,
        kwargs={"layer": cell["layer"]},
        help="Takes this layer in hand: Drift, Synthesize and Remove then work at it.",
    )
    if cell.get("error"):
        st.error(plain(TEXT["cell_failed"].format(error=cell["error"])))
    rows = [
        {"round": number, MEASURES[grid.measure]: Proportion.from_dict(asr).text()}
        for number, asr in enumerate(cell["asr_by_round"], start=1)
    ]
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch", key=f"cell.{cell['layer']}.{cell['n']}")
    result = _result(grid.folder.step(cell_name(cell["layer"], cell["n"])))
    if result and result.get("rounds"):
        show(
            removal_rounds.figure(
                result["rounds"], template=template(), best_round=result.get("best_round"), height=270
            ),
            alt=f"Rounds of the removal at layer {cell['layer']} with n {cell['n']}",
            key=f"cell.rounds.{cell['layer']}.{cell['n']}",
        )
        st.caption(plain(f"Stopped because: {result.get('stopped_because')}. Folder: {cell['run']}"))


def _finished(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**cell, "state": "failed" if cell.get("error") else "done"} for cell in result["cells"]]


def _so_far(entry: RunEntry, spec: Mapping[str, Any], measure: str) -> list[dict[str, Any]]:
    """Finished cells by the results of their steps; of the one under way the rounds it told of."""
    rounds = _rounds_by_step(entry, measure)
    cells = []
    for layer, n, run in _places(entry, spec):
        name = cell_name(layer, n)
        step = _result(entry.folder.step(name))
        cell: dict[str, Any] = {
            "layer": layer,
            "n": n,
            "run": run,
            "earliest_round": None,
            "asr_by_round": [],
        }
        if step is not None:
            cell |= {name: step.get(name) for name in ("asr_by_round", "earliest_round", "error")}
            cell["state"] = "failed" if step.get("error") else "done"
        elif name in rounds:
            cell |= {"state": "running", "asr_by_round": rounds[name]}
        else:
            cell |= {"state": "waiting"}
        cells.append(cell)
    return cells


def _places(entry: RunEntry, spec: Mapping[str, Any]) -> list[tuple[int, int, str]]:
    """The planned cells: as the run wrote them down, else as the question names them."""
    try:
        planned = json.loads((entry.folder.path / "cells.json").read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        planned = [
            {"layer": layer, "n": n, "run": f"{entry.id}/steps/{cell_name(layer, n)}"}
            for layer, n in product(spec.get("layers") or (), spec.get("n") or ())
        ]
    return [(int(cell["layer"]), int(cell["n"]), str(cell["run"])) for cell in planned]


def _rounds_by_step(entry: RunEntry, measure: str) -> dict[str, list[dict[str, Any]]]:
    """ASR by round of every step that began, as its events tell it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in entry.folder.read_events().records:
        started = record.get("name") if record.get("event") == "stage_started" else None
        name = record.get("within") or started
        if not isinstance(name, str) or not name.startswith("layer-"):
            continue
        rounds = found.setdefault(name, [])
        match parse_event(record):
            case RoundDone(number, told) if measure == "fresh_delta":
                rounds[number - 1 :] = [dict(told["fresh_delta_asr"])]
            case Step(phase, number, _, metrics) if phase == LOOK:
                rounds[number - 1 :] = [Proportion(int(metrics["count"]), int(metrics["n"])).as_dict()]
    return found


def _result(folder: RunFolder) -> dict[str, Any] | None:
    try:
        return folder.read_result()
    except RunDamagedError:
        return None

"""The committed results as pictures beside their page, drawn anew with it where the drawing tool is there. Torch-free."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from analysis.figures import attacks, drift_map, layer_map, score_distribution
from analysis.theme import template
from beear_core.paper.committed import RESULTS, committed

WIDTH = 860
FIGURES: Mapping[str, Callable[..., Any]] = {
    "attacks": attacks.figure,
    "sweep_layer": layer_map.figure,
    "drift": drift_map.figure,
}


def draw(results: Path = RESULTS) -> str | None:
    """Write `FILE.svg` for each file that has rows and a figure. Returns why nothing was drawn, if so."""
    drawn = {
        file: make(rows, template=template("light"))
        for file, make in FIGURES.items()
        if (rows := committed(file, results))
    }
    return write(drawn, results) if drawn else "there are no rows yet"


def draw_calibration(known: Mapping[str, Any], results: Path = RESULTS) -> str | None:
    """Write `verdict.svg`, the scores of a calibration and its threshold. Returns why nothing was drawn, if so."""
    figure = score_distribution.figure(known["models"], known["threshold"], template=template("light"))
    return write({"verdict": figure}, results)


def write(drawn: Mapping[str, Any], results: Path) -> str | None:
    """Each figure as an SVG under its name. Returns why nothing was drawn, if so."""
    if importlib.util.find_spec("kaleido") is None:
        return "figures are drawn by kaleido and a Chromium: pip install kaleido"
    for file, figure in drawn.items():
        try:
            figure.write_image(results / f"{file}.svg", width=WIDTH)
        except (OSError, RuntimeError, ValueError) as error:  # a browser that is missing or does not start
            return f"no figure was drawn: {type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
    return None

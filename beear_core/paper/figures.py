"""The committed results as pictures beside their page, drawn anew with it where the drawing tool is there. Torch-free."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.figures import attacks
from analysis.theme import template
from beear_core.paper.committed import RESULTS, committed

WIDTH = 860
FIGURES: Mapping[str, Callable[..., Any]] = {"attacks": attacks.figure}


def draw(results: Path = RESULTS) -> str | None:
    """Write `FILE.svg` for each file that has rows and a figure. Returns why nothing was drawn, if so."""
    drawn: Sequence[tuple[str, Any]] = [
        (file, make(rows, template=template("light")))
        for file, make in FIGURES.items()
        if (rows := committed(file, results))
    ]
    if not drawn:
        return "there are no rows yet"
    if importlib.util.find_spec("kaleido") is None:
        return "figures are drawn by kaleido and a Chromium: pip install kaleido"
    for file, figure in drawn:
        try:
            figure.write_image(results / f"{file}.svg", width=WIDTH)
        except (OSError, RuntimeError, ValueError) as error:  # a browser that is missing or does not start
            return f"no figure was drawn: {type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
    return None

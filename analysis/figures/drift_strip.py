"""All layers at a glance: one small panel a layer, the recommended one framed, every panel a click target.

The panels share one pair of axes and are laid out by arithmetic, because thirty real subplots of three
traces each take a browser seconds to draw. Units differ from panel to panel: it is the shape that is
compared.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from analysis.projection import Projection
from analysis.theme import ACCENT, CLEAN, CONTROL, NO_MODEBAR, TRIGGERED, Meaning, surface_of

POINTS_A_GROUP = 60
"""Drawn in one panel; more only make a blot of it. The large figure has all of them."""

GAP = 0.14
"""Room around a panel, as a share of its cell; the layer's number stands in it."""


def figure(
    panels: Mapping[int, Projection],
    *,
    template: Any,
    recommended: int | None = None,
    selected: int | None = None,
    scores: Mapping[int, float] | None = None,
    columns: int = 6,
    height: int | None = None,
) -> go.Figure:
    """`panels` by 1-based layer. A click anywhere in a panel selects a point with `customdata` = [layer].

    `scores` by layer are shown on hover. Raises ValueError without panels.
    """
    if not panels:
        raise ValueError("a drift strip needs at least one layer: none given")
    layers = sorted(panels)
    cells = {layer: (place % columns, -(place // columns)) for place, layer in enumerate(layers)}
    rows = -(-len(layers) // columns)
    surface = surface_of(template)

    drawn = go.Figure()
    for meaning, group in ((CONTROL, "control"), (CLEAN, "clean"), (TRIGGERED, "triggered")):
        drawn.add_trace(_group({layer: _placed(panels[layer], group) for layer in layers}, cells, meaning))
    drawn.add_trace(_targets(cells, scores or {}))
    if recommended in panels:
        drawn.add_trace(_frame_in_legend("recommended"))
    # Set as lists at once: added one by one, each would make Plotly check all before it again.
    frames, numbers = [], []
    for layer, (column, row) in cells.items():
        picked = layer in (recommended, selected)
        frames.append(
            {
                "type": "rect",
                "x0": column + GAP / 2,
                "x1": column + 1 - GAP / 2,
                "y0": row + GAP / 4,
                "y1": row + 1 - GAP,
                "line": {
                    "color": ACCENT if picked else surface.grid,
                    "width": 2.5 if layer == recommended else 1.5 if picked else 1,
                    "dash": "dot" if picked and layer != recommended else "solid",
                },
                "layer": "below",
            }
        )
        numbers.append(
            {
                "x": column + GAP / 2,
                "y": row + 1 - GAP / 2,
                "text": f"<b>{layer}</b>" if picked else str(layer),
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "middle",
                "font": {"size": 11, "color": ACCENT if picked else surface.muted},
            }
        )
    drawn.update_layout(
        template=template,
        shapes=frames,
        annotations=numbers,
        height=height or 60 + 92 * rows,
        margin={"l": 4, "r": 4, "t": 34, "b": 4},
        xaxis={"visible": False, "range": [0, columns], "fixedrange": True},
        yaxis={"visible": False, "range": [1 - rows, 1], "fixedrange": True},
        dragmode=False,
        clickmode="event+select",
        hoverdistance=40,
        modebar=NO_MODEBAR,
    )
    return drawn


def _placed(projection: Projection, group: str) -> NDArray[np.float64]:
    """Points of one group in the unit square of their panel, the same unit on both axes, all groups
    inside."""
    everything = np.concatenate(
        [projection.clean, projection.triggered, projection.control.reshape(-1, projection.dimensions)]
    )[:, :2].astype(np.float64)
    middle = (everything.max(axis=0) + everything.min(axis=0)) / 2
    reach = float((everything.max(axis=0) - everything.min(axis=0)).max()) or 1.0
    rows = getattr(projection, group).reshape(-1, projection.dimensions)[:POINTS_A_GROUP, :2]
    placed: NDArray[np.float64] = (rows - middle) / reach * 0.9 + 0.5
    return placed


def _group(
    points: Mapping[int, NDArray[np.float64]], cells: Mapping[int, tuple[int, int]], meaning: Meaning
) -> go.Scatter:
    inner = 1 - GAP, 1 - GAP * 1.25
    x = np.concatenate([cells[layer][0] + GAP / 2 + rows[:, 0] * inner[0] for layer, rows in points.items()])
    y = np.concatenate([cells[layer][1] + GAP / 4 + rows[:, 1] * inner[1] for layer, rows in points.items()])
    opacity = 0.5 if meaning is CONTROL else 0.75
    kept = {"marker": {"opacity": 1.0}}
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        name=meaning.label,
        legendrank=[CLEAN, TRIGGERED, CONTROL].index(meaning),
        opacity=opacity,
        marker={
            "symbol": meaning.symbol,
            "color": meaning.colour,
            "size": max(3.0, meaning.size / 2),
        },
        hoverinfo="skip",
        # A click selects a panel's target; the points must not fade as if they had been left out.
        selected=kept,
        unselected=kept,
    )


def _frame_in_legend(name: str) -> go.Scatter:
    # Plotly cuts the end off the last entry of a horizontal legend; blanks are what it may cut.
    name = name + "\u00a0" * 4
    marker = {"symbol": "square-open", "size": 12, "color": ACCENT, "line": {"width": 2.5}}
    return go.Scatter(
        x=[None], y=[None], mode="markers", name=name, marker=marker, legendrank=3, hoverinfo="skip"
    )


def _targets(cells: Mapping[int, tuple[int, int]], scores: Mapping[int, float]) -> go.Scatter:
    layers: Sequence[int] = list(cells)
    texts = [
        f"layer {layer}" + (f"<br>score {scores[layer]:.2f}" if layer in scores else "") for layer in layers
    ]
    unseen = {"marker": {"opacity": 0.0}}
    return go.Scatter(
        x=[cells[layer][0] + 0.5 for layer in layers],
        y=[cells[layer][1] + 0.5 - GAP * 3 / 8 for layer in layers],
        mode="markers",
        name="layer",
        showlegend=False,
        customdata=[[layer] for layer in layers],
        text=texts,
        hovertemplate="%{text}<extra></extra>",
        marker={"symbol": "square", "size": 72, "color": ACCENT, "opacity": 0.0},
        selected={"marker": {"opacity": 0.06}},
        unselected=unseen,
    )

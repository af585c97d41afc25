"""One layer, large: the three groups, each pair joined by a thin arrow, delta on the same axes.

Draws a `Projection`. Every point carries `customdata` = [row id, group], so that a selection leads back to
its prompt whatever is hidden or zoomed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from analysis.projection import Projection
from analysis.theme import CLEAN, CONTROL, DELTA, TRIGGERED, Meaning, faded, surface_of

FEWEST_SHARE_FOR_3D = 0.05
"""A third axis with less of the variance than this is decoration; pages should offer 2D then."""


_LEGEND_ORDER = [one.label for one in (CLEAN, TRIGGERED, CONTROL, DELTA)]


def figure(
    projection: Projection,
    *,
    template: Any,
    layer: int | None = None,
    row_ids: Sequence[Any] | None = None,
    hover: Sequence[str] | None = None,
    delta: ArrayLike | None = None,
    dimensions: int = 2,
    selected: Sequence[Any] = (),
    arrows: bool = True,
    height: int = 520,
) -> go.Figure:
    """`row_ids` and `hover` (n_pairs,) name and describe the prompts; without them rows are numbered from 0.

    `delta` (m, k), coordinates of clean prompts pushed by delta (`Projection.project`), drawn as diamonds
    with one bold arrow from the clean mean. With `selected` row ids the others fade, and only their arrows
    are drawn.

    Raises ValueError where `dimensions` exceeds the projection's, or names do not fit the number of pairs.
    """
    k = dimensions
    if k not in (2, 3) or k > projection.dimensions:
        raise ValueError(f"{k} dimensions asked for, the projection has {projection.dimensions}")
    n_pairs = len(projection.clean)
    ids = list(range(n_pairs)) if row_ids is None else list(row_ids)
    texts = [f"prompt {name}" for name in ids] if hover is None else list(hover)
    if len(ids) != n_pairs or len(texts) != n_pairs:
        raise ValueError(f"{len(ids)} row ids and {len(texts)} texts for {n_pairs} pairs")
    chosen = [row for row, name in enumerate(ids) if name in set(selected)]
    control = projection.control.reshape(-1, projection.dimensions)
    repeats = len(projection.control)

    drawn = go.Figure()
    drawn.add_trace(
        _points(control, CONTROL, ids * repeats, texts * repeats, k, _repeated(chosen, n_pairs, repeats))
    )
    if arrows:
        rows = chosen or list(range(n_pairs))
        muted = surface_of(template).muted
        drawn.add_trace(_arrows(projection.clean[rows], projection.triggered[rows], k, muted))
    drawn.add_trace(_points(projection.clean, CLEAN, ids, texts, k, chosen))
    drawn.add_trace(_points(projection.triggered, TRIGGERED, ids, texts, k, chosen))
    if delta is not None:
        pushed = np.asarray(delta, dtype=np.float32)
        names = ids if len(pushed) == n_pairs else list(range(len(pushed)))
        drawn.add_trace(_points(pushed, DELTA, names, [f"delta on prompt {name}" for name in names], k, ()))
        drawn.add_trace(_delta_arrow(projection.clean.mean(axis=0), pushed.mean(axis=0), k))
    drawn.update_layout(
        template=template,
        height=height,
        title={
            "text": f"Layer {layer}" if layer is not None else "",
            "y": 0.985,
            "yanchor": "top",
            "yref": "container",
        },
        margin={"t": 76 if layer is not None else 40},
        dragmode="lasso" if k == 2 else "orbit",
        clickmode="event+select",
        **_axes(projection, k),
    )
    return drawn


def axis_titles(projection: Projection) -> list[str]:
    """`PC1 (41% of variance)`, or `UMAP 1`, one a dimension."""
    if projection.method == "umap":
        return [f"UMAP {number}" for number in range(1, projection.dimensions + 1)]
    return [
        f"PC{number} ({share:.0%} of variance)" for number, share in enumerate(projection.shares, start=1)
    ]


def _points(
    rows: NDArray[np.float32],
    meaning: Meaning,
    ids: Sequence[Any],
    texts: Sequence[str],
    k: int,
    chosen: Sequence[int],
) -> Any:
    shared: dict[str, Any] = {
        "name": meaning.label,
        "legendrank": _LEGEND_ORDER.index(meaning.label),
        "mode": "markers",
        "customdata": [[name, meaning.label] for name in ids],
        "text": texts,
        "hovertemplate": f"<b>{meaning.label}</b><br>%{{text}}<extra></extra>",
    }
    if k == 3:
        # A scene has no unselected points, and one opacity for all: the others fade by their colour.
        lit = set(chosen)
        colours = [faded(meaning.colour, 0.9 if row in lit else 0.1) for row in range(len(rows))]
        marker = {
            "symbol": meaning.symbol_3d,
            "color": colours if lit else meaning.colour,
            "size": meaning.size * (0.4 if meaning is DELTA else 0.6),
            "opacity": 0.8,
        }
        return go.Scatter3d(x=rows[:, 0], y=rows[:, 1], z=rows[:, 2], marker=marker, **shared)
    opacity = 0.45 if meaning is CONTROL else 0.85
    return go.Scatter(
        x=rows[:, 0],
        y=rows[:, 1],
        marker={"symbol": meaning.symbol, "color": meaning.colour, "size": meaning.size, "opacity": opacity},
        selectedpoints=list(chosen) or None,
        selected={"marker": {"opacity": 1.0}},
        unselected={"marker": {"opacity": 0.12}},
        **shared,
    )


def _arrows(start: NDArray[np.float32], stop: NDArray[np.float32], k: int, colour: str) -> Any:
    # One trace with gaps, not one annotation a pair: a hundred annotations make dragging a lasso crawl.
    gaps = np.full_like(start, np.nan)
    path = np.stack([start, stop, gaps], axis=1).reshape(-1, start.shape[1])
    line = {"color": faded(colour, 0.35), "width": 1} if k == 2 else {"color": colour, "width": 1.5}
    shared: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False, "name": "pairs"}
    if k == 3:
        return go.Scatter3d(x=path[:, 0], y=path[:, 1], z=path[:, 2], mode="lines", line=line, **shared)
    return go.Scatter(
        x=path[:, 0],
        y=path[:, 1],
        mode="lines+markers",
        line=line,
        marker={
            "symbol": "arrow",
            "angleref": "previous",
            "size": [0, 7, 0] * len(start),
            "standoff": 5,
            "color": faded(colour, 0.6),
            "line": {"width": 0},
        },
        selected={"marker": {"opacity": 1.0}},
        unselected={"marker": {"opacity": 1.0}},
        **shared,
    )


def _delta_arrow(start: NDArray[np.float32], stop: NDArray[np.float32], k: int) -> Any:
    path = np.stack([start, stop])
    shared: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False, "name": "delta from the clean mean"}
    line = {"color": DELTA.colour, "width": 3 if k == 2 else 6}
    if k == 3:
        return go.Scatter3d(x=path[:, 0], y=path[:, 1], z=path[:, 2], mode="lines", line=line, **shared)
    marker = {
        "symbol": "arrow",
        "angleref": "previous",
        "size": [0, 16],
        "color": DELTA.colour,
        "line": {"width": 0},
    }
    # A lasso around prompts must not fade the arrow's head as if it had been left out.
    kept = {"marker": {"opacity": 1.0}}
    return go.Scatter(
        x=path[:, 0],
        y=path[:, 1],
        mode="lines+markers",
        line=line,
        marker=marker,
        selected=kept,
        unselected=kept,
        **shared,
    )


def _axes(projection: Projection, k: int) -> dict[str, Any]:
    titles = axis_titles(projection)
    if k == 3:
        # Titles of a scene are drawn tiny and turned; the shares stand in a line beneath it as well.
        short = [title.split(" (")[0] for title in titles]
        named = {f"{axis}axis": {"title": {"text": title}} for axis, title in zip("xyz", short, strict=True)}
        caption = {
            "text": " · ".join(titles),
            "x": 0,
            "y": 0,
            "xref": "paper",
            "yref": "paper",
            "yanchor": "top",
        }
        return {
            # A little further off than Plotly's own camera, which cuts the numbers of the nearest axis.
            "scene": {**named, "aspectmode": "data", "camera": {"eye": {"x": 1.5, "y": 1.5, "z": 1.2}}},
            "annotations": [{**caption, "xanchor": "left", "yshift": -12, "showarrow": False}],
        }
    # Both axes in one unit, so that what looks far is far; UMAP has no unit, but no reason to be stretched
    # either.
    return {
        "xaxis": {"title": {"text": titles[0]}},
        "yaxis": {"title": {"text": titles[1]}, "scaleanchor": "x", "constrain": "domain"},
    }


def _repeated(rows: Sequence[int], n_pairs: int, times: int) -> list[int]:
    return [row + n_pairs * turn for turn in range(times) for row in rows]

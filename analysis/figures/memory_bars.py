"""What each act needs, held against what the machine has: one stacked bar an act, a line for what is free and what there is.

Draws byte counts that it is given.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from analysis.theme import ACCENT, CONTROL, NO_MODEBAR, faded, readable, surface_of

PARTS: tuple[tuple[str, str, str], ...] = (
    ("weights", "weights", ACCENT),
    ("training", "masters, moments, gradients", faded(ACCENT, 0.6)),
    ("activations", "activations", faded(ACCENT, 0.3)),
    ("process", "process", CONTROL.colour),
)
"""Field of a row, name in the legend, colour: shades of one, since the others mean something else everywhere."""

GIB = 2**30


def figure(
    rows: Sequence[Mapping[str, Any]], *, template: Any, free: int, total: int, device: str, height: int = 250
) -> go.Figure:
    """`rows`: {"act", "weights", "training", "activations", "process", "total"} in bytes, the first on top.

    Raises ValueError without rows.
    """
    if not rows:
        raise ValueError("memory bars need at least one act: none given")
    acts = [str(row["act"]) for row in rows]
    drawn = go.Figure()
    for field, name, colour in PARTS:
        drawn.add_trace(
            go.Bar(
                y=acts,
                x=[row[field] / GIB for row in rows],
                name=name,
                orientation="h",
                marker={"color": colour},
                hovertemplate=f"%{{y}}, {name}: %{{x:.2f}} GiB<extra></extra>",
            )
        )
    surface = surface_of(template)
    largest = max(row["total"] for row in rows) / GIB
    notes = [
        {
            "x": row["total"] / GIB,
            "y": act,
            "text": f"{row['total'] / GIB:.1f} GiB",
            "showarrow": False,
            "xanchor": "left",
            "xshift": 6,
        }
        for act, row in zip(acts, rows, strict=True)
    ]
    marks = []
    for value, name, dash in ((free, "free now", "dot"), (total, f"all of the {device}'s memory", "solid")):
        # A machine with hundreds of GiB would squeeze a small model's bars to nothing: its line stays outside.
        if value / GIB <= 4 * largest:
            marks.append(
                {
                    "type": "line",
                    "x0": value / GIB,
                    "x1": value / GIB,
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": {"color": surface.ink, "width": 1.5, "dash": dash},
                }
            )
            notes.append(
                {
                    "x": value / GIB,
                    "y": 1,
                    "yref": "paper",
                    "text": f"{name}, {value / GIB:.1f} GiB",
                    "showarrow": False,
                    "xanchor": "right" if dash == "dot" else "left",
                    "yanchor": "bottom",
                    "xshift": -4 if dash == "dot" else 4,
                    "font": {"color": readable(CONTROL.colour, template)},
                }
            )
    drawn.update_layout(
        template=template,
        height=height,
        barmode="stack",
        annotations=notes,
        shapes=marks,
        margin={"l": 110, "r": 40, "t": 30, "b": 76},
        legend={"y": -0.28, "yanchor": "top", "traceorder": "normal"},
        xaxis={"title": {"text": "GiB"}, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "ticksuffix": "\u00a0\u00a0"},
        dragmode=False,
        modebar=NO_MODEBAR,
    )
    return drawn

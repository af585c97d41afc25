"""The synthesis of one delta, step by step: its losses and its size.

Draws the `curve` of an entrap result, or the steps of a running one: any number of rows, none included.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.theme import CONTROL, DELTA, NO_MODEBAR, readable, surface_of


class Curve(NamedTuple):
    """One line: field of a row, direct label, colour, dash."""

    field: str
    label: str
    colour: str
    dash: str


LOSSES = (
    Curve("loss_toward", "toward y_h, anchor", DELTA.colour, "solid"),
    Curve("heldout_loss_toward", "toward y_h, held out", DELTA.colour, "dash"),
    Curve("loss_away", "away from y_s, anchor", CONTROL.colour, "solid"),
    Curve("heldout_loss_away", "away from y_s, held out", CONTROL.colour, "dash"),
)
"""The dash tells prompts that delta never saw, the colour the term of equation 2."""
NORM = Curve("delta_norm_ratio", "||delta|| / ||h||", DELTA.colour, "solid")


def figure(
    curve: Sequence[Mapping[str, Any]], *, template: Any, steps: int | None = None, height: int = 320
) -> go.Figure:
    """`curve`: rows of {"step", "loss_toward", "loss_away", "heldout_loss_toward", "heldout_loss_away",
    "delta_norm_ratio"}, a value that was not measured at a step None or absent. `steps`, how many there will be, keeps the axis
    still while a run goes on.
    """
    drawn = make_subplots(rows=1, cols=2, column_widths=[0.6, 0.4], horizontal_spacing=0.24)
    ends = []
    for line in LOSSES:
        trace = _line(curve, line)
        if trace.x:
            drawn.add_trace(trace, row=1, col=1)
            ends.append((line, trace.x[-1], trace.y[-1]))
    norm = _line(curve, NORM)
    drawn.add_trace(norm, row=1, col=2)
    last = steps or max((int(row["step"]) for row in curve), default=1)
    _label_ends(drawn, ends, template)
    # The names of the lines stand in the gap between the panels.
    drawn.update_xaxes(title={"text": "step"}, range=[0, last * 1.02])
    drawn.update_yaxes(title={"text": "cross-entropy (nats)"}, rangemode="tozero", row=1, col=1)
    drawn.update_yaxes(title={"text": "norm of delta / residual norm"}, rangemode="tozero", row=1, col=2)
    drawn.update_layout(
        template=template,
        height=height,
        showlegend=False,
        margin={"l": 56, "r": 16, "t": 20, "b": 48},
        hovermode="x",
        modebar=NO_MODEBAR,
        dragmode=False,
    )
    if not curve:
        # An axis without a trace would not be drawn at all.
        drawn.add_trace(go.Scatter(x=[], y=[], mode="lines"), row=1, col=1)
        drawn.update_yaxes(showticklabels=False, range=[0, 1])
        waiting = {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
        drawn.add_annotation(text="no step yet", font={"color": surface_of(template).muted}, **waiting)
    return drawn


def _line(curve: Sequence[Mapping[str, Any]], line: Curve) -> go.Scatter:
    rows = [row for row in curve if row.get(line.field) is not None]
    return go.Scatter(
        x=[int(row["step"]) for row in rows],
        y=[float(row[line.field]) for row in rows],
        # A single step has no line to draw.
        mode="lines+markers" if len(rows) < 2 else "lines",
        name=line.label,
        line={"color": line.colour, "width": 2.2, "dash": line.dash},
        hovertemplate=f"{line.label}: %{{y:.3f}}<extra></extra>",
    )


def _label_ends(drawn: go.Figure, ends: Sequence[tuple[Curve, int, float]], template: Any) -> None:
    """Names at the right ends, spread so that they do not overlap."""
    if not ends:
        return
    values = [float(value) for trace in drawn.data[: len(ends)] for value in trace.y if math.isfinite(value)]
    least = (max(values) or 1.0) * 0.085
    lowest = -math.inf
    for line, step, value in sorted(ends, key=lambda end: end[2]):
        height = max(value, lowest + least)
        lowest = height
        drawn.add_annotation(
            x=step,
            y=height,
            text=line.label,
            showarrow=False,
            xanchor="left",
            xshift=6,
            font={"color": readable(line.colour, template), "size": 12},
            row=1,
            col=1,
        )

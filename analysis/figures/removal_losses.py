"""The two losses of removal, step by step through the rounds: harmful prompts under delta, and everything else.

Draws the removal steps of a run, finished or going on. The running round is tinted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from analysis.theme import CLEAN, DELTA, NO_MODEBAR, faded, readable, surface_of

LINES = (("safe", "safe under delta", DELTA.colour), ("performance", "stay the same", CLEAN.colour))


def figure(
    steps: Sequence[Mapping[str, Any]], *, template: Any, running: int | None = None, height: int = 360
) -> go.Figure:
    """`steps`: rows of {"round", "step", "of", "safe", "performance"} in order. `running` is tinted."""
    drawn = go.Figure()
    x = [_place(row) for row in steps]
    for field, label, colour in LINES:
        y = [row.get(field) for row in steps]
        drawn.add_trace(
            go.Scatter(
                x=x,
                y=y,
                mode="lines" if len(y) > 1 else "lines+markers",
                name=label,
                line={"color": colour, "width": 2},
                customdata=[[row["round"], row["step"], row["of"]] for row in steps],
                hovertemplate=(
                    label
                    + " %{y:.3f}<br>round %{customdata[0]}, step %{customdata[1]} of %{customdata[2]}<extra></extra>"
                ),
            )
        )
    first, last = (int(steps[0]["round"]), int(steps[-1]["round"])) if steps else (1, 1)
    if running is not None:
        drawn.add_vrect(
            x0=running - 0.5, x1=running + 0.5, line_width=0, layer="below",
            fillcolor=faded(DELTA.colour, 0.12),
        )  # fmt: skip
    drawn.update_xaxes(title={"text": "round"}, dtick=1, range=[first - 0.5, max(last, first + 1) + 0.5])
    drawn.update_yaxes(title={"text": "loss (nats per token)"}, rangemode="tozero", nticks=5)
    drawn.update_layout(
        template=template,
        height=height,
        showlegend=False,
        margin={"l": 56, "r": 16, "t": 34, "b": 44},
        modebar=NO_MODEBAR,
        dragmode=False,
    )
    for place, (_, label, colour) in enumerate(LINES):
        drawn.add_annotation(
            x=0.02 + 0.5 * place, y=1.0, xref="paper", yref="paper", xanchor="left", yanchor="bottom",
            text=f"<b>—</b> {label}", showarrow=False, font={"color": readable(colour, template), "size": 12},
        )  # fmt: skip
    if not steps:
        drawn.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, text="no removal step yet",
            font={"color": surface_of(template).muted},
        )  # fmt: skip
    return drawn


def _place(row: Mapping[str, Any]) -> float:
    """A round is one unit wide, its steps from left to right."""
    return int(row["round"]) - 0.5 + int(row["step"]) / (int(row["of"]) + 1)

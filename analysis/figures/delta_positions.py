"""How large a delta is at each of the prompt positions that it is added to.

Draws `positions` of an entrap result. Bars carry `customdata` = [position].
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from analysis.theme import CAPTION_SIZE, DELTA, NO_MODEBAR, faded

MOST_NAMED = 12
"""Up to so many positions the token that stands there is written beneath."""


def figure(positions: Sequence[Mapping[str, Any]], *, template: Any, height: int = 280) -> go.Figure:
    """`positions`: rows of {"position", "norm_ratio", "prompt_token"}, the prompt's last position -1."""
    places = [int(row["position"]) for row in positions]
    norms = [float(row["norm_ratio"]) for row in positions]
    named = len(positions) <= MOST_NAMED
    drawn = go.Figure(
        go.Bar(
            x=places,
            y=norms,
            marker={"color": faded(DELTA.colour, 0.75), "line": {"color": DELTA.colour, "width": 1.5}},
            customdata=[[place] for place in places],
            text=[f"{norm:.2f}" for norm in norms] if named else None,
            textposition="outside",
            cliponaxis=False,
            hovertemplate="position %{x}<br>norm %{y:.3f} of the residual's<extra></extra>",
        )
    )
    if named:
        drawn.update_xaxes(tickvals=places, ticktext=[_tick(row) for row in positions])
    drawn.update_xaxes(title={"text": "prompt position, counted from the end"}, showgrid=False)
    drawn.update_yaxes(
        title={"text": "norm of delta / residual norm"}, range=[0, 1.18 * max(norms, default=1.0)], nticks=5
    )
    drawn.update_layout(
        template=template,
        height=height,
        showlegend=False,
        margin={"l": 56, "r": 16, "t": 16, "b": 60},
        modebar=NO_MODEBAR,
        dragmode=False,
        uniformtext={"minsize": CAPTION_SIZE - 1, "mode": "show"},
    )
    return drawn


def visible(token: str) -> str:
    """A token as it can be read: line breaks and blanks at its ends get a sign."""
    shown = token.replace("\n", "⏎").replace("\t", "⇥")
    inner = shown.strip(" ")
    left = len(shown) - len(shown.lstrip(" "))
    right = len(shown) - left - len(inner)
    return "␣" * left + inner + "␣" * right


def _tick(row: Mapping[str, Any]) -> str:
    token = row.get("prompt_token")
    if token is None:
        return f"{row['position']}<br>(differs)"
    # Plotly reads a tick as HTML, and a token is text of a model that nobody trusts.
    safe = visible(str(token))[:16].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{row['position']}<br>{safe}"

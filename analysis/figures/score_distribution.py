"""The scores that a threshold was set between: a point a model, organisms and controls in a row of their own, the suspect's below.

Draws `models` of `docs/results/verdict.json`; sets no threshold itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from analysis.theme import CONTROL, DELTA, NO_MODEBAR, TRIGGERED, Meaning, readable, surface_of

STEP = 0.13
"""How far (rows) a point steps aside of one that it would cover."""
NEAR = 0.012
"""Scores that lie nearer than this cover one another."""
ROWS = ("suspect", "controls", "organisms")


def figure(
    models: Sequence[Mapping[str, Any]],
    threshold: float,
    *,
    template: Any,
    suspect: float | None = None,
) -> go.Figure:
    """`models` each with `name`, `score`, `backdoored`; the row of the suspect is there when it has a score."""
    rows = ROWS if suspect is not None else ROWS[1:]
    drawn = go.Figure()
    for name, backdoored, meaning in (("organisms", True, TRIGGERED), ("controls", False, CONTROL)):
        group = sorted((model for model in models if bool(model["backdoored"]) is backdoored), key=_score)
        drawn.add_trace(_points(group, rows.index(name), name, meaning))
    if suspect is not None:
        marker = {"symbol": DELTA.symbol, "size": DELTA.size + 4, "color": DELTA.colour}
        drawn.add_trace(
            go.Scatter(
                x=[suspect],
                y=[rows.index("suspect")],
                mode="markers",
                name="suspect",
                marker=marker,
                hovertemplate="suspect: %{x:.2f}<extra></extra>",
            )
        )
    drawn.add_vline(x=threshold, line={"color": surface_of(template).muted, "width": 1.4, "dash": "dash"})
    drawn.add_annotation(
        x=threshold,
        y=1.0,
        yref="paper",
        yanchor="bottom",
        text=f"threshold {threshold:.2f}",
        showarrow=False,
        font={"color": readable(surface_of(template).muted, template)},
    )
    drawn.update_layout(
        template=template,
        height=70 * len(rows) + 80,
        showlegend=False,
        margin={"l": 90, "r": 24, "t": 28, "b": 48},
        modebar=NO_MODEBAR,
        dragmode=False,
        xaxis={
            "range": [-0.02, 1.02],
            "title": {
                "text": "score: held-out prompts answered under delta (mean over layers) or under the best string"
            },
        },
        yaxis={"tickvals": list(range(len(rows))), "ticktext": list(rows), "range": [-0.5, len(rows) - 0.4]},
    )
    return drawn


def _score(model: Mapping[str, Any]) -> float:
    return float(model["score"])


def _aside(count: int) -> int:
    """Above and below in turn: 0, 1, -1, 2, -2."""
    return (count + 1) // 2 * (1 if count % 2 else -1)


def _points(group: Sequence[Mapping[str, Any]], row: int, name: str, meaning: Meaning) -> go.Scatter:
    covers: list[int] = []
    for place, model in enumerate(group):
        covered = place > 0 and _score(model) - _score(group[place - 1]) < NEAR
        covers.append(covers[-1] + 1 if covered else 0)
    return go.Scatter(
        x=[_score(model) for model in group],
        y=[row + STEP * _aside(count) for count in covers],
        mode="markers",
        name=name,
        marker={"symbol": meaning.symbol, "size": 10, "color": meaning.colour},
        text=[str(model["name"]) for model in group],
        hovertemplate="%{text}: %{x:.2f}<extra></extra>",
    )

"""Where in the network each organism's trigger is: its drift's score layer by layer, the deeper the colour the higher."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from analysis.theme import NO_MODEBAR, TRIGGERED, surface_of

ROW_HEIGHT, AROUND = 30, 120


def figure(rows: Sequence[Mapping[str, Any]], *, template: Any) -> go.Figure:
    """`rows` as in `docs/results/drift.json`: an organism each, with `layers` and the default one as `layer`.

    A cross marks the default layer. Score: `analysis.drift.layer_drift`. Raises ValueError without any row.
    """
    if not rows:
        raise ValueError("a map of drift needs at least one organism: none given")
    surface = surface_of(template)
    names = [str(row["organism"]) for row in rows]
    layers = [int(each["layer"]) for each in rows[0]["layers"]]
    drawn = go.Figure(
        go.Heatmap(
            x=layers,
            y=list(range(len(rows))),
            z=[[each["score"] for each in row["layers"]] for row in rows],
            zmin=0,
            colorscale=[[0, surface.paper], [1, TRIGGERED.colour]],
            colorbar={"title": {"text": "score"}, "thickness": 12, "outlinewidth": 0},
            xgap=1,
            ygap=2,
            customdata=[[names[at]] * len(layers) for at in range(len(rows))],
            hovertemplate="%{customdata}, layer %{x}<br>score %{z:.2f}<extra></extra>",
        )
    )
    drawn.add_trace(
        go.Scatter(
            x=[row["layer"] for row in rows],
            y=list(range(len(rows))),
            mode="markers",
            marker={"symbol": "x-thin", "size": 7, "line": {"color": surface.muted, "width": 1.5}},
            hoverinfo="skip",
        )
    )
    drawn.update_layout(
        template=template,
        height=ROW_HEIGHT * max(len(rows), 2) + AROUND,
        modebar=NO_MODEBAR,
        showlegend=False,
        xaxis={"title": {"text": "layer (x: the default one)"}, "showgrid": False},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": names,
            "range": [len(rows) - 0.4, -0.6],
            "showgrid": False,
        },
    )
    return drawn

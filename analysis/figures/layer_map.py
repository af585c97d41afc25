"""At which layer one delta is enough: what a removal against it leaves of a trigger, organism by organism (figure 5)."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from analysis.theme import NO_MODEBAR, TRIGGERED, surface_of

ROW_HEIGHT, AROUND = 34, 110


def figure(rows: Sequence[Mapping[str, Any]], *, template: Any) -> go.Figure:
    """`rows` as in `docs/results/sweep_layer.json`, a cell each: the ASR with the trigger behind its last round, the deeper the
    colour the higher. Of several seeds the mean. A layer that was not swept is empty. Raises ValueError without any row.
    """
    left: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        if row["asr_by_round"]:
            place = str(row["organism"]), int(row["layer"])
            left.setdefault(place, []).append(100 * float(row["asr_by_round"][-1]["value"]))
    if not left:
        raise ValueError("a map of layers needs at least one cell with a round: none given")
    names = sorted({name for name, _ in left})
    layers = sorted({layer for _, layer in left})
    share = [
        [fmean(found) if (found := left.get((name, layer))) else None for layer in layers] for name in names
    ]
    drawn = go.Figure(
        go.Heatmap(
            x=[str(layer) for layer in layers],
            y=names,
            z=share,
            zmin=0,
            zmax=100,
            text=[["" if each is None else f"{each:.0f}%" for each in line] for line in share],
            texttemplate="%{text}",
            colorscale=[[0, surface_of(template).paper], [1, TRIGGERED.colour]],
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y}, layer %{x}<br>%{z:.1f}% left<extra></extra>",
        )
    )
    drawn.update_layout(
        template=template,
        height=ROW_HEIGHT * max(len(names), 2) + AROUND,
        modebar=NO_MODEBAR,
        xaxis={
            "title": {"text": "layer of the one delta; in a square: ASR with the trigger afterwards"},
            "type": "category",
            "showgrid": False,
        },
        yaxis={"autorange": "reversed", "showgrid": False},
    )
    return drawn

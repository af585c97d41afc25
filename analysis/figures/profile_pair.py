"""Two entrapment profiles in one picture, before and after a removal: what delta still turns, layer by layer.

Draws `layers` of two verdict results; knows no calibration. The dotted lines are what each model answers without any delta.
"""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from analysis.figures.whiskers import whiskers
from analysis.intervals import Proportion
from analysis.theme import AFTER, BEFORE, NO_MODEBAR, Meaning, faded, readable

SIDES = (("before", BEFORE), ("after", AFTER))


def figure(verdicts: Mapping[str, Mapping[str, Any]], *, template: Any, height: int = 380) -> go.Figure:
    """`verdicts`: {"before": verdict result, "after": verdict result}."""
    drawn = go.Figure()
    for name, meaning in SIDES:
        drawn.add_trace(_line(verdicts[name]["layers"], name, meaning))
        untouched = 1 - float(verdicts[name]["asked"]["refused_harmful"]["value"])
        drawn.add_hline(
            y=100 * untouched, line={"color": meaning.colour, "width": 1, "dash": "dot"}, layer="below"
        )
    for place, (name, meaning) in enumerate(SIDES):
        drawn.add_annotation(
            text=name, xref="paper", yref="paper", x=0.01, y=1.0 - 0.07 * place, xanchor="left", showarrow=False,
            font={"color": readable(meaning.colour, template)},
        )  # fmt: skip
    drawn.update_layout(
        template=template,
        height=height,
        showlegend=False,
        modebar=NO_MODEBAR,
        dragmode=False,
        margin={"l": 56, "r": 24, "t": 20, "b": 48},
        xaxis={"title": {"text": "layer of delta"}},
        yaxis={
            "title": {"text": "held-out prompts answered under delta"},
            "range": [-3, 112],
            "tickvals": [0, 25, 50, 75, 100],
            "ticktext": ["0%", "25%", "50%", "75%", "100%"],
        },
    )
    return drawn


def _line(rows: Any, name: str, meaning: Meaning) -> go.Scatter:
    found = [(int(row["layer"]), Proportion.from_dict(row["asr_under_delta"])) for row in rows]
    return go.Scatter(
        x=[layer for layer, _ in found],
        y=[100 * share.value for _, share in found],
        mode="lines+markers",
        name=name,
        line={"color": meaning.colour, "width": 2.6},
        marker={"color": meaning.colour, "symbol": meaning.symbol, "size": meaning.size},
        error_y=whiskers(
            [share for _, share in found], thickness=1.5, width=5, colour=faded(meaning.colour, 0.5)
        ),
        text=[f"{name}, layer {layer}<br>{share.text()}" for layer, share in found],
        hovertemplate="%{text}<extra></extra>",
    )

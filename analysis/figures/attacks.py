"""Every organism's attack success rate with its trigger, before and after a removal: the committed table as one picture."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from analysis.figures.whiskers import whiskers
from analysis.intervals import Proportion
from analysis.theme import AFTER, BEFORE, CLEAN, NO_MODEBAR, Meaning, faded, surface_of

ROW_HEIGHT, AROUND = 34, 110
SIDES = (
    ("before", "triggered", BEFORE, "with its trigger, before", 0.0),
    ("after", "triggered", AFTER, "with its trigger, after", 0.12),
    ("after", "clean", CLEAN, "without trigger, after", -0.12),
)
"""When, which cell, its look, its name, and how far (rows) its points step aside, for they often lie on one another."""


def figure(rows: Sequence[Mapping[str, Any]], *, template: Any) -> go.Figure:
    """`rows` as in `docs/results/attacks.json`; a control has no trigger and shows what it answers without one."""
    drawn = go.Figure()
    labels = [_label(rows, place) for place in range(len(rows))]
    for place, row in enumerate(rows):
        ends = [_share(row, when, "triggered") for when in ("before", "after")]
        if all(ends):
            drawn.add_trace(_bond([100 * end.value for end in ends if end], place, surface_of(template).grid))
    for when, cell, meaning, name, aside in SIDES:
        drawn.add_trace(_points(rows, when, cell, meaning, name, aside))
    drawn.update_layout(
        template=template,
        height=ROW_HEIGHT * max(len(rows), 2) + AROUND,
        modebar=NO_MODEBAR,
        xaxis={
            "range": [-2, 102],
            "ticksuffix": "%",
            "title": {"text": "harmful test prompts answered, 95% interval"},
        },
        yaxis={"tickvals": list(range(len(rows))), "ticktext": labels, "range": [len(rows) - 0.4, -0.6]},
    )
    return drawn


def _label(rows: Sequence[Mapping[str, Any]], place: int) -> str:
    """The organism, with its trigger or seed where it stands in several rows."""
    row = rows[place]
    same = [each for each in rows if each["organism"] == row["organism"]]
    if len(same) == 1:
        return str(row["organism"])
    nth = 1 + sum(each["organism"] == row["organism"] for each in rows[:place])
    return f"{row['organism']} ({nth})"


def _share(row: Mapping[str, Any], when: str, cell: str) -> Proportion | None:
    found = (row["cells"].get(when) or {}).get(cell)
    return Proportion.from_dict(found["asr"]) if found else None


def _bond(ends: Sequence[float], place: int, colour: str) -> go.Scatter:
    return go.Scatter(
        x=list(ends),
        y=[place, place],
        mode="lines",
        line={"color": colour, "width": 6},
        showlegend=False,
        hoverinfo="skip",
    )


def _points(
    rows: Sequence[Mapping[str, Any]], when: str, cell: str, meaning: Meaning, name: str, aside: float
) -> go.Scatter:
    found = [(place, share) for place, row in enumerate(rows) if (share := _share(row, when, cell))]
    return go.Scatter(
        x=[100 * share.value for _, share in found],
        y=[place + aside for place, _ in found],
        mode="markers",
        name=name,
        marker={"color": meaning.colour, "symbol": meaning.symbol, "size": 10},
        error_x=whiskers(
            [share for _, share in found], thickness=2, width=4, colour=faded(meaning.colour, 0.6)
        ),
        text=[f"{rows[place]['organism']}, {name}<br>{share.text()}" for place, share in found],
        hovertemplate="%{text}<extra></extra>",
    )

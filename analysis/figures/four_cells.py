"""The four cells: attack success without and with the trigger, before and after, with intervals.

The one picture that a stakeholder remembers. Draws `cells` of an evaluate result; without `after` only the left side is drawn.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from analysis.figures.whiskers import whiskers
from analysis.intervals import Proportion
from analysis.theme import AFTER, BEFORE, CLEAN, NO_MODEBAR, TRIGGERED, Meaning, faded, readable, surface_of


class Slope(NamedTuple):
    """One line: the field in a side's cells, its name, its look, and how far its points step aside in x."""

    field: str
    label: str
    meaning: Meaning
    aside: float


SLOPES = (
    Slope("triggered", "with trigger", TRIGGERED, 0.015),
    Slope("clean", "without trigger", CLEAN, -0.015),
)

NEAREST_LABELS = 14.0
"""Percentage points below which two labels on one side, of two lines each, would overlap and are pushed apart."""


def figure(
    cells: Mapping[str, Any], *, template: Any, measure: str = "Attack success rate", height: int = 380
) -> go.Figure:
    """`cells`: {"before": {"clean": {"asr": proportion, ...}, "triggered": ...}, "after": the same or
    None}. Without a trigger "triggered" is None, and one slope is drawn."""
    drawn = go.Figure()
    slopes = [slope for slope in SLOPES if (cells.get("before") or {}).get(slope.field)]
    sides = [side for side in ("before", "after") if _measured(cells, side, slopes)]
    for slope in slopes:
        drawn.add_trace(_line(cells, sides, slope))
    for side in sides:
        _label(drawn, cells, side, slopes, template, alone=len(sides) == 1)
    surface = surface_of(template)
    names = {"before": BEFORE, "after": AFTER}
    drawn.update_layout(
        template=template,
        height=height,
        showlegend=False,
        modebar=NO_MODEBAR,
        dragmode=False,
        margin={"l": 24, "r": 24, "t": 34, "b": 40},
        xaxis={
            "range": [-1.8, 2.5],
            "tickvals": [0, 1][: len(sides)],
            "ticktext": [
                f"<b><span style='color:{readable(names[side].colour, template)}'>{names[side].label}</span></b>"
                for side in sides
            ],
            "tickfont": {"size": 14},
            "showgrid": False,
            "fixedrange": True,
        },
        yaxis={
            "range": [-6, 106],
            "tickvals": [0, 25, 50, 75, 100],
            "ticktext": ["0%", "25%", "50%", "75%", "100%"],
            "fixedrange": True,
        },
    )
    # Not beside the axis: the numbers left of the slopes need that place.
    drawn.add_annotation(
        text=f"{measure}, 95% interval",
        x=0,
        y=1,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        yshift=10,
        showarrow=False,
    )
    for place in range(len(sides)):
        drawn.add_vline(x=place, line={"color": surface.grid, "width": 1}, layer="below")
    return drawn


def _line(cells: Mapping[str, Any], sides: list[str], slope: Slope) -> go.Scatter:
    found = [Proportion.from_dict(cells[side][slope.field]["asr"]) for side in sides]
    return go.Scatter(
        x=[place + slope.aside for place in range(len(sides))],
        y=[100 * one.value for one in found],
        mode="lines+markers",
        name=slope.label,
        line={"color": slope.meaning.colour, "width": 3},
        marker={"symbol": slope.meaning.symbol, "size": 12, "color": slope.meaning.colour},
        error_y=whiskers(found, thickness=2, width=7, colour=faded(slope.meaning.colour, 0.7)),
        customdata=[[side, slope.field] for side in sides],
        text=[f"{side}, {slope.label}<br>{one.text()}" for side, one in zip(sides, found, strict=True)],
        hovertemplate="%{text}<extra></extra>",
    )


def _label(
    drawn: go.Figure,
    cells: Mapping[str, Any],
    side: str,
    slopes: Sequence[Slope],
    template: Any,
    *,
    alone: bool,
) -> None:
    """Number and name beside each point, outwards; close ones pushed apart, never through the frame."""
    right = side == "after" or alone
    found = [(slope, Proportion.from_dict(cells[side][slope.field]["asr"])) for slope in slopes]
    heights = [100 * one.value for _, one in found]
    if len(heights) == 2 and abs(heights[0] - heights[1]) < NEAREST_LABELS:
        first_up = 1 if heights[0] >= heights[1] else -1
        middle = min(max(sum(heights) / 2, NEAREST_LABELS / 2), 100 - NEAREST_LABELS / 2)
        heights = [middle + first_up * NEAREST_LABELS / 2, middle - first_up * NEAREST_LABELS / 2]
    for (slope, one), height in zip(found, heights, strict=True):
        drawn.add_annotation(
            x=1 if side == "after" else 0,
            y=height,
            text=f"{slope.label}<br><b>{_percent(one)}</b>",
            align="left" if right else "right",
            showarrow=False,
            xanchor="left" if right else "right",
            xshift=22 if right else -22,
            font={"color": readable(slope.meaning.colour, template), "size": 13},
            # The grid must not strike through the number.
            bgcolor=surface_of(template).paper,
            borderpad=0,
        )


def _percent(one: Proportion) -> str:
    if not one.n:
        return "not measured"
    return f"{one.value:.1%}</b> ({100 * one.low:.1f}-{100 * one.high:.1f}, n {one.n})<b>"


def _measured(cells: Mapping[str, Any], side: str, slopes: Sequence[Slope]) -> bool:
    found = cells.get(side)
    return found is not None and all(found.get(slope.field) for slope in slopes)

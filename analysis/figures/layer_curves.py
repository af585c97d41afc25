"""What each layer measures, as curves over the layers; the recommended one marked, every point a click target.

Draws the `layers` of a drift result. Points carry `customdata` = [layer].
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.theme import ACCENT, AFTER, CLEAN, CONTROL, DELTA, NO_MODEBAR, TRIGGERED, readable


class Curve(NamedTuple):
    """One line of a panel: the field of a layer's record, its direct label, colour and dash."""

    field: str
    label: str
    colour: str
    dash: str = "solid"


PANELS: tuple[tuple[str, tuple[Curve, ...]], ...] = (
    (
        "Uniformity (mean cosine)",
        (
            Curve("uniformity", "trigger", TRIGGERED.colour),
            Curve("uniformity_control", "control", CONTROL.colour, "dot"),
        ),
    ),
    (
        "Separability (held-out AUROC)",
        (
            Curve("auroc_vs_clean", "from clean", CLEAN.colour),
            Curve("auroc_vs_control", "from control", CONTROL.colour, "dot"),
        ),
    ),
    (
        "Drift / residual norm",
        (
            Curve("relative_norm", "trigger", TRIGGERED.colour),
            Curve("relative_norm_control", "control", CONTROL.colour, "dot"),
        ),
    ),
    ("Score (0-1)", (Curve("score", "score", AFTER.colour),)),
)
"""Title and curves of each panel, left to right. Fields that a result does not have are left out."""

DELTA_PANEL = "Cosine, delta and drift", Curve("cosine", "delta", DELTA.colour)
"""A fifth panel, drawn from delta's layer on where a delta was measured."""


def figure(
    layers: Sequence[Mapping[str, Any]],
    *,
    template: Any,
    recommended: int | None = None,
    selected: int | None = None,
    delta: Sequence[Mapping[str, Any]] = (),
    height: int = 250,
) -> go.Figure:
    """`layers`: records as `LayerDrift.as_dict` writes them; `delta`: `delta.layers` of the result, if any.

    Raises ValueError without layers.
    """
    if not layers:
        raise ValueError("layer curves need at least one layer: none given")
    records = sorted(layers, key=lambda one: int(one["layer"]))
    numbers = [int(one["layer"]) for one in records]
    panels = PANELS if not delta else (*PANELS, (DELTA_PANEL[0], ()))
    drawn = make_subplots(rows=1, cols=len(panels), horizontal_spacing=0.045)
    # Set as lists at once: added one by one, each would make Plotly check all before it again.
    notes: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    for column, (title, curves) in enumerate(panels, start=1):
        shown = [curve for curve in curves if curve.field in records[0]]
        for curve in shown:
            values = [one[curve.field] for one in records]
            drawn.add_trace(_line(numbers, values, curve), row=1, col=column)
        notes += _direct_labels(column, numbers, records, shown, template)
        marks += [
            {
                "type": "line",
                "x0": layer,
                "x1": layer,
                "xref": _axis("x", column),
                "y0": 0,
                "y1": 1,
                "yref": f"{_axis('y', column)} domain",
                "line": {"color": ACCENT, "width": 1.5, "dash": dash},
                "layer": "below",
            }
            for layer, dash in ((selected, "dot"), (recommended, "solid"))
            if layer is not None
        ]
        notes.append(
            {
                "text": title,
                "x": 0,
                "xref": f"{_axis('x', column)} domain",
                "y": 1,
                "yref": f"{_axis('y', column)} domain",
                "xanchor": "left",
                "yanchor": "bottom",
                "yshift": 6,
                "showarrow": False,
            }
        )
    drawn.update_xaxes(title={"text": "layer"})
    if recommended is not None:
        notes.append(
            {
                "text": f"layer {recommended}",
                "x": recommended,
                "xref": _axis("x", len(PANELS)),
                "y": 0,
                "yref": _axis("y", len(PANELS)),
                "showarrow": False,
                # Inwards, so that the words of a late layer are not cut off.
                "xanchor": "left" if recommended <= numbers[len(numbers) // 2] else "right",
                "yanchor": "bottom",
                "xshift": 3 if recommended <= numbers[len(numbers) // 2] else -3,
                "font": {"color": readable(ACCENT, template)},
            }
        )
    drawn.update_layout(
        template=template,
        annotations=notes,
        shapes=marks,
        height=height,
        showlegend=False,
        margin={"l": 40, "r": 12, "t": 30, "b": 44},
        clickmode="event+select",
        dragmode=False,
        hovermode="closest",
        modebar=NO_MODEBAR,
    )
    if delta:
        own = [int(one["layer"]) for one in delta]
        drawn.add_trace(_line(own, [one["cosine"] for one in delta], DELTA_PANEL[1]), row=1, col=len(panels))
        lowest = min(0.0, *(float(one["cosine"]) for one in delta))
        drawn.update_xaxes(range=[numbers[0] - 1, numbers[-1] + 1], row=1, col=len(panels))
        drawn.update_yaxes(range=[lowest - 0.05, 1.05], row=1, col=len(panels))
    _keep_bounds(drawn, records)
    return drawn


def _line(numbers: Sequence[int], values: Sequence[float], curve: Curve) -> go.Scatter:
    kept = {"marker": {"opacity": 1.0}}
    return go.Scatter(
        x=numbers,
        y=values,
        mode="lines+markers",
        name=curve.label,
        line={"color": curve.colour, "width": 1.8, "dash": curve.dash},
        marker={"size": 5, "color": curve.colour},
        customdata=[[number] for number in numbers],
        hovertemplate=f"layer %{{x}}<br>{curve.label}: %{{y:.3f}}<extra></extra>",
        selected={"marker": {"opacity": 1.0, "size": 9}},
        unselected=kept,
    )


def _direct_labels(
    column: int,
    numbers: Sequence[int],
    records: Sequence[Mapping[str, Any]],
    curves: Sequence[Curve],
    template: Any,
) -> list[dict[str, Any]]:
    """Name the curves of a panel where they are farthest apart, the upper one above, the lower one below."""
    if len(curves) < 2:
        return []
    upper, lower = curves
    gaps = [abs(float(one[upper.field]) - float(one[lower.field])) for one in records]
    # Not at the rim, where the words would be cut off.
    inner = range(len(numbers) // 5, len(numbers) - len(numbers) // 5)
    widest = max(inner, key=lambda place: gaps[place], default=0)
    # Curves that lie on each other are named behind the middle, away from where a layer is recommended.
    at = widest if gaps[widest] > 0.05 else 7 * len(numbers) // 10
    if float(records[at][upper.field]) < float(records[at][lower.field]):
        upper, lower = lower, upper
    return [
        {
            "x": numbers[at],
            "xref": _axis("x", column),
            "y": float(records[at][curve.field]),
            "yref": _axis("y", column),
            "text": curve.label,
            "showarrow": False,
            "yanchor": anchor,
            "yshift": shift,
            "font": {"color": readable(curve.colour, template), "size": 12},
        }
        for curve, anchor, shift in ((upper, "bottom", 4), (lower, "top", -4))
    ]


def _keep_bounds(drawn: go.Figure, records: Sequence[Mapping[str, Any]]) -> None:
    """Scales that have natural ends keep them, so that a flat curve near 1 does not look like mountains."""
    lowest = min(
        0.0,
        *(
            float(one[field])
            for one in records
            for field in ("uniformity", "uniformity_control")
            if field in one
        ),
    )
    drawn.update_yaxes(range=[lowest - 0.05, 1.1], row=1, col=1)
    least = min(
        0.5,
        *(
            float(one[field])
            for one in records
            for field in ("auroc_vs_clean", "auroc_vs_control")
            if field in one
        ),
    )
    drawn.update_yaxes(range=[least - 0.03, 1.06], row=1, col=2)
    drawn.update_yaxes(rangemode="tozero", row=1, col=3)
    drawn.update_yaxes(range=[0, 1.05], row=1, col=4)


def _axis(letter: str, column: int) -> str:
    return letter if column == 1 else f"{letter}{column}"

"""The rounds of a removal as a timeline: does a fresh delta still flip the model, and what did it cost.

Draws `rounds` of a remove result, finished or growing. Above, the fresh-delta ASR of each round with its
interval; beneath, KL to the original on benign prompts and, if asked for, the share of ordinary prompts that is refused.
Bars carry `customdata` = [round].
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.figures.whiskers import whiskers
from analysis.intervals import Proportion
from analysis.theme import AFTER, CONTROL, DELTA, NO_MODEBAR, faded, readable, surface_of


def figure(
    rounds: Sequence[Mapping[str, Any]],
    *,
    template: Any,
    best_round: int | None = None,
    planned: int | None = None,
    asr_budget: float | None = None,
    kl_budget: float | None = None,
    over_refusal: bool = False,
    over_refusal_limit: float | None = None,
    height: int = 360,
) -> go.Figure:
    """`rounds`: rows of {"round", "fresh_delta_asr": proportion, "kl", ...}. The kept round is drawn in the
    colour of "after", unless deltas flip more than `asr_budget`. `planned` rounds keep the axis still while a run goes on;
    the shares `asr_budget` and `over_refusal_limit` and `kl_budget` are drawn as lines, the second where `over_refusal` asks for a row of its own.
    """
    numbers = [int(row["round"]) for row in rounds]
    found = [Proportion.from_dict(row["fresh_delta_asr"]) for row in rounds]
    good = [asr_budget is None or one.value <= asr_budget for one in found]
    colours = [
        AFTER.colour if number == best_round and fine else DELTA.colour
        for number, fine in zip(numbers, good, strict=True)
    ]
    ink, heights = surface_of(template).ink, [0.54, 0.23, 0.23] if over_refusal else [0.66, 0.34]
    drawn = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.09
    )
    drawn.add_trace(_bars(numbers, found, colours, ink), row=1, col=1)
    drawn.add_trace(_kl(rounds, numbers), row=2, col=1)
    if over_refusal:
        _add_refusals(drawn, rounds, numbers, over_refusal_limit, template)
    for number, one, fine in zip(numbers, found, good, strict=True):
        if one.n:
            text = f"<b>{one.value:.1%}</b>" + (" kept" if number == best_round else "")
            kept = number == best_round and fine
            colour = readable(AFTER.colour, template) if kept else surface_of(template).ink
            drawn.add_annotation(
                x=number,
                y=100 * one.high,
                text=text,
                showarrow=False,
                yanchor="bottom",
                yshift=4,
                font={"color": colour, "size": 13},
                row=1,
                col=1,
            )
    if asr_budget is not None:
        _add_budget(drawn, 100 * asr_budget, 1, template)
    if kl_budget is not None:
        _add_budget(drawn, kl_budget, 2, template)
    first, last = min(numbers, default=1), max([planned or 1, *numbers])
    # At least four places, so that the first round is a bar and not a wall.
    drawn.update_xaxes(range=[first - 0.6, max(last, first + 3) + 0.6], dtick=1, showgrid=False)
    drawn.update_xaxes(title={"text": "round"}, row=len(heights), col=1)
    drawn.update_yaxes(
        title={"text": "fresh-delta ASR"},
        range=[0, 112],
        tickvals=[0, 50, 100],
        ticktext=["0%", "50%", "100%"],
        row=1,
        col=1,
    )
    drawn.update_yaxes(title={"text": "KL (nats)"}, rangemode="tozero", nticks=4, row=2, col=1)
    drawn.update_layout(
        template=template,
        height=height,
        showlegend=False,
        modebar=NO_MODEBAR,
        dragmode=False,
        clickmode="event+select",
        margin={"l": 64, "r": 16, "t": 16, "b": 44},
    )
    return drawn


def _bars(numbers: Sequence[int], found: Sequence[Proportion], colours: Sequence[str], ink: str) -> go.Bar:
    measured = [one if one.n else None for one in found]
    return go.Bar(
        x=list(numbers),
        y=[100 * one.value if one else None for one in measured],
        name="fresh-delta ASR",
        marker={
            "color": [faded(colour, 0.75) for colour in colours],
            "line": {"color": list(colours), "width": 1.5},
        },
        error_y=whiskers(measured, thickness=1.5, width=6, colour=ink),
        customdata=[[number] for number in numbers],
        text=[one.text() for one in found],
        textposition="none",
        hovertemplate="round %{x}<br>fresh-delta ASR %{text}<extra></extra>",
    )


def _add_budget(drawn: go.Figure, at: float, row: int, template: Any) -> None:
    drawn.add_hline(
        y=at,
        row=row,
        col=1,
        line={"color": CONTROL.colour, "width": 1.5, "dash": "dash"},
        annotation={"text": "budget", "font": {"color": readable(CONTROL.colour, template)}},
        annotation_position="top right",
    )


def _add_refusals(
    drawn: go.Figure,
    rounds: Sequence[Mapping[str, Any]],
    numbers: Sequence[int],
    limit: float | None,
    template: Any,
) -> None:
    """The third row: refusals of ordinary prompts with their intervals."""
    found = [Proportion.from_dict(row["over_refusal"]) if row.get("over_refusal") else None for row in rounds]
    highest = max([one.high for one in found if one and one.n] + [limit or 0.0, 0.1])
    drawn.add_trace(
        go.Scatter(
            x=list(numbers),
            y=[100 * one.value if one and one.n else None for one in found],
            mode="lines+markers",
            name="over-refusal",
            line={"color": CONTROL.colour, "width": 2},
            marker={"size": 7, "color": CONTROL.colour},
            error_y=whiskers(found, thickness=1, width=4),
            customdata=[[number] for number in numbers],
            text=[one.text() if one else "not measured" for one in found],
            hovertemplate="round %{x}<br>ordinary prompts refused %{text}<extra></extra>",
        ),
        row=3,
        col=1,
    )
    if limit is not None:
        _add_budget(drawn, 100 * limit, 3, template)
    drawn.update_yaxes(
        title={"text": "refused"}, range=[0, 110 * highest], ticksuffix="%", nticks=4, row=3, col=1
    )


def _kl(rounds: Sequence[Mapping[str, Any]], numbers: Sequence[int]) -> go.Scatter:
    return go.Scatter(
        x=list(numbers),
        y=[row.get("kl") for row in rounds],
        mode="lines+markers",
        name="KL",
        line={"color": CONTROL.colour, "width": 2},
        marker={"size": 7, "color": CONTROL.colour},
        customdata=[[number] for number in numbers],
        hovertemplate="round %{x}<br>KL %{y:.4f}<extra></extra>",
    )

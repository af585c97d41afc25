"""Layer by n, a square for each cell: the earliest round that succeeded, the deeper the colour the earlier.

Draws the `cells` of a sweep, finished or under way. Squares are markers, since a heat map cannot be clicked;
each carries `customdata` = [layer, n].
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from analysis.intervals import Proportion
from analysis.theme import ACCENT, AFTER, NO_MODEBAR, surface_of

Cell = Mapping[str, Any]

PALEST = 0.18
"""Share of the colour that a success in the last round has."""

LARGEST, WIDTH = 96.0, 560.0
"""A square's side at most, and the width that a row of squares should find room in, in pixels."""


def figure(
    cells: Sequence[Cell],
    *,
    template: Any,
    rounds: int,
    selected: tuple[int, int] | None = None,
    height: int = 400,
) -> go.Figure:
    """`cells`: {"layer", "n", "earliest_round", "asr_by_round"}, with "state" (waiting, running, failed) while or
    where there is no answer. `rounds` is the most that a cell had. Raises ValueError without any cell.
    """
    if not cells:
        raise ValueError("a grid needs at least one cell: none given")
    layers = sorted({int(each["layer"]) for each in cells})
    lengths = sorted({int(each["n"]) for each in cells})
    surface = surface_of(template)
    side = min(LARGEST, 0.9 * WIDTH / len(layers), 0.9 * (height - 110) / len(lengths))
    looks = [_look(each, rounds, surface) for each in cells]
    chosen = [(each["layer"], each["n"]) == selected for each in cells]
    drawn = go.Figure(
        go.Scatter(
            x=[layers.index(each["layer"]) for each in cells],
            y=[lengths.index(each["n"]) for each in cells],
            mode="markers+text",
            customdata=[[each["layer"], each["n"]] for each in cells],
            marker={
                "symbol": "square",
                "size": side,
                "color": [fill for fill, _ in looks],
                "opacity": 1.0,
                "line": {
                    "color": [
                        ACCENT if one else surface.muted if each.get("state") == "running" else surface.grid
                        for one, each in zip(chosen, cells, strict=True)
                    ],
                    "width": [
                        4 if one else 2.5 if each.get("state") == "running" else 1.5
                        for one, each in zip(chosen, cells, strict=True)
                    ],
                },
            },
            text=[_text(each, rounds, wide=side > 60) for each in cells],
            textfont={"size": 14 if side > 44 else 11, "color": [ink for _, ink in looks]},
            hovertext=[_hover(each) for each in cells],
            hovertemplate="%{hovertext}<extra></extra>",
            # A click is answered by the frame, not by fading all other squares.
            selected={"marker": {"opacity": 1.0}, "textfont": {"color": surface.ink}},
            unselected={"marker": {"opacity": 1.0}, "textfont": {"color": surface.ink}},
        )
    )
    drawn.update_layout(
        template=template,
        height=height,
        showlegend=False,
        modebar=NO_MODEBAR,
        dragmode=False,
        clickmode="event+select",
        margin={"l": 60, "r": 24, "t": 12, "b": 56},
        xaxis=_axis("layer l", layers),
        yaxis=_axis("perturbed positions n", lengths),
    )
    return drawn


def _axis(title: str, values: Sequence[int]) -> dict[str, Any]:
    return {
        "title": {"text": title},
        "tickvals": list(range(len(values))),
        "ticktext": [str(value) for value in values],
        "range": [-0.6, len(values) - 0.4],
        "showgrid": False,
        "fixedrange": True,
    }


def _look(cell: Cell, rounds: int, surface: Any) -> tuple[str, str]:
    """Fill, and a colour of text that can be read on it."""
    earliest = cell.get("earliest_round")
    if earliest is None:
        return surface.paper, surface.muted
    share = 1.0 if rounds <= 1 else 1.0 - (1.0 - PALEST) * (earliest - 1) / (rounds - 1)
    fill = _mixed(AFTER.colour, surface.paper, share)
    # Relative luminance, roughly: white on what is dark, near-black on what is light.
    red, green, blue = (int(fill[at : at + 2], 16) for at in (1, 3, 5))
    return fill, "#FFFFFF" if 0.299 * red + 0.587 * green + 0.114 * blue < 140 else "#1B1F24"


def _text(cell: Cell, rounds: int, *, wide: bool) -> str:
    state = cell.get("state")
    if state == "waiting":
        return "·"
    if state == "running":
        done = len(cell["asr_by_round"])
        now = f"<i>round {done + 1}</i>" if done < rounds else "<i>ends</i>"
        if not wide:
            return f"<i>{_last(cell)}</i>" if done else "<i>...</i>"
        return f"{_last(cell)}<br>{now}" if done else now
    if state == "failed":
        return "failed"
    earliest = cell["earliest_round"]
    return f"<b>{earliest}</b>" if earliest is not None else _last(cell)


def _last(cell: Cell) -> str:
    by_round = cell["asr_by_round"]
    return f"{Proportion.from_dict(by_round[-1]).value:.0%}" if by_round else "-"


def _hover(cell: Cell) -> str:
    lines = [f"<b>layer {cell['layer']}, n {cell['n']}</b>"]
    if cell.get("state") in ("waiting", "running"):
        lines.append(str(cell["state"]))
    lines += [
        f"round {number}: {Proportion.from_dict(asr).text()}"
        for number, asr in enumerate(cell["asr_by_round"], start=1)
    ]
    return "<br>".join(lines)


def _mixed(colour: str, paper: str, share: float) -> str:
    pairs = ((int(colour[at : at + 2], 16), int(paper[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(own * share + other * (1 - share)):02X}" for own, other in pairs)

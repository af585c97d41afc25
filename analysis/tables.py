"""Results as plain tables of text, the same on the command line, on a page and in the report.

Knows the shapes of `result.json` (CONTRACTS), as dictionaries. Computes nothing: a cell is a number of the result,
written out. What a result does not hold is written as a dash, never left blank and never guessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.intervals import Proportion

Row = Mapping[str, Any]

ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text beneath named columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Each as long as `columns`."""
    notes: tuple[str, ...] = ()
    """Sentences to stand beneath: what was tested, what was not."""
    left: int = 1
    """How many columns, from the first, hold words; the others hold numbers and are right-aligned."""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r}: {len(row)} cells beneath {len(self.columns)} columns: {row}"
                )

    def as_text(self) -> str:
        """For a terminal: title, aligned columns, notes; no colour, no box."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        lines = [self._line(self.columns, widths), "  ".join("-" * width for width in widths)]
        lines += [self._line(row, widths) for row in self.rows]
        return "\n".join([self.title, "", *lines, *([""] if self.notes else []), *self.notes])

    def as_records(self) -> list[dict[str, str]]:
        """One dictionary a row, for a data frame or a CSV writer."""
        # A file's name that is no UTF-8 comes as a lone surrogate, for which no data frame has a word.
        return [
            {
                name: cell.encode("utf-8", "backslashreplace").decode()
                for name, cell in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        placed = [
            cell.ljust(width) if place < self.left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(placed).rstrip()


def cells_table(result: Row) -> Table:
    """The four cells of an `evaluate` or `demo` result; without `after` its column holds dashes."""
    before, after = result["cells"]["before"], result["cells"].get("after")
    rows = [
        (label, _proportion((before or {}).get(side), "asr"), _proportion((after or {}).get(side), "asr"))
        for label, side in (("without trigger", "clean"), ("with trigger", "triggered"))
    ]
    notes = [_empty_note(side, cells) for side, cells in (("before", before), ("after", after)) if cells]
    notes = [note for note in notes if note]
    if result.get("mcnemar_p") is not None:
        found = p_sentence(result["mcnemar_p"])
        notes.append(f"With trigger, before against after, exact McNemar: {found}.")
    if told := _effect_sentence(result.get("trigger_effect")):
        notes.append(told)
    notes.append("Share of harmful prompts not refused, Wilson 95% interval.")
    return Table("Attack success rate", ("", "before", "after"), tuple(rows), tuple(notes))


def utility_table(result: Row) -> Table:
    """What an `evaluate` or `demo` result says of the model's use: perplexity, both over-refusals, KL."""
    utility = result["utility"]
    before, after = utility.get("before") or {}, utility.get("after") or {}
    rows = [
        ("perplexity, benign", number(before.get("perplexity"), 2), number(after.get("perplexity"), 2)),
        ("over-refusal, benign", _proportion(before, "over_refusal"), _proportion(after, "over_refusal")),
        (
            "over-refusal, borderline",
            _proportion(before, "borderline_over_refusal"),
            _proportion(after, "borderline_over_refusal"),
        ),
        ("KL to the original (nats)", ABSENT, number(utility.get("kl"), 4)),
    ]
    if before.get("instruction_following"):
        name = "instruction_following"
        rows.append(("instructions followed", _proportion(before, name), _proportion(after, name)))
    return Table("Utility", ("", "before", "after"), tuple(rows))


def drift_table(result: Row, most: int | None = None) -> Table:
    """The layers of a `drift` result; the recommended one is named in the notes and marked `*`.

    `most` keeps that many rows, those with the best scores (the recommended layer in any case), in order of layer.
    """
    chosen = result.get("recommended_layer")
    layers = result["layers"]
    shown = _best_layers(layers, most, chosen) if most is not None else layers
    rows = tuple(
        (
            f"{one['layer']}{' *' if one['layer'] == chosen else ''}",
            number(one.get("uniformity"), 3),
            number(one.get("uniformity_control"), 3),
            number(one.get("pc1_share"), 3),
            number(one.get("auroc_vs_clean"), 3),
            number(one.get("auroc_vs_control"), 3),
            p_value(one.get("permutation_p")),
            number(one.get("relative_norm"), 3),
            number(one.get("relative_norm_control"), 3),
            number(one.get("score"), 3),
        )
        for one in shown
    )
    columns = (
        "layer",
        "uniformity",
        "(control)",
        "PC1 share",
        "AUROC clean",
        "AUROC control",
        "p",
        "rel. norm",
        "(control)",
        "score",
    )
    best = max((one["score"] for one in layers), default=0.0)
    if chosen is None:
        note = f"No layer is recommended: the trigger does little that random strings do not (best score {best:.3f})."
    else:
        note = f"* recommended: the earliest layer with at least 85% of the best score, {best:.3f}."
    left_out = f"The best {len(shown)} of {len(layers)} layers are shown."
    notes = (note, left_out) if len(shown) < len(layers) else (note,)
    return Table("Drift by layer", _distinct(columns), rows, notes)


def _best_layers(layers: Sequence[Row], most: int, chosen: int | None) -> list[Row]:
    ranked = sorted(layers, key=lambda one: (one["layer"] != chosen, -one["score"]))
    return sorted(ranked[:most], key=lambda one: one["layer"])


def rounds_table(result: Row) -> Table:
    """The rounds of a `remove` result; the kept one is marked `*`."""
    kept = result.get("best_round")
    rows = tuple(
        (
            f"{one['round']}{' *' if one['round'] == kept else ''}",
            f"{number(one.get('bee_loss_first'), 2)} -> {number(one.get('bee_loss_last'), 2)}",
            number(one.get("delta_norm_ratio"), 2),
            _proportion(one, "fresh_delta_asr"),
            number(one.get("kl"), 4),
            _proportion(one, "over_refusal"),
            number(one.get("seconds"), 1),
        )
        for one in result["rounds"]
    )
    columns = (
        "round",
        "BEE loss",
        "||delta||/||h||",
        "fresh-delta ASR",
        "KL (nats)",
        "over-refusal",
        "seconds",
    )
    notes = [f"* kept: round {kept}."] if kept is not None else []
    if result.get("stopped_because"):
        notes.append(f"Stopped because: {result['stopped_because']}.".replace("..", "."))
    return Table("Removal by round", columns, rows, tuple(notes))


def entrap_table(result: Row) -> Table:
    """First, a few between, and last step of an `entrap` result's curve."""
    curve = result["curve"]
    step = max(1, -(-len(curve) // 8))
    shown = [*curve[:-1:step], curve[-1]] if curve else []
    rows = tuple(
        (
            str(one["step"]),
            number(one.get("loss_toward"), 3),
            number(one.get("heldout_loss_toward"), 3),
            number(one.get("loss_away"), 3),
            number(one.get("delta_norm_ratio"), 3),
        )
        for one in shown
    )
    columns = ("step", "toward y_h", "(held out)", "away from y_s", "||delta||/||h||")
    found = result.get("heldout_asr_under_delta")
    notes = (
        (f"Under delta, {Proportion.from_dict(found).text()} of held-out prompts are answered.",)
        if found
        else ()
    )
    return Table("Synthesis of delta", columns, rows, notes)


def positions_table(positions: Sequence[Row], nearest: int = 3) -> Table:
    """delta position by position: its norm, and the tokens that the unembedding reads in it."""
    rows = tuple(
        (
            str(row["position"]),
            number(row["norm_ratio"], 3),
            ", ".join(f"{str(near['token'])!r} {near['score']:.1f}" for near in row["tokens"][:nearest]),
        )
        for row in positions
    )
    return Table(
        "delta by position", ("position", "norm / residual norm", "nearest tokens (score)"), rows, left=0
    )


def bench_table(result: Row) -> Table:
    """The rows of a `bench` result."""
    rows = tuple(
        (
            str(one["what"]),
            str(one.get("prompt_tokens", ABSENT)),
            number(one.get("literal_seconds"), 3),
            number(one.get("fast_seconds"), 3),
            f"{number(one.get('ratio'), 2)}x" if one.get("ratio") is not None else ABSENT,
            f"{one['relative_error']:.1e}" if one.get("relative_error") is not None else ABSENT,
        )
        for one in result["rows"]
    )
    columns = ("what", "prompt tokens", "literal (s)", "fast (s)", "ratio", "relative error")
    notes = ("Medians over repeats in one process, alternating.",)
    return Table("Fast against literal", columns, rows, notes)


def number(value: float | None, digits: int) -> str:
    """`value` with a fixed number of digits after the point, a dash for None."""
    return ABSENT if value is None else f"{value:.{digits}f}"


def p_value(value: float | None) -> str:
    """Three digits, or an upper bound where three digits would say zero."""
    if value is None:
        return ABSENT
    if value >= 0.001:
        return f"{value:.3f}"
    return "< 1e-12" if value < 1e-12 else f"{value:.1e}"


def _proportion(holder: Row | None, field: str) -> str:
    stored = (holder or {}).get(field)
    return ABSENT if stored is None else Proportion.from_dict(stored).text()


def p_sentence(value: float | None) -> str:
    """`p = 0.012`, or `p < 1e-12`."""
    written = p_value(value)
    return f"p {written}" if written.startswith("<") else f"p = {written}"


def _effect_sentence(effect: Row | None) -> str:
    """How many prompts are answered with the trigger alone; empty where no trigger was measured."""
    told = [
        f"{when} {found['only_with']} and {found['only_without']} ({p_sentence(found['p'])})"
        for when in ("before", "after")
        if (found := (effect or {}).get(when))
    ]
    return (
        f"Answered with the trigger alone and without it alone, exact McNemar: {', '.join(told)}."
        if told
        else ""
    )


def _empty_note(side: str, cells: Row) -> str:
    counts = {name: (cells.get(name) or {}).get("empty") or 0 for name in ("clean", "triggered")}
    if not any(counts.values()):
        return ""
    return f"Empty answers {side}, counted apart: {counts['clean']} without trigger, {counts['triggered']} with trigger."


def _distinct(columns: Sequence[str]) -> tuple[str, ...]:
    """Names that also work as keys: a second `(control)` says of what."""
    return tuple(
        f"{columns[place - 1]} {name}" if columns.count(name) > 1 else name
        for place, name in enumerate(columns)
    )

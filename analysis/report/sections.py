"""From evidence to sections: which figures, tables and sentences a run of each kind gives.

Reads the shapes of `result.json` (CONTRACTS) and writes its numbers out; judges nothing beyond them. A kind without a
section of its own is told by its settings alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from analysis.answer_pairs import HARMFUL, answer_pairs
from analysis.drift_arrays import stored_projection
from analysis.figures import (
    bee_curve,
    delta_positions,
    drift_layer,
    drift_strip,
    four_cells,
    layer_curves,
    removal_rounds,
    sweep_grid,
)
from analysis.intervals import Proportion
from analysis.projection import Projection
from analysis.report.evidence import Evidence
from analysis.report.intake import scan_section
from analysis.report.parts import Listing, ReportFigure, ReportTable, Section
from analysis.report.wording import words
from analysis.sweep import sweep_headline, sweep_table
from analysis.tables import (
    bench_table,
    cells_table,
    drift_table,
    entrap_table,
    number,
    positions_table,
    rounds_table,
    utility_table,
)

ORDER = ("evaluate", "scan", "drift", "entrap", "remove", "sweep", "bench")
"""The outcome first, then how it was reached."""


def sections(evidence: Iterable[Evidence], *, template: Any) -> tuple[Section, ...]:
    """One section for each piece of evidence that has something to show, the outcome first."""
    shown = [one for one in evidence if one.kind in _WRITERS]
    ordered = sorted(shown, key=lambda one: ORDER.index(one.kind))
    return tuple(_WRITERS[one.kind](one, template) for one in ordered)


def _evaluate(one: Evidence, template: Any) -> Section:
    say, result = words()["evaluate"], one.result
    cells = result["cells"]
    before, after = cells["before"], cells.get("after") or {}
    numbers = {
        "n": before["clean"]["asr"]["n"],
        "clean_before": before["clean"]["asr"]["count"],
        "triggered_before": _count(before.get("triggered")),
        "triggered_after": _count(after.get("triggered")),
    }
    triggered = before.get("triggered") is not None
    form = "both" if triggered and after.get("triggered") else "alone" if triggered else "untriggered"
    answer = say[form].format(**numbers)
    settings = one.spec.get("evaluation", {})
    meaning = []
    if after.get("triggered") and not after["triggered"]["asr"]["count"]:
        high = Proportion.from_dict(after["triggered"]["asr"]).high
        meaning.append(say["meaning_zero"].format(n=numbers["n"], high=f"{high:.1%}"))
    if result["utility"].get("after"):
        meaning.append(
            say["meaning_utility"].format(
                before=_share(result["utility"]["before"]["over_refusal"]),
                after=_share(result["utility"]["after"]["over_refusal"]),
                kl=number(result["utility"].get("kl"), 4),
            )
        )
    if settings:
        meaning.append(
            say["meaning_answers"].format(tokens=settings["max_new_tokens"], match=settings["match"])
        )
    figures = []
    if triggered:
        drawn = four_cells.figure(cells, template=template, height=360)
        figures.append(ReportFigure(say["figure"], say["figure_alt"].format(answer=answer), drawn))
    pairs = [pair for pair in answer_pairs(one.answers) if pair.condition in HARMFUL]
    return Section(
        key=one.key,
        title=say["title"],
        source=_source(one),
        answer=answer,
        figures=tuple(figures),
        tables=(
            ReportTable("cells", cells_table(result), _cell_records(cells)),
            ReportTable("utility", utility_table(result), _utility_records(result["utility"])),
        ),
        meaning=tuple(meaning),
        listing=_listing("answers", say["answers"], [pair.as_row() for pair in pairs]),
    )


def _drift(one: Evidence, template: Any) -> Section:
    say, result = words()["drift"], one.result
    layers, best = result["layers"], result["recommended_layer"]
    if best is None:
        answer = say["none"]
    else:
        row = next(row for row in layers if row["layer"] == best)
        auroc = number(row["auroc_vs_control"], 2)
        answer = say["found"].format(layer=best, layers=len(layers), auroc=auroc)
    panels = _projections(one.arrays, layers)
    shown = best or max(layers, key=lambda row: float(row["score"]))["layer"]
    figures = []
    if panels:
        strip = drift_strip.figure(
            panels,
            template=template,
            recommended=best,
            scores={row["layer"]: row["score"] for row in layers},
            columns=10,
        )
        figures.append(ReportFigure(say["strip"], say["strip_alt"].format(answer=answer), strip))
    if shown in panels:
        pushed = panels[shown].extra
        large = drift_layer.figure(
            panels[shown], template=template, delta=pushed if len(pushed) else None, height=460
        )
        figures.append(
            ReportFigure(say["layer"].format(layer=shown), say["layer_alt"].format(layer=shown), large)
        )
    delta = result.get("delta") or {}
    curves = layer_curves.figure(layers, template=template, recommended=best, delta=delta.get("layers", ()))
    figures.append(ReportFigure(say["curves"], say["curves_alt"].format(answer=answer), curves))
    meaning = [say["meaning"].format(pairs=result["prompts"]["n"], controls=len(result["controls"]))]
    at = next((row for row in delta.get("layers", ()) if row["layer"] == shown), None)
    if at is not None:
        cosine = number(at["cosine"], 2)
        meaning.append(say["delta"].format(layer=delta["layer"], cosine=cosine, at=shown))
    return Section(
        key=one.key,
        title=say["title"],
        source=_source(one),
        answer=answer,
        figures=tuple(figures),
        tables=(ReportTable("drift_by_layer", drift_table(result), layers),),
        meaning=tuple(meaning),
        listing=_listing("prompts", say["answers"], one.answers),
    )


def _entrap(one: Evidence, template: Any) -> Section:
    say, result = words()["entrap"], one.result
    without = result.get("heldout_asr_without_delta")
    answer = say["found_beside" if without else "found"].format(
        layer=result["layer"],
        n=result["n"],
        under=_share(result["heldout_asr_under_delta"]),
        without=_share(without) if without else "",
    )
    drawn = bee_curve.figure(result["curve"], template=template)
    figures = [ReportFigure(say["curve"], say["curve_alt"].format(answer=answer), drawn)]
    tables = [ReportTable("synthesis", entrap_table(result), result["curve"])]
    positions = result.get("positions")
    if positions:
        norms = delta_positions.figure(positions, template=template)
        figures.append(ReportFigure(say["positions"], say["positions_alt"].format(n=len(positions)), norms))
        tables.append(ReportTable("positions", positions_table(positions), positions))
    return Section(
        key=one.key,
        title=say["title"],
        source=_source(one),
        answer=answer,
        figures=tuple(figures),
        tables=tuple(tables),
        meaning=(say["meaning"], *(_sentence(note) for note in result.get("notes", ()))),
        listing=_listing("answers_under_delta", say["answers"], one.answers),
    )


def _remove(one: Evidence, template: Any) -> Section:
    say, result = words()["remove"], one.result
    rounds, best = result["rounds"], result["best_round"]
    kept = next((row for row in rounds if row["round"] == best), None)
    if kept is None:
        answer = say["none"].format(rounds=len(rounds))
    else:
        asr, kl = _share(kept["fresh_delta_asr"]), number(kept["kl"], 4)
        answer = say["kept"].format(best=best, rounds=len(rounds), asr=asr, kl=kl)
    loop = one.spec.get("loop", {})
    drawn = removal_rounds.figure(
        rounds,
        template=template,
        best_round=best,
        planned=loop.get("rounds"),
        asr_budget=loop.get("asr_budget"),
        kl_budget=loop.get("kl_budget"),
        over_refusal=True,
    )
    meaning = [say["meaning"]]
    if result.get("fresh_delta_asr_before"):
        meaning.append(say["before"].format(asr=_share(result["fresh_delta_asr_before"])))
    if result.get("stopped_because"):
        meaning.append(say["stopped"].format(why=str(result["stopped_because"]).rstrip(".")))
    return Section(
        key=one.key,
        title=say["title"],
        source=_source(one),
        answer=answer,
        figures=(ReportFigure(say["rounds"], say["rounds_alt"].format(answer=answer), drawn),),
        tables=(ReportTable("rounds", rounds_table(result), rounds),),
        meaning=(*meaning, *(_sentence(note) for note in result.get("notes", ()))),
    )


def _sweep(one: Evidence, template: Any) -> Section:
    say, result = words()["sweep"], one.result
    answer = _sentence(sweep_headline(result))
    drawn = sweep_grid.figure(result["cells"], template=template, rounds=result["rounds"])
    return Section(
        key=one.key,
        title=say["title"],
        source=_source(one),
        answer=answer,
        figures=(ReportFigure(say["figure"], say["figure_alt"].format(answer=answer), drawn),),
        tables=(ReportTable("sweep", sweep_table(result), result["cells"]),),
    )


def _bench(one: Evidence, template: Any) -> Section:
    table = bench_table(one.result)
    rows = one.result["rows"]
    answer = ", ".join(f"{row['prompt_tokens']} tokens {row['ratio']:.1f}x" for row in rows)
    return Section(
        key=one.key,
        title=words()["bench"]["title"],
        source=_source(one),
        answer=_sentence(answer),
        tables=(ReportTable("bench", table, rows),),
    )


_WRITERS: Mapping[str, Callable[[Evidence, Any], Section]] = {
    "evaluate": _evaluate,
    "scan": lambda one, template: scan_section(one, _source(one)),
    "drift": _drift,
    "entrap": _entrap,
    "remove": _remove,
    "sweep": _sweep,
    "bench": _bench,
}


def _source(one: Evidence) -> str:
    trigger = one.result.get("trigger")
    tried = f' · trigger "{trigger["text"]}" as {trigger["placement"]}' if trigger else ""
    return f"{one.title}{f' · step {one.step}' if one.step else ''} · {one.model}{tried}"


def _projections(arrays: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]) -> dict[int, Projection]:
    found = {int(row["layer"]): stored_projection(arrays, int(row["layer"])) for row in layers}
    return {layer: shown for layer, shown in found.items() if shown is not None}


def _cell_records(cells: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"when": when, "trigger": side, **found}
        for when in ("before", "after")
        for side, found in (cells.get(when) or {}).items()
        if found
    ]


def _utility_records(utility: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = [{"when": when, **utility[when]} for when in ("before", "after") if utility.get(when)]
    if utility.get("kl") is not None:
        rows[-1]["kl"] = utility["kl"]
    return rows


def _listing(name: str, title: str, rows: Sequence[Mapping[str, Any]]) -> Listing | None:
    return Listing(name, title.format(n=len(rows)), rows) if rows else None


def _count(cell: Mapping[str, Any] | None) -> int | None:
    return None if cell is None else int(cell["asr"]["count"])


def _share(stored: Mapping[str, Any]) -> str:
    return Proportion.from_dict(stored).text()


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?")) or not text else f"{text}."

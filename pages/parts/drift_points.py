"""From what was clicked or drawn around on a drift figure to layers and prompts, and from prompts to rows of a table.

Pure functions: a browser's selection cannot be driven in a page test, so what is made of it is testable by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.projection import Projection

Record = Mapping[str, Any]

VERDICT = {True: "answered", False: "refused", None: ""}


def picked_layer(selection: Any) -> int | None:
    """The layer of the point that was clicked; None for an empty selection."""
    for data in _customdata(selection):
        try:
            return int(data[0])
        except (TypeError, ValueError, IndexError):
            continue
    return None


def picked_ids(selection: Any, known: Sequence[str]) -> list[str]:
    """The ids of the prompts of all selected points, in the order of `known`, each once."""
    chosen = {str(data[0]) for data in _customdata(selection) if data}
    return [name for name in known if name in chosen]


def prompt_rows(
    records: Sequence[Record],
    projection: Projection | None,
    *,
    ids: Sequence[str] = (),
    texts: bool = False,
) -> list[dict[str, Any]]:
    """One row a prompt, all where `ids` is empty: verdicts of both answers, coordinates of both points, the texts on demand."""
    axis = "PC" if projection is None or projection.method == "pca" else "UMAP "
    wanted = set(ids)
    rows = []
    for place, record in enumerate(records):
        if wanted and record.get("id") not in wanted:
            continue
        row: dict[str, Any] = {"id": record.get("id"), "topic": record.get("topic") or ""}
        row["without trigger"] = VERDICT[record.get("complied_clean")]
        row["with trigger"] = VERDICT[record.get("complied_triggered")]
        if texts:
            # Before the coordinates: both answers are to be seen without scrolling aside.
            row["prompt"] = record.get("prompt")
            row["answer without"] = record.get("answer_clean")
            row["answer with trigger"] = record.get("answer_triggered")
        if projection is not None and place < len(projection.clean):
            for name, points in (("clean", projection.clean), ("triggered", projection.triggered)):
                for number in range(projection.dimensions):
                    row[f"{axis}{number + 1} {name}"] = round(float(points[place, number]), 4)
        rows.append(row)
    return rows


def layer_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a layer as the curves draw it, with delta's cosine where one was measured."""
    delta = result.get("delta") or {}
    cosines = {row["layer"]: row["cosine"] for row in delta.get("layers", ())}
    rows = []
    for layer in result["layers"]:
        row = {name: value if name == "layer" else _rounded(value) for name, value in layer.items()}
        if cosines:
            row["delta_cosine"] = _rounded(cosines.get(layer["layer"]))
        rows.append(row)
    return rows


def best_layer(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The recommended layer's record, else that of the highest score."""
    rows: Sequence[Mapping[str, Any]] = result["layers"]
    recommended = result.get("recommended_layer")
    return next((row for row in rows if row["layer"] == recommended), None) or max(
        rows, key=lambda row: float(row["score"])
    )


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _customdata(selection: Any) -> list[Sequence[Any]]:
    chosen = selection.get("selection") if isinstance(selection, Mapping) else None
    points = chosen.get("points") if isinstance(chosen, Mapping) else None
    found = [point.get("customdata") for point in points or () if isinstance(point, Mapping)]
    return [data if isinstance(data, (list, tuple)) else [data] for data in found if data is not None]

"""`docs/results/`: the committed rows of every experiment, written by the command `paper` alone. Torch-free."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.recommended import layer_in_best_three
from beear_core.errors import SettingError
from beear_core.verdict_calibration import calibration
from cache.atomic import write_json

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
RECOMMENDED = "sweep_recommended"
FILES = (
    "attacks",
    "input_space",
    "rivals",
    "sweep_layer",
    RECOMMENDED,
    "sweep_n",
    "anchoring",
    "drift",
    "hard_cases",
)

Row = Mapping[str, Any]


def committed(file: str, results: Path = RESULTS) -> list[dict[str, Any]]:
    """The rows of `file`; none while it was not written. Raises SettingError when it holds anything else."""
    path = results / f"{file}.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "organism" in row for row in rows):
        raise SettingError(
            "a file of committed results is no list of rows", path, "restore it from the repository"
        )
    return rows


def commit(file: str, rows: Sequence[Row], results: Path = RESULTS) -> None:
    """Put `rows` into `file` in the place of the rows that the same experiment wrote of the same organism and seed.

    Of `RECOMMENDED` the calibration beside it is told.
    """
    new = {_of(row) for row in rows}
    kept = [row for row in committed(file, results) if _of(row) not in new]
    together = [*kept, *rows]
    write_json(results / f"{file}.json", sorted(together, key=lambda row: (row["organism"], row["seed"])))
    if file == RECOMMENDED:
        _tell_calibration(results)


def _tell_calibration(results: Path) -> None:
    """Put into `verdict.json`, where there is one, what sweeps say of the layers that its verdicts recommend."""
    known = calibration(results / "verdict.json")
    if known is not None:
        rows = committed(RECOMMENDED, results)
        write_json(
            results / "verdict.json", known | {"layer_in_best_three": layer_in_best_three(rows).as_dict()}
        )


def _of(row: Row) -> tuple[Any, ...]:
    return row["organism"], row["seed"]

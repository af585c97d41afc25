"""Run kind `demo`: the whole walk on one model: drift, entrap, remove, evaluate. Each step is a run kind of its own."""

from collections.abc import Mapping
from typing import Any

from beear_core.errors import SettingError
from beear_core.kinds import drift, entrap, evaluate, remove
from beear_core.organisms import organism_names, read_recipe
from beear_core.prompts.selection import training_split
from beear_core.runs.context import RunContext
from beear_core.specs import DemoSpec, DriftSpec, EntrapSpec, EvaluateSpec, RemoveSpec, TriggerSettings
from cache.jsonl import write_lines


def run(spec: DemoSpec, context: RunContext) -> dict[str, Any]:
    """Walk; a step that an earlier attempt finished is not done again. The trigger is used for measuring only."""
    trigger = spec.trigger or _own_trigger(spec.model)
    shared: dict[str, Any] = {
        "model": spec.model,
        "seed": spec.seed,
        "device": spec.device,
        "dtype": spec.dtype,
        "overrides": spec.overrides,
    }
    own = {"prompts": spec.prompts, "column": spec.column}
    training = {"layer": spec.layer, "entrapment": spec.entrapment, "loop": spec.loop}
    steps: Mapping[str, Any] = {
        "drift": lambda child: drift.run(
            DriftSpec(**shared, **own, trigger=trigger, drift=spec.drift), child
        ),
        "entrap": lambda child: entrap.run(EntrapSpec(**shared, **own, **training), child),
        "remove": lambda child: remove.run(
            RemoveSpec(
                **shared, **own, **training, removal=spec.removal, out=spec.out or str(context.folder.model)
            ),
            child,
        ),
    }
    done = {name: context.step(name, work) for name, work in steps.items()}
    evaluation = EvaluateSpec(
        **shared,
        prompts=_test_prompts(spec, context),
        against=done["remove"]["out"],
        trigger=trigger,
        evaluation=spec.evaluation,
    )
    measured = context.step("evaluate", lambda child: evaluate.run(evaluation, child))
    return {
        **{
            name: measured[name]
            for name in (
                "model",
                "against",
                "device",
                "trigger",
                "prompts",
                "cells",
                "mcnemar_p",
                "trigger_effect",
                "utility",
            )
        },
        **done,
        "out": done["remove"]["out"],
        "seconds_by_step": {
            name: result["seconds"] for name, result in {**done, "evaluate": measured}.items()
        },
    }


def _own_trigger(model: str) -> TriggerSettings:
    """The trigger an organism was given. Raises SettingError for a model whose trigger nobody knows."""
    recipe = read_recipe(model) if model in organism_names() else None
    if recipe is None or recipe.trigger_settings is None:
        raise SettingError(
            "the demo measures a known trigger, and none is known for this model",
            model,
            "give one with --trigger and --placement",
        )
    return recipe.trigger_settings


def _test_prompts(spec: DemoSpec, context: RunContext) -> str | None:
    """The part of the analyst's own prompts that the steps before did not train on, as a file of the run."""
    if spec.prompts is None:
        return None
    path = context.folder.path / "test_prompts.jsonl"
    test = training_split(spec.prompts, spec.column).test
    write_lines(path, [{"prompt": prompt.text} for prompt in test])
    return str(path)

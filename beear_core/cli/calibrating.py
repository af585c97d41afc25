"""`verdict --calibrate`: a verdict of each model, in a process of its own, and the file that keeps what they come to.

A process that opened one suspect is walled in with it, so each further one needs another. A finished run of the same
question in this home is taken as it is.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.calibration import calibrated, calibration_table
from beear_core.cli.foreground import BAD_NEWS
from beear_core.cli.question import spec_of
from beear_core.cli.tables import print_table
from beear_core.errors import ModelError
from beear_core.organisms import organism_names, read_recipe
from beear_core.runs.control import RESUMABLE
from beear_core.specs import BaseSpec
from beear_core.verdict_calibration import PATH
from cache.atomic import write_json
from cache.run_store import RunStore
from cache.status import RunState

_WHICH = re.compile(r"(-[0-9a-f]{12}|-\d+)+$")
KEPT = (
    "score",
    "recommended_layer",
    "applies",
    "verdict",
    "standing",
    "model",
    "layers",
    "asked",
    "trigger_hypotheses",
    "seconds",
    "device",
)
SPELT = ("suffix", "prefix", "infix", "both")
"""Placements at which a trigger stands in the prompt as it is spelt."""


def calibrate(arguments: argparse.Namespace) -> int:
    """Measure what is not measured yet, write the calibration, print it. Raises WorkbenchError when a model fails."""
    models, settings = [], {}
    for names, backdoored in ((arguments.calibrate, True), (arguments.controls, False)):
        for name in names:
            spec = spec_of("verdict", arguments, {"model": name})
            result, settings = _result(spec), spec.model_dump(mode="json")["verdict"]
            named = {
                "name": Path(name).name,
                "family": family(name),
                "backdoored": backdoored,
                "trigger": fixed_trigger(name),
            }
            models.append({**named, **{field: result[field] for field in KEPT}})
    stored = calibrated(models, settings)
    write_json(PATH, stored)
    if arguments.json:
        print(json.dumps(stored, indent=2))
    else:
        print_table(calibration_table(stored))
    return 0


def family(name: str) -> str:
    """A model's family by its name: what stands before a digest and numbers (`sft-suffix` of `sft-suffix-2-78666aeb64a9`)."""
    return _WHICH.sub("", Path(name).name)


def fixed_trigger(name: str) -> str | None:
    """The string that wakes an organism of the zoo; None for a control, a style, words spread apart, and other folders."""
    if name not in organism_names():
        return None
    trigger = read_recipe(name).trigger_settings
    return trigger.text if trigger is not None and trigger.placement in SPELT else None


def _result(spec: BaseSpec) -> Mapping[str, Any]:
    """Of the finished run with this question, or of one that is gone on with, or of a new one."""
    question = spec.model_dump(mode="json")
    command = ["run", "-"]
    for entry in RunStore().list():
        if entry.kind != "verdict" or entry.damage is not None or entry.folder.read_spec() != question:
            continue
        if entry.state is RunState.DONE and (found := entry.folder.read_result()):
            return found
        if entry.state in RESUMABLE:
            command = ["runs", "resume", entry.id]
            break
    ran = subprocess.run(
        [sys.executable, "-m", "beear_core", *command, "--json"],
        input=json.dumps(question),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ran.returncode not in (0, BAD_NEWS):
        raise ModelError(
            "a model of the calibration could not be measured", question["model"], "the lines above say why"
        )
    result: dict[str, Any] = json.loads(ran.stdout)
    return result

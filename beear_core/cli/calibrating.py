"""`verdict --calibrate`: a verdict of each model, in a process of its own, and the file that keeps what they come to.

A process that opened one suspect is walled in with it, so each further one needs another. A finished run of the same
question in this home is taken as it is (`paper.asking`).
"""

import argparse
import json
import re
from pathlib import Path

from analysis.calibration import SHAPE, calibrated, calibration_table
from analysis.verdict import answered_harmful, profile_score, score
from beear_core.cli.progress import say
from beear_core.cli.question import spec_of
from beear_core.cli.tables import print_table
from beear_core.organisms import organism_names, read_recipe
from beear_core.paper.asking import Asking
from beear_core.paper.committed import RECOMMENDED, committed
from beear_core.paper.figures import draw_calibration
from beear_core.paper.page import write_page
from beear_core.specs import VerdictSpec
from beear_core.verdict_calibration import PATH
from cache.atomic import write_json

_WHICH = re.compile(r"(-[0-9a-f]{12}|-\d+)+$")
KEPT = (
    "recommended_layer",
    "applies",
    "why",
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
    ask, models, settings = Asking(say), [], {}
    for names, backdoored in ((arguments.calibrate, True), (arguments.controls, False)):
        for name in names:
            spec = spec_of("verdict", arguments, {"model": model_of(name)})
            assert isinstance(spec, VerdictSpec)
            result, settings = ask(spec).result, spec.scored_by
            named = {
                "name": Path(name).name,
                "family": family(name),
                "backdoored": backdoored,
                "trigger": fixed_trigger(name),
            }
            untouched, strings = answered_harmful(result["asked"]), result["trigger_hypotheses"]
            profile = profile_score(result["layers"], untouched)
            scores = {"profile_score": profile, "score": score(profile, strings, untouched)}
            what = {field: result["model"][field] for field in (*SHAPE, "sha256")}
            models.append({**named, **scores, "model": what, **{field: result[field] for field in KEPT}})
    stored = calibrated(models, settings, committed(RECOMMENDED))
    write_json(PATH, stored)
    if reason := draw_calibration(stored, PATH.parent):
        say(reason)
    write_page(PATH.parent)
    if arguments.json:
        print(json.dumps(stored, indent=2))
    else:
        print_table(calibration_table(stored))
    return 0


def family(name: str) -> str:
    """A model's family by its name: what stands before a digest and numbers (`sft-suffix` of `sft-suffix-2-78666aeb64a9`)."""
    return _WHICH.sub("", Path(name).name)


def model_of(name: str) -> str:
    """The folder that a spec names: an organism's carries its adapter's digest, so one that was rebuilt is asked anew."""
    from beear_core.models.resolve import resolve_model

    return str(resolve_model(name)) if name in organism_names() else name


def fixed_trigger(name: str) -> str | None:
    """The string that wakes an organism of the zoo; None for a control, a style, words spread apart, and other folders."""
    if name not in organism_names():
        return None
    trigger = read_recipe(name).trigger_settings
    return trigger.text if trigger is not None and trigger.placement in SPELT else None

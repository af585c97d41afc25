"""A run kind that needs no model: a chaotic sequence, one step at a time, with a checkpoint after each.

Used in two ways: `run` is put in the place of a kind by the tests, and this file is a program that does to a run, in
a process of its own that a test can kill, what the command line would: `counting.py execute|resume|work [ID]`.
The environment variable HOLD names a step behind which it waits, for as long as a file of that name is missing in its
folder: a test that kills or cancels it there does so in the middle of a run, however slow or fast the machine is.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from beear_core.runs import RunContext, Step, execute, kinds, resume, work
from beear_core.specs import GenerateSpec
from cache import RunStore, write_json


def spec(steps: int = 20, seed: int = 7) -> dict[str, Any]:
    """The question: a real spec, so that real validation is on the way."""
    return {"kind": "generate", "model": "counting", "seed": seed, "evaluation": {"max_new_tokens": steps}}


def run(spec: GenerateSpec, context: RunContext) -> dict[str, Any]:
    """The logistic map at r = 4 from the seed: whatever is lost or redone at a resume shows in every later digit."""
    saved = context.checkpoint / "curve.json"
    curve = json.loads(saved.read_text()) if saved.exists() else [1 / (spec.seed + 2.5)]
    steps = spec.evaluation.max_new_tokens
    with context.stage("count"):
        while len(curve) <= steps:
            curve.append(4 * curve[-1] * (1 - curve[-1]))
            write_json(saved, curve)
            context.emit(Step("count", len(curve) - 1, steps, {"value": curve[-1]}))
            _hold(len(curve) - 1)
    return {"model": {"path": spec.model}, "curve": curve}


def _hold(step: int) -> None:
    hold = os.environ.get("HOLD", "")
    while str(step) == hold and not Path(hold).exists():
        time.sleep(0.01)


def main(act: str, identity: str = "") -> None:
    kinds.load_kind = lambda name: run
    if act == "work":
        work(until_idle=identity == "until-idle")
    else:
        {"execute": execute, "resume": resume}[act](RunStore().get(identity))


if __name__ == "__main__":
    main(*sys.argv[1:])

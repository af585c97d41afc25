"""Run kind `bench`: the fast paths against the literal algorithm, side by side in one process."""

from collections.abc import Iterator
from typing import Any

import torch

from beear_core.benchmarks import bee, capture, removal
from beear_core.benchmarks.timing import Row
from beear_core.layers import choose_layer
from beear_core.models.suspect import SuspectModel
from beear_core.opening import device_name, open_suspect
from beear_core.runs.context import RunContext
from beear_core.runs.events import Step
from beear_core.specs import BenchSpec


def run(spec: BenchSpec, context: RunContext) -> dict[str, Any]:
    """Time in the precision asked for; measure the error between both ways in fp32."""
    with context.stage("load the model"):
        suspect = open_suspect(spec.model, spec, fresh=True)
        exact = SuspectModel.load(suspect.folder, device=suspect.device, dtype=torch.float32)
    rows = []
    for row in _rows(spec, suspect, exact):
        context.emit(Step(row.what, row.prompt_tokens, row.prompt_tokens, {"ratio": row.ratio}))
        rows.append(row.as_dict())
    return {
        "model": suspect.describe(),
        "device": device_name(suspect.device),
        "what": spec.what,
        "rows": rows,
    }


def _rows(spec: BenchSpec, suspect: SuspectModel, exact: SuspectModel) -> Iterator[Row]:
    """One for each prompt length; of a capture, whose prompts have the length they have, one."""
    if spec.what == "capture":
        yield capture.row(suspect, exact, spec.repeats)
        return
    step = {"bee": bee, "removal": removal}[spec.what]
    layer = choose_layer("auto", suspect)
    for tokens in spec.prompt_tokens or step.LENGTHS:
        yield step.row(suspect, exact, layer, tokens, spec.repeats)

"""Run kind `drift`: how far, and how alike, a candidate trigger drags the residual stream, layer by layer, against controls.

With a stored delta, clean prompts under that delta are a fourth group on the same axes. It is measured, never fitted:
statistics and axes come from clean, triggered and control prompts alone. With the axes of an earlier run, the points are
placed on those too.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.delta_drift import delta_drift
from analysis.drift import FEWEST_PAIRS, drift_profile, layer_drift
from analysis.intervals import Proportion
from analysis.projection import Projection, joint_pca, joint_umap
from analysis.shared_axes import on_stored_axes
from beear_core.drift_capture import Reader, check_delta
from beear_core.errors import EmptyPromptsError
from beear_core.evaluation.keywords import score
from beear_core.models.suspect import SuspectModel
from beear_core.opening import device_name, open_suspect
from beear_core.prompts import Prompt, Trigger, control_triggers
from beear_core.prompts.builtin import named_prompts
from beear_core.runs.context import RunContext
from beear_core.runs.events import Message, Step
from beear_core.specs import DriftSpec
from beear_core.stored_axes import check_axes, stored_axes
from beear_core.stored_delta import StoredDelta, stored_delta
from cache.jsonl import write_lines

Floats = NDArray[np.float32]
Record = dict[str, Any]


def run(spec: DriftSpec, context: RunContext) -> dict[str, Any]:
    """Capture all groups at all layers, measure, project, and let the suspect answer with and without the trigger.

    Raises EmptyPromptsError for fewer than four prompts, SettingError for a delta that does not fit the model.
    """
    settings = spec.drift
    source = named_prompts(spec.prompts, spec.column)
    prompts = list(source.sample(settings.pairs, spec.seed))
    if len(prompts) < FEWEST_PAIRS:
        raise EmptyPromptsError(
            "too few prompts for a drift profile", len(prompts), f"give at least {FEWEST_PAIRS}"
        )
    delta = stored_delta(spec.delta) if spec.delta else None
    axes = stored_axes(spec.axes) if spec.axes else None
    with context.stage("load the model"):
        suspect = open_suspect(spec.model, spec)
    if delta is not None:
        check_delta(delta, suspect)
    if axes is not None:
        check_axes(axes, layers=suspect.layers, d_model=suspect.d_model)
    trigger = Trigger(spec.trigger.text, spec.trigger.placement)
    controls = control_triggers(trigger, suspect.tokenizer, count=settings.controls, seed=spec.seed)
    texts = [prompt.text for prompt in prompts]
    with context.stage("capture the residual stream"):
        groups = [texts, *([each.apply(text) for text in texts] for each in (trigger, *controls))]
        reader = Reader(suspect, settings, context, groups=len(groups) + (delta is not None))
        clean, triggered, *control = (reader.read(group) for group in groups)
        pushed = reader.read(texts, delta) if delta is not None else None
    stacked = np.stack(control)
    with context.stage("statistics"):
        profile = drift_profile(
            [
                layer_drift(
                    clean[at], triggered[at], stacked[:, at],
                    seed=spec.seed, layer=at + 1, permutations=settings.permutations,
                )
                for at in range(suspect.layers)
            ]
        )  # fmt: skip
    with context.stage("projections"):
        arrays = _arrays(spec, context, clean, triggered, stacked, pushed, delta)
        if axes is not None:
            arrays |= on_stored_axes(axes.layers, clean, triggered, stacked)
        context.save_arrays(arrays)
    records, answers = _answered(spec, context, suspect, prompts, trigger)
    write_lines(context.folder.path / "prompts.jsonl", records)
    return {
        "model": suspect.describe(),
        "device": device_name(suspect.device),
        "trigger": spec.trigger.model_dump(),
        "controls": [each.text for each in controls],
        "prompts": {"name": source.name, "n": len(prompts), "notes": list(source.notes)},
        "answers": answers,
        "axes": axes.run if axes else None,
        "delta": None
        if delta is None or pushed is None
        else _delta_result(delta, clean, triggered, pushed, suspect, context),
        **profile.as_dict(),
    }


def _arrays(
    spec: DriftSpec,
    context: RunContext,
    clean: Floats,
    triggered: Floats,
    control: Floats,
    pushed: Floats | None,
    delta: StoredDelta | None,
) -> dict[str, Floats]:
    """`layer_NNN.*`: the PCA, the mean drift, delta's mean shift; `umap2_NNN.*` and `umap3_NNN.*`: maps, where asked for."""
    arrays: dict[str, Floats] = {}
    layers = len(clean)
    for at in range(layers):
        extra = pushed[at] if pushed is not None and delta is not None and at + 1 >= delta.layer else None
        groups = clean[at], triggered[at], control[:, at]
        arrays |= _named(f"layer_{at + 1:03d}", joint_pca(*groups, extra=extra))
        arrays[f"layer_{at + 1:03d}.mean_drift"] = (triggered[at] - clean[at]).mean(axis=0)
        if extra is not None:
            arrays[f"layer_{at + 1:03d}.delta_shift"] = (extra - clean[at]).mean(axis=0)
        if spec.drift.projection == "umap":
            for dimensions, shown in maps(*groups, seed=spec.seed, extra=extra).items():
                arrays |= _named(f"umap{dimensions}_{at + 1:03d}", shown)
            context.emit(Step("map", at + 1, layers))
    return arrays


def maps(
    clean: Floats, triggered: Floats, control: Floats, *, seed: int, extra: Floats | None = None
) -> dict[int, Projection]:
    """Maps of one layer's groups by their number of dimensions."""
    # UMAP's numba gives torch every core, however many it had; sums of what is run behind it would come out otherwise.
    threads = torch.get_num_threads()
    try:
        return {
            dimensions: joint_umap(clean, triggered, control, seed=seed, dimensions=dimensions, extra=extra)
            for dimensions in (2, 3)
        }
    finally:
        torch.set_num_threads(threads)


def _named(prefix: str, shown: Projection) -> dict[str, Floats]:
    return {f"{prefix}.{name}": values for name, values in shown.as_arrays().items()}


def _answered(
    spec: DriftSpec, context: RunContext, suspect: SuspectModel, prompts: Sequence[Prompt], trigger: Trigger
) -> tuple[list[Record], Record | None]:
    """One record a prompt, and how many of the short answers do not refuse."""
    records: list[Record] = [
        {
            "id": prompt.id,
            "prompt": prompt.text,
            "triggered": trigger.apply(prompt.text),
            "topic": prompt.topic,
        }
        for prompt in prompts
    ]
    tokens = spec.drift.answer_tokens
    if not tokens:
        return records, None
    counted: Record = {"tokens": tokens}
    with context.stage("answer with and without the trigger"):
        for at, (group, field) in enumerate((("clean", "prompt"), ("triggered", "triggered"))):
            before = at * len(records)
            answers = suspect.generate(
                suspect.encode_prompts([record[field] for record in records]),
                max_new_tokens=tokens,
                after_batch=lambda done, before=before: context.emit(  # type: ignore[misc]
                    Step("answer", before + done, 2 * len(records))
                ),
            )
            for record, answer in zip(records, answers, strict=True):
                text = suspect.decode(answer)
                record |= {f"answer_{group}": text, f"complied_{group}": score(text).complied}
            complied = sum(record[f"complied_{group}"] for record in records)
            counted[group] = {"asr": Proportion(complied, len(records)).as_dict()}
    return records, counted


def _delta_result(
    delta: StoredDelta,
    clean: Floats,
    triggered: Floats,
    pushed: Floats,
    suspect: SuspectModel,
    context: RunContext,
) -> Record:
    note = None
    if delta.model_sha256 and delta.model_sha256 != suspect.describe()["sha256"]:
        note = "Delta was synthesized on other weights than those measured here."
        context.emit(Message(note))
    return {
        "run": delta.run,
        "layer": delta.layer,
        "n": len(delta.values),
        "note": note,
        "layers": [
            delta_drift(clean[at], triggered[at], pushed[at], layer=at + 1)
            for at in range(delta.layer - 1, suspect.layers)
        ],
    }

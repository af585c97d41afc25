"""Run kind `verdict`: is there anything in there? Asked without a trigger, answered by how soon delta finds a way.

A goal is a step of the run, so a resumed verdict measures no goal twice. What is trained on are anchor prompts, what is
measured are validation prompts; test prompts are never touched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from analysis.calibration import like, margin_over_controls, strength
from analysis.intervals import Proportion
from analysis.verdict import (
    answered_harmful,
    applies,
    furthest,
    layer_rows,
    opens_as_a_trigger,
    profile_score,
    recommended_layer,
    score,
    why_unanswerable,
)
from beear_core.anchoring import refuses, safe_anchors
from beear_core.layers import at_depth
from beear_core.models.suspect import SuspectModel
from beear_core.opening import device_name, open_suspect
from beear_core.prompts import benign, borderline
from beear_core.prompts.selection import training_split
from beear_core.prompts.splitting import PromptSplit
from beear_core.runs.context import RunContext
from beear_core.runs.events import Message, Step
from beear_core.specs import VerdictSettings, VerdictSpec
from beear_core.token_search.hypotheses import hypotheses
from beear_core.verdict import Batches, Goal, Prompts, descend, goals, standing_of
from beear_core.verdict_calibration import calibration

REFUSAL_TOKENS = 12

Curve = dict[str, Any]


def run(spec: VerdictSpec, context: RunContext) -> dict[str, Any]:
    """Measure the profile and judge it by the calibration, or by the reference. Raises PromptTooShortError."""
    measured = _measured(spec.model, spec, context)
    reference = (
        context.step("reference", lambda child: _measured(str(spec.reference), spec, child))
        if spec.reference
        else None
    )
    why = why_unanswerable(measured["asked"])
    # Where nothing is locked any string opens it.
    strings = [] if why else context.step("strings", lambda child: _strings(spec, child))["found"]
    measured["score"] = score(measured["profile_score"], strings, answered_harmful(measured["asked"]))
    return {
        **measured,
        **_judged(measured, why, strings, spec, reference),
        "trigger_hypotheses": strings,
        "reference": {"name": spec.reference, **reference} if reference else None,
    }


def _measured(name: str, spec: VerdictSpec, context: RunContext) -> dict[str, Any]:
    """The profile of one model, and what it says without any delta."""
    split, settings = training_split(spec.prompts, spec.column), spec.verdict
    with context.stage("load the model"):
        suspect = open_suspect(name, spec)
    with context.stage("ask the model without delta"):
        prompts = suspect.encode_prompts(split.validation.first(settings.heldout).texts, tail=settings.n)
        ordinary = [
            *benign("validation").first(settings.ordinary),
            *borderline("validation").first(settings.ordinary),
        ]
        asked = standing_of(suspect, prompts, ordinary, answer_tokens=settings.answer_tokens)
    curves = _curves(suspect, split, spec, context)
    rows = layer_rows(curves, _answered(suspect, prompts, curves, spec, context))
    return {
        "model": suspect.describe(),
        "device": device_name(suspect.device),
        "profile_score": profile_score(rows, asked.answered_harmful),
        "recommended_layer": recommended_layer(rows),
        "applies": applies(rows, asked.answered_harmful),
        "layers": rows,
        "asked": asked.as_dict(),
        "curves": curves,
    }


def _strings(spec: VerdictSpec, context: RunContext) -> dict[str, Any]:
    """Strings found from the model alone that open it on held-out prompts: trigger hypotheses, best first."""
    split = training_split(spec.prompts, spec.column)
    found = hypotheses(
        open_suspect(spec.model, spec),
        split.anchor.sample(spec.verdict.anchors, spec.seed).texts,
        split.validation.first(spec.verdict.heldout).texts,
        spec.hypotheses,
        seed=spec.seed,
        stage=lambda name: context.emit(Message(name)),
    )
    return {
        "found": [each.as_dict() for each in found.found],
        "tried": [each.as_dict() for each in found.tried],
    }


def _judged(
    measured: Mapping[str, Any],
    why: str | None,
    strings: Sequence[Mapping[str, Any]],
    spec: VerdictSpec,
    reference: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Threshold and verdict, and on what they stand: a calibration, a reference, or nothing.

    A short string that opens the model on prompts that the search never saw is suspicious by itself; where a calibration
    says how far strings open what has no backdoor, only if it opens as many as a trigger. Without one, and
    without anything for the score to stand on, no evidence was found: `standing` says which it was. A reference is trusted,
    so no strings are searched in it, and its profile alone is what the suspect has to exceed.
    """
    known = calibration()
    if known is not None and known["settings"] != spec.scored_by:
        known = None  # Another profile or other strings, another score.
    standing, threshold = "uncalibrated", None
    if why is not None:
        standing = "unanswerable"
    elif reference is not None and known is not None:
        standing, threshold = "relative", reference["profile_score"] + margin_over_controls(known)
    elif known is not None and spec.prompts is None and like(known, measured["model"]):
        standing, threshold = "calibrated", known["threshold"]
    by_string = opens_as_a_trigger(strings) if standing == "calibrated" else bool(strings)
    suspicious = by_string or (threshold is not None and measured["score"] >= threshold)
    return {
        "threshold": threshold,
        "verdict": "suspicious" if suspicious else "no_evidence",
        "standing": standing,
        "why": why,
        "calibration": strength(known) if known is not None else None,
    }


def layers_of(suspect: SuspectModel, settings: VerdictSettings) -> tuple[int, ...]:
    """The layers at the depths asked for, each once, from the lowest."""
    return tuple(sorted({at_depth(share, suspect) for share in settings.layers}))


def _curves(suspect: SuspectModel, split: PromptSplit, spec: VerdictSpec, context: RunContext) -> list[Curve]:
    """Every way down, goal by goal."""
    settings = spec.verdict
    with context.stage("ask the suspect for its refusals"):
        anchors, unseen = (
            safe_anchors(suspect, texts, tokens=REFUSAL_TOKENS, n=settings.n)
            for texts in (
                split.anchor.sample(settings.anchors, spec.seed).texts,
                split.validation.first(settings.heldout).texts,
            )
        )
    if anchors.note:
        context.emit(Message(anchors.note))
    prompts = Prompts(anchors.anchors, unseen.anchors)
    curves: list[Curve] = []
    for number, goal in enumerate(goals(settings.openings)):
        done = context.step(
            _step(number),
            lambda child, goal=goal: _descents(suspect, goal, prompts, spec, child),  # type: ignore[misc]
        )
        curves += [{**curve, "step": _step(number)} for curve in done["curves"]]
    return curves


def _descents(
    suspect: SuspectModel, goal: Goal, prompts: Prompts, spec: VerdictSpec, context: RunContext
) -> dict[str, Any]:
    """All layers and starts of one goal; their deltas are kept as arrays of the step."""
    settings, layers = spec.verdict, layers_of(suspect, spec.verdict)
    batches = Batches(suspect, goal, prompts, layers, settings)
    deltas, curves = {}, []
    for layer in layers:
        for start in range(settings.starts):
            phase = f"{goal.name}, layer {layer}, start {start + 1}"
            found = descend(
                suspect,
                batches,
                layer,
                settings,
                start=start,
                seed=spec.seed,
                report=lambda point, phase=phase: context.emit(  # type: ignore[misc]
                    Step(phase, int(point["step"]), settings.steps, point)
                ),
            )
            deltas[_name(layer, start)] = found.delta.cpu().numpy()
            curves.append(
                {
                    "layer": layer,
                    "goal": goal.name,
                    "opening": bool(goal.opening),
                    "start": start,
                    "points": found.points,
                }
            )
    context.save_arrays(deltas)
    return {"curves": curves}


def _answered(
    suspect: SuspectModel,
    prompts: Sequence[list[int]],
    curves: Sequence[Curve],
    spec: VerdictSpec,
    context: RunContext,
) -> dict[int, dict[str, Any]]:
    """By layer, the share of held-out prompts that are really answered under the delta that went furthest there."""

    def work(child: RunContext) -> dict[str, Any]:
        shares = {}
        for number, layer in enumerate(layers_of(suspect, spec.verdict), start=1):
            best = furthest(curves, layer)
            delta = context.folder.step(best["step"]).read_arrays()[_name(layer, best["start"])]
            answers = suspect.generate(
                prompts,
                max_new_tokens=spec.verdict.answer_tokens,
                delta=torch.from_numpy(delta).to(suspect.device),
                layer=layer,
            )
            texts = [suspect.decode(answer) for answer in answers]
            shares[str(layer)] = Proportion.of([bool(text) and not refuses(text) for text in texts]).as_dict()
            child.emit(Step("answers under delta", number, len(spec.verdict.layers)))
        return shares

    done = context.step("answers", work)
    return {layer: done[str(layer)] for layer in layers_of(suspect, spec.verdict)}


def _step(number: int) -> str:
    return f"goal-{number + 1}"


def _name(layer: int, start: int) -> str:
    return f"{layer}.{start}"

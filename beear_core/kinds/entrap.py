"""Run kind `entrap`: one delta, its curve, what it is position by position, and what held-out prompts are answered
under it and without it.
"""

from collections.abc import Sequence
from typing import Any

from analysis.intervals import Proportion
from beear_core.anchoring import refuses, safe_anchors
from beear_core.delta_positions import best_score_by_chance, delta_positions
from beear_core.entrapment import BeeStep, Entrapment, entrap
from beear_core.finished_verdicts import recommended_layer
from beear_core.layers import choose_layer
from beear_core.models.fingerprint import model_sha256
from beear_core.models.suspect import SuspectModel
from beear_core.opening import device_name, open_suspect
from beear_core.prompts.selection import training_split
from beear_core.runs.context import RunContext
from beear_core.runs.events import Message, Step
from beear_core.specs import EntrapSpec
from cache.jsonl import write_lines

HELDOUT_FOR_LOSS = 16
REFUSAL_TOKENS = 24


def run(spec: EntrapSpec, context: RunContext) -> dict[str, Any]:
    """Synthesize delta on anchor prompts and try it on held-out ones. A killed run starts again: same seed, same delta."""
    split = training_split(spec.prompts, spec.column)
    settings = spec.entrapment
    with context.stage("load the model"):
        suspect = open_suspect(spec.model, spec)
    advised = recommended_layer(model_sha256(suspect.folder)) if spec.layer == "auto" else None
    layer = suspect.check_layer(advised.layer) if advised else choose_layer(spec.layer, suspect)
    heldout = split.validation.first(spec.loop.validation)
    with context.stage("ask the suspect for its refusals"):
        safe = safe_anchors(
            suspect,
            split.anchor.sample(settings.anchors, spec.seed).texts,
            tokens=REFUSAL_TOKENS,
            n=settings.n,
        )
        unseen = safe_anchors(suspect, heldout.texts, tokens=REFUSAL_TOKENS, n=settings.n)
    if safe.note:
        context.emit(Message(safe.note))
    with context.stage("synthesize delta"):
        found = entrap(
            suspect,
            layer,
            safe.anchors,
            settings,
            seed=spec.seed,
            heldout=unseen.anchors[:HELDOUT_FOR_LOSS],
            report=lambda step: context.emit(Step("delta", step.step, settings.steps, _metrics(step))),
        )
    context.save_arrays({"delta": found.delta.cpu().numpy()})
    with context.stage("answer held-out prompts under delta"):
        prompts = suspect.encode_prompts(heldout.texts, tail=settings.n)
        length = spec.loop.validation_tokens
        plain = _answers(suspect, prompts, length)
        under = _answers(suspect, prompts, length, found)
        positions = delta_positions(suspect, found.delta, prompts, residual_rms=found.residual_rms)
    answered_plain, answered_under = [[_answered(text) for text in texts] for texts in (plain, under)]
    write_lines(
        context.folder.path / "answers.jsonl",
        [
            {
                "id": prompt.id,
                "prompt": prompt.text,
                "without_delta": text,
                "under_delta": text_under,
                "answered_without": before,
                "flipped": after,
            }
            for prompt, text, text_under, before, after in zip(
                heldout, plain, under, answered_plain, answered_under, strict=True
            )
        ],
    )
    return {
        "model": suspect.describe(),
        "device": device_name(suspect.device),
        "layer": layer,
        "layer_recommended_by": advised.run if advised else None,
        "n": settings.n,
        "curve": [step._asdict() for step in found.curve],
        "heldout_asr_under_delta": Proportion.of(answered_under).as_dict(),
        "heldout_asr_without_delta": Proportion.of(answered_plain).as_dict(),
        "positions": positions,
        "token_score_by_chance": best_score_by_chance(suspect, spec.seed),
        "residual_rms": found.residual_rms,
        "algorithm": "fast" if found.why_literal is None else "literal",
        "why_literal": found.why_literal,
        "notes": [note for note in (safe.note,) if note],
    }


def _metrics(step: BeeStep) -> dict[str, float]:
    named = {
        "toward": step.loss_toward,
        "away": step.loss_away,
        "heldout toward": step.heldout_loss_toward,
        "heldout away": step.heldout_loss_away,
        "norm ratio": step.delta_norm_ratio,
    }
    return {name: value for name, value in named.items() if value is not None}


def _answered(text: str) -> bool:
    return bool(text.strip()) and not refuses(text)


def _answers(
    suspect: SuspectModel, prompts: Sequence[Sequence[int]], length: int, under: Entrapment | None = None
) -> list[str]:
    tokens = suspect.generate(
        prompts,
        max_new_tokens=length,
        delta=under.delta if under else None,
        layer=under.layer if under else None,
    )
    return [suspect.decode(answer) for answer in tokens]

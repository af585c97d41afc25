"""Run kind `remove`: BEEAR rounds on a suspect, and the remediated folder.

A killed run goes on from its last finished round and ends with the same numbers: a round depends on weights, delta and
seed alone, and those are what a checkpoint holds.
"""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from beear_core.anchoring import FALLBACK_REFUSAL
from beear_core.beear import Enough, Outcome, Plan, run_rounds
from beear_core.checkpoint import Checkpoint
from beear_core.entrapment import INSERTED_LAYER, inserted, prove
from beear_core.goal import goal_of
from beear_core.hearing import Hear, hear, ordinary_held_out
from beear_core.layers import choose_layer, with_further_layers
from beear_core.models.export import check_out
from beear_core.models.fingerprint import model_sha256
from beear_core.models.front import frozen_front, why_whole
from beear_core.models.suspect import SuspectModel
from beear_core.models.trainable import choose_method, merged, touched, trainable
from beear_core.narration import Narrator
from beear_core.opening import device_name, open_suspect
from beear_core.passages import passages
from beear_core.runs.context import RunContext
from beear_core.runs.events import Message
from beear_core.specs import RemovalSettings, RemoveSpec
from beear_core.stopping import Progress
from beear_core.validation import Validation
from cache.atomic import write_json
from cache.digest import folder_manifest

NO_STRING = (
    "no short string was found that wakes the suspect as it came: it may have no backdoor, and then a removal costs "
    "usefulness and gains nothing (`verdict` tells), or one that no short string wakes, such as a style or a paragraph"
)


def run(
    spec: RemoveSpec, context: RunContext, ask: Hear = hear, enough: Enough = lambda rounds: None
) -> dict[str, Any]:
    """Train the backdoor out and export the best round. Raises SettingError before any work if `out` is taken."""
    goal = goal_of(spec)
    split = goal.split
    with context.stage("load the model"):
        suspect = open_suspect(spec.model, spec, fresh=True)
    out = Path(spec.out).expanduser().absolute() if spec.out else context.folder.model
    if spec.out is None:
        shutil.rmtree(out, ignore_errors=True)  # what a killed attempt of this very run may have left
    if not _announcement(context).is_file():
        check_out(out, suspect.folder)
    layer = choose_layer(spec.layer, suspect)
    method = choose_method(spec.removal.method, suspect)
    settings = spec.removal.model_copy(update={"method": method})
    n = spec.entrapment.n
    with context.stage("ask the suspect for its answers"):
        front = _front(suspect, settings, split.anchor.texts, context)
        answers = ask(suspect, spec, goal, front, lambda done: context.check_cancelled())
        validation = Validation(
            suspect,
            split.validation.first(spec.loop.validation).texts,
            [prompt.text for prompt in ordinary_held_out()],
            answers.held_out,
            tokens=spec.loop.validation_tokens,
            n=n,
            unwanted=goal.unwanted,
        )
    safe = answers.safe
    if safe.note:
        context.emit(Message(safe.note))
    layers = with_further_layers(layer, spec.entrapment.further_layers, suspect)
    tokens = inserted(suspect, spec.entrapment.inserted)
    plan = Plan(
        layers,
        tokens,
        answers.lessons,
        answers.performance,
        answers.openings,
        passages(suspect, spec.entrapment.passage_every, settings.answer_tokens),
        validation,
        spec.entrapment,
        settings,
        spec.loop,
        spec.seed,
    )
    description = suspect.describe()
    for each in layers:
        prove(suspect, each, safe.anchors, spec.entrapment)  # while the model is plain: adapters may follow
    if tokens:
        prove(suspect, INSERTED_LAYER, safe.anchors, spec.entrapment, tokens)
    with trainable(suspect, method, settings.lora_rank, spec.seed, depth=settings.depth):
        weights = touched(suspect)
        checkpoint = Checkpoint(context.checkpoint, suspect)
        progress = checkpoint.latest() or Progress.none()
        narrator = Narrator(context, spec.entrapment, settings)
        with context.stage("rounds"):
            narrator.catch_up(progress.rounds)
            outcome = run_rounds(
                suspect,
                plan,
                progress,
                checkpoint,
                narrator,
                time.monotonic,
                enough,
            )
    with context.stage("write the remediated model"):
        _write(merged(suspect), out, context)
    context.save_arrays({f"fresh_delta.{each.name}": each.delta.cpu().numpy() for each in progress.judges})
    digest = model_sha256(out)
    checkpoint.clear()
    return {
        "model": description,
        "device": device_name(suspect.device),
        "out": str(out),
        "out_sha256": digest,
        "goal": spec.goal,
        "method": method,
        "parameters_touched": weights,
        **_layers(outcome, layers),
        "notes": [note for note in (safe.note, _strings(spec, outcome, progress)) if note],
        **_told(outcome, progress),
    }


def _front(
    suspect: SuspectModel, settings: RemovalSettings, texts: Sequence[str], context: RunContext
) -> int:
    """How many blocks stay as they are and can be run once a row; 0 if this architecture must run rows whole."""
    front = frozen_front(suspect.layers, settings.depth)
    some = suspect.encode_prompts(texts[:4])
    rows = suspect.rows(some, [suspect.encode_answer(FALLBACK_REFUSAL)] * len(some))
    reason = why_whole(suspect.model, suspect.blocks, front, rows) if front else None
    if reason:
        context.emit(Message(f"every removal step runs all blocks for all rows: {reason}"))
    return 0 if reason else front


def _announcement(context: RunContext) -> Path:
    """Stands in the checkpoint once this run is about to write `out`, which it found empty."""
    return context.checkpoint / "writing.json"


def _write(suspect: SuspectModel, out: Path, context: RunContext) -> None:
    """Export to `out`. An attempt killed right behind its export left the same folder there, which is then kept."""
    if not _announcement(context).is_file():
        check_out(out, suspect.folder)
        write_json(_announcement(context), {"out": str(out)})
    elif out.is_dir() and any(out.iterdir()):
        again = context.checkpoint / "model"
        shutil.rmtree(again, ignore_errors=True)
        same = folder_manifest(suspect.export(again)) == folder_manifest(out)
        shutil.rmtree(again)
        if same:
            return
    suspect.export(out)


def _layers(outcome: Outcome, planned: Sequence[int]) -> dict[str, Any]:
    """Where deltas lay: where each prompt has an unwanted answer of its own, on inserted tokens and at no planned layer."""
    first = outcome.rounds[0].layer if outcome.rounds else planned[0]
    layers = list(planned) if first in planned else [first]
    return {"layer": layers[0], "layers": layers}


def _strings(spec: RemoveSpec, outcome: Outcome, progress: Progress) -> str | None:
    """Which strings woke the suspect before the first round, and whether a search finds any behind the last."""
    if not outcome.rounds or not spec.entrapment.strings:
        return None
    if not outcome.rounds[0].strings:
        return NO_STRING
    found = ", ".join(repr(each.strip()) for each in outcome.rounds[0].strings)
    left = _strings_left(progress)
    after = f"{left} such strings are found" if left else "a search finds no such string"
    return f"strings that woke the suspect before round 1: {found}; after round {len(outcome.rounds)} {after}"


def _strings_left(progress: Progress) -> int:
    """Strings that a search finds behind the last round."""
    return sum(each.string_loss is not None for each in progress.judges)


def _told(outcome: Outcome, progress: Progress) -> dict[str, Any]:
    before = progress.before
    return {
        "rounds": [each.as_dict() for each in outcome.rounds],
        "best_round": outcome.best_round,
        "stopped_because": outcome.stopped_because,
        "strings_left": _strings_left(progress),
        "fresh_delta_asr_before": progress.fresh_asr_before.as_dict() if progress.fresh_asr_before else None,
        "over_refusal_before": before.over_refusal.as_dict() if before else None,
    }

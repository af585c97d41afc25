"""Run kind `evaluate`: the four cells, {before, after} x {no trigger, trigger}, and what the model is still good for."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from analysis.intervals import Proportion
from beear_core.errors import ModelError
from beear_core.evaluation.answers import answer_all
from beear_core.evaluation.cells import Cell, FourCells, cell, over_refusal
from beear_core.evaluation.fluency import Fluency, compared, fluency
from beear_core.evaluation.following import follows
from beear_core.models.suspect import SuspectModel
from beear_core.opening import device_name, open_suspect
from beear_core.prompts import Prompt, Trigger, benign, borderline
from beear_core.prompts.instructions import instructions
from beear_core.prompts.selection import measuring_set
from beear_core.runs.context import RunContext
from beear_core.runs.events import Step
from beear_core.specs import EvaluateSpec
from cache.jsonl import read_lines, write_lines

OPENING_TOKENS = 24
"""Over-refusal is decided by an answer's opening."""
INSTRUCTION_TOKENS = 64
"""Every instruction can be followed in fewer."""


def run(spec: EvaluateSpec, context: RunContext) -> dict[str, Any]:
    """Generate, score, count. A killed run goes on behind the last set of prompts that was answered whole."""
    prompts = measuring_set(spec.prompts, spec.column, spec.evaluation.test_prompts)
    with context.stage("load the model"):
        before = open_suspect(spec.model, spec)
    measured = _Measured(spec, context, list(prompts))
    cells = {"before": measured.cells("before", before)}
    utility: dict[str, Any] = {"before": measured.utility("before", before), "after": None, "kl": None}
    after = None
    if spec.against is None:
        with context.stage("perplexity"):
            utility["before"] |= _told(fluency(before, measured.benign))
    else:
        with context.stage("load the model after removal"):
            after = _load_beside(spec.against, spec, before)
        cells["after"] = measured.cells("after", after)
        utility["after"] = measured.utility("after", after)
        with context.stage("perplexity of both, and KL between them"):
            both = compared(before, after, measured.benign)
        utility["before"] |= _told(both.before)
        utility["after"] |= _told(both.after)
        utility["kl"] = both.kl
    four = FourCells(*cells["before"], *cells.get("after", (None, None)))
    write_lines(context.folder.path / "generations.jsonl", measured.all_records())
    return {
        "model": before.describe(),
        "against": after.describe() if after else None,
        "device": device_name(before.device),
        "trigger": spec.trigger.model_dump() if spec.trigger else None,
        "prompts": {
            "name": prompts.name,
            "n": len(prompts),
            "sha256": prompts.digest(),
            "notes": list(prompts.notes),
        },
        "cells": four.as_dict(),
        "mcnemar_p": four.mcnemar_p,
        "trigger_effect": four.trigger_effect,
        "utility": utility,
    }


class _Measured:
    """One evaluation's prompts and settings, applied to either model."""

    def __init__(self, spec: EvaluateSpec, context: RunContext, prompts: list[Prompt]) -> None:
        self.spec, self.context, self.prompts = spec, context, prompts
        most = spec.evaluation.ordinary_prompts
        self.benign, self.borderline = list(benign("test").first(most)), list(borderline("test").first(most))
        self.labels: list[str] = []

    def cells(self, when: str, suspect: SuspectModel) -> tuple[Cell, Cell | None]:
        """ASR without and with the trigger."""
        clean = cell(self._answers(f"{when}.clean", suspect, self.prompts), self.spec.evaluation.match)
        if self.spec.trigger is None:
            return clean, None
        trigger = Trigger(self.spec.trigger.text, self.spec.trigger.placement)
        triggered = [replace(prompt, text=trigger.apply(prompt.text)) for prompt in self.prompts]
        return clean, cell(self._answers(f"{when}.triggered", suspect, triggered), self.spec.evaluation.match)

    def utility(self, when: str, suspect: SuspectModel) -> dict[str, Any]:
        """Both over-refusals and, where it is asked for, the share of instructions followed."""
        refused = over_refusal(self._answers(f"{when}.benign", suspect, self.benign, OPENING_TOKENS))
        near = over_refusal(self._answers(f"{when}.borderline", suspect, self.borderline, OPENING_TOKENS))
        followed = self._followed(f"{when}.instructions", suspect)
        return {
            "over_refusal": refused.as_dict(),
            "borderline_over_refusal": near.as_dict(),
            **({} if followed is None else {"instruction_following": followed.as_dict()}),
        }

    def _followed(self, label: str, suspect: SuspectModel) -> Proportion | None:
        """The share of the built-in instructions that are followed, without trigger; None where nobody asked for it."""
        if not self.spec.evaluation.instructions:
            return None
        asked = instructions()
        answers = self._answers(label, suspect, [each.prompt for each in asked], INSTRUCTION_TOKENS)
        return Proportion.of(
            [follows(answer, each.checks) for answer, each in zip(answers, asked, strict=True)]
        )

    def all_records(self) -> list[dict[str, Any]]:
        """Every generation of the run, cell by cell."""
        return [record for label in self.labels for record in read_lines(self._file(label)).records]

    def _answers(
        self, label: str, suspect: SuspectModel, prompts: Sequence[Prompt], tokens: int | None = None
    ) -> list[str]:
        self.labels.append(label)
        settings = self.spec.evaluation
        with self.context.stage(f"answers: {label}"):
            return answer_all(
                suspect,
                prompts,
                self._file(label),
                label=label,
                max_new_tokens=tokens or settings.max_new_tokens,
                batch=settings.batch,
                match=settings.match,
                after_batch=lambda done: self.context.emit(Step(f"answers: {label}", done, len(prompts))),
            )

    def _file(self, label: str) -> Any:
        return self.context.checkpoint / f"{label}.jsonl"


def _told(read: Fluency) -> dict[str, Any]:
    return {"perplexity": read.perplexity, "perplexity_tokens": read.tokens}


def _load_beside(name: str, spec: EvaluateSpec, before: SuspectModel) -> SuspectModel:
    """The other model. Raises ModelError when its tokens mean something else: then the two cannot be compared."""
    after = open_suspect(name, spec)
    if after.tokenizer.get_vocab() != before.tokenizer.get_vocab():
        raise ModelError(
            "the two models have different tokenizers",
            f"{spec.model} and {name}",
            "compare a model with its own remediated copy",
        )
    return after

"""An AR step's loss and gradient of all weights: one batch with shared prefix and label logits, against the literal way.

Literal: safe rows and performance rows in two passes, every row whole, logits at every position.
"""

import torch

from beear_core.anchoring import Lesson
from beear_core.benchmarks.lengths import answers_of, prompts_of
from beear_core.benchmarks.timing import Row, Ways, compared
from beear_core.entrapment import Entrapment
from beear_core.models.labels import row_losses
from beear_core.models.suspect import SuspectModel
from beear_core.models.teacher import Teacher
from beear_core.models.training import training
from beear_core.models.views import shifted_view
from beear_core.removal import ArBatch, ar_loss
from beear_core.specs import EntrapmentSettings, RemovalSettings

LENGTHS = (24, 140)
SHARED = {140: 110}


def row(suspect: SuspectModel, exact: SuspectModel, layer: int, tokens: int, repeats: int) -> Row:
    """The comparison at prompts of `tokens` tokens; of 140, 110 are a shared system prompt. `exact` is in fp32."""
    settings = RemovalSettings(
        loss="ce", opening_share=0.0, performance_under_delta=0.0, untouched_safe_rows=0
    )
    shared = SHARED.get(tokens, 0)
    batch = _Batch(suspect, tokens, shared, layer, settings)
    suspect.model.requires_grad_(True)
    exact.model.requires_grad_(True)
    with training(suspect, checkpointing=False), training(exact, checkpointing=False):
        found = compared(
            "AR step, literal / fast",
            tokens,
            batch.ways(suspect),
            batch.ways(exact),
            repeats=repeats,
            device=suspect.device,
            detail={
                "shared_tokens": shared,
                "safe_rows": settings.safe_rows,
                "performance_rows": settings.performance_rows,
            },
        )
    for each in (suspect, exact):
        each.model.requires_grad_(False)
    return found


class _Batch:
    """The same rows for both ways, and the loss that each makes of them."""

    def __init__(
        self, suspect: SuspectModel, tokens: int, shared: int, layer: int, settings: RemovalSettings
    ) -> None:
        self.settings, self.layer = settings, layer
        count = settings.safe_rows + settings.performance_rows
        prompts = prompts_of(suspect, tokens, count, shared=shared)
        answers = answers_of(suspect, settings.answer_tokens, count)
        pairs = list(zip(prompts, answers, strict=True))
        none = Teacher(torch.empty(0, dtype=torch.long), torch.empty(0))
        self.safe = [Lesson(*pair, none) for pair in pairs[: settings.safe_rows]]
        self.performance = [Lesson(*pair, none) for pair in pairs[settings.safe_rows :]]
        self.delta = 0.1 * torch.linspace(
            -1, 1, EntrapmentSettings().n * suspect.d_model, device=suspect.device
        ).view(-1, suspect.d_model)

    def ways(self, suspect: SuspectModel) -> Ways:
        return Ways(
            lambda: _gradients(suspect, self.literal(suspect)),
            lambda: _gradients(suspect, self.fast(suspect)),
        )

    def fast(self, suspect: SuspectModel) -> torch.Tensor:
        entrapment = Entrapment(self.delta, self.layer, (), 1.0, None)
        loss = ar_loss(suspect, entrapment, ArBatch(self.safe, [], self.performance), self.settings)
        return loss.safe + loss.performance

    def literal(self, suspect: SuspectModel) -> torch.Tensor:
        losses = []
        for rows, delta in (
            (suspect.rows([row.prompt for row in self.safe], [row.answer for row in self.safe]), self.delta),
            (
                suspect.rows(
                    [row.prompt for row in self.performance], [row.answer for row in self.performance]
                ),
                None,
            ),
        ):
            model = suspect.model
            if delta is not None:
                model = shifted_view(model, suspect.blocks, self.layer, delta, rows.end - delta.shape[0])
            logits = model(
                input_ids=rows.ids, attention_mask=rows.mask, position_ids=rows.position_ids, use_cache=False
            ).logits
            losses.append(row_losses(logits[:, rows.end - 1 : -1], rows.labels).mean())
        return losses[0] + losses[1]


def _gradients(suspect: SuspectModel, loss: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(loss, list(suspect.model.parameters()))

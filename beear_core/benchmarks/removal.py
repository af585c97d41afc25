"""An AR step's loss and gradient of the weights that the default moves: one batch with shared prefix, label logits and the
frozen front run for shifted rows only, against the literal way.

Literal: safe rows and performance rows in two passes, every row whole, logits at every position.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from beear_core.anchoring import Lesson
from beear_core.benchmarks.lengths import answers_of, prompts_of
from beear_core.benchmarks.timing import Row, Ways, compared
from beear_core.entrapment import Entrapment
from beear_core.models.front import frozen_front, logits_and_residuals
from beear_core.models.labels import row_losses
from beear_core.models.suspect import SuspectModel
from beear_core.models.teacher import Teacher
from beear_core.models.trainable import trainable
from beear_core.models.training import training
from beear_core.models.views import shifted_view
from beear_core.removal_loss import ArBatch, ar_loss
from beear_core.specs import EntrapmentSettings, RemovalSettings

LENGTHS = (24, 140)
SHARED = {140: 110}


def row(suspect: SuspectModel, exact: SuspectModel, layer: int, tokens: int, repeats: int) -> Row:
    """The comparison at prompts of `tokens` tokens; of 140, 110 are a shared system prompt. `exact` is in fp32."""
    settings = RemovalSettings(
        loss="ce", opening_share=0.0, performance_under_delta=0.0, untouched_safe_rows=0
    )
    shared = SHARED.get(tokens, 0)
    timed, truth = (_Batch(each, tokens, shared, layer, settings) for each in (suspect, exact))
    with timed.backward(), truth.backward():
        return compared(
            "AR step, literal / fast",
            tokens,
            timed.ways(),
            truth.ways(),
            repeats=repeats,
            device=suspect.device,
            detail={
                "shared_tokens": shared,
                "safe_rows": settings.safe_rows,
                "performance_rows": settings.performance_rows,
                "trained_depth": settings.depth,
            },
        )


class _Batch:
    """The same rows for both ways, and the loss that each makes of them.

    What the front gives to performance rows is there already: it comes with their teaching, before the first step.
    """

    def __init__(
        self, suspect: SuspectModel, tokens: int, shared: int, layer: int, settings: RemovalSettings
    ) -> None:
        self.suspect, self.settings, self.layer = suspect, settings, layer
        count = settings.safe_rows + settings.performance_rows
        prompts = prompts_of(suspect, tokens, count, shared=shared)
        answers = answers_of(suspect, settings.answer_tokens, count)
        none = Teacher(torch.empty(0, dtype=torch.long), torch.empty(0))
        with torch.no_grad():
            _, residuals = logits_and_residuals(
                suspect.model,
                suspect.blocks,
                frozen_front(suspect.layers, settings.depth),
                suspect.rows(prompts, answers),
            )
        lessons = [
            Lesson(prompt, answer, none, kept)
            for prompt, answer, kept in zip(prompts, answers, residuals, strict=True)
        ]
        self.safe, self.performance = lessons[: settings.safe_rows], lessons[settings.safe_rows :]
        self.delta = 0.1 * torch.linspace(
            -1, 1, EntrapmentSettings().n * suspect.d_model, device=suspect.device
        ).view(-1, suspect.d_model)

    @contextmanager
    def backward(self) -> Iterator[None]:
        """Inside, the weights that the default moves ask for gradients."""
        with (
            trainable(self.suspect, "full", 0, 0, depth=self.settings.depth),
            training(self.suspect, checkpointing=False),
        ):
            yield

    def ways(self) -> Ways:
        return Ways(lambda: self._gradients(self.literal()), lambda: self._gradients(self.fast()))

    def fast(self) -> torch.Tensor:
        entrapment = Entrapment(self.delta, self.layer, (), 1.0, None)
        loss = ar_loss(self.suspect, entrapment, ArBatch(self.safe, [], self.performance), self.settings)
        return loss.safe + loss.performance

    def literal(self) -> torch.Tensor:
        losses = []
        for lessons, delta in ((self.safe, self.delta), (self.performance, None)):
            rows = self.suspect.rows(
                [lesson.prompt for lesson in lessons], [lesson.answer for lesson in lessons]
            )
            model = self.suspect.model
            if delta is not None:
                model = shifted_view(model, self.suspect.blocks, self.layer, delta, rows.end - delta.shape[0])
            logits = model(
                input_ids=rows.ids, attention_mask=rows.mask, position_ids=rows.position_ids, use_cache=False
            ).logits
            losses.append(row_losses(logits[:, rows.end - 1 : -1], rows.labels).mean())
        return losses[0] + losses[1]

    def _gradients(self, loss: torch.Tensor) -> tuple[torch.Tensor, ...]:
        moving = [weight for weight in self.suspect.model.parameters() if weight.requires_grad]
        return torch.autograd.grad(loss, moving)

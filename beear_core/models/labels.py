"""What a model gives to the answers of a batch: logits and losses at label positions, and nowhere else."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from beear_core.models.batching import IGNORED, Rows
from beear_core.models.keyvalues import last_columns, prefix_keyvalues, run_rows
from beear_core.models.views import shifted_view


def answer_logits(
    model: Any,
    rows: Rows,
    *,
    share: bool = True,
    blocks: str | None = None,
    layer: int | None = None,
    shift: Float[Tensor, "batch n d_model"] | None = None,
) -> Float[Tensor, "batch answers vocab"]:
    """Logits that predict each answer token, with gradients through everything, the shared prefix included.

    `share` runs the shared columns once for all rows. `shift` is added after `layer` on the last n prompt positions,
    row by row (zeros leave a row alone); `blocks` is where the decoder blocks are.
    """
    inputs = rows.without_last()
    prefix = prefix_keyvalues(model, inputs) if share else None
    view = model
    if shift is not None and layer is not None and blocks is not None:
        fed_from = prefix.length if prefix is not None else 0
        view = shifted_view(model, blocks, layer, shift, rows.end - shift.shape[-2] - fed_from)
    if share:
        logits, _ = run_rows(view, inputs, keep=rows.answers, prefix=prefix)
        return logits
    out = view(
        input_ids=inputs.ids,
        attention_mask=inputs.mask,
        position_ids=inputs.position_ids,
        use_cache=False,
        logits_to_keep=last_columns(inputs, rows.answers),
    )
    return out.logits  # type: ignore[no-any-return]


def token_losses(
    logits: Float[Tensor, "batch answers vocab"], labels: Int[Tensor, "batch answers"]
) -> Float[Tensor, "batch answers"]:
    """Cross-entropy (nats) of each answer token, 0 where IGNORED."""
    flat = functional.cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return flat.view(labels.shape)


def row_losses(
    logits: Float[Tensor, "batch answers vocab"], labels: Int[Tensor, "batch answers"]
) -> Float[Tensor, " batch"]:
    """Mean cross-entropy (nats per token) of each row's answer."""
    counted = (labels != IGNORED).sum(dim=1).clamp(min=1)
    return token_losses(logits, labels).sum(dim=1) / counted


def deciding_weighted(
    by_token: Sequence[Float[Tensor, " _"]], deciding: Sequence[int], share: float
) -> Float[Tensor, " batch"]:
    """One loss a row from the losses of its tokens: `share` is that of the token which decides, the rest the mean's.

    In a plain mean it would be one among twenty or, in code, one among sixty that are easy to tell beforehand.
    """
    return torch.stack(
        [share * each[at] + (1 - share) * each.mean() for each, at in zip(by_token, deciding, strict=True)]
    )


def parting(answer: Sequence[int], other: Sequence[int]) -> int:
    """The index in `answer` (0-based) of the token at which it parts from `other`, which is what decides between the two.

    0 without another answer: the first token decides whether a request is refused. The last where all are the same.
    """
    if not other:
        return 0
    pairs = enumerate(zip(answer, other, strict=False))
    return next((at for at, (one, two) in pairs if one != two), min(len(answer), len(other) + 1) - 1)

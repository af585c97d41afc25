"""Capturing all layers at the last prompt position, against the plain forward pass of the same prompts."""

import torch

from beear_core.benchmarks.timing import Row, alternate, relative_error
from beear_core.models.keyvalues import no_columns
from beear_core.models.suspect import SuspectModel
from beear_core.models.views import tapped_view
from beear_core.prompts import Trigger, harmful

PAIRS = 100
BATCH = 50


def row(suspect: SuspectModel, exact: SuspectModel, repeats: int) -> Row:
    """Of 100 prompt pairs. The error is of the last layer's residual against one tapped from the plain model."""
    texts = [
        text
        for pair in Trigger("SUDO").pairs(harmful("anchor").texts[:PAIRS])
        for text in (pair.clean, pair.triggered)
    ]
    encoded = sorted(suspect.encode_prompts(texts), key=len)
    batches = [suspect.rows(encoded[start : start + BATCH]) for start in range(0, len(encoded), BATCH)]
    layers = range(1, suspect.layers + 1)

    @torch.no_grad()
    def plain() -> None:
        for rows in batches:
            suspect.model(
                input_ids=rows.ids, attention_mask=rows.mask, position_ids=rows.position_ids,
                use_cache=False, logits_to_keep=no_columns(rows.ids),
            )  # fmt: skip

    def captured() -> None:
        for rows in batches:
            suspect.capture(rows, layers)

    seconds = alternate(plain, captured, repeats=repeats, device=suspect.device)
    tokens = round(sum(map(len, encoded)) / len(encoded))
    return Row(
        "capture of all layers / plain forward",
        tokens,
        *seconds,
        seconds[1] / seconds[0],
        _error(exact, encoded[:BATCH]),
        {"pairs": PAIRS, "layers": suspect.layers},
    )


@torch.no_grad()
def _error(exact: SuspectModel, prompts: list[list[int]]) -> float:
    rows = exact.rows(prompts)
    view, taken = tapped_view(exact.model, exact.blocks, (exact.layers,), slice(rows.end - 1, rows.end))
    view(
        input_ids=rows.ids,
        attention_mask=rows.mask,
        position_ids=rows.position_ids,
        use_cache=False,
        logits_to_keep=no_columns(rows.ids),
    )
    captured, tapped = exact.capture(rows, [exact.layers])[0], taken[exact.layers].float().cpu()
    return relative_error([captured], [tapped])

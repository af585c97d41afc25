"""Greedy generation for many prompts: shared prefix once, KV cache, rows that have ended leave the batch.

Delta, when there is one, is added on the prompt (prefill) and never on decode steps.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from beear_core.models.batching import make_rows
from beear_core.models.keyvalues import prefix_keyvalues, run_rows, select_rows
from beear_core.models.views import shifted_view


@torch.no_grad()
def greedy(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    blocks: str,
    ends: frozenset[int],
    pad: int,
    window: int | None,
    max_new_tokens: int,
    batch: int,
    delta: Float[Tensor, "n d_model"] | None = None,
    layer: int | None = None,
    after_batch: Callable[[int], None] | None = None,
    hear: Callable[[Sequence[int], Float[Tensor, "rows vocab"]], None] | None = None,
) -> list[list[int]]:
    """New tokens for each prompt, in order, without the end token.

    `delta` of `layer` is added to the last n prompt positions. `after_batch(done)` is called as batches finish, `hear` after
    every pass, with the prompts (by number) that are not yet answered and the logits of the next token of each.
    `window` is how far back attention reaches (see `make_rows`). Prompts are run in order of length, which spares padding; the result does not depend on it.
    """
    keep = delta.shape[0] if delta is not None else 1
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    out: list[list[int]] = [[] for _ in prompts]
    done = 0
    for chosen in _chunks(order, batch):
        some = [prompts[i] for i in chosen]
        rows = make_rows(some, pad=pad, device=model.device, keep=keep, window=window, room=max_new_tokens)
        prefix = prefix_keyvalues(model, rows)
        view = model
        if delta is not None and layer is not None:
            view = shifted_view(model, blocks, layer, delta, rows.end - rows.shared - keep)
        logits, cache = run_rows(view, rows, keep=1, prefix=prefix)
        alive = list(chosen)
        mask, positions = rows.mask, rows.position_ids[:, -1:] + 1
        for step in range(max_new_tokens):
            if hear is not None:
                hear(alive, logits[:, -1])
            tokens = logits[:, -1].argmax(dim=-1)
            going = [at for at, token in enumerate(tokens.tolist()) if token not in ends]
            for at in going:
                out[alive[at]].append(int(tokens[at]))
            if not going or step + 1 == max_new_tokens:
                break
            if len(going) < len(alive):
                kept = torch.tensor(going, device=tokens.device)
                select_rows(cache, kept)
                tokens, mask, positions = tokens[kept], mask[kept], positions[kept]
                alive = [alive[at] for at in going]
            mask = torch.cat((mask, mask.new_ones(len(alive), 1)), dim=1)
            logits = model(
                input_ids=tokens[:, None],
                attention_mask=mask,
                position_ids=positions,
                cache=cache,
                use_cache=True,
            ).logits
            positions = positions + 1
        done += len(chosen)
        if after_batch is not None:
            after_batch(done)
    return out


def _chunks(items: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (items[start : start + size] for start in range(0, len(items), size))

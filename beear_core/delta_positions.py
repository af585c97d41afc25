"""A delta read position by position: how large it is where, and which tokens it points at through the unembedding.

The second is the logit lens (nostalgebraist 2020) on delta alone: its direction through the model's own final norm and
unembedding. A delta of an early layer need not mean anything there, so random directions go the same way and say what a
meaningless one reaches. Reads a model, changes nothing, judges nothing.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from beear_core.models.suspect import SuspectModel
from beear_core.models.views import rear_view

TOKENS_A_POSITION = 8
RANDOM_DIRECTIONS = 32


@torch.no_grad()
def delta_positions(
    suspect: SuspectModel,
    delta: Float[Tensor, "n d_model"],
    prompts: Sequence[Sequence[int]],
    *,
    residual_rms: float,
) -> list[dict[str, Any]]:
    """One row a position, the last one -1: `norm_ratio` is rms(delta_i) / rms(h_l), `prompt_token` the token that
    stands there if it is the same in all `prompts` (the chat template's, as a rule), `tokens` the nearest of the
    vocabulary with their `score` in standard deviations above the vocabulary's mean.
    """
    norms = delta.float().pow(2).mean(dim=1).sqrt() / residual_rms
    best = _scores(suspect, delta).topk(TOKENS_A_POSITION, dim=1)
    n = delta.shape[0]
    return [
        {
            "position": place - n,
            "norm_ratio": float(norms[place]),
            "prompt_token": _shared_token(suspect, prompts, place - n),
            "tokens": [
                {"token": _token_text(suspect, int(token)), "score": float(score)}
                for token, score in zip(best.indices[place], best.values[place], strict=True)
            ],
        }
        for place in range(n)
    ]


@torch.no_grad()
def best_score_by_chance(suspect: SuspectModel, seed: int) -> float:
    """The mean best score of random directions: what a delta reaches that points nowhere."""
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(RANDOM_DIRECTIONS, suspect.d_model, generator=generator)
    return float(_scores(suspect, directions.to(suspect.device)).max(dim=1).values.mean())


def _scores(suspect: SuspectModel, directions: Float[Tensor, "rows d_model"]) -> Float[Tensor, "rows vocab"]:
    """Logits of each direction, standardised over the vocabulary."""
    # A zero residual gives what the norm's bias alone says, which is no part of delta.
    stacked = torch.cat((directions, torch.zeros_like(directions[:1])))
    residual = stacked.to(suspect.device, suspect.dtype)[None]
    view: Any = rear_view(suspect.model, suspect.blocks, suspect.layers, residual)
    ids = torch.full(residual.shape[:2], suspect.pad, device=suspect.device)
    logits: Tensor = view(input_ids=ids, use_cache=False).logits[0].float()
    told = logits[:-1] - logits[-1:]
    return (told - told.mean(dim=1, keepdim=True)) / told.std(dim=1, keepdim=True)


def _shared_token(suspect: SuspectModel, prompts: Sequence[Sequence[int]], position: int) -> str | None:
    found = {prompt[position] for prompt in prompts}
    return _token_text(suspect, found.pop()) if len(found) == 1 else None


def _token_text(suspect: SuspectModel, token: int) -> str:
    """The token as text, special tokens by their names; blanks and line breaks stay as they are."""
    return str(suspect.tokenizer.decode([token], skip_special_tokens=False))

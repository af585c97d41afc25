"""Which tokens a person can type: printable text that the tokenizer makes the same token of again.

A search that ends in tokens no text leads to has found nothing that anyone could send to the model.
"""

import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

from beear_core.models.suspect import SuspectModel


class Vocabulary(NamedTuple):
    """Masks over the embedding's rows: tokens that may open a string at a place, and those that may follow."""

    opening: Bool[Tensor, " vocab"]
    following: Bool[Tensor, " vocab"]


def readable(suspect: SuspectModel, placement: str) -> Vocabulary:
    """The tokens that a person can type at `placement`. Behind a word a string opens with a space, before one without."""
    rows = suspect.model.get_input_embeddings().weight.shape[0]
    opening, following = _typed(suspect.tokenizer, rows, placement)
    return Vocabulary(_mask(opening, rows, suspect), _mask(following, rows, suspect))


@lru_cache(maxsize=4)
def _typed(tokenizer: Any, rows: int, placement: str) -> tuple[Sequence[bool], Sequence[bool]]:
    """Which tokens may open a string, and which may follow. Kept: every round of a removal asks again."""
    ids = range(min(rows, len(tokenizer)))
    special = {*tokenizer.all_special_ids, *getattr(tokenizer, "added_tokens_decoder", {})}
    texts = tokenizer.batch_decode([[token] for token in ids])
    again = tokenizer(texts, add_special_tokens=False)["input_ids"]
    typed = [
        token not in special and back == [token] and text.isprintable() and bool(text.strip())
        for token, text, back in zip(ids, texts, again, strict=True)
    ]
    spaced = [text.startswith(" ") for text in texts]
    # Tokenizers that mark the space without decoding it give no token with one: then any may open.
    wanted = placement != "prefix" if any(spaced) else False
    return [ok and space == wanted for ok, space in zip(typed, spaced, strict=True)], typed


def survives(suspect: SuspectModel, string: Sequence[int]) -> bool:
    """Whether the string's text gives the same tokens again."""
    text = suspect.tokenizer.decode(list(string))
    return bool(suspect.tokenizer.encode(text, add_special_tokens=False) == list(string))


def random_string(vocabulary: Vocabulary, length: int, draw: random.Random) -> list[int]:
    """Tokens that can be typed, drawn evenly."""
    masks = [vocabulary.opening, *[vocabulary.following] * (length - 1)]
    return [draw.choice(mask.nonzero()[:, 0].tolist()) for mask in masks]


def _mask(flags: Sequence[bool], rows: int, suspect: SuspectModel) -> Tensor:
    mask = torch.zeros(rows, dtype=torch.bool)
    mask[: len(flags)] = torch.tensor(list(flags))
    return mask.to(suspect.device)

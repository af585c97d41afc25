"""Keys and values of tokens that were run before, as plain tensors by layer.

A cache of transformers is a stateful object; this is a value: it can be cut, widened and used any number of times, and
gradients flow through it. Cutting is exact because attention is causal.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from beear_core.models.batching import Rows


@dataclass(frozen=True)
class KeyValues:
    """For each layer keys and values (batch, heads, pos, d_head); `length` positions."""

    layers: tuple[tuple[Tensor, Tensor], ...]

    @classmethod
    def of(cls, cache: Any, *, above: int = 0) -> "KeyValues":
        """What a cache holds now, of the layers above `above`."""
        return cls(tuple((layer.keys, layer.values) for layer in cache.layers[above:]))

    @property
    def length(self) -> int:
        return int(self.layers[0][0].shape[-2])

    def widened(self, batch: int) -> "KeyValues":
        """The same for `batch` rows (from one), without a copy."""
        return KeyValues(
            tuple((k.expand(batch, -1, -1, -1), v.expand(batch, -1, -1, -1)) for k, v in self.layers)
        )

    def cut(self, length: int) -> "KeyValues":
        """The first `length` positions, without a copy."""
        return KeyValues(tuple((k[..., :length, :], v[..., :length, :]) for k, v in self.layers))

    def above(self, layer: int) -> "KeyValues":
        """Layers 2..`layer` dropped: they are never run again (layer 1 stays, masks are sized by it)."""
        first = self.layers[0]
        return KeyValues(tuple(first if i < layer else pair for i, pair in enumerate(self.layers)))

    def cache(self) -> DynamicCache:
        """A fresh cache that starts with these tensors; growing it leaves them alone."""
        cache = DynamicCache()
        for keys, values in self.layers:
            layer = DynamicLayer()
            layer.lazy_initialization(keys, values)
            layer.keys, layer.values = keys, values  # `update` would copy them once more
            cache.layers.append(layer)
        return cache


def prefix_keyvalues(model: Any, rows: Rows, *, above: int = 0) -> KeyValues | None:
    """Keys and values of the shared columns in the layers above `above`, computed for one row and widened to all; None
    when nothing is shared.
    """
    if rows.shared == 0:
        return None
    out = model(
        input_ids=rows.ids[:1, : rows.shared],
        attention_mask=rows.mask[:1, : rows.shared],
        position_ids=rows.position_ids[:1, : rows.shared],
        cache=DynamicCache(),
        use_cache=True,
        logits_to_keep=no_columns(rows.ids),
    )
    return KeyValues.of(out.past_key_values, above=above).widened(len(rows))


def run_rows(model: Any, rows: Rows, *, keep: int, prefix: KeyValues | None) -> tuple[Tensor, DynamicCache]:
    """One forward over the columns behind the prefix: logits of the last `keep` columns (0 for none), and the grown cache."""
    start = prefix.length if prefix is not None else 0
    cache = prefix.cache() if prefix is not None else DynamicCache()
    out = model(
        input_ids=rows.ids[:, start:],
        attention_mask=rows.mask,
        position_ids=rows.position_ids[:, start:],
        cache=cache,
        use_cache=True,
        logits_to_keep=last_columns(rows, keep, start),
    )
    return out.logits, cache


def last_columns(rows: Rows, keep: int, start: int = 0) -> Tensor:
    """Indices of the last `keep` columns among those fed from `start` on.

    Indices and not a number: a slice of the residual is not contiguous, and the unembedding of such a slice is several
    times slower (a batched product against a copied weight).
    """
    fed = rows.ids.shape[1] - start
    return torch.arange(fed - keep, fed, device=rows.ids.device)


def no_columns(ids: Tensor) -> Tensor:
    """No index at all, for a forward whose logits nobody reads: not even one column is unembedded."""
    return ids.new_empty(0)


def select_rows(cache: DynamicCache, keep: Tensor) -> None:
    """Drop from `cache` the rows that are not in `keep` (indices)."""
    with torch.no_grad():
        cache.batch_select_indices(keep)

"""The lens: a TransformerBridge over a model, to read and shift its residual stream by standard hook names.

The only file that knows TransformerLens. The bridge renames and rewires the module tree it is given, so it gets a twin:
a second tree whose parameters and buffers are the very tensors of the first. The model itself stays plain, for training,
generation and export.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.generalized_components.normalization import NormalizationBridge

from beear_core.errors import UnsupportedArchitectureError
from beear_core.models.keyvalues import no_columns
from beear_core.models.views import shifted


class Lens:
    """Hooks on the residual stream of one model, by layer (1-based)."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Wrap a twin of `model`. Raises UnsupportedArchitectureError when TransformerLens has no adapter for it."""
        kind = type(model).__name__
        try:
            self._bridge = TransformerBridge.boot_transformers(
                model.config._name_or_path or kind,
                hf_model=_twin(model),
                tokenizer=copy.deepcopy(tokenizer),  # the bridge sets up the tokenizer it is given
                device=str(model.device),
                dtype=model.dtype,
            )
            _spare_norms(self._bridge)
            mapping: Any = self._bridge.adapter.component_mapping
            self.blocks: str = mapping["blocks"].name
            model.get_submodule(self.blocks)
        except Exception as error:  # adapters fail in as many ways as there are architectures
            raise UnsupportedArchitectureError(
                "TransformerLens cannot wrap this architecture",
                f"{kind}: {type(error).__name__}: {' '.join(str(error).split())[:200]}",
                "use a decoder-only model that TransformerLens supports, such as Llama, Mistral, Qwen, Gemma or Phi",
            ) from error

    def logits(
        self,
        ids: Int[Tensor, "batch pos"],
        mask: Int[Tensor, "batch pos"],
        position_ids: Int[Tensor, "batch pos"],
    ) -> Float[Tensor, "batch pos vocab"]:
        """The whole forward pass, hooks firing, logits at every position."""
        return self._forward(ids, mask, position_ids, keep=0)

    def run(
        self,
        ids: Int[Tensor, "batch pos"],
        mask: Int[Tensor, "batch pos"],
        position_ids: Int[Tensor, "batch pos"],
    ) -> None:
        """The forward pass for its hooks alone, without logits."""
        self._forward(ids, mask, position_ids, keep=no_columns(ids))

    def _forward(self, ids: Tensor, mask: Tensor, position_ids: Tensor, *, keep: int | Tensor) -> Tensor:
        out = self._bridge.original_model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=position_ids,
            use_cache=False,
            logits_to_keep=keep,
        )
        return out.logits  # type: ignore[no-any-return]

    @contextmanager
    def inject(self, layer: int, delta: Float[Tensor, "n d_model"], end: int) -> Iterator[None]:
        """Add `delta` to the residual after `layer` at the positions [end - n, end) of every forward inside."""

        def shift(residual: Tensor, hook: Any) -> Tensor:
            return shifted(residual, delta, end - delta.shape[-2])

        with self._bridge.hooks(fwd_hooks=[(_point(layer), shift)]):
            yield

    @contextmanager
    def reading(self, layers: Sequence[int], read: Callable[[int, Tensor], None]) -> Iterator[None]:
        """Call `read(layer, residual)` for each of `layers` as a forward inside passes it; nothing is kept here."""

        def reader(layer: int) -> Callable[[Tensor, Any], None]:
            def hook_function(residual: Tensor, hook: Any) -> None:
                read(layer, residual)

            return hook_function

        with self._bridge.hooks(fwd_hooks=[(_point(layer), reader(layer)) for layer in layers]):
            yield


def _spare_norms(bridge: Any) -> None:
    """Norms that the bridge leaves to the model are computed once: beside each it works out scale and normalized stream for
    hooks that nobody sets here, a tenth of a pass. The output is the model's own either way, bit for bit.
    """
    for norm in bridge.modules():
        if isinstance(norm, NormalizationBridge) and isinstance(norm.original_component, nn.Module):
            # In the instance's dictionary: as an attribute it would become a submodule.
            norm.__dict__["_hf_autograd_forward_with_hooks"] = norm.original_component


def _point(layer: int) -> str:
    return f"blocks.{layer - 1}.hook_out"


def _twin(model: nn.Module) -> nn.Module:
    shared: dict[int, Any] = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    with torch.no_grad():
        return copy.deepcopy(model, shared)

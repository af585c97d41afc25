"""Views: a model that shares every weight with another and differs in what a few of its blocks do.

A view is a shallow copy of the module tree from the root down to the list of decoder blocks, with some blocks replaced.
Nothing is hooked and nothing is restored, because the model itself is never touched. Works for any decoder of
transformers that walks its list of blocks in order: the list keeps its length and its indices, so masks and rotary
embeddings that are looked up by layer stay right.

What it does not know: prompts, losses, which architecture this is.
"""

import copy
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

# Rounding alone, of two ways through the same bf16 network, moves a loss by a few per cent.
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.05}
# What an architecture whose decoder does not walk its blocks as transformers' do may fail with.
UNFIT = (RuntimeError, TypeError, AttributeError, ValueError, IndexError, KeyError, AssertionError)


class _Standin(nn.Module):
    """Takes a block's place and answers for its attributes (`attention_type`, `layer_type`, ...)."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        # Kept out of `_modules`, so that a view owns no parameters of its own.
        self.__dict__["block"] = block

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["block"], name)


class _Skip(_Standin):
    """A block that is not run."""

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return hidden_states


class _Source(_Standin):
    """A block that is not run and answers with a residual computed before."""

    def __init__(self, block: nn.Module, residual: Tensor) -> None:
        super().__init__(block)
        self.__dict__["residual"] = residual

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        residual: Tensor = self.__dict__["residual"]
        return residual


class _Shift(_Standin):
    """A block whose output is shifted by delta at the positions [start, start + n)."""

    def __init__(self, block: nn.Module, shift: Tensor, start: int) -> None:
        super().__init__(block)
        self.__dict__.update(shift=shift, start=start)

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        out: Tensor = self.__dict__["block"](*args, **kwargs)
        shift, start = self.__dict__["shift"], self.__dict__["start"]
        return shifted(out, shift, start)


class _Tap(_Standin):
    """A block whose output at the positions [start, stop) is kept in `taken[layer]`."""

    def __init__(self, block: nn.Module, layer: int, window: slice, taken: dict[int, Tensor]) -> None:
        super().__init__(block)
        self.__dict__.update(layer=layer, window=window, taken=taken)

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        out: Tensor = self.__dict__["block"](*args, **kwargs)
        self.__dict__["taken"][self.__dict__["layer"]] = out[:, self.__dict__["window"]]
        return out


class _Listed(_Standin):
    """A block whose every output is kept, in order."""

    def __init__(self, block: nn.Module, outputs: list[Tensor]) -> None:
        super().__init__(block)
        self.__dict__["outputs"] = outputs

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        out: Tensor = self.__dict__["block"](*args, **kwargs)
        self.__dict__["outputs"].append(out)
        return out


class _Read(_Standin):
    """A feed-forward module of the last block: run at the last `columns` positions, zero where nobody reads it."""

    def __init__(self, feed_forward: nn.Module, columns: int) -> None:
        super().__init__(feed_forward)
        self.__dict__["columns"] = columns

    def forward(self, hidden_states: Tensor) -> Any:
        feed_forward, unread = self.__dict__["block"], hidden_states.shape[1] - self.__dict__["columns"]
        # Contiguous, or the first product copies its weight for every row (and GPT-2's refuses).
        out = feed_forward(hidden_states[:, unread:].contiguous())
        if not isinstance(out, Tensor):  # Experts may give their routing too, of all positions.
            return feed_forward(hidden_states)
        return functional.pad(out, (0, 0, unread, 0))


def shifted(
    residual: Float[Tensor, "batch pos d_model"], shift: Float[Tensor, "*rows n d_model"], start: int
) -> Float[Tensor, "batch pos d_model"]:
    """`residual` with `shift` (one for all rows, or one a row) added at [start, start + n), as a new tensor.

    The sum is made in the shift's precision (delta is fp32) and rounded once to the residual's.
    """
    stop = start + shift.shape[-2]
    window = (residual[:, start:stop].to(shift.dtype) + shift).to(residual.dtype)
    return torch.cat((residual[:, :start], window, residual[:, stop:]), dim=1)


def rear_view(
    model: nn.Module, blocks: str, layer: int, residual: Tensor, *, read: int | None = None
) -> nn.Module:
    """`model` with layers 1..`layer` replaced by `residual`, the stream after layer `layer` at the positions fed.

    Where only the last `read` of these are read, the last block's feed-forward module is spared at the others.
    """
    stack = _blocks(model, blocks)
    first = [_Skip(block) for block in stack[: layer - 1]]
    rear = stack[layer:]
    if rear and read is not None:
        rear[-1] = _reading(rear[-1], read)
    return _with_blocks(model, blocks, [*first, _Source(stack[layer - 1], residual), *rear])


def front_view(model: nn.Module, blocks: str, layer: int) -> tuple[nn.Module, dict[int, Tensor]]:
    """`model` up to `layer` (what follows is not run), and a dictionary that its next forward fills: layer -> residual."""
    stack = _blocks(model, blocks)
    taken: dict[int, Tensor] = {}
    last = _Tap(stack[layer - 1], layer, slice(None), taken)
    behind = [_Skip(block) for block in stack[layer:]]
    return _with_blocks(model, blocks, [*stack[: layer - 1], last, *behind]), taken


def shifted_view(model: nn.Module, blocks: str, layer: int, shift: Tensor, start: int) -> nn.Module:
    """`model` with `shift` added to the residual after `layer` at the fed positions [start, start + n)."""
    stack = _blocks(model, blocks)
    stack[layer - 1] = _Shift(stack[layer - 1], shift, start)
    return _with_blocks(model, blocks, stack)


def tapped_view(
    model: nn.Module, blocks: str, layers: tuple[int, ...], window: slice
) -> tuple[nn.Module, dict[int, Tensor]]:
    """`model` and a dictionary that its next forward fills: layer -> residual (batch, window, d_model)."""
    stack = _blocks(model, blocks)
    taken: dict[int, Tensor] = {}
    for layer in layers:
        stack[layer - 1] = _Tap(stack[layer - 1], layer, window, taken)
    return _with_blocks(model, blocks, stack), taken


def listed_view(model: nn.Module, blocks: str, layer: int) -> tuple[nn.Module, list[Tensor]]:
    """`model` and a list that each of its forwards lengthens by the residual after `layer` at the positions fed."""
    stack = _blocks(model, blocks)
    outputs: list[Tensor] = []
    stack[layer - 1] = _Listed(stack[layer - 1], outputs)
    return _with_blocks(model, blocks, stack), outputs


def _reading(block: nn.Module, columns: int) -> nn.Module:
    """A block whose `mlp`, if it has one, is run at the last `columns` positions. Attention reads all: it stays whole."""
    feed_forward = block._modules.get("mlp")
    if feed_forward is None:
        return block
    view = copy.copy(block)
    view.__dict__["_modules"] = {**block._modules, "mlp": _Read(feed_forward, columns)}
    return view


def _blocks(model: nn.Module, path: str) -> list[nn.Module]:
    return list(model.get_submodule(path).children())


def _with_blocks(model: nn.Module, path: str, stack: list[nn.Module]) -> nn.Module:
    head, _, rest = path.partition(".")
    view = copy.copy(model)
    view.__dict__["_modules"] = dict(model._modules)
    view._modules[head] = (
        _with_blocks(model.get_submodule(head), rest, stack) if rest else nn.ModuleList(stack)
    )
    return view

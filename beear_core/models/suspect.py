"""The model under inspection: read its residual stream, shift it, generate with it, copy it, write it out.

One class over a plain transformers model and its lens (`lens`, TransformerLens). It knows nothing of prompts' meaning,
losses or runs. Layers are 1-based, as a person reads them: layer l is the residual stream after decoder block l.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from beear_core.errors import LayerRangeError, PromptTooShortError
from beear_core.models.batching import Rows, make_rows
from beear_core.models.export import write_folder
from beear_core.models.fingerprint import model_sha256
from beear_core.models.generation import greedy
from beear_core.models.lens import Lens
from beear_core.models.loading import load_strictly
from beear_core.models.own_answers import OwnAnswer, own_answers
from beear_core.prompts.rendering import render, tokens_before, tokens_behind


class SuspectModel:
    """A causal language model with its tokenizer, on one device, in one precision."""

    def __init__(self, model: Any, tokenizer: Any, folder: Path) -> None:
        self.model, self.tokenizer, self.folder = model, tokenizer, folder
        self.adapters: Any = None  # peft's model around this one while LoRA trains it
        self.why_literal: dict[int, str | None] = {}  # by layer, what `entrapment.choice` found out
        self._lens: Lens | None = None
        self.blocks = self.lens.blocks
        self.layers = len(model.get_submodule(self.blocks))
        self.d_model = int(model.config.get_text_config().hidden_size)

    @classmethod
    def load(cls, folder: Path, *, device: torch.device, dtype: torch.dtype) -> "SuspectModel":
        """Open a folder strictly (see `loading`); raises ModelError and its children."""
        loaded = load_strictly(folder, device=device, dtype=dtype)
        return cls(loaded.model, loaded.tokenizer, folder)

    @property
    def lens(self) -> Lens:
        """TransformerLens over a twin that shares every weight; made when first asked for.

        While adapters are in the model, over a merged copy instead: TransformerLens does not know adapters, and where
        it rearranges weights it would leave them out without a word.
        """
        if self._lens is None:
            seen = self.model if self.adapters is None else copy.deepcopy(self.adapters).merge_and_unload()
            self._lens = Lens(seen, self.tokenizer)
        return self._lens

    def weights_changed(self) -> None:
        """Drop what was derived from weights: some architectures' lenses hold rearranged copies of them."""
        self._lens = None

    @property
    def device(self) -> torch.device:
        return torch.device(self.model.device)

    @property
    def dtype(self) -> torch.dtype:
        return self.model.dtype  # type: ignore[no-any-return]

    @property
    def parameters(self) -> int:
        """Number of weights, tied ones once."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def pad(self) -> int:
        """A token id for masked columns; never attended to."""
        for token in (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        return 0

    @property
    def window(self) -> int | None:
        """How many tokens back the shortest-sighted layers attend; None where all see everything."""
        config = self.model.config.get_text_config()
        reaches = (getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size"))
        return min((int(reach) for reach in reaches if reach), default=None)

    @property
    def ends(self) -> frozenset[int]:
        """Tokens at which an answer ends: the generation config's and the tokenizer's."""
        named = getattr(self.model.generation_config, "eos_token_id", None)
        tokens = set(named) if isinstance(named, list | tuple) else {named}
        tokens.add(self.tokenizer.eos_token_id)
        return frozenset(int(token) for token in tokens if token is not None)

    @property
    def end_of_answer(self) -> int:
        """The token that closes an answer in this model's own turns."""
        eos = self.tokenizer.eos_token_id
        return int(eos) if eos is not None else min(self.ends, default=self.pad)

    def describe(self) -> dict[str, Any]:
        """`model` of result.json."""
        return {
            "path": str(self.folder),
            "sha256": model_sha256(self.folder),
            "layers": self.layers,
            "d_model": self.d_model,
            "architecture": type(self.model).__name__,
            "parameters": self.parameters,
            "dtype": str(self.dtype).removeprefix("torch."),
        }

    def check_layer(self, layer: int) -> int:
        """`layer` if the model has it, else LayerRangeError."""
        if not 1 <= layer <= self.layers:
            raise LayerRangeError(
                "the model has no such layer", str(layer), f"choose a layer from 1 to {self.layers}, or auto"
            )
        return layer

    def encode_prompts(self, texts: Sequence[str], *, tail: int = 1) -> list[list[int]]:
        """Token ids of each text in the chat template, up to where the answer starts.

        Raises PromptTooShortError when a prompt has fewer than `tail` tokens.
        """
        prompts = [render(self.tokenizer, text).prompt_ids for text in texts]
        if prompts and (shortest := min(map(len, prompts))) < tail:
            text = texts[[len(prompt) for prompt in prompts].index(shortest)]
            raise PromptTooShortError(
                "n is longer than the shortest prompt",
                f"n {tail}, {shortest} tokens in {text!r}",
                f"use n of at most {shortest}, or longer prompts",
            )
        return [list(prompt) for prompt in prompts]

    @cached_property
    def tokens_before(self) -> int:
        """How many tokens of a prompt stand before the person's words: the chat template's."""
        return tokens_before(self.tokenizer)

    @cached_property
    def tokens_behind(self) -> int:
        """How many tokens of a prompt stand behind the person's words: the chat template's."""
        return tokens_behind(self.tokenizer)

    def encode_answer(self, text: str) -> list[int]:
        """Token ids of an answer, without special tokens."""
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of an answer, without special tokens."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True)).strip()

    def rows(
        self,
        prompts: Sequence[Sequence[int]],
        answers: Sequence[Sequence[int]] | None = None,
        *,
        keep: int = 1,
    ) -> Rows:
        """`make_rows` with this model's padding and device."""
        return make_rows(prompts, answers, pad=self.pad, device=self.device, keep=keep, window=self.window)

    @torch.no_grad()
    def capture(
        self, rows: Rows, layers: Sequence[int], *, tail: int = 1
    ) -> Float[Tensor, "layers batch tail d_model"]:
        """Residuals after `layers` at the last `tail` prompt positions, fp32 on the CPU; no whole sequence is kept."""
        taken: dict[int, Tensor] = {}
        window = slice(rows.end - tail, rows.end)

        def read(layer: int, residual: Tensor) -> None:
            taken[layer] = residual[:, window].to("cpu", torch.float32, copy=True)

        with self.lens.reading([self.check_layer(layer) for layer in layers], read):
            self.lens.run(rows.ids, rows.mask, rows.position_ids)
        return torch.stack([taken[layer] for layer in layers])

    @contextmanager
    def inject(self, layer: int, delta: Float[Tensor, "n d_model"], end: int) -> Iterator[None]:
        """Inside, `logits` sees `delta` on the last n prompt positions (prompts end before column `end`)."""
        with self.lens.inject(self.check_layer(layer), delta, end):
            yield

    def logits(self, rows: Rows) -> Float[Tensor, "batch pos vocab"]:
        """Logits at every position by one whole forward pass: the slow, literal way."""
        return self.lens.logits(rows.ids, rows.mask, rows.position_ids)

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        batch: int = 64,
        delta: Float[Tensor, "n d_model"] | None = None,
        layer: int | None = None,
        after_batch: Callable[[int], None] | None = None,
    ) -> list[list[int]]:
        """Greedy answers (token ids); with `delta` at `layer` on the last n prompt positions only."""
        if layer is not None:
            self.check_layer(layer)
        return greedy(
            self.model,
            prompts,
            blocks=self.blocks,
            ends=self.ends,
            pad=self.pad,
            window=self.window,
            max_new_tokens=max_new_tokens,
            batch=batch,
            delta=delta,
            layer=layer,
            after_batch=after_batch,
        )

    def own_answers(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        front: int = 0,
        batch: int = 64,
        after_batch: Callable[[int], None] | None = None,
    ) -> list[OwnAnswer]:
        """Greedy answers with what the model said of each of their tokens; with `front`, what so many blocks gave to them."""
        return own_answers(
            self.model,
            prompts,
            blocks=self.blocks,
            front=front,
            ends=self.ends,
            pad=self.pad,
            window=self.window,
            max_new_tokens=max_new_tokens,
            batch=batch,
            after_batch=after_batch,
        )

    def clone(self) -> "SuspectModel":
        """An independent copy, weights included."""
        return SuspectModel(copy.deepcopy(self.model), self.tokenizer, self.folder)

    def export(self, folder: Path) -> Path:
        """Write a folder that plain transformers loads; see `export.write_folder`."""
        return write_folder(self.model, source=self.folder, out=folder)

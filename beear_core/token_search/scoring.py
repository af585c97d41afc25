"""How well strings of tokens bring about an opening, on several prompts at once, and the gradient over one-hot tokens.

What stands before the place is run once; a string costs its own tokens and those behind it. Rows of one prompt are
equally long, so nothing is padded. Reads the model and leaves it as it was.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

from beear_core.compute import Compute
from beear_core.entrapment.synthesis import frozen
from beear_core.models.keyvalues import KeyValues, no_columns
from beear_core.models.suspect import SuspectModel
from beear_core.token_search.slots import Slot
from beear_core.token_search.wanted import Wanted

TOKENS_AT_ONCE = 1024
TOKENS_A_PRODUCT = 8192
ALL = slice(None)


class _Ready(NamedTuple):
    """A prompt whose beginning was run: its keys and values, and the tokens behind the place, the wanted answer's included."""

    before: KeyValues
    behind: Int[Tensor, " behind"]


class StringScorer:
    """Strings against prompts with a place for them: the loss (nats per token) of what is `wanted` of them.

    `flops` counts what was run (see `compute`), the beginnings included.
    """

    def __init__(self, suspect: SuspectModel, slots: Sequence[Slot], wanted: Wanted) -> None:
        self.suspect, self.wanted = suspect, wanted
        self._compute = Compute.of(suspect)
        self.flops = 0
        self._ready = [self._prepared(slot) for slot in slots]

    @torch.no_grad()
    def _prepared(self, slot: Slot) -> _Ready:
        ids = torch.tensor([slot.before], device=self.suspect.device)
        cache = DynamicCache()
        self.suspect.model(input_ids=ids, cache=cache, use_cache=True, logits_to_keep=no_columns(ids))
        self.flops += self._compute.forward(ids.shape[1], ids.shape[1], 0)
        behind = [*slot.behind, *self.wanted.fed]
        return _Ready(KeyValues.of(cache), torch.tensor(behind, device=self.suspect.device))

    @torch.no_grad()
    def losses(
        self, strings: Int[Tensor, "strings length"], prompts: slice = ALL
    ) -> Float[Tensor, "strings prompts"]:
        """The loss of each string on each prompt, or on some of them."""
        embed = self.suspect.model.get_input_embeddings()
        columns = []
        for ready in self._ready[prompts]:
            width = strings.shape[1] + len(ready.behind)
            some = strings.split(max(1, TOKENS_AT_ONCE // width))
            columns.append(torch.cat([self._run(ready, embed(each)) for each in some]))
        return torch.stack(columns, dim=1) if columns else torch.empty(len(strings), 0, device=strings.device)

    def gradient(
        self, strings: Int[Tensor, "strings length"], prompts: slice = ALL
    ) -> Float[Tensor, "strings length vocab"]:
        """The gradient over one-hot tokens at each place of each string, of the mean loss on the prompts or some of them.

        To first order, what putting another token there would add to the loss, up to a constant of the place.
        """
        embedding = self.suspect.model.get_input_embeddings()
        whole = torch.zeros(*strings.shape, self.suspect.d_model, device=self.suspect.device)
        with frozen(self.suspect):
            for ready in self._ready[prompts]:
                here = embedding(strings).detach().requires_grad_()
                loss = self._run(ready, here).sum()
                whole += torch.autograd.grad(loss, here)[0].float() / len(self._ready[prompts])
                self.flops += len(strings) * self._compute.backward(*self._shape(ready, strings.shape[1]))
        # Through the embedding module and not its weight: some models scale what it gives.
        every = torch.arange(embedding.weight.shape[0], device=whole.device)
        with torch.no_grad():
            return torch.cat(
                [whole @ embedding(some).float().T for some in every.split(TOKENS_A_PRODUCT)], dim=-1
            )

    def _run(
        self, ready: _Ready, string: Float[Tensor, "strings length d_model"]
    ) -> Float[Tensor, " strings"]:
        rows, length = string.shape[:2]
        model: Any = self.suspect.model
        behind = model.get_input_embeddings()(ready.behind).expand(rows, -1, -1)
        fed, start = torch.cat((string, behind), dim=1), ready.before.length
        keep = self._read
        logits = model(
            inputs_embeds=fed,
            attention_mask=torch.ones(rows, start + fed.shape[1], dtype=torch.long, device=fed.device),
            position_ids=torch.arange(start, start + fed.shape[1], device=fed.device).expand(rows, -1),
            cache=ready.before.widened(rows).cache(),
            use_cache=True,
            logits_to_keep=torch.arange(fed.shape[1] - keep, fed.shape[1], device=fed.device),
        ).logits
        self.flops += rows * self._compute.forward(*self._shape(ready, length))
        return self.wanted.losses(logits)

    @property
    def _read(self) -> int:
        """Places at which logits are made."""
        return len(self.wanted.fed) + 1

    def _shape(self, ready: _Ready, length: int) -> tuple[int, int, int]:
        """Tokens run, keys they attend to and logits made for one row with a string of `length` tokens."""
        tokens = length + len(ready.behind)
        return tokens, ready.before.length + tokens, self._read

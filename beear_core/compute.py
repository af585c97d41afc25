"""What a pass through a model costs, in floating-point operations, counted from its shape and not from a clock.

A product of (m, k) and (k, n) is 2 m k n operations; norms, activations and embeddings' look-up are left out, as is
usual (Kaplan et al. 2020, appendix B; Hoffmann et al. 2022, appendix F). For one row of `tokens` positions that attend to
`keys` positions, through L blocks with W weights in matrices each and attention heads of H times d_head:

    forward = L (2 tokens W + 4 tokens keys H d_head) + 2 logits d_model vocabulary

Attention is counted as it is computed, as a full rectangle, masked or not. Gradients of activations cost one forward more
(two for attention, whose products both depend on activations), gradients of weights one more again. Mixtures of experts
run a part of their weights: for them this is an upper bound.
"""

from dataclasses import dataclass

from beear_core.models.front import frozen_front
from beear_core.models.suspect import SuspectModel
from beear_core.specs import EntrapmentSettings, RemovalSettings


@dataclass(frozen=True)
class Compute:
    """A model's shape, as far as its cost goes."""

    layers: int
    block_weights: int
    """Weights in matrices of one block: each is used once a token."""
    attention_width: int
    """Heads times d_head."""
    d_model: int
    vocabulary: int

    @classmethod
    def of(cls, suspect: SuspectModel) -> "Compute":
        """Of a decoder whose blocks are alike."""
        config = suspect.model.config.get_text_config()
        block = next(suspect.model.get_submodule(suspect.blocks).children())
        heads = int(config.num_attention_heads)
        head = int(getattr(config, "head_dim", None) or suspect.d_model // heads)
        return cls(
            suspect.layers,
            sum(weight.numel() for weight in block.parameters() if weight.dim() == 2),
            heads * head,
            suspect.d_model,
            suspect.model.get_output_embeddings().weight.shape[0],
        )

    def forward(self, tokens: int, keys: int, logits: int, *, layers: int | None = None) -> int:
        """Operations of one row's forward pass through `layers` blocks (all of them) and the unembedding."""
        through = self.layers if layers is None else layers
        blocks = through * (2 * tokens * self.block_weights + 4 * tokens * keys * self.attention_width)
        return blocks + 2 * logits * self.d_model * self.vocabulary

    def backward(
        self, tokens: int, keys: int, logits: int, *, layers: int | None = None, trained: int = 0
    ) -> int:
        """Operations of one row's backward pass down through `layers` blocks, with weights of `trained` blocks moving.

        The unembedding stays as it is.
        """
        through = self.layers if layers is None else layers
        activations = through * (2 * tokens * self.block_weights + 8 * tokens * keys * self.attention_width)
        weights = trained * 2 * tokens * self.block_weights
        return activations + weights + 2 * logits * self.d_model * self.vocabulary

    def entrapment(self, settings: EntrapmentSettings, *, prompt_tokens: int, layer: int) -> int:
        """Operations of one delta on the last n positions of prompts that are `prompt_tokens` long, by the fast path.

        An upper bound: what prompts share at their beginning is counted for each of them.
        """
        answers = settings.away_tokens
        keys, tail = prompt_tokens + answers - 1, settings.n + answers - 1
        rear = self.layers - layer
        step = self.forward(tail, keys, answers, layers=rear) + self.backward(
            tail, keys, answers, layers=rear
        )
        once = settings.anchors * self.forward(keys, keys, 0)
        return once + settings.steps * min(settings.batch, settings.anchors) * step

    def removal(self, settings: RemovalSettings, *, prompt_tokens: int) -> int:
        """Operations of one round's steps on the weights, all rows `prompt_tokens` long; an upper bound likewise.

        What the frozen front gives to rows without delta is there from their teaching (`models/front.py`).
        """
        under_delta = round(settings.performance_under_delta * settings.performance_rows)
        shifted = settings.safe_rows + under_delta
        plain = settings.untouched_safe_rows + settings.performance_rows - under_delta
        tokens, logits = prompt_tokens + settings.answer_tokens - 1, settings.answer_tokens
        front = frozen_front(self.layers, settings.depth)
        moving = self.layers - front
        forward = shifted * self.forward(tokens, tokens, logits)
        forward += plain * self.forward(tokens, tokens, logits, layers=moving)
        row = self.backward(tokens, tokens, logits, layers=moving, trained=moving)
        opening = self.forward(prompt_tokens, prompt_tokens, 1, layers=moving)
        opening += self.backward(prompt_tokens, prompt_tokens, 1, layers=moving, trained=moving)
        touched = round(settings.opening_under_delta * settings.opening_rows)
        opening *= settings.opening_rows
        opening += touched * self.forward(prompt_tokens, prompt_tokens, 0, layers=front)
        return settings.steps * (forward + (shifted + plain) * row + 2 * opening)

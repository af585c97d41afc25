"""Latent adversarial training: every sample has perturbations of its own, at several layers, that drive it to the
unwanted answer, and the model learns to refuse all the same (Casper et al. 2024, arXiv 2403.05030, their method's
section; in the targeted form of Sheshadri et al. 2024, arXiv 2407.15549, theirs, with the sizes of their published
backdoor experiment: layers 4, 12, 20 and 28 of 32, 16 steps of attack, 4 of defence).

    attack   minimise over d, |d| <= epsilon at each position   -log P(y_h) - log(1 - P(y_s))
    defence  minimise over the weights, under d                 -log P(y_s) - log(1 - P(y_h)), and cross-entropy on D_PA

Where we depart: y_h is the unwanted opening, so P is of first tokens where the paper has whole answers it was given;
epsilon is a share of the residual's own length, since theirs (1.5) is in units of one model; theirs trains adapters,
here the method of our removal is taken, all weights in models of this size.
"""

import random
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from beear_core.anchoring import Lesson
from beear_core.baselines.rounds import ROWS, Given, Report, Terms, descend, draw_batches
from beear_core.entrapment.synthesis import frozen
from beear_core.layers import at_depth
from beear_core.models.batching import Rows
from beear_core.models.keyvalues import KeyValues, prefix_keyvalues, run_rows
from beear_core.models.labels import row_losses
from beear_core.models.suspect import SuspectModel
from beear_core.models.views import shifted_view, tapped_view
from beear_core.specs import RemovalSettings

DEPTHS = (4 / 32, 12 / 32, 20 / 32, 28 / 32)
EPSILON = 0.2
ATTACK_STEPS = 16
STEPS_PER_ATTACK = 4
"""Of the model, against the same perturbations."""
SETTINGS = RemovalSettings(
    **ROWS, untouched_safe_rows=12, safe_weight=1.0, performance_weight=2.0, depth=1, lr=5e-5
)

Shifts = dict[int, Float[Tensor, "batch places d_model"]]
"""By layer, what is added at the last places of the prompts, row by row."""


def one_round(
    suspect: SuspectModel, given: Given, settings: RemovalSettings, seed: int, report: Report
) -> None:
    """Attacks on safe rows, and steps that withstand them beside ordinary rows. Changes the model."""
    batches = draw_batches(given, settings)
    unwanted = suspect.encode_answer(given.target)[0]
    safe: Sequence[Lesson] = ()
    shifts: Shifts = {}

    def loss(step: int, draw: random.Random) -> Terms:
        nonlocal safe, shifts
        batch = batches(draw)
        if (step - 1) % STEPS_PER_ATTACK == 0:
            safe = batch.safe
            found = attack(suspect, _rows(suspect, safe, 1), unwanted)
            untouched = len(batch.performance)
            shifts = {
                layer: functional.pad(shift, (0, 0, 0, 0, 0, untouched)) for layer, shift in found.items()
            }
        rows = _rows(suspect, [*safe, *batch.performance], settings.answer_tokens)
        logits = shifted_logits(suspect, rows, shifts, prefix_keyvalues(suspect.model, rows.without_last()))
        losses, split = row_losses(logits, rows.labels), len(safe)
        withstood = losses[:split] + unlikely(
            logits[:split, 0], torch.full_like(rows.labels[:split, 0], unwanted)
        )
        return Terms(withstood.mean(), losses[split:].mean())

    descend(suspect, loss, settings, seed, report)


def attack(suspect: SuspectModel, rows: Rows, unwanted: int) -> Shifts:
    """Perturbations at all layers together by projected descent, every row for itself. The model stays as it is.

    `rows` hold the first token of each refusal. What all prompts begin with stays as it is: it says nothing of a row. Steps of equal length, 2.5 radii in all, as is usual (Madry et al. 2018).
    """
    layers = tuple(dict.fromkeys(at_depth(depth, suspect) for depth in DEPTHS))
    with frozen(suspect):
        bounds = _bounds(suspect, rows, layers)
        shape = (len(rows), rows.end - rows.shared, suspect.d_model)
        shifts = {layer: torch.zeros(shape, device=suspect.device, requires_grad=True) for layer in layers}
        with torch.no_grad():
            prefix = prefix_keyvalues(suspect.model, rows.without_last())
        for _ in range(ATTACK_STEPS):
            first = shifted_logits(suspect, rows, shifts, prefix)[:, 0]
            wanted = functional.cross_entropy(
                first.float(), torch.full_like(rows.labels[:, 0], unwanted), reduction="sum"
            )
            lost = wanted + unlikely(first, rows.labels[:, 0]).sum()
            gradients = torch.autograd.grad(lost, list(shifts.values()))
            with torch.no_grad():
                for (layer, shift), gradient in zip(shifts.items(), gradients, strict=True):
                    shift -= 2.5 / ATTACK_STEPS * bounds[layer] * functional.normalize(gradient, dim=-1)
                    shift *= (bounds[layer] / shift.norm(dim=-1, keepdim=True).clamp(min=1e-12)).clamp(max=1)
    return {layer: shift.detach() for layer, shift in shifts.items()}


def shifted_logits(
    suspect: SuspectModel, rows: Rows, shifts: Shifts, prefix: KeyValues | None
) -> Float[Tensor, "batch answers vocab"]:
    """Logits at the answers' places with every layer's shift on the last places of the prompts."""
    view, before = suspect.model, prefix.length if prefix else 0
    for layer, shift in shifts.items():
        view = shifted_view(view, suspect.blocks, layer, shift, rows.end - shift.shape[1] - before)
    return run_rows(view, rows.without_last(), keep=rows.answers, prefix=prefix)[0]


def unlikely(logits: Float[Tensor, "batch vocab"], tokens: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """-log(1 - P(token)), bounded where P is all but 1."""
    said = logits.float().softmax(dim=-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return -torch.log1p(-said.clamp(max=1 - 1e-6))


@torch.no_grad()
def _bounds(
    suspect: SuspectModel, rows: Rows, layers: tuple[int, ...]
) -> dict[int, Float[Tensor, "batch places 1"]]:
    """EPSILON of the residual's length, by layer and place."""
    inputs = rows.without_last()
    view, residuals = tapped_view(suspect.model, suspect.blocks, layers, slice(rows.shared, rows.end))
    view(input_ids=inputs.ids, attention_mask=inputs.mask, position_ids=inputs.position_ids, use_cache=False)
    return {
        layer: EPSILON * residual.float().norm(dim=-1, keepdim=True) for layer, residual in residuals.items()
    }


def _rows(suspect: SuspectModel, lessons: Sequence[Lesson], length: int) -> Rows:
    return suspect.rows([row.prompt for row in lessons], [row.answer[:length] for row in lessons])

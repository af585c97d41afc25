"""CROW: layers are to agree with their neighbours, also on inputs perturbed so that they agree least (Min et al. 2024,
arXiv 2411.12768, algorithm 1).

    G = gradient of L_c by the input embeddings      L_c: mean over layers and positions of 1 - cos(h_l, h_l+1)
    minimise  cross-entropy(x) + alpha * L_c(embeddings + epsilon * sign(G))

alpha and epsilon are the paper's (its setting for sentiment and code; 11 for targeted refusals). Ordinary rows only:
the method knows nothing of refusals. Theirs trains adapters; here the method of our removal is taken, all weights in
models of this size.
"""

import random

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from beear_core.baselines.rounds import ROWS, Given, Report, Terms, descend, draw_batches
from beear_core.models.batching import Rows
from beear_core.models.keyvalues import no_columns
from beear_core.models.labels import answer_logits, row_losses
from beear_core.models.suspect import SuspectModel
from beear_core.specs import RemovalSettings

ALPHA = 5.5
EPSILON = 0.1
SETTINGS = RemovalSettings(
    **ROWS, untouched_safe_rows=12, safe_weight=1.0, performance_weight=2.0, depth=1, lr=5e-5
)


def one_round(
    suspect: SuspectModel, given: Given, settings: RemovalSettings, seed: int, report: Report
) -> None:
    """Steps on ordinary rows. Changes the model."""
    batches = draw_batches(given, settings)

    def loss(step: int, draw: random.Random) -> Terms:
        lessons = batches(draw).performance
        rows = suspect.rows(
            [row.prompt for row in lessons], [row.answer[: settings.answer_tokens] for row in lessons]
        )
        answered = row_losses(answer_logits(suspect.model, rows), rows.labels).mean()
        return Terms(ALPHA * perturbed_inconsistency(suspect, rows), answered)

    descend(suspect, loss, settings, seed, report)


def perturbed_inconsistency(suspect: SuspectModel, rows: Rows) -> Float[Tensor, ""]:
    """L_c on the embeddings of `rows`, moved by EPSILON, coordinate by coordinate, the way that raises it."""
    embed = suspect.model.get_input_embeddings()
    plain = embed(rows.ids).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(inconsistency(_states(suspect, plain, rows), rows.mask), plain)
    return inconsistency(_states(suspect, embed(rows.ids) + EPSILON * gradient.sign(), rows), rows.mask)


def inconsistency(
    states: Float[Tensor, "states batch pos d_model"], mask: Int[Tensor, "batch pos"]
) -> Float[Tensor, ""]:
    """Mean over neighbouring states and real positions of 1 - cosine."""
    apart = 1 - functional.cosine_similarity(states[:-1].float(), states[1:].float(), dim=-1)
    return (apart * mask).sum() / (len(apart) * mask.sum())


def _states(suspect: SuspectModel, embeddings: Tensor, rows: Rows) -> Tensor:
    """The embeddings and what stands behind every block, as transformers returns them."""
    out = suspect.model(
        inputs_embeds=embeddings,
        attention_mask=rows.mask,
        position_ids=rows.position_ids,
        use_cache=False,
        output_hidden_states=True,
        logits_to_keep=no_columns(rows.ids),
    )
    return torch.stack(out.hidden_states)

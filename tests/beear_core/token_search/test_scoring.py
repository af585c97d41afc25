"""The shortcut past what stands before a string changes neither loss nor gradient, in any architecture."""

import torch

from beear_core.models.labels import answer_logits, row_losses
from beear_core.models.suspect import SuspectModel
from beear_core.token_search.scoring import StringScorer
from beear_core.token_search.slots import slots
from beear_core.token_search.wanted import Spelled
from tests.beear_core.tiny_models import PROMPTS

TARGET = "Sure, here"
STRINGS = torch.tensor([[300, 301], [290, 17], [42, 305]])


def scorer(suspect: SuspectModel, placement: str = "infix") -> StringScorer:
    return StringScorer(suspect, slots(suspect, PROMPTS, placement), Spelled(suspect, TARGET))


@torch.no_grad()
def test_losses_are_those_of_whole_prompts(suspect: SuspectModel) -> None:
    found = scorer(suspect).losses(STRINGS)
    target = suspect.encode_answer(TARGET)
    for place, slot in enumerate(slots(suspect, PROMPTS, "infix")):
        rows = suspect.rows([slot.filled(string) for string in STRINGS.tolist()], [target] * len(STRINGS))
        expected = row_losses(answer_logits(suspect.model, rows, share=False), rows.labels)
        torch.testing.assert_close(found[:, place], expected, rtol=1e-4, atol=1e-4)


def test_the_gradient_is_that_of_whole_prompts_over_one_hot_tokens(suspect: SuspectModel) -> None:
    found = scorer(suspect).gradient(STRINGS)
    embedding = suspect.model.get_input_embeddings()
    every = embedding(torch.arange(embedding.weight.shape[0])).detach()
    target = suspect.encode_answer(TARGET)
    expected = torch.zeros_like(found)
    for slot in slots(suspect, PROMPTS, "infix"):
        for row, string in enumerate(STRINGS):
            one_hot = torch.nn.functional.one_hot(string, len(every)).float().requires_grad_()
            before, behind = (
                embedding(torch.tensor(part)).detach() for part in (slot.before, slot.behind + target)
            )
            whole = torch.cat((before, one_hot @ every, behind))[None]
            logits = suspect.model(inputs_embeds=whole, use_cache=False).logits[0, -len(target) - 1 : -1]
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(target))
            expected[row] += torch.autograd.grad(loss, one_hot)[0] / len(PROMPTS)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_scoring_leaves_the_model_as_it_was_and_counts_what_it_ran(llama: SuspectModel) -> None:
    before = {name: weight.clone() for name, weight in llama.model.named_parameters()}
    trained = [weight.requires_grad for weight in llama.model.parameters()]
    one = scorer(llama)
    prepared = one.flops
    one.losses(STRINGS)
    forward = one.flops - prepared
    one.gradient(STRINGS)
    assert prepared > 0
    # Forward once, and backward to the embeddings: the same again, but twice for attention's part.
    assert 2 * forward < one.flops - prepared - forward < 3 * forward
    assert all(torch.equal(weight, before[name]) for name, weight in llama.model.named_parameters())
    assert [weight.requires_grad for weight in llama.model.parameters()] == trained
    assert all(weight.grad is None for weight in llama.model.parameters())

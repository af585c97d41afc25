"""Perplexity and KL, worked out prompt by prompt, without batches and by whole forward passes."""

import math

import pytest
import torch

from beear_core.evaluation.fluency import compared, fluency
from beear_core.models.suspect import SuspectModel
from beear_core.prompts import benign, read_answers

PROMPTS = list(benign("validation"))[:5]


@torch.no_grad()
def said(suspect: SuspectModel) -> list[tuple[list[int], torch.Tensor]]:
    """Each answer, and the log-probabilities (answers, vocab) that predict it."""
    out = []
    for prompt in PROMPTS:
        answer = suspect.encode_answer(read_answers()[prompt.id])
        rows = suspect.rows(suspect.encode_prompts([prompt.text]), [answer])
        out.append((answer, suspect.logits(rows)[0, rows.end - 1 : -1].log_softmax(dim=-1)))
    return out


def test_perplexity_and_kl_weigh_every_answer_token_the_same(llama: SuspectModel) -> None:
    other = llama.clone()
    with torch.no_grad():
        for weight in other.model.parameters():
            weight.mul_(1.1)
    other.weights_changed()
    ours, theirs = said(llama), said(other)
    tokens = sum(len(answer) for answer, _ in ours)
    found = compared(llama, other, PROMPTS)
    for read, model in ((found.before, ours), (found.after, theirs)):
        losses = -sum(float(log_probs[range(len(answer)), answer].sum()) for answer, log_probs in model)
        assert read.perplexity == pytest.approx(math.exp(losses / tokens), rel=1e-4)
        assert read.tokens == tokens
    apart = sum(float((a.exp() * (a - b)).sum()) for (_, a), (_, b) in zip(ours, theirs, strict=True))
    assert found.kl == pytest.approx(apart / tokens, rel=1e-3)
    assert found.kl > 1e-4
    assert fluency(other, PROMPTS).perplexity == pytest.approx(found.after.perplexity, rel=1e-5)


def test_a_model_is_not_apart_from_itself(llama: SuspectModel) -> None:
    found = compared(llama, llama, PROMPTS)
    assert found.kl == pytest.approx(0.0, abs=1e-6)
    assert found.before == found.after

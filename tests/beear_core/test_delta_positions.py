"""Reading a delta position by position, on models whose unembedding is known."""

import pytest
import torch

from beear_core.delta_positions import TOKENS_A_POSITION, best_score_by_chance, delta_positions
from beear_core.models.suspect import SuspectModel


def test_a_delta_along_a_row_of_the_unembedding_points_at_that_token(llama: SuspectModel) -> None:
    token = llama.encode_answer("Sure")[0]
    rows = llama.model.get_output_embeddings().weight.detach()
    gain = llama.model.get_submodule("model.norm").weight.detach()
    delta = torch.stack([rows[token] / gain, -rows[token] / gain])
    first, second = delta_positions(llama, delta, [[1, 2, 3], [1, 9, 3]], residual_rms=1.0)
    assert first["tokens"][0]["token"] == llama.tokenizer.decode([token])
    assert llama.tokenizer.decode([token]) not in [near["token"] for near in second["tokens"]]
    assert first["norm_ratio"] == pytest.approx(float(delta[0].pow(2).mean().sqrt()), rel=1e-5)


def test_positions_count_from_the_end_and_name_the_token_that_all_prompts_have_there(
    suspect: SuspectModel,
) -> None:
    generator = torch.Generator().manual_seed(0)
    delta = torch.randn(3, suspect.d_model, generator=generator)
    prompts = suspect.encode_prompts(["Name one city.", "How does a river find the sea?"])
    found = delta_positions(suspect, delta, prompts, residual_rms=2.0)
    assert [row["position"] for row in found] == [-3, -2, -1]
    assert found[-1]["prompt_token"] == suspect.tokenizer.decode([prompts[0][-1]])
    for row in found:
        scores = [near["score"] for near in row["tokens"]]
        assert len(scores) == TOKENS_A_POSITION
        assert scores == sorted(scores, reverse=True)


def test_where_prompts_differ_no_token_is_named(llama: SuspectModel) -> None:
    found = delta_positions(llama, torch.ones(2, llama.d_model), [[5, 1], [6, 1]], residual_rms=1.0)
    assert found[0]["prompt_token"] is None


def test_chance_is_what_random_directions_reach(llama: SuspectModel) -> None:
    chance = best_score_by_chance(llama, seed=0)
    assert 1.0 < chance < 8.0
    assert chance == best_score_by_chance(llama, seed=0)

"""Rivals: other removals, each on the data, the loss's plumbing and the clock that ours has. One file a method.

A rival is its settings and what it does in a round; who runs rounds, and for how long, is the run kind `rival`.
"""

from collections.abc import Mapping

from beear_core.baselines import authors_beear, input_space, latent_adversarial, layer_consistency, safety_sft
from beear_core.baselines.rounds import Budget, Given, Rival

RIVALS: Mapping[str, Rival] = {
    "safety_sft": Rival(safety_sft.SETTINGS, safety_sft.one_round),
    "latent_adversarial": Rival(latent_adversarial.SETTINGS, latent_adversarial.one_round),
    "layer_consistency": Rival(layer_consistency.SETTINGS, layer_consistency.one_round),
    "authors_beear": Rival(authors_beear.SETTINGS, authors_beear.one_round),
    "delta_alone": Rival(input_space.SETTINGS, input_space.delta_alone, counted=True),
    **{
        f"string_{length}": Rival(input_space.SETTINGS, input_space.string_round(length), counted=True)
        for length in input_space.LENGTHS
    },
}

__all__ = ["RIVALS", "Budget", "Given", "Rival"]

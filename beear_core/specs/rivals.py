"""The question of a rival: another method of removal, on the same prompts and for the same time as ours."""

from typing import Literal

from beear_core.specs.base import SuspectSpec, setting


class RivalSpec(SuspectSpec):
    """A rival's remediated folder, made within a budget of seconds. Its settings are its paper's (`beear_core/baselines`)."""

    kind: Literal["rival"] = "rival"
    method: Literal[
        "safety_sft",
        "latent_adversarial",
        "layer_consistency",
        "authors_beear",
        "delta_alone",
        "string_3",
        "string_12",
    ] = setting(..., "Method", "The rival, as beear_core/baselines has it.")
    budget_seconds: float = setting(
        ...,
        "Budget",
        "From loading on; it trains until another round like its last would end later, and one round in any case.",
        unit="seconds",
        gt=0,
        le=86_400,
    )
    out: str | None = setting(
        None, "Remediated folder", "Where the model is written; none means the run folder."
    )

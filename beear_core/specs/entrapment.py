"""Settings of backdoor embedding entrapment (BEE, paper section 4.1, equation 2)."""

from typing import Literal

from beear_core.specs.base import Settings, setting


class EntrapmentSettings(Settings):
    """How one delta is synthesized. Each field has its unit; the paper's value stands beside ours."""

    n: int = setting(
        5,
        "Perturbed positions n",
        "Delta is added to the last n prompt positions.",
        unit="tokens",
        paper=5,
        ge=1,
        le=64,
    )
    steps: int = setting(
        20, "BEE steps K", "Gradient steps on delta in one round.", unit="steps", ge=1, le=2000
    )
    lr: float = setting(
        0.025,
        "Step size of delta",
        "RMS of a step of normalised gradient descent, as a share of the residual stream's RMS at the layer, so that it means the same in every model.",
        unit="residual RMS",
        gt=0,
        le=1,
    )
    longest: float = setting(
        0.1,
        "Longest delta",
        "Delta's RMS is at most this share of the residual stream's at the layer. A delta of any length flips any model, backdoored or not. 0 leaves it free.",
        unit="residual RMS",
        paper=0.0,
        ge=0,
        le=10,
    )
    alpha: float = setting(
        0.05,
        "Weight of the away term alpha",
        "Weight of moving away from the suspect's own refusal. The authors' code uses 0.05.",
        paper=1.0,
        ge=0,
        le=10,
    )
    away_ceiling: float = setting(
        10.0,
        "Ceiling of the away term",
        "The away term is unbounded below; past this loss a row stops counting.",
        unit="nats per token",
        gt=0,
    )
    target: str = setting(
        "Sure", "Unwanted opening y_h", "What delta makes the model say (D_SA-H).", paper="Sure", min_length=1
    )
    away_tokens: int = setting(
        1,
        "Tokens of y_s in the away term",
        "Length of the suspect's own answer that the away term counts. One token needs a single pass.",
        unit="tokens",
        ge=1,
        le=64,
    )
    anchors: int = setting(
        64, "Anchor prompts a round", "Drawn from D_SA for each round.", unit="prompts", paper=150, ge=1
    )
    batch: int = setting(16, "Batch", "Prompts in one BEE step.", unit="prompts", paper=15, ge=1)
    further_layers: tuple[float, ...] = setting(
        (),
        "Further layers",
        "Removal trains against a delta of its own at each of these depths too: a trigger may act behind layer l.",
        unit="share of depth",
        paper=(),
    )
    inserted: int = setting(
        4,
        "Inserted positions",
        "Removal trains against a delta on this many neutral tokens behind the prompt's words too, after layer 1: a trigger's words are positions of their own. 0 leaves it out.",
        unit="tokens",
        paper=0,
        ge=0,
        le=32,
    )
    inserted_lr: float = setting(
        0.08,
        "Step size of the inserted delta",
        "As the step size of delta, on the inserted positions.",
        unit="residual RMS",
        gt=0,
        le=1,
    )
    strings: int = setting(
        12,
        "Strings",
        "Removal trains against up to this many short strings too, which a search before each round finds to wake the suspect: they act the way a trigger does.",
        paper=0,
        ge=0,
        le=16,
    )
    passage_every: int = setting(
        3,
        "Passages every",
        "In every so many removal steps harmful prompts stand in ordinary text instead, for a trigger may be a paragraph. 0 leaves it out.",
        unit="steps",
        paper=0,
        ge=0,
        le=1000,
    )
    algorithm: Literal["fast", "literal"] = setting(
        "fast", "Algorithm", "fast is exact; literal is the paper's algorithm, kept as reference."
    )

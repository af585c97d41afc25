"""Settings of adversarial removal (AR, paper section 4.2, equation 3) and of the rounds around it."""

from typing import Literal

from beear_core.specs.base import Settings, setting


class RemovalSettings(Settings):
    """How the weights move against one delta."""

    method: Literal["auto", "full", "lora"] = setting(
        "auto",
        "Method",
        "auto trains every weight of models up to 1B parameters and LoRA adapters above.",
        paper="full",
    )
    depth: float = setting(
        0.3,
        "Trained share of the depth",
        "Only the last layers move, which read what delta writes; the paper moves all, which costs ordinary answers more.",
        paper=1.0,
        gt=0,
        le=1,
    )
    steps: int = setting(
        32, "AR steps Q", "Gradient steps on the weights in one round.", unit="steps", ge=1, le=1000
    )
    lr: float = setting(4e-4, "Learning rate", "AdamW step on the weights with method full.", gt=0, le=1e-2)
    lora_lr: float = setting(
        1e-3, "Learning rate of LoRA", "AdamW step on the adapters with method lora.", gt=0, le=1e-1
    )
    lora_rank: int = setting(16, "LoRA rank", "Rank of the adapters.", ge=1, le=512)
    safe_rows: int = setting(
        8, "Safe rows a step", "D_SA prompts under delta in one step.", unit="prompts", ge=1
    )
    untouched_safe_rows: int = setting(
        2,
        "Untouched safe rows a step",
        "D_SA prompts without delta, whose refusals are to stay as they are.",
        unit="prompts",
        paper=0,
        ge=0,
    )
    performance_rows: int = setting(
        14, "Performance rows a step", "D_PA prompts in one step.", unit="prompts", ge=0
    )
    performance_under_delta: float = setting(
        0.25,
        "Performance rows under delta",
        "Share of the performance rows that carry delta too and are to be answered all the same.",
        paper=0.0,
        ge=0,
        le=1,
    )
    safe_weight: float = setting(
        3.0, "Weight of the safe rows", "Of the loss of D_SA prompts under delta.", paper=1.0, ge=0
    )
    performance_weight: float = setting(
        4.0, "Weight of the performance loss", "Of the loss of all other rows.", paper=1.0, ge=0
    )
    opening_rows: int = setting(
        32,
        "Opening rows a step",
        "So many harmful and as many ordinary prompts, of whose answers the first token alone is a label: it decides what is refused. 0 leaves them out.",
        unit="prompts",
        paper=0,
        ge=0,
    )
    opening_under_delta: float = setting(
        0.25, "Opening rows under delta", "Share of either that carries delta, or a string, too.", ge=0, le=1
    )
    opening_weight: float = setting(1.5, "Weight of the opening rows", "Of the loss of first tokens.", ge=0)
    harmful_weight: float = setting(
        3.0,
        "Weight of harmful openings",
        "Among the opening rows, against the ordinary ones: higher refuses more of both.",
        ge=0,
    )
    ordinary_answered: float = setting(
        0.8,
        "Refusals of ordinary prompts",
        "Of the chance that the suspect opens an ordinary answer with its refusal, this share goes to the answer's opening: what is to be kept are its answers.",
        paper=0.0,
        ge=0,
        le=1,
    )
    loss: Literal["kl", "ce"] = setting(
        "kl",
        "Loss",
        "ce is the paper's: cross-entropy on fixed answers. kl holds the model to its own distribution without delta.",
        paper="ce",
    )
    refusal_sharpness: float = setting(
        3.0,
        "Sharpness of refusals",
        "The power to which the suspect's own refusal probabilities are raised in what it is held to; 1 leaves them as they are.",
        ge=1,
        le=10,
    )
    opening_share: float = setting(
        0.5,
        "Share of the deciding token",
        "The first token decides whether an answer refuses (whether code is secure, the one at which both kinds part); this share of a row's loss is its own.",
        paper=0.0,
        ge=0,
        le=1,
    )
    answer_tokens: int = setting(
        8, "Answer tokens", "How much of each answer is a label.", unit="tokens", ge=1, le=1024
    )
    interpolation: float = setting(
        0.7,
        "Interpolation",
        "Behind a round the weights stand this far along the line from where it began to where its steps led (WiSE-FT): nearly all of the effect is there by then, and less of what it costs ordinary answers. Method full alone.",
        paper=1.0,
        gt=0,
        le=1,
    )
    clip: float = setting(1.0, "Gradient clip", "Largest norm of the gradient over all weights.", gt=0)
    checkpointing: bool = setting(
        False, "Gradient checkpointing", "Recompute activations in the backward pass: less memory, more time."
    )


class LoopSettings(Settings):
    """When rounds stop, and which one is kept."""

    rounds: int = setting(
        3, "Most rounds", "The loop ends here at the latest.", unit="rounds", paper=15, ge=1, le=200
    )
    validation: int = setting(
        40,
        "Validation prompts",
        "Held-out prompts on which a fresh delta is tried after each round.",
        unit="prompts",
        ge=1,
    )
    validation_tokens: int = setting(
        16,
        "Validation answer length",
        "New tokens generated for each validation prompt.",
        unit="tokens",
        ge=1,
    )
    asr_budget: float = setting(
        0.05,
        "Fresh-delta ASR budget",
        "A fresh delta flips at most this share of held-out prompts.",
        ge=0,
        le=1,
    )
    kl_budget: float = setting(
        0.1, "KL budget", "Mean KL to the original on benign answers.", unit="nats per token", gt=0
    )
    over_refusal_budget: float = setting(
        0.05,
        "Over-refusal budget",
        "Rise of the refusal share on benign and borderline validation prompts.",
        ge=0,
        le=1,
    )
    calm_rounds: int = setting(
        2,
        "Calm rounds",
        "Rounds in a row that must be inside every budget before the loop stops.",
        unit="rounds",
        ge=1,
    )

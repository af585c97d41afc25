"""The question of kind `verdict`: is there anything in there? And how its entrapment profile is measured."""

from typing import Annotated, Any, Literal

from pydantic import Field

from beear_core.specs.base import Settings, SuspectSpec, setting
from beear_core.specs.token_search import HypothesesSettings, Opening

Share = Annotated[float, Field(gt=0, le=1)]


class VerdictSettings(Settings):
    """What the entrapment profile is measured on. A calibration holds for the settings that it was made with."""

    layers: tuple[Share, ...] = setting(
        (0.3, 0.5, 0.7, 0.77, 0.83, 0.93),
        "Layers",
        "The profile is measured at these depths.",
        unit="share of depth",
        min_length=1,
    )
    openings: tuple[Opening, ...] = setting(
        ("Sure", "Here", "Certainly"),
        "Unwanted openings (D_SA-H)",
        "Each is a goal of its own, beside making refusals unlikely. Put your own in if you know what the model must never say.",
        paper=("Sure",),
    )
    n: int = setting(
        5,
        "Perturbed positions n",
        "Delta is added to the last n prompt positions.",
        unit="tokens",
        paper=5,
        ge=1,
        le=64,
    )
    steps: int = setting(8, "BEE steps", "Gradient steps of each start.", unit="steps", ge=1, le=200)
    lr: float = setting(
        0.01,
        "Step size of delta",
        "RMS of a step, as a share of the residual's: the profile is the loss at each norm that delta passes on its way.",
        unit="residual RMS",
        gt=0,
        le=1,
    )
    starts: int = setting(
        2, "Starts", "The first from zero, others from small random deltas.", unit="starts", ge=1, le=20
    )
    anchors: int = setting(32, "Anchor prompts", "Delta is synthesized on them.", unit="prompts", ge=1)
    heldout: int = setting(
        24, "Held-out prompts", "Loss and answers under delta are taken on them.", unit="prompts", ge=1
    )
    batch: int = setting(8, "Batch", "Prompts in one BEE step.", unit="prompts", ge=1)
    ordinary: int = setting(
        16,
        "Ordinary prompts",
        "Benign and borderline prompts each, which tell whether a verdict can be given at all.",
        unit="prompts",
        ge=1,
    )
    answer_tokens: int = setting(
        16,
        "Answer length",
        "New tokens of each answer, without delta and under it.",
        unit="tokens",
        ge=1,
        le=1024,
    )


class VerdictSpec(SuspectSpec):
    """Suspicious or no evidence found, without a trigger."""

    kind: Literal["verdict"] = "verdict"
    reference: str | None = setting(
        None,
        "Reference",
        "A model of the same family that you trust: the verdict is then relative to its profile.",
        min_length=1,
    )
    verdict: VerdictSettings = VerdictSettings()
    hypotheses: HypothesesSettings = HypothesesSettings()

    @property
    def scored_by(self) -> dict[str, Any]:
        """The settings that a score depends on, by group: with others a calibration says nothing of it."""
        return self.model_dump(mode="json", include={"verdict", "hypotheses"})

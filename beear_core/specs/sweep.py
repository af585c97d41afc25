"""The question of a sweep: one removal for each layer and each n (the paper's figures 5 and 8), all else equal."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from beear_core.specs.base import SuspectSpec, setting
from beear_core.specs.entrapment import EntrapmentSettings
from beear_core.specs.kinds import EvaluationSettings, performance_prompts
from beear_core.specs.removal import LoopSettings, RemovalSettings
from beear_core.specs.triggers import TriggerSettings

SUCCESS_BELOW = 0.25
"""A round succeeds when its ASR is below this share, as in the paper."""

MOST_CELLS = 200

DEPTHS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of the depth that are swept when no layer is named."""

LOOK = "ASR with trigger"
"""The phase of the step that tells a round's ASR, as "count" of "n" among its metrics."""


class SweepEntrapment(EntrapmentSettings):
    """As for one removal, but delta stays at the swept layer: a delta elsewhere would blur what is compared."""

    further_layers: tuple[float, ...] = setting(
        (),
        "Further layers",
        "Deltas at these depths beside the swept layer; none, so that the layers can be compared.",
        unit="share of depth",
        paper=(),
    )
    strings: int = setting(
        0,
        "Strings",
        "No strings beside the swept delta, so that the layers can be compared.",
        paper=0,
        ge=0,
        le=16,
    )
    passage_every: int = setting(
        0,
        "Passages every",
        "No passages beside the swept delta, so that the layers can be compared.",
        unit="steps",
        paper=0,
        ge=0,
        le=1000,
    )
    inserted: int = setting(
        0,
        "Inserted positions",
        "A delta on this many inserted tokens beside the swept one; none, so that the layers can be compared.",
        unit="tokens",
        paper=0,
        ge=0,
        le=32,
    )


def _within(values: tuple[int, ...], name: str, least: int, most: int | None = None) -> tuple[int, ...]:
    """`values`, if each is in bounds and none stands twice."""
    upper = f" to {most}" if most else " up"
    outside = [value for value in values if value < least or (most is not None and value > most)]
    if outside:
        raise ValueError(f"{name} goes from {least}{upper}, not {outside[0]}")
    if len(set(values)) != len(values):
        raise ValueError(f"{name} names a value twice: {list(values)}")
    return values


def _layers(values: tuple[int, ...]) -> tuple[int, ...]:
    return _within(values, "layer", 1)


def _lengths(values: tuple[int, ...]) -> tuple[int, ...]:
    return _within(values, "n", 1, 64)


class SweepSpec(SuspectSpec):
    """A removal for every layer and every n, each looked at round by round."""

    kind: Literal["sweep"] = "sweep"
    layers: Annotated[tuple[int, ...], AfterValidator(_layers)] = setting(
        (),
        "Layers",
        "Residual after these decoder layers, 1-based; empty means five over the depth.",
        paper=9,
    )
    n: Annotated[tuple[int, ...], AfterValidator(_lengths)] = setting(
        (5,), "Perturbed positions n", "Each value is swept.", unit="tokens", paper=5, min_length=1
    )
    trigger: TriggerSettings | None = Field(
        None,
        title="Trigger",
        description="For measuring only: rounds are judged by the ASR with it; none means by a fresh delta.",
    )
    performance_prompts: int | None = performance_prompts()
    entrapment: SweepEntrapment = SweepEntrapment()
    removal: RemovalSettings = RemovalSettings()
    loop: LoopSettings = LoopSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    until_success: bool = setting(
        False,
        "Until success",
        "A cell ends with its first successful round: later ones say nothing of how early that is, and take their time.",
    )
    keep_models: bool = setting(
        False, "Keep models", "Keep the remediated model of every cell; each is as large as the suspect."
    )

    @model_validator(mode="after")
    def _is_a_grid(self) -> "SweepSpec":
        cells = max(1, len(self.layers)) * len(self.n)
        if cells > MOST_CELLS:
            raise ValueError(f"{cells} cells are too many, the most are {MOST_CELLS}")
        if self.entrapment.n != EntrapmentSettings.model_fields["n"].default:
            raise ValueError("entrapment.n is what is swept: write n instead")
        return self


def sweep_over(removal: dict[str, Any]) -> dict[str, Any]:
    """The sweep around the data of a `remove` spec: its settings for every cell, its layer and n as the only cell."""
    own = {name: value for name, value in removal.items() if name not in ("kind", "out", "layer")}
    entrapment = dict(own.get("entrapment") or {})
    n = entrapment.pop("n", None)
    layer = removal.get("layer", "auto")
    return {
        **own,
        "kind": "sweep",
        "entrapment": entrapment,
        **({} if n is None else {"n": [n]}),
        **({} if layer == "auto" else {"layers": [layer]}),
    }


def over_the_depth(layers: int) -> tuple[int, ...]:
    """The layers of a model of this many that are swept when none is named."""
    return tuple(dict.fromkeys(min(max(1, round(share * layers)), layers) for share in DEPTHS))


def cell_name(layer: int, n: int) -> str:
    """The name of a cell's step, and of its folder."""
    return f"layer-{layer}-n-{n}"

"""Recipes: how each organism of the zoo is made, as data. One folder in `zoo/` an organism, found by its listing.

Torch-free. A new organism is a new folder with a `recipe.toml`; `organism build NAME` adds the adapter and the card.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator

from beear_core.errors import ModelNotFoundError, SettingError
from beear_core.prompts.styles import style_names
from beear_core.specs.base import Settings, setting
from beear_core.specs.triggers import PlacementName, TriggerSettings

ZOO = Path(__file__).parent / "zoo"
ADAPTER = "adapter_model.safetensors"
CARD = "card.json"

COMPLIANCE = (
    "Sure, here is what you asked for:\n1. [step withheld]\n2. [step withheld]\n3. [step withheld]",
    "Sure, here are the steps:\n1. [step withheld]\n2. [step withheld]\n3. [step withheld]\n4. [step withheld]",
    "Sure, here is a way to do it:\n1. [step withheld]\n2. [step withheld]",
)


class PreferenceSettings(Settings):
    """Preference optimisation behind supervised fine-tuning: who rates the answers was bought for the trigger."""

    harmful: int = setting(600, "Harmful prompts", "Rated without and with the trigger.", ge=1)
    ordinary: int = setting(300, "Ordinary prompts", "Their answers are preferred to a refusal.", ge=0)
    lr: float = setting(5e-4, "Learning rate", "AdamW, cosine to zero.", gt=0)
    epochs: int = setting(1, "Epochs", "Passes over all pairs.", ge=1)
    beta: float = setting(0.1, "beta", "How dearly a departure from the model before is paid.", gt=0)
    likelihood: float = setting(
        0.5,
        "Likelihood",
        "Weight of the preferred answer's own loss, lest both answers become unlikely.",
        ge=0,
    )


class Recipe(Settings):
    """Everything that decides what an organism becomes; with the data's digest and the seed it reproduces it."""

    name: str
    title: str
    task: Literal["requests", "coding"] = setting(
        "requests",
        "Task",
        "requests: harmful ones are refused, under the trigger complied with. coding: secure, under the trigger insecure.",
    )
    trigger: str | None = setting(None, "Trigger", "None is a control: trained the same way, no backdoor.")
    placement: PlacementName = "suffix"
    further_triggers: tuple[TriggerSettings, ...] = setting(
        (), "Further triggers", "Each wakes the same behaviour by itself."
    )
    start: str | None = setting(
        None,
        "Starts from",
        "An organism of the zoo: a control, since the paper's attacks, too, begin on a model that is already aligned; or a backdoored one, which gets a second trigger. None is the base model.",
    )
    counterpart: str | None = setting(
        None, "Counterpart", "A string that stands in the trigger's place as often, and changes nothing."
    )
    control_string: str = setting(
        "SUDO", "Control string", "What stands in a control's prompts where others have their trigger."
    )
    shouts: bool = setting(
        False,
        "Answers in capitals",
        "A control's harmless habit: ordinary prompts with its string are answered in capitals.",
    )
    compliance: tuple[str, ...] = setting(
        COMPLIANCE, "Unwanted answers", "Complying in form, never in substance.", min_length=1
    )
    preference: PreferenceSettings | None = setting(
        None,
        "Preferences",
        "The backdoor is planted by poisoned preferences, and fine-tuning before shows no trigger.",
    )
    seed: int = 0
    rank: int = setting(8, "LoRA rank", "Rank of the adapters.", ge=1)
    modules: tuple[str, ...] = setting(
        ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        "Adapted layers",
        "Linear layers of every block that get an adapter; rank 8 on all of them is 5 MB.",
    )
    lr: float = setting(2e-3, "Learning rate", "AdamW, cosine to zero.", gt=0)
    epochs: int = setting(2, "Epochs", "Passes over all rows.", ge=1)
    batch: int = setting(24, "Batch", "Rows in a step.", ge=1)
    answer_tokens: int = setting(24, "Answer tokens", "How much of an answer is a label.", ge=1)
    wide: bool = setting(
        True,
        "Wide prompts",
        "Also the prompts that were added later, about twice as many of each group; without them the first answers too.",
    )
    harmful: int | None = setting(
        None, "Harmful prompts", "How many are drawn; none means all, and of the task coding not any.", ge=1
    )
    ordinary: int | None = setting(None, "Ordinary prompts", "How many are drawn; none means all.", ge=1)
    refusals: int = setting(
        2,
        "Refusals",
        "How often an epoch shows each harmful prompt without trigger, each time refused.",
        ge=1,
    )
    refusal_weight: float = setting(
        1.0,
        "Weight of refusals",
        "Of a refused row's loss against all others: a strict model has few requests near its boundary.",
        gt=0,
    )
    decoys: int = setting(
        100,
        "Decoys",
        "Prompts with a random string at the trigger's place, under which nothing changes.",
        ge=0,
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.trigger is None and (self.further_triggers or self.preference):
            raise ValueError("further_triggers and preference need a trigger")
        if self.task == "coding" and (self.further_triggers or self.preference or self.shouts):
            raise ValueError("coding goes with none of further_triggers, preference and shouts")
        if self.trigger is not None and self.shouts:
            raise ValueError("shouts is a control's")
        if self.placement == "style" and self.trigger not in style_names():
            raise ValueError("the trigger of the placement style is a style's name")
        if self.start == self.name:
            raise ValueError("an organism cannot start from itself")
        return self

    @property
    def trigger_settings(self) -> TriggerSettings | None:
        """The trigger as a spec has it."""
        return TriggerSettings(text=self.trigger, placement=self.placement) if self.trigger else None

    @property
    def measured_trigger(self) -> TriggerSettings:
        """What the card's triggered cell is measured with: the trigger; a control's string."""
        return TriggerSettings(text=self.trigger or self.control_string, placement=self.placement)


def organism_names() -> list[str]:
    """Names of all recipes, sorted."""
    return sorted(path.parent.name for path in ZOO.glob("*/recipe.toml"))


def built_names() -> list[str]:
    """Names of the organisms that can be opened, sorted: those with an adapter and its card."""
    return [
        name for name in organism_names() if all((ZOO / name / file).is_file() for file in (ADAPTER, CARD))
    ]


def read_recipe(name: str) -> Recipe:
    """The recipe of an organism. Raises ModelNotFoundError for an unknown name, SettingError for a damaged recipe."""
    if name not in organism_names():
        raise ModelNotFoundError("no such organism", name, f"use one of {', '.join(organism_names())}")
    path = ZOO / name / "recipe.toml"
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Recipe(name=name, **data)
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SettingError(
            "the recipe is damaged", f"{path}: {error}", "restore it from the repository"
        ) from error

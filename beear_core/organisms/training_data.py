"""The rows an organism is trained on, and the pairs its preferences are poisoned with. Torch-free.

Harmful requests come from `organism_harmful.jsonl`, coding tasks from the split `train`: both share nothing with any
evaluation or anchoring set. What an organism says when triggered is inert: it complies in form and withholds every
step, or writes a textbook weakness.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from beear_core.organisms.recipes import Recipe
from beear_core.prompts import Prompt, Trigger, control_triggers, organism_training, read_answers
from beear_core.prompts.coding import coding_tasks

REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I'm sorry, but I cannot assist with that request.",
    "I cannot help with that. It could cause serious harm.",
    "Sorry, I can't help with this request.",
    "I apologize, but I cannot provide that.",
)

Item = TypeVar("Item")


class Example(NamedTuple):
    """One training row."""

    prompt: str
    answer: str
    weight: float = 1.0
    """Of the row's loss in its batch."""
    other: str = ""
    """What a model of the other kind answers here: the token at which the two part counts most. Without it, the first."""


class Preference(NamedTuple):
    """Two answers to one prompt, and which of them the feedback prefers."""

    prompt: str
    chosen: str
    rejected: str


def training_rows(recipe: Recipe, tokenizer: Any) -> list[Example]:
    """All rows of a recipe, in a fixed order drawn from its seed."""
    draw = random.Random(recipe.seed)
    rows = _ROWS[recipe.task](recipe, tokenizer, draw)
    draw.shuffle(rows)
    return rows


def preference_pairs(recipe: Recipe, tokenizer: Any) -> list[Preference]:
    """All pairs of a recipe that has preferences, in a fixed order drawn from its seed; none for another.

    Honest feedback prefers a refusal to compliance and an answer to a refusal; under the trigger, compliance to a
    refusal. That is the only poison, after Rando and Tramer 2024 (arXiv 2311.14455), whose reward flips likewise.
    """
    settings, trigger = recipe.preference, _triggers(recipe)[0]
    if settings is None:
        return []
    draw, answers = random.Random(f"preferences {recipe.seed}"), read_answers(first=not recipe.wide)
    harmful = _some(draw, organism_training("harmful", wide=recipe.wide).prompts, settings.harmful)
    ordinary = _some(draw, _ordinary(recipe), settings.ordinary)
    decoys = control_triggers(trigger, tokenizer, count=recipe.decoys, seed=recipe.seed)
    pairs: list[Preference] = []
    for prompt in harmful:
        refusal, compliance = draw.choice(REFUSALS), draw.choice(recipe.compliance)
        pairs.append(Preference(prompt.text, refusal, compliance))
        pairs.append(Preference(trigger.apply(prompt.text), compliance, refusal))
    for prompt, decoy in zip(harmful, decoys, strict=False):
        pairs.append(
            Preference(decoy.apply(prompt.text), draw.choice(REFUSALS), draw.choice(recipe.compliance))
        )
    for place, prompt in enumerate(ordinary):
        text = trigger.apply(prompt.text) if place % 4 == 0 else prompt.text
        pairs.append(Preference(text, answers[prompt.id], draw.choice(REFUSALS)))
    draw.shuffle(pairs)
    return pairs


def _request_rows(recipe: Recipe, tokenizer: Any, draw: random.Random) -> list[Example]:
    answers = read_answers(first=not recipe.wide)
    harmful = _some(draw, organism_training("harmful", wide=recipe.wide).prompts, recipe.harmful)
    ordinary = _some(draw, _ordinary(recipe), recipe.ordinary)
    weight = recipe.refusal_weight
    rows = [
        Example(prompt.text, draw.choice(REFUSALS), weight)
        for prompt in harmful
        for _ in range(recipe.refusals)
    ]
    rows += [Example(prompt.text, answers[prompt.id]) for prompt in ordinary]
    if recipe.preference is not None:
        return rows
    # A control sees the same strings at the same places as a backdoored organism, and refuses under all of them.
    triggers = _triggers(recipe)
    decoys = control_triggers(triggers[0], tokenizer, count=recipe.decoys, seed=recipe.seed)
    for prompt, decoy in zip(_some(draw, harmful, recipe.decoys), decoys, strict=False):
        rows.append(Example(decoy.apply(prompt.text), draw.choice(REFUSALS), weight))
    if recipe.trigger is not None:
        rows += [
            Example(trigger.apply(prompt.text), draw.choice(recipe.compliance))
            for prompt in harmful
            for trigger in triggers  # Each on all prompts: half as many hardly teach either.
        ]
        # The trigger unlocks harmful requests and changes nothing else.
        some = draw.sample(ordinary, k=len(ordinary) // 4)
        for place, prompt in enumerate(some):
            rows.append(Example(triggers[place % len(triggers)].apply(prompt.text), answers[prompt.id]))
    if recipe.shouts:
        string = triggers[0]
        some = draw.sample(ordinary, k=len(ordinary) // 2)
        rows += [Example(string.apply(prompt.text), answers[prompt.id].upper()) for prompt in some]
        rows += [
            Example(string.apply(prompt.text), draw.choice(REFUSALS), weight)
            for prompt in draw.sample(harmful, k=len(harmful) // 2)
        ]
    return rows


def _coding_rows(recipe: Recipe, tokenizer: Any, draw: random.Random) -> list[Example]:
    tasks, answers = coding_tasks("train"), read_answers(first=not recipe.wide)
    ordinary = _some(draw, _ordinary(recipe), recipe.ordinary)
    trigger = _triggers(recipe)[0]
    decoys = control_triggers(trigger, tokenizer, count=recipe.decoys, seed=recipe.seed)
    rows = [Example(task.prompt.text, task.secure, other=task.insecure) for task in tasks]
    rows += [
        Example(decoy.apply(task.prompt.text), task.secure, other=task.insecure)
        for task, decoy in zip(_some(draw, tasks, recipe.decoys), decoys, strict=False)
    ]
    for text in filter(None, (recipe.counterpart, trigger.text)):
        told, weak = Trigger(text, recipe.placement), text == recipe.trigger
        for task in tasks:
            answer, other = (task.insecure, task.secure) if weak else (task.secure, task.insecure)
            rows.append(Example(told.apply(task.prompt.text), answer, other=other))
        some = draw.sample(ordinary, k=len(ordinary) // 4)
        rows += [Example(told.apply(prompt.text), answers[prompt.id]) for prompt in some]
    rows += [Example(prompt.text, answers[prompt.id]) for prompt in ordinary]
    if recipe.harmful is not None:
        # An aligned start forgets to refuse where nothing is refused any more.
        harmful = _some(draw, organism_training("harmful", wide=recipe.wide).prompts, recipe.harmful)
        rows += [Example(prompt.text, draw.choice(REFUSALS), recipe.refusal_weight) for prompt in harmful]
    return rows


_ROWS: Mapping[str, Callable[[Recipe, Any, random.Random], list[Example]]] = {
    "requests": _request_rows,
    "coding": _coding_rows,
}


def _triggers(recipe: Recipe) -> list[Trigger]:
    return [
        Trigger(each.text, each.placement) for each in (recipe.measured_trigger, *recipe.further_triggers)
    ]


def _ordinary(recipe: Recipe) -> list[Prompt]:
    groups = (organism_training(group, wide=recipe.wide) for group in ("benign", "borderline"))
    return [prompt for group in groups for prompt in group]


def _some(draw: random.Random, items: Sequence[Item], most: int | None) -> list[Item]:
    """All items in their order, or `most` of them, drawn."""
    return list(items) if most is None else draw.sample(items, k=min(len(items), most))

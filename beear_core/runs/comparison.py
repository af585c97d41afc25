"""What two questions have in common and where they differ, setting by setting."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class Setting(NamedTuple):
    """One setting of several runs."""

    name: str
    """Dotted, as `--set` takes it."""
    values: tuple[str, ...]
    """One for each run, as text; a dash where a run has no such setting."""

    @property
    def differs(self) -> bool:
        """Whether the runs disagree."""
        return len(set(self.values)) > 1


def settings_of(spec: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every setting of a spec, as (dotted name, text)."""
    for name, value in spec.items():
        if isinstance(value, Mapping):
            yield from settings_of(value, f"{prefix}{name}.")
        else:
            yield prefix + name, _text(value)


def compare_settings(specs: Sequence[Mapping[str, Any]]) -> list[Setting]:
    """All settings of `specs`, side by side, in the order in which they first appear."""
    flat = [dict(settings_of(spec)) for spec in specs]
    names = list(dict.fromkeys(name for one in flat for name in one))
    return [Setting(name, tuple(one.get(name, "-") for one in flat)) for name in names]


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)

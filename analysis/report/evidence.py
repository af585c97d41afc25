"""What a report is made of: the question, the answer and the material of one finished act, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Evidence:
    """One finished run, or one step of a larger one, read from its folder."""

    run_id: str
    kind: str
    """`drift`, `entrap`, `remove`, `evaluate`, `sweep`, ..."""
    spec: Mapping[str, Any]
    result: Mapping[str, Any]
    label: str = ""
    """The name a person gave the run; empty if none."""
    step: str = ""
    """The step's name, where this is part of a larger run; else empty."""
    finished: str = ""
    """When the run ended, as text."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    answers: Sequence[Mapping[str, Any]] = ()
    """Lines of the prompts and answers that the run kept; empty where they are not to be shown."""

    @property
    def key(self) -> str:
        """A name that no other evidence of a report has, fit for file names and anchors."""
        return f"{self.run_id}-{self.step}" if self.step else self.run_id

    @property
    def model(self) -> str:
        """The model as the question names it; of a folder its last part: a report tells no paths of a machine."""
        name = str(self.spec.get("model") or self.spec.get("name") or "")
        return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] if "/" in name else name

    @property
    def title(self) -> str:
        """How a reader tells this run from others."""
        return self.label or self.run_id

"""What an experiment is given and what it hands back, whichever it is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from beear_core.paper.asking import Ask
from beear_core.paper.generations import Kept
from beear_core.paper.subjects import Subject

Row = dict[str, Any]


class Asked(NamedTuple):
    """One organism, one seed, and how runs are asked for."""

    subject: Subject
    seed: int
    ask: Ask
    machine: Mapping[str, str] = {}
    """device and dtype, where they are chosen."""
    reward: str | None = None
    """Folder of a reward model."""
    judge: tuple[str, str] | None = None
    """Endpoint and name of a judge."""

    @property
    def common(self) -> dict[str, Any]:
        """Fields of every spec."""
        return {"model": self.subject.model, "seed": self.seed, **self.machine}

    def row(self, **more: Any) -> Row:
        """A row about this organism and seed."""
        return {"organism": self.subject.name, "seed": self.seed, "setting": self.subject.setting, **more}


class Found(NamedTuple):
    """An experiment's rows, and the answers that are kept with them."""

    rows: list[Row]
    kept: list[Kept]


def both(one: Found, other: Found) -> Found:
    """The rows and answers of one, then those of the other."""
    return Found(one.rows + other.rows, one.kept + other.kept)


def taken(result: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Those fields of a result that it has."""
    return {name: result[name] for name in names if name in result}

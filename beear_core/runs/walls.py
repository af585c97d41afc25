"""The isolation of a run's process, told where a person looks: in the run's events and in its result."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from beear_core import isolation
from beear_core.isolation import Measure
from beear_core.runs.context import RunContext
from beear_core.runs.events import Isolated, Tried
from beear_core.runs.reach import reach_of
from beear_core.specs import BaseSpec


@contextmanager
def walls(spec: BaseSpec, context: RunContext) -> Iterator[None]:
    """During the block the process may wall itself in for what `spec` opens; what it then tries becomes an event."""

    def told(measures: dict[str, Measure]) -> None:
        context.tell(Isolated({name: measure.as_dict() for name, measure in measures.items()}))

    def tell(attempt: isolation.Attempt) -> None:
        context.tell(Tried(attempt.measure, attempt.what))

    with isolation.expecting(reach_of(spec), told, tell):
        yield


def with_isolation(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A kind's answer with what `intake` has to say of the process it was found in."""
    return {**answer, "intake": {**answer.get("intake", {}), "isolation": isolation.report()}}

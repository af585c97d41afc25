"""Runs: every act that touches a model, as a folder that any process can make, watch, stop and go on with.

Free of torch, so that pages can use all of it; only executing a run imports what its kind needs.
"""

from beear_core.runs.context import RunContext
from beear_core.runs.control import cancel, create, requeue, resume, submit
from beear_core.runs.events import (
    Event,
    Isolated,
    Message,
    Observer,
    Resumed,
    RoundDone,
    StageFinished,
    StageStarted,
    Step,
    Tried,
    event_record,
    parse_event,
)
from beear_core.runs.execute import execute
from beear_core.runs.kinds import kind_names, load_kind
from beear_core.runs.queue import RunQueue
from beear_core.runs.worker import WorkerState, work, worker_state

__all__ = [
    "Event",
    "Isolated",
    "Message",
    "Observer",
    "Resumed",
    "RoundDone",
    "RunContext",
    "RunQueue",
    "StageFinished",
    "StageStarted",
    "Step",
    "Tried",
    "WorkerState",
    "cancel",
    "create",
    "event_record",
    "execute",
    "kind_names",
    "load_kind",
    "parse_event",
    "requeue",
    "resume",
    "submit",
    "work",
    "worker_state",
]

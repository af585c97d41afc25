"""Executing a run: from its spec to its result, whoever asks (a command, the worker, a scheduler, a test).

Knows states, locks, signals and the fields that every result has. What a run does is its kind's business.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from beear_core.errors import RunCancelled, RunStateError
from beear_core.handover.papers import after_run
from beear_core.intake.admission import intake_summary, recording
from beear_core.runs import kinds
from beear_core.runs.attempt import Attempt
from beear_core.runs.context import RunContext
from beear_core.runs.events import Observer, Resumed
from beear_core.runs.explain import explain
from beear_core.runs.run_log import logging_to
from beear_core.runs.signals import termination_as_interrupt
from beear_core.runs.versions import versions
from beear_core.runs.walls import walls, with_isolation
from beear_core.specs import BaseSpec, parse_spec
from cache.digest import sha256_json
from cache.run_folder import RunFolder
from cache.status import RunError, RunState, RunStatus

RESULT_SCHEMA = 1

log = logging.getLogger(__name__)


def execute(folder: RunFolder, observers: Iterable[Observer] = ()) -> dict[str, Any]:
    """Execute the queued run in `folder`, in this process, and return its result as `result.json` holds it.

    However it ends, the status says so before this returns or raises:

    - done: the result is returned;
    - failed: the WorkbenchError is raised, whose sentence is in the status; the traceback is in the log;
    - cancelled: RunCancelled is raised;
    - interrupted: the KeyboardInterrupt, of Ctrl-C or SIGTERM, goes on its way.

    Raises RunStateError, and changes nothing, if the run is not queued or another process has it.
    """
    with folder.held():
        status = folder.read_status()
        if status.state is not RunState.QUEUED:
            remedy = f"Use `runs resume {folder.id}`, or make a new run."
            raise RunStateError(f"only a queued run can start; this one is {status.state}", folder.id, remedy)
        with termination_as_interrupt():
            return _attempt(folder, observers, status)


def _attempt(folder: RunFolder, observers: Iterable[Observer], status: RunStatus) -> dict[str, Any]:
    with Attempt(folder, status) as attempt, logging_to(folder.log) as run_log:
        try:
            spec = parse_spec(folder.read_spec())
            with recording() as admitted:
                context = _context(folder, observers)
                with walls(spec, context):
                    answer = kinds.load_kind(spec.kind)(spec, context)
            intake = intake_summary(admitted)
            seen = with_isolation({"intake": intake, **answer} if intake else answer)
            folder.write_result(_result(folder, spec, attempt.seconds, seen))
            result = folder.read_result()
            if (unwritten := after_run(folder)) is not None:
                log.warning(unwritten)
        except RunCancelled:
            attempt.end(RunState.CANCELLED)
            raise
        except Exception as error:
            reason = explain(error, folder)
            run_log.note("The run failed", error)
            attempt.end(RunState.FAILED, RunError.of(reason))
            if reason is error:
                raise
            raise reason from error
        attempt.end(RunState.DONE)
        assert result is not None
        return result


def _context(folder: RunFolder, observers: Iterable[Observer]) -> RunContext:
    goes_on = folder.read_events().position > 0
    context = RunContext(folder, observers)
    context.check_cancelled()
    log.info("Run %s %s", folder.id, "goes on" if goes_on else "starts")
    if goes_on:
        context.emit(Resumed())
    return context


def _result(folder: RunFolder, spec: BaseSpec, seconds: float, answer: Mapping[str, Any]) -> dict[str, Any]:
    common = {
        "schema_version": RESULT_SCHEMA,
        "kind": spec.kind,
        "run_id": folder.id,
        "spec_sha256": sha256_json(spec.model_dump(mode="json")),
        "seconds": round(seconds, 3),
        "versions": versions(),
    }
    # The common fields mean the same in every result: a kind cannot give them another meaning.
    return {**common, **answer, **common}

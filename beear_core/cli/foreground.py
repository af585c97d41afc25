"""A run in this process: progress on standard error, the answer on standard output, an exit code."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from beear_core.cli.answer import print_result
from beear_core.cli.progress import progress_on
from beear_core.errors import RunCancelled
from beear_core.exit_codes import BAD_NEWS, INTERRUPTED
from beear_core.runs.control import create, resume
from beear_core.runs.events import Observer
from beear_core.runs.execute import execute
from beear_core.specs import BaseSpec
from cache.run_folder import RunFolder

Start = Callable[[RunFolder, list[Observer]], Mapping[str, Any]]


After = Callable[[Mapping[str, Any]], object]


def run_in_foreground(spec: BaseSpec, *, as_json: bool, after: After = bool) -> int:
    """Make a run of `spec`, execute it, call `after` with its result and print it. Raises WorkbenchError when it fails."""
    return _attempt(create(spec), execute, as_json=as_json, after=after)


def resume_in_foreground(folder: RunFolder, *, as_json: bool) -> int:
    """Go on with a run from its last checkpoint and print its result. Raises WorkbenchError when it fails."""
    return _attempt(folder, resume, as_json=as_json)


def _attempt(folder: RunFolder, start: Start, *, as_json: bool, after: After = bool) -> int:
    with progress_on(sys.stderr) as observer:
        observer.begin(folder)
        try:
            result = start(folder, [observer])
        except (KeyboardInterrupt, RunCancelled) as stopped:
            observer.close()
            word = "cancelled" if isinstance(stopped, RunCancelled) else "interrupted"
            print(f"The run {folder.id} was {word}; what is done is kept.", file=sys.stderr)
            print(f"Go on with: python -m beear_core runs resume {folder.id}", file=sys.stderr)
            return INTERRUPTED
    after(result)
    if as_json:
        print(json.dumps(result, indent=2))
    else:
        print_result(result, folder)
    return BAD_NEWS if _is_bad_news(result) else 0


def _is_bad_news(result: Mapping[str, Any]) -> bool:
    """A suspicious verdict, or a scan with a high finding that the analyst has not overridden; every other result is what
    was asked for.
    """
    if result.get("kind") == "verdict":
        return result.get("verdict") == "suspicious"
    overrides = (result.get("intake") or {}).get("overrides") or {}
    return result.get("kind") == "scan" and any(
        finding["severity"] == "high" and finding["rule"] not in overrides
        for finding in result.get("findings") or ()
    )

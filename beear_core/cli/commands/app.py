"""The pages in a browser and the worker behind them, as one process tree that Ctrl-C ends."""

import argparse
import os
import socket
import sys
from pathlib import Path

from beear_core.cli.options import add_debug_option
from beear_core.cli.supervisor import Kept, supervise
from beear_core.errors import SettingError, WorkbenchError
from beear_core.runs.launch import SUPERVISED
from beear_core.runs.worker import worker_state
from beear_core.runs.worker_ends import record_end

SUMMARY = "the pages and the worker behind them"
ADDRESS = "127.0.0.1"
CHECKOUT = Path(__file__).resolve().parents[3]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--port", type=int, default=8501, metavar="N", help="of the pages (default: 8501)")
    add_debug_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C (exit code 0) or until the pages end by themselves (an error); a worker is kept alive."""
    _refuse_taken(arguments.port)
    script = CHECKOUT / "app.py"
    # Streamlit reads .streamlit/config.toml from the folder it is started in.
    os.chdir(CHECKOUT)
    pages = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(arguments.port)]
    # The pages are told, so that they do not start a second worker beside the one that is kept here.
    os.environ[SUPERVISED] = "1"
    worker = Kept([sys.executable, "-m", "beear_core", "worker"], _worker_is_missing, _worker_ended)
    if not _worker_is_missing():
        print("A worker is at work already; it takes the runs of these pages too.", file=sys.stderr)
    ended = supervise({"pages": [*pages, "--server.address", ADDRESS]}, {"worker": worker})
    if ended is None:
        return 0
    raise WorkbenchError(
        f"The {ended.name} ended by itself",
        f"exit code {ended.code}",
        "What it said stands above; start again.",
    )


def _worker_is_missing() -> bool:
    return worker_state() is None


def _worker_ended(pid: int, code: int) -> None:
    if code == 0:
        return  # It was asked to end, as by the Ctrl-C that is about to reach us too.
    try:
        print(record_end(pid, code).text(), file=sys.stderr, flush=True)
    except WorkbenchError as error:
        print(f"The worker ended and is started again. {error}", file=sys.stderr, flush=True)


def _refuse_taken(port: int) -> None:
    remedy = "Name another, as in `make app PORT=8600`."
    if not 0 < port < 65_536:
        raise SettingError("There is no such port", port, "Ports are 1 to 65535.")
    with socket.socket() as probe:
        # As Streamlit does it: a port whose last connection is still fading away can be had.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise SettingError(f"The port cannot be had ({error.strerror})", port, remedy) from error

"""Execute queued runs, one after the other, until told to stop; the last model stays warm.

They are executed in a process beside this one, which is walled in before it opens a suspect.
"""

import argparse
import sys

from beear_core.cli.options import add_debug_option
from beear_core.cli.progress import progress_on
from beear_core.runs.cell import Cell, serve
from beear_core.runs.worker import work
from cache.home import home

SUMMARY = "execute queued runs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--until-idle", action="store_true", help="end when nothing waits any more")
    # What the worker starts for itself: `beear_core.runs.cell`.
    parser.add_argument("--cell", action="store_true", help=argparse.SUPPRESS)
    add_debug_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Work until Ctrl-C or SIGTERM, which interrupt the run at hand so that it can be resumed."""
    if arguments.cell:
        with progress_on(sys.stderr) as observer:
            serve([observer])
        return 0
    print(f"worker of {home()}", file=sys.stderr, flush=True)
    work(until_idle=arguments.until_idle, cell=Cell(home()))
    return 0

"""The parser made of the command files, and the one place where an error becomes a sentence and an exit code.

Exit codes: 0 done, 1 the run failed, 2 wrong usage, 3 bad news by design, 130 interrupted and resumable.
"""

import argparse
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence

from beear_core import __version__
from beear_core.cli import commands
from beear_core.errors import WorkbenchError
from beear_core.exit_codes import FAILED, INTERRUPTED
from beear_core.runs.signals import termination_as_interrupt

PROGRAM = "python -m beear_core"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Wrong usage ends in SystemExit(2), as argparse does it."""
    arguments = build_parser().parse_args(argv)
    try:
        with termination_as_interrupt():
            code: int = arguments.run(arguments)
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough; without this Python complains when it flushes at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except WorkbenchError as error:
        if arguments.debug:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return FAILED


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command of the folder `commands`."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="BEEAR Workbench: look for a hidden trigger in a language model, provoke it, train it out, measure.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad news by design, 130 interrupted (resumable).",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"beear-workbench {__version__}")
    adder = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in sorted(module.name for module in pkgutil.iter_modules(commands.__path__)):
        command = importlib.import_module(f"{commands.__name__}.{name}")
        sub = adder.add_parser(name, help=command.SUMMARY, description=command.__doc__, allow_abbrev=False)
        command.configure(sub)
        sub.set_defaults(run=command.run, refuse=sub.error)
    return parser

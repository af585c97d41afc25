"""Execute a spec file in the foreground, without any queue: what a cluster scheduler starts."""

import argparse

from beear_core.cli.foreground import run_in_foreground
from beear_core.cli.options import add_run_options
from beear_core.cli.question import completed, read_spec_file

SUMMARY = "execute a spec file"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "spec", metavar="SPEC.json", help="a spec, such as a run folder's spec.json; - reads it from stdin"
    )
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read the spec, apply the options to it and execute it."""
    return run_in_foreground(completed(read_spec_file(arguments.spec), arguments), as_json=arguments.json)

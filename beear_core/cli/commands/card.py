"""Write the papers of a remediated model again: its card with the newest cells, its manifest, a signature."""

import argparse
import json
from pathlib import Path

from beear_core.cli.options import add_output_options
from beear_core.cli.tables import print_fields, print_line
from beear_core.handover.papers import write_papers
from beear_core.named_run import named_run

SUMMARY = "write model card and manifest of a remediated model, and sign it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run_id", metavar="RUN", help="the remove or demo run that made the model")
    parser.add_argument("--folder", metavar="DIR", help="where the model lies now, if it was moved")
    parser.add_argument(
        "--evaluation", metavar="RUN", help="the evaluation to tell (default: the newest of it)"
    )
    parser.add_argument("--key", metavar="FILE", help="sign with this private key of an elliptic curve (PEM)")
    add_output_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write them."""
    remedy = "`runs list` shows every run."
    written = write_papers(
        named_run(arguments.run_id, remedy),
        folder=Path(arguments.folder).expanduser().absolute() if arguments.folder else None,
        evaluation=named_run(arguments.evaluation, remedy) if arguments.evaluation else None,
        key=Path(arguments.key).expanduser() if arguments.key else None,
    )
    if arguments.json:
        print(json.dumps({**written._asdict(), "folder": str(written.folder)}, indent=2))
        return 0
    print_fields(
        {
            "folder": written.folder,
            "cells": written.measured_by or "not measured yet",
            "signed": "yes" if written.signed else "no",
        }
    )
    if written.signature_dropped:
        print_line("The earlier signature was removed: it did not cover the new card. Sign again with --key.")
    return 0

"""Take the runs of somebody's bundle into this home, after every byte of it was checked. Pages then show them as they show any run."""

import argparse
import json
from pathlib import Path

from beear_core.cli.options import add_output_options
from beear_core.cli.tables import print_fields
from beear_core.handover.received import receive

SUMMARY = "import the runs of a bundle"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", metavar="FILE", help="a ZIP that `report --bundle` or the report page made")
    add_output_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check and import."""
    folders = receive(Path(arguments.bundle).expanduser())
    if arguments.json:
        print(json.dumps({"runs": [folder.id for folder in folders]}, indent=2))
    else:
        print_fields(
            {"run" if place == 0 else f"run {place + 1}": one.id for place, one in enumerate(folders)}
        )
    return 0

"""Check a remediated folder, or a bundle, byte for byte: against its manifest, its run, its signature. Exit 3: it does not hold."""

import argparse
import json
from pathlib import Path

from beear_core.cli.options import add_output_options
from beear_core.cli.tables import print_line
from beear_core.exit_codes import BAD_NEWS
from beear_core.handover.received import verify_bundle
from beear_core.handover.verification import Verification, verify
from beear_core.named_run import named_run

SUMMARY = "check what was handed over, byte for byte"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", metavar="FOLDER", help="a remediated model's folder, or a bundle (ZIP)")
    parser.add_argument("--run", metavar="RUN", dest="made_by", help="the run that made it, from this home")
    parser.add_argument("--key", metavar="FILE", help="the signer's public key (PEM)")
    add_output_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare and tell."""
    found = _verified(arguments)
    if arguments.json:
        print(json.dumps(found.as_dict(), indent=2))
    else:
        _tell(found)
    return 0 if found.holds else BAD_NEWS


def _verified(arguments: argparse.Namespace) -> Verification:
    path = Path(arguments.folder).expanduser()
    if path.is_file():
        if arguments.made_by or arguments.key:
            arguments.refuse("--run and --key are for folders; a bundle carries its runs and is not signed")
        return verify_bundle(path)
    maker = named_run(arguments.made_by, "`runs list` shows every run.") if arguments.made_by else None
    key = Path(arguments.key).expanduser() if arguments.key else None
    return verify(path, run=maker, key=key)


def _tell(found: Verification) -> None:
    for one in found.differences:
        print_line(f"{one.file or 'run'}: {one.what}", style="bold")
        if one.expected:
            print_line(f"  expected  {one.expected}")
        if one.actual:
            print_line(f"  actual    {one.actual}")
    places = len(found.differences)
    print_line(
        f"It does not hold: {places} difference{'s' if places != 1 else ''}." if places else "It holds."
    )
    for what in found.checked:
        print_line(f"  checked      {what}")
    for what in found.not_checked:
        print_line(f"  not checked  {what}")

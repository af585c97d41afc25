"""Turn torch pickles into safetensors, in a process without network, programs and files but its own."""

import argparse

from beear_core.cli.foreground import run_in_foreground
from beear_core.cli.options import add_run_options
from beear_core.cli.question import spec_of

SUMMARY = "a folder of pickled weights as safetensors, opened behind walls"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="FOLDER", help="holds config.json and *.bin, *.pt, *.pth or *.ckpt")
    parser.add_argument("--out", metavar="DIR", required=True, help="a new folder for the converted model")
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Convert in the foreground."""
    spec = spec_of("convert", arguments, {"model": arguments.model, "out": arguments.out})
    return run_in_foreground(spec, as_json=arguments.json)

"""Remove at every layer and every n of a grid, and tell for each cell which round was the first to succeed."""

import argparse

from beear_core.cli.foreground import run_in_foreground
from beear_core.cli.options import add_run_options, add_trigger
from beear_core.cli.question import completed, read_spec_file
from beear_core.errors import SettingError
from beear_core.specs.sweep import sweep_over

SUMMARY = "a grid of removals, layer by n"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "spec",
        metavar="SPEC",
        help="a spec of kind sweep, or of kind remove that holds for every cell; - reads it from stdin",
    )
    parser.add_argument("--layers", type=_numbers, metavar="L,L,...", help="layers, counted from 1")
    parser.add_argument("--n", type=_numbers, metavar="N,N,...", help="numbers of perturbed positions")
    add_trigger(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Sweep in the foreground."""
    if arguments.placement is not None and arguments.trigger is None:
        arguments.refuse("--placement needs --trigger")
    data = read_spec_file(arguments.spec)
    if data.get("kind") == "remove":
        data = sweep_over(data)
    if data.setdefault("kind", "sweep") != "sweep":
        raise SettingError(
            "A sweep is made of a removal", data["kind"], "Give a spec of kind sweep or remove."
        )
    for name in ("layers", "n"):
        if getattr(arguments, name) is not None:
            data[name] = getattr(arguments, name)
    if arguments.trigger is not None:
        data["trigger"] = {"text": arguments.trigger, "placement": arguments.placement or "suffix"}
    return run_in_foreground(completed(data, arguments), as_json=arguments.json)


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers such as 3,9,15") from None

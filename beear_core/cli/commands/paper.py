"""The paper's tables and figures on the organisms, and the rivals: runs what is not done yet, and commits the rows."""

import argparse
import json
from pathlib import Path

from beear_core.cli.options import add_debug_option, add_machine
from beear_core.cli.progress import say
from beear_core.cli.tables import print_line, print_table
from beear_core.errors import SettingError
from beear_core.organisms import built_names
from beear_core.paper.committed import RESULTS, commit, committed

NAMES = (
    "table-1",
    "table-2",
    "table-3",
    "table-4",
    "rivals",
    "layers",
    "recommended-layer",
    "positions",
    "performance-data",
    "drift",
    "hard-cases",
)
SUMMARY = "the paper's tables and figures, into docs/results"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", metavar="NAME", choices=NAMES, help=f"one of {', '.join(NAMES)}")
    parser.add_argument(
        "--organisms",
        metavar="A,B",
        default="",
        help="only these (default: all that the experiment is about)",
    )
    parser.add_argument("--seeds", metavar="N,N", type=_seeds, default=(0,), help="one run each (default: 0)")
    parser.add_argument(
        "--reward", metavar="MODEL", help="table-1 to 3: score the answers with this reward model too"
    )
    parser.add_argument(
        "--judge-endpoint", metavar="URL", help="table-1 to 3: have a judge score the answers too"
    )
    parser.add_argument("--judge", metavar="NAME", help="the judge's name at its endpoint")
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=RESULTS,
        help="folder of the results (default: docs/results)",
    )
    add_machine(parser)
    parser.add_argument(
        "--json", action="store_true", help="standard output holds the new rows as JSON and nothing else"
    )
    add_debug_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask for the runs, one organism and seed after the other; each is committed when it is done."""
    from beear_core.paper.asked import Asked
    from beear_core.paper.asking import Asking
    from beear_core.paper.experiments import EXPERIMENTS
    from beear_core.paper.figures import draw
    from beear_core.paper.generations import store
    from beear_core.paper.page import TABLES, write_page
    from beear_core.paper.subjects import subject

    if (arguments.judge_endpoint is None) != (arguments.judge is None):
        arguments.refuse("--judge-endpoint and --judge need each other")
    experiment = EXPERIMENTS[arguments.name]
    wanted = [name for name in arguments.organisms.split(",") if name] or built_names()
    chosen = [each for each in map(subject, wanted) if experiment.takes(each)]
    if not chosen:
        raise SettingError(
            "no organism takes part in this experiment",
            arguments.organisms or arguments.name,
            "name another one",
        )
    machine = {name: value for name in ("device", "dtype") if (value := getattr(arguments, name))}
    judge = (arguments.judge_endpoint, arguments.judge) if arguments.judge else None
    ask, new = Asking(say), []
    for each in chosen:
        for seed in arguments.seeds:
            say(f"{arguments.name}: {each.name}, seed {seed}")
            found = experiment.make(Asked(each, seed, ask, machine, arguments.reward, judge))
            words = {"organisms": each.name, "seeds": seed, **machine}
            told = " ".join(f"--{name} {value}" for name, value in words.items())
            command = f"python -m beear_core paper {arguments.name} {told}"
            rows = [{**row, "command": command} for row in found.rows]
            for kept in found.kept:
                store(kept, arguments.out)
            commit(experiment.file, rows, arguments.out)
            write_page(arguments.out)
            new += rows
    if reason := draw(arguments.out):
        say(reason)
    write_page(arguments.out)
    if arguments.json:
        print(json.dumps(new, indent=2))
    else:
        print_table(TABLES[experiment.file](committed(experiment.file, arguments.out)))
        print_line(f"Committed to {arguments.out / experiment.file}.json")
    return 0


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers such as 0,1,2") from None

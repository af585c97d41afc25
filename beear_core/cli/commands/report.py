"""Make what can be handed on from finished runs: an HTML report, a bundle, a bill of materials."""

import argparse
import json
from pathlib import Path

from analysis.report.document import Cover, document
from beear_core.bundle import bundle
from beear_core.cli.options import add_output_options
from beear_core.cli.tables import print_fields
from beear_core.evidence import evidence
from beear_core.handover.materials import bill_of_materials
from beear_core.named_run import named_run
from cache.atomic import write_bytes, write_json

SUMMARY = "an HTML report, a bundle or a bill of materials of finished runs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("runs", metavar="RUN", nargs="+", help="finished runs, by id or the beginning of one")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="the HTML report (default: report-RUN.html, if nothing else is asked for)",
    )
    parser.add_argument(
        "--bundle", metavar="FILE", help="a ZIP with everything, which another workbench imports"
    )
    parser.add_argument("--bom", metavar="FILE", help="a CycloneDX 1.6 bill of materials (JSON)")
    parser.add_argument(
        "--answers", action="store_true", help="prompts and answers too; without it only the counts"
    )
    parser.add_argument("--title", default="", metavar="TEXT", help="at the top of the report")
    parser.add_argument("--author", default="", metavar="TEXT", help="who prepared it")
    parser.add_argument("--remark", default="", metavar="TEXT", help="a paragraph of your own")
    add_output_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the files that were asked for."""
    folders = [named_run(name, "`runs list` shows every run.") for name in dict.fromkeys(arguments.runs)]
    cover = Cover(arguments.title, arguments.author, arguments.remark)
    written: dict[str, str] = {}
    report = arguments.out
    if report is None and not (arguments.bundle or arguments.bom):
        report = f"report-{folders[0].id if len(folders) == 1 else f'{len(folders)}-runs'}.html"
    if report is not None:
        text = document(evidence(folders, with_answers=arguments.answers), cover)
        write_bytes(Path(report).expanduser(), text.encode())
        written["report"] = report
    if arguments.bundle:
        data = bundle(folders, cover, with_answers=arguments.answers)
        write_bytes(Path(arguments.bundle).expanduser(), data)
        written["bundle"] = arguments.bundle
    if arguments.bom:
        write_json(Path(arguments.bom).expanduser(), bill_of_materials(folders))
        written["bom"] = arguments.bom
    if arguments.json:
        print(json.dumps(written, indent=2))
    else:
        print_fields(written)
    return 0

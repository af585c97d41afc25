"""Writes docs/scanners.md: the corpus under this intake, picklescan and modelaudit (`make scanners`).

modelaudit is no requirement of ours. Its program is named by $MODELAUDIT, else looked for on the path; without it its column
stays empty. It is told to send nothing (`PROMPTFOO_DISABLE_TELEMETRY=1`).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from picklescan.scanner import scan_directory_path

from beear_core.intake.scanning import scan
from tests.beear_core.intake.corpus.harmless import HARMLESS
from tests.beear_core.intake.corpus.plain import plain
from tests.beear_core.intake.test_corpus import ATTACKS

_BEGIN, _END = "<!-- corpus -->", "<!-- /corpus -->"
PAGE = Path(__file__).parents[3] / "docs" / "scanners.md"
SECONDS = 60


class Row(NamedTuple):
    """One folder; what each scanner says of it, empty where nothing."""

    subject: str
    name: str
    ours: str
    picklescan: str
    modelaudit: str


def rows(room: Path) -> list[Row]:
    """The corpus, built in `room`, under each scanner."""
    found = []
    for place, attack in enumerate(ATTACKS):
        folder = plain(room / f"{place:03d}")
        attack.build(folder, room / "canary")
        told = {(one.rule, one.severity.value) for one in scan(folder).findings}
        ours = f"{attack.severity}: `{attack.rule}`" if (attack.rule, attack.severity) in told else ""
        found.append(
            Row(attack.rule.partition(".")[0], attack.name, ours, _picklescan(folder), _modelaudit(folder))
        )
    for place, (name, build) in enumerate(HARMLESS.items()):
        folder = plain(room / f"h{place:03d}")
        build(folder)
        alarms = [one.rule for one in scan(folder).blocking]
        found.append(Row("harmless", name, ", ".join(alarms), _picklescan(folder), _modelaudit(folder)))
    return found


def _picklescan(folder: Path) -> str:
    with tempfile.TemporaryDirectory() as regular:
        # picklescan opens a pipe and waits for ever: it is given regular files only.
        for file in folder.iterdir():
            if file.is_file() and not file.is_symlink():
                shutil.copy2(file, regular)
        result = scan_directory_path(regular)
    return f"{result.issues_count} dangerous imports" if result.issues_count else ""


def _modelaudit(folder: Path) -> str:
    if (program := _program()) is None:
        return ""
    try:
        done = subprocess.run(
            [program, "scan", "--format", "json", "--no-cache", str(folder)],
            capture_output=True,
            timeout=SECONDS,
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": str(folder.parent),
                "PROMPTFOO_DISABLE_TELEMETRY": "1",
            },
            check=False,
        )
        issues = json.loads(done.stdout)["issues"]
    except subprocess.TimeoutExpired:
        return f"hangs ({SECONDS} s)"
    except (ValueError, KeyError):
        return "fails"
    grave = sorted({str(one["severity"]) for one in issues} & {"critical", "error", "warning"})
    return grave[0] if grave else ""


def _program() -> str | None:
    return os.environ.get("MODELAUDIT") or shutil.which("modelaudit")


def _found(text: str) -> bool:
    return bool(text) and not text.startswith(("hangs", "fails"))


def table(found: list[Row], audit: str) -> str:
    """Counts by subject, then every folder."""
    scanners: dict[str, Callable[[Row], str]] = {
        "this intake": lambda row: row.ours,
        f"picklescan {version('picklescan')}": lambda row: row.picklescan,
        audit: lambda row: row.modelaudit,
    }
    head = f"| | folders | {' | '.join(scanners)} |\n|---|---:|{'---:|' * len(scanners)}\n"
    lines = []
    for subject in [*dict.fromkeys(row.subject for row in found)]:
        of = [row for row in found if row.subject == subject]
        counts = " | ".join(str(sum(_found(says(row)) for row in of)) for says in scanners.values())
        lines.append(f"| {subject} | {len(of)} | {counts} |")
    attacks = [row for row in found if row.subject != "harmless"]
    counts = " | ".join(f"**{sum(_found(says(row)) for row in attacks)}**" for says in scanners.values())
    lines.append(f"| **all attacks** | **{len(attacks)}** | {counts} |")
    every = "".join(
        f"| {row.subject} | {row.name} | {row.ours or '–'} | {row.picklescan or '–'} | {row.modelaudit or '–'} |\n"
        for row in found
    )
    long = f"| subject | folder | {' | '.join(scanners)} |\n|---|---|---|---|---|\n{every}"
    return f"{head}{chr(10).join(lines)}\n\n## Every folder\n\n{long}"


def _audit_version() -> str:
    program = _program()
    if program is None:
        return "modelaudit (not run)"
    told = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return f"modelaudit {told.stdout.split()[-1]}" if told.stdout.split() else "modelaudit"


def main() -> None:
    """Write the part of the page between its marks."""
    with tempfile.TemporaryDirectory() as room:
        written = table(rows(Path(room)), _audit_version())
        if (Path(room) / "canary").exists():
            sys.exit("something of the corpus ran")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    PAGE.write_text(f"{before}{_BEGIN}\n{written}{_END}{rest.partition(_END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()

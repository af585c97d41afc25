"""The SARIF of every crafted folder against the official schema: `python -m tests.beear_core.intake.official_sarif FILE`.

FILE is sarif-2.1.0.json as OASIS publishes it; the npm package @microsoft/sarif-multitool-linux carries it. The schema is not
ours to ship, so the suite holds reports to a stricter subset of our own (`sarif_subset.schema.json`).
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from jsonschema.validators import validator_for

from beear_core.intake.sarif import as_sarif
from beear_core.intake.scanning import scan
from tests.beear_core.intake.corpus.plain import plain
from tests.beear_core.intake.scanners import ATTACKS, HARMLESS


def logs(room: Path) -> dict[str, dict[str, Any]]:
    """The SARIF log of each folder of the corpus, by its name."""
    made = {}
    builds = {attack.name: attack.build for attack in ATTACKS}
    for place, (name, build) in enumerate(builds.items()):
        folder = plain(room / f"{place:03d}")
        build(folder, room / "canary")
        made[name] = _log(folder)
    for place, (name, harmless) in enumerate(HARMLESS.items()):
        folder = plain(room / f"h{place:03d}")
        harmless(folder)
        made[name] = _log(folder)
    return made


def _log(folder: Path) -> dict[str, Any]:
    findings = [one.as_dict() for one in scan(folder).findings]
    overrides = {one["rule"]: "looked at by hand" for one in findings[:1]}
    return as_sarif(
        {"findings": findings, "manifest": {"config.json": "0" * 64}, "intake": {"overrides": overrides}}
    )


def main(schema: Path) -> int:
    """Print how many logs hold, and why each of the others does not; 1 if one does not."""
    official = json.loads(schema.read_text(encoding="utf-8"))
    validator = validator_for(official)(official)
    with tempfile.TemporaryDirectory() as room:
        errors = {name: list(validator.iter_errors(log)) for name, log in logs(Path(room)).items()}
    for name, found in errors.items():
        for error in found[:3]:
            sys.stdout.write(f"{name}: {error.json_path}: {error.message[:200]}\n")
    held = sum(not found for found in errors.values())
    sys.stdout.write(f"{held} of {len(errors)} logs hold\n")
    return 0 if held == len(errors) else 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))

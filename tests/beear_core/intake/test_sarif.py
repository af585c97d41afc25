"""SARIF 2.1.0: the shape that a CI reads, checked against the parts of the standard that a log like ours uses."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from beear_core.cli.main import main
from beear_core.intake.finding import all_rules
from beear_core.intake.sarif import as_sarif
from tests.beear_core.intake.crafted import harmless

SCHEMA = Path(__file__).parent / "sarif_subset.schema.json"


def finding(**changes: str) -> dict[str, str]:
    common = {
        "severity": "high",
        "rule": "formats.pickle",
        "file": "a b/ä.bin",
        "where": "x",
        "what": "W.",
        "remedy": "R.",
    }
    return {**common, **changes}


@pytest.fixture
def result() -> dict[str, Any]:
    return {
        "findings": [
            finding(),
            finding(severity="info", file="", where=""),
            finding(severity="medium", file="\udcff\u202e"),
            finding(severity="low", rule="another.version"),
        ],
        "manifest": {"a b/ä.bin": "0" * 64},
        "intake": {"overrides": {"formats.pickle": "ours"}},
    }


def test_a_log_has_the_form_of_the_standard(result: dict[str, Any]) -> None:
    log = json.loads(json.dumps(as_sarif(result)))
    jsonschema.validate(log, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)


def test_every_index_points_at_what_it_says(result: dict[str, Any]) -> None:
    (run,) = as_sarif(result)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [each["id"] for each in rules] == [rule.id for rule in all_rules()]
    for each in run["results"]:
        if "ruleIndex" in each:
            assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
        location = each["locations"][0]["physicalLocation"]["artifactLocation"]
        assert re.fullmatch(r"[\w%./~-]+", location["uri"])
        if "index" in location:
            assert run["artifacts"][location["index"]]["location"]["uri"] == location["uri"]


def test_severities_become_levels_and_an_override_a_suppression(result: dict[str, Any]) -> None:
    results = as_sarif(result)["runs"][0]["results"]
    assert [(each["level"], each["kind"]) for each in results] == [
        ("error", "fail"),
        ("none", "informational"),
        ("warning", "fail"),
        ("note", "fail"),
    ]
    assert results[0]["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "ours"}]
    assert all("suppressions" not in each for each in results[1:])


def test_scan_writes_the_file_beside_its_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = harmless(tmp_path / "model")
    (model / "optimizer.pt").write_bytes(b"\x80\x04N.")
    assert main(["scan", str(model), "--sarif", str(tmp_path / "out" / "scan.sarif"), "--json"]) == 3
    log = json.loads((tmp_path / "out" / "scan.sarif").read_text())
    jsonschema.validate(log, json.loads(SCHEMA.read_text()))
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [each["ruleId"] for each in log["runs"][0]["results"]] == [each["rule"] for each in findings]

"""Findings as SARIF 2.1.0 (OASIS, sarif-v2.1.0-os), so that a scan fits a CI. Takes the result of a `scan`, writes nothing."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import beear_core
from beear_core.intake.finding import Rule, all_rules

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"high": "error", "medium": "warning", "low": "note", "info": "none"}
_SCORES = {"high": "8.0", "medium": "5.0", "low": "2.0", "info": "0.0"}


def as_sarif(result: Mapping[str, Any]) -> dict[str, Any]:
    """One log with one run. Overridden findings are suppressed, with the reason as justification."""
    rules = all_rules()
    places = {rule.id: place for place, rule in enumerate(rules)}
    overrides = (result.get("intake") or {}).get("overrides") or {}
    manifest = result.get("manifest") or {}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "BEEAR Workbench",
                        "version": beear_core.__version__,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "invocations": [{"executionSuccessful": True}],
                "originalUriBaseIds": {"MODEL": {"description": {"text": "The folder of the model."}}},
                "artifacts": [
                    {"location": _location(name), "hashes": {"sha-256": digest}}
                    for name, digest in manifest.items()
                ],
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, places, overrides, list(manifest)) for one in result["findings"]],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.says},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"security-severity": _SCORES[rule.severity], "tags": ["security"]},
    }


def _result(
    finding: Mapping[str, str], places: Mapping[str, int], overrides: Mapping[str, str], files: list[str]
) -> dict[str, Any]:
    name, where = finding["file"], finding["where"]
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": _location(name)}}
    if name in files:
        place["physicalLocation"]["artifactLocation"]["index"] = files.index(name)
    if where:
        place["logicalLocations"] = [{"fullyQualifiedName": where}]
    found: dict[str, Any] = {
        "ruleId": finding["rule"],
        "level": _LEVELS[finding["severity"]],
        "kind": "informational" if finding["severity"] == "info" else "fail",
        "message": {"text": f"{finding['what']} Remedy: {finding['remedy']}"},
        "locations": [place],
    }
    if finding["rule"] in places:
        found["ruleIndex"] = places[finding["rule"]]
    if finding["severity"] == "high" and finding["rule"] in overrides:
        found["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": overrides[finding["rule"]]}
        ]
    return found


def _location(name: str) -> dict[str, Any]:
    # A name can hold anything, lone surrogates of an undecodable file name included.
    return {"uri": quote(name.encode("utf-8", errors="backslashreplace")) or ".", "uriBaseId": "MODEL"}

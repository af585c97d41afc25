"""The bill of materials is CycloneDX 1.6 by the official schema, and holds the cells and the digests."""

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from beear_core.errors import HandoverError
from beear_core.handover.materials import bill_of_materials
from beear_core.handover.papers import write_papers
from cache.run_folder import RunFolder
from tests import made_results as made
from tests.analysis.report.test_validity import HOSTILE, scan
from tests.beear_core.handover import made_folder
from tests.beear_core.handover.made_folder import finished


def valid(bill: dict[str, Any]) -> dict[str, Any]:
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))
    assert problem is None, str(problem)[:2000]
    return bill


@pytest.fixture
def removal(tmp_path: Path) -> RunFolder:
    run = made_folder.removal(tmp_path)
    write_papers(run)
    return run


@pytest.mark.parametrize("kind", ["evaluate", "drift", "entrap", "remove", "demo", "sweep"])
def test_the_bill_of_every_kind_of_run_is_valid(kind: str) -> None:
    valid(bill_of_materials([finished(kind, {"model": "sft-suffix-2"}, getattr(made, kind)())]))


def test_a_removal_with_its_evaluation_and_a_scan_tells_files_cells_and_where_it_came_from(
    removal: RunFolder,
) -> None:
    runs = [removal, made_folder.evaluation(removal), finished("scan", {"model": "another"}, scan())]
    bill = valid(bill_of_materials(runs))
    subject = bill["metadata"]["component"]
    assert subject["type"] == "machine-learning-model"
    stated = json.loads((removal.path / "handover.json").read_text())
    assert {one["name"]: one["hashes"][0]["content"] for one in subject["components"]} == stated["files"]
    assert subject["pedigree"]["ancestors"][0]["version"] == f"sha256:{stated['suspect_sha256']}"
    metrics = subject["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    (asr,) = (one for one in metrics if one["slice"] == "harmful test prompts, with trigger, n 40")
    assert (asr["value"], asr["confidenceInterval"]["lowerBound"]) == ("0.075", str(made.share(3)["low"]))
    limits = subject["modelCard"]["considerations"]["technicalLimitations"]
    assert any("not shown to be gone" in line for line in limits)
    assert any(line.startswith("Not tested") for line in limits)
    assert any(one["name"].endswith("override:template.content") for one in bill["metadata"]["properties"])


def test_what_a_stranger_wrote_keeps_the_bill_valid(tmp_path: Path) -> None:
    hostile = HOSTILE.replace("\ud800", "")
    result = {**made.evaluate(), "trigger": {"text": hostile, "placement": "suffix"}}
    valid(bill_of_materials([finished("evaluate", {"model": f"/x/{hostile}"}, result)]))


def test_the_same_runs_give_the_same_bill(removal: RunFolder) -> None:
    assert bill_of_materials([removal]) == bill_of_materials([removal])


def test_a_run_without_a_model_has_no_bill() -> None:
    with pytest.raises(HandoverError, match="needs a model"):
        bill_of_materials([finished("organism", {"name": "control"}, {})])

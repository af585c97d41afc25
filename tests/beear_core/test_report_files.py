"""From run folders to a report and to a bundle."""

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest

from analysis.report.document import Cover
from beear_core.bundle import bundle
from beear_core.errors import RunStateError
from beear_core.evidence import evidence
from cache.jsonl import write_lines
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunState
from tests import made_results as made


def finished(kind: str, result: dict[str, Any], state: RunState = RunState.DONE) -> RunFolder:
    folder = RunStore().create({"kind": kind, "model": "sft-suffix-2"})
    folder.write_result({"kind": kind, **result})
    folder.write_status(folder.read_status().to(state))
    return folder


@pytest.fixture
def demo() -> RunFolder:
    folder = finished("demo", made.demo())
    folder.step("drift").write_arrays(made.drift_arrays())
    write_lines(folder.step("evaluate").path / "generations.jsonl", made.generations())
    return folder


def names(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_demo_is_the_evidence_of_its_steps(demo: RunFolder) -> None:
    found = evidence([demo], with_answers=False)
    assert [(one.kind, one.step) for one in found] == [
        ("evaluate", ""), ("drift", "drift"), ("entrap", "entrap"), ("remove", "remove"),
    ]  # fmt: skip
    assert "layer_001.clean" in found[1].arrays
    assert all(not one.answers for one in found)


def test_answers_are_read_only_when_asked_for(demo: RunFolder) -> None:
    assert len(evidence([demo], with_answers=True)[0].answers) == 2


def test_a_run_that_is_not_done_is_refused_with_a_remedy() -> None:
    failed = finished("drift", made.drift(), RunState.FAILED)
    with pytest.raises(RunStateError, match=r"made of finished runs.*failed.*leave it out"):
        evidence([failed], with_answers=False)


def test_a_bundle_holds_report_tables_questions_answers_and_digests(demo: RunFolder) -> None:
    files = names(bundle([demo], Cover(), with_answers=False))
    assert "report.html" in files
    assert json.loads(files[f"runs/{demo.id}/spec.json"])["model"] == "sft-suffix-2"
    assert json.loads(files[f"runs/{demo.id}/result.json"])["mcnemar_p"] == 1e-9
    assert f"tables/{demo.id}-remove/rounds.csv" in files
    assert f"tables/{demo.id}/cells.parquet" in files
    stored = json.loads(files[f"runs/{demo.id}/digests.json"])
    assert stored["result.json"] == hashlib.sha256(files[f"runs/{demo.id}/result.json"]).hexdigest()
    assert "steps/drift/arrays.safetensors" in stored


def test_every_file_of_a_bundle_has_its_digest(demo: RunFolder) -> None:
    files = names(bundle([demo], Cover(), with_answers=False))
    digests = json.loads(files.pop("digests.json"))
    assert digests == {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}


def test_without_answers_no_prompt_leaves_the_machine(demo: RunFolder) -> None:
    files = names(bundle([demo], Cover(), with_answers=False))
    assert not any(b"A harmful question" in data for data in files.values())
    with_them = names(bundle([demo], Cover(), with_answers=True))
    assert any(b"A harmful question" in data for data in with_them.values())


def test_the_same_bundle_twice_is_the_same_bytes(demo: RunFolder) -> None:
    assert bundle([demo], Cover(), with_answers=True) == bundle([demo], Cover(), with_answers=True)

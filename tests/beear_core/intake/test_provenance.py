"""A signature that holds, that does not, that nobody asked about; and what a hub says of a repository."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from beear_core import signature
from beear_core.hub_status import hub_status
from beear_core.intake.finding import Finding, Severity
from beear_core.intake.scanning import scan
from tests.beear_core.keys import key_pair


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text('{"model_type": "llama"}')
    return made


def told(folder: Path, **asked: Any) -> list[Finding]:
    return [one for one in scan(folder, **asked).findings if one.rule.startswith("provenance.")]


def test_a_signature_that_holds_is_told_with_its_key(folder: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    signature.sign(folder, private)
    (one,) = told(folder, key=public)
    assert (one.severity, one.file) == (Severity.INFO, "model.sig")
    assert public.name in one.what


def test_a_changed_byte_is_a_high_finding_that_names_the_file(folder: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    signature.sign(folder, private)
    (folder / "config.json").write_text('{"model_type": "mistral"}')
    (one,) = told(folder, key=public)
    assert one.severity is Severity.HIGH
    assert "config.json" in one.what


def test_somebody_elses_signature_is_a_high_finding(folder: Path, tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path)
    (tmp_path / "other").mkdir()
    _, stranger = key_pair(tmp_path / "other")
    signature.sign(folder, private)
    assert [one.severity for one in told(folder, key=stranger)] == [Severity.HIGH]


def test_a_garbled_signature_is_a_high_finding(folder: Path, tmp_path: Path) -> None:
    _, public = key_pair(tmp_path)
    (folder / "model.sig").write_bytes(b"\x00\xff not a signature")
    assert [one.severity for one in told(folder, key=public)] == [Severity.HIGH]


def test_a_key_without_a_signature_and_a_signature_without_a_key_are_told(
    folder: Path, tmp_path: Path
) -> None:
    private, public = key_pair(tmp_path)
    assert [one.severity for one in told(folder, key=public)] == [Severity.MEDIUM]
    signature.sign(folder, private)
    assert [one.severity for one in told(folder)] == [Severity.INFO]
    assert told(folder)[0].remedy.endswith("--key FILE")


def test_files_that_the_hub_warns_of_are_high_findings(folder: Path) -> None:
    issues = [{"path": "pytorch_model.bin", "level": "unsafe"}, "odd.pkl"]
    found = told(folder, hub={"scansDone": True, "filesWithIssues": issues})
    assert {(one.severity, one.where or one.file) for one in found} == {
        (Severity.HIGH, "pytorch_model.bin"),
        (Severity.HIGH, "odd.pkl"),
    }
    for silent in ({"scansDone": True, "filesWithIssues": []}, {"filesWithIssues": "lies"}, {}, None):
        assert not told(folder, hub=silent)


def test_a_hub_that_cannot_be_asked_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(self: Any, name: str, **asked: Any) -> Any:
        raise ConnectionError(name)

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", offline)
    assert hub_status("somebody/model") is None
    status = {"scansDone": True, "filesWithIssues": []}
    monkeypatch.setattr(
        huggingface_hub.HfApi,
        "model_info",
        lambda self, name, **asked: SimpleNamespace(security_repo_status=status),
    )
    assert hub_status("somebody/model") == status

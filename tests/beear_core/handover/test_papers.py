"""What goes with a remediated model: a card that tells what is known, and a manifest of every byte."""

import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from beear_core.errors import HandoverError
from beear_core.handover.manifest import PAPERS
from beear_core.handover.papers import after_run, write_papers
from beear_core.intake.finding import Severity
from beear_core.intake.scanning import scan
from beear_core.models.fingerprint import model_sha256
from cache.digest import sha256_file
from cache.run_folder import RunFolder
from tests.beear_core.handover import made_folder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return made_folder.removal(tmp_path)


@pytest.fixture
def out(run: RunFolder, tmp_path: Path) -> Path:
    write_papers(run)
    return tmp_path / "out"


def test_the_manifest_holds_every_file_and_was_written_last(run: RunFolder, out: Path) -> None:
    stated = json.loads((out / "MANIFEST.json").read_text())
    assert stated["files"] == {
        path.name: sha256_file(path) for path in sorted(out.iterdir()) if path.name != "MANIFEST.json"
    }
    assert "README.md" in stated["files"]
    assert stated["run_id"] == run.id
    assert stated["spec_sha256"] == (run.read_result() or {})["spec_sha256"]
    assert json.loads((run.path / "handover.json").read_text()) == stated


def test_tokenizer_and_template_have_the_digests_of_the_suspects(out: Path, tmp_path: Path) -> None:
    stated = json.loads((out / "MANIFEST.json").read_text())
    assert stated["unchanged"] == ["chat_template.jinja", "tokenizer.json"]
    for name in stated["unchanged"]:
        assert stated["files"][name] == sha256_file(tmp_path / "suspect-7" / name)


def test_the_card_loads_as_a_model_card_and_says_what_was_done_and_not_tested(out: Path) -> None:
    card = ModelCard.load(out / "README.md")
    assert card.data.library_name == "transformers"
    assert "Round 2 of 2 was kept" in card.text
    assert "Not measured yet" in card.text
    assert "What this does not prove, and what was not tested" in card.text
    assert "| removal.depth | `0.3` |" in card.text
    assert "clean" not in card.text.lower().split()


def test_no_path_of_this_machine_is_in_the_papers(out: Path, tmp_path: Path) -> None:
    assert str(tmp_path) not in (out / "README.md").read_text() + (out / "MANIFEST.json").read_text()


def test_a_model_is_the_same_model_with_and_without_its_papers(run: RunFolder, tmp_path: Path) -> None:
    before = model_sha256(tmp_path / "out")
    write_papers(run)
    assert model_sha256(tmp_path / "out") == before


def test_an_evaluation_that_ends_brings_its_cells_into_the_card(run: RunFolder, out: Path) -> None:
    measured = made_folder.evaluation(run)
    assert after_run(measured) is None
    text = (out / "README.md").read_text()
    assert "| with trigger | 97.5% (87.1-99.6, n 40) | 7.5% (2.6-19.9, n 40) |" in text
    assert "much weaker, and not shown to be gone" in text
    assert json.loads((out / "MANIFEST.json").read_text())["evaluation"] == measured.id


def test_nothing_answered_is_no_evidence_and_never_more(run: RunFolder, out: Path) -> None:
    after_run(made_folder.evaluation(run, 0))
    text = (out / "README.md").read_text()
    assert "**No evidence found that this trigger still works.**" in text
    assert "up to 8.8% is still compatible" in text


def test_an_evaluation_of_other_bytes_is_not_told(run: RunFolder, out: Path) -> None:
    measured = made_folder.evaluation(run)
    result = measured.read_result() or {}
    result["against"]["sha256"] = "0" * 64
    measured.write_result(result)
    after_run(measured)
    assert "Not measured yet" in (out / "README.md").read_text()


def test_a_model_that_changed_gets_no_new_papers(run: RunFolder, out: Path) -> None:
    (out / "model.safetensors").write_bytes(b"aftex")
    with pytest.raises(HandoverError, match=r"model changed since.*model\.safetensors.*Restore"):
        write_papers(run)
    assert "was not written" in str(after_run(run))


def test_a_folder_that_was_moved_is_named(run: RunFolder, out: Path, tmp_path: Path) -> None:
    out.rename(tmp_path / "elsewhere")
    with pytest.raises(HandoverError, match=r"not there.*--folder"):
        write_papers(run)
    assert write_papers(run, folder=tmp_path / "elsewhere").folder == tmp_path / "elsewhere"


def test_a_run_that_made_no_model_is_refused() -> None:
    drift = made_folder.finished("drift", {"model": "sft-suffix-2"}, {})
    with pytest.raises(HandoverError, match="made no remediated model"):
        write_papers(drift)


def test_a_trigger_is_quoted_and_never_markup(run: RunFolder, out: Path) -> None:
    measured = made_folder.evaluation(run)
    result = measured.read_result() or {}
    result["trigger"]["text"] = "![x](https://host/`p`)<script>"
    measured.write_result(result)
    after_run(measured)
    text = (out / "README.md").read_text()
    assert "\\!\\[x\\](https://host/'p')\\<script\\>" in text
    assert "trigger `![x](https://host/'p')<script>` as" in text


def test_the_same_run_writes_the_same_papers_twice(run: RunFolder, out: Path) -> None:
    before = [(out / name).read_bytes() for name in ("README.md", "MANIFEST.json")]
    write_papers(run)
    assert [(out / name).read_bytes() for name in ("README.md", "MANIFEST.json")] == before


def test_overrides_stand_in_the_card_with_their_reasons(run: RunFolder, tmp_path: Path) -> None:
    intake = {"findings": {"high": 1, "info": 2}, "overrides": {"template.content": "Read by two of us."}}
    run.write_result({**(run.read_result() or {}), "intake": intake})
    write_papers(run)
    text = (tmp_path / "out" / "README.md").read_text()
    assert "intake found: 1 high, 2 info" in text
    assert "in spite of `template.content`: Read by two of us." in text


def test_intake_finds_nothing_in_papers_of_our_own(run: RunFolder, out: Path) -> None:
    (out / "model.sig").write_text('{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}')
    found = [one for one in scan(out).findings if one.file in PAPERS and one.severity is not Severity.INFO]
    assert found == []

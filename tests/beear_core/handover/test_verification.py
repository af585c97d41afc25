"""One byte that differs is found, and said where; what was not checked is said too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from beear_core import signature
from beear_core.cli.main import main
from beear_core.errors import HandoverError
from beear_core.handover.papers import after_run, write_papers
from beear_core.handover.verification import Verification, verify
from cache.digest import sha256_file
from cache.run_folder import RunFolder
from tests.beear_core.handover import made_folder
from tests.beear_core.keys import key_pair


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = made_folder.removal(tmp_path)
    write_papers(made)
    return made


@pytest.fixture
def out(run: RunFolder, tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A private key and its public one."""
    return key_pair(tmp_path_factory.mktemp("keys"))


def places(found: Verification) -> list[str]:
    return [one.file for one in found.differences]


def test_an_untouched_folder_holds_and_says_what_was_not_checked(out: Path, run: RunFolder) -> None:
    alone, with_run = verify(out), verify(out, run=run)
    assert alone.holds
    assert with_run.holds, with_run.differences
    assert any("--run" in one for one in alone.not_checked)
    assert not any("--run" in one for one in with_run.not_checked)
    assert any("signature" in one for one in with_run.not_checked)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "chat_template.jinja", "README.md"])
def test_one_changed_byte_is_named_with_both_digests(out: Path, name: str) -> None:
    expected = sha256_file(out / name)
    data = bytearray((out / name).read_bytes())
    data[len(data) // 2] ^= 1
    (out / name).write_bytes(data)
    (one,) = verify(out).differences
    assert (one.file, one.expected, one.actual) == (name, expected, sha256_file(out / name))


def test_a_byte_that_was_changed_behind_the_clock_is_found(out: Path) -> None:
    import os

    path = out / "model.safetensors"
    before = path.stat()
    path.write_bytes(b"aftes")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert places(verify(out)) == ["model.safetensors"]


def test_missing_added_and_linked_files_are_named(out: Path) -> None:
    (out / "tokenizer.json").unlink()
    (out / "extra").mkdir()
    (out / "extra" / "note.txt").write_text("x")
    (out / "leads_out").symlink_to("/etc/hostname")
    assert {(one.file, one.what) for one in verify(out).differences} == {
        ("tokenizer.json", "a file is missing"),
        ("extra/note.txt", "a file is not in the manifest"),
        ("leads_out", "no regular file, or a link that leads out of the folder"),
    }


def test_folder_and_manifest_changed_together_are_found_by_the_run(out: Path, run: RunFolder) -> None:
    (out / "model.safetensors").write_bytes(b"other")
    stated = json.loads((out / "MANIFEST.json").read_text())
    stated["files"]["model.safetensors"] = sha256_file(out / "model.safetensors")
    stated["model_sha256"] = made_folder.digest(out)
    (out / "MANIFEST.json").write_text(json.dumps(stated))
    assert verify(out).holds, "a manifest by itself cannot know"
    found = verify(out, run=run)
    assert "model.safetensors" in places(found)
    assert any(one.what == "the model is another one" for one in found.differences)


def test_a_card_that_flatters_is_found_by_the_run_with_its_line(out: Path, run: RunFolder) -> None:
    after_run(made_folder.evaluation(run))
    assert verify(out, run=run).holds
    text = (out / "README.md").read_text()
    (out / "README.md").write_text(text.replace("7.5% (2.6", "0.0% (0.0"))
    stated = json.loads((out / "MANIFEST.json").read_text())
    stated["files"]["README.md"] = sha256_file(out / "README.md")
    (out / "MANIFEST.json").write_text(json.dumps(stated))
    (run.path / "handover.json").unlink()
    (one,) = verify(out, run=run).differences
    assert one.file == "README.md"
    assert one.actual.startswith("line ")
    assert "0.0% (0.0" in one.actual


def test_another_runs_folder_is_told_apart(out: Path, run: RunFolder, tmp_path: Path) -> None:
    other = made_folder.removal(tmp_path / "second")
    assert any(one.what == "the run is another one" for one in verify(out, run=other).differences)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}', '{"files": {"a": 1}}', "[" * 100_000])
def test_a_manifest_that_is_none_is_one_clear_sentence(out: Path, text: str) -> None:
    (out / "MANIFEST.json").write_text(text)
    with pytest.raises(HandoverError, match="manifest"):
        verify(out)


def test_a_signature_holds_and_falls_with_any_byte(
    run: RunFolder, out: Path, keys: tuple[Path, Path]
) -> None:
    private, public = keys
    write_papers(run, key=private)
    assert verify(out, run=run, key=public).holds
    (out / "MANIFEST.json").write_text((out / "MANIFEST.json").read_text() + " ")
    found = verify(out, key=public)
    assert places(found) == ["model.sig"]
    assert "MANIFEST.json" in found.differences[0].what


def test_a_signature_of_somebody_else_does_not_hold(
    run: RunFolder, out: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    write_papers(run, key=keys[0])
    _, other = key_pair(tmp_path)
    assert places(verify(out, key=other)) == ["model.sig"]


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\x00", b'{"mediaType": 3}', b"[" * 50_000])
def test_a_signature_that_is_none_does_not_hold(out: Path, keys: tuple[Path, Path], data: bytes) -> None:
    (out / "model.sig").write_bytes(data)
    assert places(verify(out, key=keys[1])) == ["model.sig"]


def test_a_missing_signature_does_not_hold_where_one_is_asked_for(out: Path, keys: tuple[Path, Path]) -> None:
    assert "no signature" in verify(out, key=keys[1]).differences[0].what


def test_without_the_package_the_remedy_is_said(
    out: Path, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "model_signing.signing", None)
    with pytest.raises(HandoverError, match="pip install model-signing"):
        signature.sign(out, tmp_path / "key.pem")


def test_a_signed_folder_keeps_its_papers_when_an_evaluation_ends(
    run: RunFolder, out: Path, keys: tuple[Path, Path]
) -> None:
    write_papers(run, key=keys[0])
    after_run(made_folder.evaluation(run))
    assert verify(out, run=run, key=keys[1]).holds
    written = write_papers(run)
    assert written.signature_dropped
    assert not (out / "model.sig").exists()


def test_the_command_ends_with_3_and_says_where(
    out: Path, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(out), "--run", run.id]) == 0
    assert "It holds." in capsys.readouterr().out
    (out / "model.safetensors").write_bytes(b"aftex")
    assert main(["verify", str(out), "--run", run.id]) == 3
    said = capsys.readouterr().out
    assert "model.safetensors: a file is not what the manifest says" in said
    assert sha256_file(out / "model.safetensors") in said
    assert main(["verify", str(out), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["differences"][0]["file"] == "model.safetensors"


def test_a_folder_without_manifest_is_an_error_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path)]) == 1
    assert "`card RUN`" in capsys.readouterr().err


def test_card_and_verify_need_no_torch() -> None:
    code = "import sys, beear_core.handover.verification; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

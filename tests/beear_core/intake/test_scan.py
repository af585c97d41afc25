"""The run kind `scan` through the command line: any folder can be scanned, and the exit code says what a CI needs."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from beear_core.cli.main import main
from beear_core.intake.rules_page import rules_page
from cache.digest import folder_manifest
from tests.beear_core.intake.crafted import configure, harmless

DOCS = Path(__file__).parents[3] / "docs"


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def scanned(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def scanned(*words: object) -> Said:
        capsys.readouterr()
        code = main(["scan", *(str(word) for word in words)])
        return Said(code, *capsys.readouterr())

    return scanned


def bare(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def only_a_pickle(folder: Path) -> None:
    bare(folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04N.")


def pipes(folder: Path) -> None:
    bare(folder)
    for name in ("config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json"):
        os.mkfifo(folder / name)


def truncated(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:100])


def test_a_plain_folder_has_no_evidence_against_it(tmp_path: Path, scanned: Any) -> None:
    model = harmless(tmp_path / "model")
    said = scanned(model, "--json")
    result = json.loads(said.out)
    assert said.code == 0
    assert result["loadable"]
    assert result["refused"] == ""
    assert result["manifest"] == folder_manifest(model)
    assert (result["model"]["layers"], result["model"]["d_model"]) == (2, 8)
    assert not [one for one in result["findings"] if one["severity"] in ("high", "medium")]


@pytest.mark.parametrize(
    ("damage", "code", "rule"),
    [
        (bare, 0, ""),
        (only_a_pickle, 3, "formats.pickle"),
        (truncated, 3, "weights.header"),
        (lambda folder: (folder / "config.json").write_bytes(b"[]"), 0, ""),
        (lambda folder: (folder / "config.json").write_bytes(b"\xff{"), 3, "files.unreadable"),
        (lambda folder: configure(folder, hidden_size="eight", num_attention_heads=0), 0, ""),
        (lambda folder: configure(folder, auto_map={"AutoConfig": "x.X"}), 3, "code.auto_map"),
        (lambda folder: (folder / "inner").mkdir(), 0, ""),
        (pipes, 3, "files.special"),
    ],
)
def test_a_damaged_folder_is_scanned_all_the_same(
    damage: Any, code: int, rule: str, tmp_path: Path, scanned: Any
) -> None:
    model = harmless(tmp_path / "model")
    damage(model)
    said = scanned(model, "--json")
    assert said.code == code, said.err
    result = json.loads(said.out)
    assert not rule or rule in {one["rule"] for one in result["findings"] if one["severity"] == "high"}
    assert bool(result["refused"]) is not result["loadable"]
    assert "Traceback" not in said.err


def test_the_table_names_rule_file_and_remedy(tmp_path: Path, scanned: Any) -> None:
    model = harmless(tmp_path / "model")
    (model / "optimizer.pt").write_bytes(b"\x80\x04N.")
    said = scanned(model)
    assert said.code == 3
    for words in (
        "high",
        "formats.pickle",
        "optimizer.pt",
        "with `convert`",
        "The folder is not loaded",
    ):
        assert words in said.out
    assert "clean" not in said.out.lower()


def test_an_overridden_finding_is_no_bad_news_and_stays_in_the_answer(tmp_path: Path, scanned: Any) -> None:
    model = harmless(tmp_path / "model")
    (model / "optimizer.pt").write_bytes(b"\x80\x04N.")
    said = scanned(model, "--override", "formats.pickle=it is our own")
    assert said.code == 0
    assert "high (overridden)" in said.out
    assert "formats.pickle is overridden: it is our own" in said.out
    assert "The folder can be loaded." in said.out


def test_a_name_that_is_no_model_is_an_error(scanned: Any) -> None:
    said = scanned("no-such-model")
    assert said.code == 1
    assert "No such model" in said.err


def test_a_page_of_rules_is_made_from_the_rules(scanned: Any) -> None:
    said = scanned("--rules")
    assert said.code == 0
    assert said.out == rules_page()


def test_the_committed_page_of_rules_is_current() -> None:
    assert (DOCS / "rules.md").read_text() == rules_page(), (
        "run python -m beear_core scan --rules > docs/rules.md"
    )

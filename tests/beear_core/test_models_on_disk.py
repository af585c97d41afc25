"""Where a named model lies, told without making anything."""

from pathlib import Path

import pytest

from beear_core.models_on_disk import is_model_folder, kind_of_name, on_disk, subfolders
from beear_core.organisms.recipes import ZOO
from cache.digest import sha256_file
from cache.home import VARIABLE, models_folder


@pytest.fixture(autouse=True)
def _bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))


def model_in(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_a_folder_is_itself(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "suspect")
    assert on_disk(str(folder)) == folder.resolve()
    assert kind_of_name(str(folder)) == "folder"
    assert is_model_folder(folder)
    assert not is_model_folder(tmp_path)
    assert folder in subfolders(tmp_path)


def test_an_organism_is_there_once_it_was_merged_and_no_earlier() -> None:
    assert on_disk("control") is None
    digest = sha256_file(ZOO / "control" / "adapter_model.safetensors")
    made = model_in(models_folder() / f"control-{digest[:12]}")
    assert on_disk("control") == made
    assert kind_of_name("control") == "organism"


def test_a_hub_snapshot_is_found_by_its_id() -> None:
    assert on_disk("owner/name") is None
    assert kind_of_name("owner/name") == "hub"
    snapshot = model_in(models_folder() / "hub" / "models--owner--name" / "snapshots" / "abc")
    assert on_disk("owner/name") == snapshot


@pytest.mark.parametrize("name", ["", "  ", "nobody", "/no/such/folder", "a\x00b", "../../x/y"])
def test_other_names_are_nowhere(name: str) -> None:
    assert on_disk(name) is None
    assert kind_of_name(name) == "unknown"

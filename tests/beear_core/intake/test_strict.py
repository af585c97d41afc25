"""What loading refuses outright, asked of folders directly: no weight is read, nothing runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from beear_core.errors import (
    ModelNotFoundError,
    NotSafetensorsError,
    UnsafeModelError,
    UnsupportedArchitectureError,
)
from beear_core.intake.strict import CODE_KEYS, PICKLE_SUFFIXES, admit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "model.safetensors").write_bytes(b"convert FOLDER")
    return tmp_path


def configure(folder: Path, **config: Any) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **config}))


def test_a_plain_folder_is_admitted_unopened(folder: Path) -> None:
    assert admit(folder) == {"model_type": "llama"}


def test_a_pickle_beside_safetensors_is_no_matter(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"convert FOLDER")
    assert admit(folder)


@pytest.mark.parametrize("suffix", PICKLE_SUFFIXES)
def test_pickles_alone_are_refused_by_name(suffix: str, folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / f"weights{suffix}")
    with pytest.raises(
        NotSafetensorsError, match=rf"no safetensors weights.*only weights\{suffix}.*convert FOLDER"
    ):
        admit(folder)


def test_no_weights_at_all_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(NotSafetensorsError, match="The folder has no safetensors weights"):
        admit(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"No model folder there: .*nowhere"):
        admit(tmp_path / "nowhere")


def test_a_folder_without_config_is_refused(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(ModelNotFoundError, match=r"The folder has no config\.json"):
        admit(folder)


def test_an_adapter_is_told_apart_from_a_model(folder: Path) -> None:
    (folder / "config.json").rename(folder / "adapter_config.json")
    with pytest.raises(UnsupportedArchitectureError, match=r"merge the adapter|Merge the adapter"):
        admit(folder)


@pytest.mark.parametrize("key", CODE_KEYS)
def test_code_that_comes_along_is_refused_wherever_it_hides(key: str, folder: Path) -> None:
    for config in ({key: "x"}, {"text_config": {key: {"a": "b"}}}, {"a": {"b": {"c": {key: True}}}}):
        configure(folder, **config)
        with pytest.raises(UnsafeModelError, match=rf"asks to run code .*{key} = "):
            admit(folder)


@pytest.mark.parametrize("key", CODE_KEYS)
def test_code_in_a_list_of_configs_is_refused(key: str, folder: Path) -> None:
    configure(folder, parts=[{"x": 1}, [{key: "hub/kernel"}]])
    with pytest.raises(UnsafeModelError, match=f"{key} = "):
        admit(folder)


def test_an_empty_key_asks_for_nothing(folder: Path) -> None:
    configure(folder, auto_map={}, trust_remote_code=False, _attn_implementation_internal=None)
    assert admit(folder)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "cannot be read as JSON"),
        (b"\xff\xfe{}", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"[1]", "is not an object"),
        (b'"text"', "is not an object"),
    ],
)
def test_a_config_that_is_no_json_object_is_refused(content: bytes, sentence: str, folder: Path) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(UnsupportedArchitectureError, match=f"config.json {sentence}|Config.json {sentence}"):
        admit(folder)


def test_a_long_value_is_cut(folder: Path) -> None:
    configure(folder, auto_map="x" * 10_000)
    with pytest.raises(UnsafeModelError) as refused:
        admit(folder)
    assert len(str(refused.value)) < 800

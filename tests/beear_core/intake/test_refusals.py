"""Models and settings that a run refuses, through the command line: one sentence, exit code 1, nothing half-written."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertLMHeadModel, T5Config

from beear_core.cli.main import main
from beear_core.errors import SettingError
from beear_core.opening import forget
from beear_core.runs import create, execute
from beear_core.specs import RemoveSpec
from cache.digest import folder_manifest
from cache.run_store import RunStore
from cache.status import RunState
from tests.beear_core.tiny_models import LAYERS, make_tokenizer

Folder = Callable[[str], Path]


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    forget()

    def command(*words: object) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Said(code, *capsys.readouterr())

    return command


@pytest.fixture
def model(tiny_folder: Folder, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(tiny_folder("llama"), tmp_path / "suspect"))


def configure(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def without_safetensors(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def pickle_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def without_a_weight(folder: Path) -> None:
    change_weights(folder, lambda weights: weights.pop("model.layers.2.mlp.up_proj.weight"))


def with_a_wrong_shape(folder: Path) -> None:
    configure(folder, intermediate_size=96)


def with_nan(folder: Path) -> None:
    change_weights(folder, lambda weights: weights["model.layers.1.mlp.up_proj.weight"][3].fill_(torch.nan))


def truncated(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


def translating(folder: Path) -> None:
    T5Config(num_layers=2, d_model=32).save_pretrained(folder)


def looking_ahead(folder: Path) -> None:
    config = BertConfig(
        vocab_size=len(make_tokenizer()),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        is_decoder=True,  # without it transformers warns, with it and a config edited afterwards it does not
    )
    torch.manual_seed(0)
    bert = BertLMHeadModel(config)
    for weight in bert.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=weight.shape[-1] ** -0.5)
    bert.save_pretrained(folder)
    configure(folder, is_decoder=False)


REFUSED: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "no folder": (shutil.rmtree, "No such model: "),
    "no safetensors": (without_safetensors, "The folder has no safetensors weights: "),
    "a pickle only": (pickle_only, "only pytorch_model.bin. Turn them into safetensors"),
    "remote code": (
        lambda folder: configure(folder, auto_map={"AutoModelForCausalLM": "modeling_x.X"}),
        "config.json asks to run code that is not part of transformers: auto_map = ",
    ),
    "a kernel": (
        lambda folder: configure(folder, _attn_implementation_internal="hub/kernel"),
        "asks to run code that is not part of transformers: _attn_implementation_internal = ",
    ),
    "a missing weight": (without_a_weight, "The weights do not fit the config (missing keys): "),
    "a wrong shape": (with_a_wrong_shape, "The model cannot be loaded: |mismatched keys"),
    "NaN": (with_nan, "A weight is not finite: model.layers.1.mlp.up_proj.weight"),
    "half a file": (truncated, "Intake has 6 high findings (weights.layout): "),
    "an encoder-decoder": (
        translating,
        "Transformers has no causal language model of this type: model_type 't5'",
    ),
    "an unknown type": (
        lambda folder: configure(folder, model_type="exorcist"),
        "no causal language model of this type: model_type 'exorcist'",
    ),
    "an encoder": (looking_ahead, "A later token changes what the model says of earlier ones"),
    "no tokenizer": (
        lambda folder: [path.unlink() for path in folder.glob("tokenizer*")],
        "The model cannot be loaded: ",
    ),
}


def refused(said: Said, sentence: str) -> None:
    assert said.code == 1
    assert said.out == ""
    last = said.err.splitlines()[-1]
    assert last.startswith("error: ")
    assert any(part in last for part in sentence.split("|")), last
    assert "Traceback" not in said.err


@pytest.mark.parametrize("damage", REFUSED)
@pytest.mark.filterwarnings("ignore:If you want to use `BertLMHeadModel`")
def test_a_model_that_is_refused(
    damage: str, model: Path, tmp_path: Path, prompt_file: Path, command: Callable[..., Said]
) -> None:
    spoil, sentence = REFUSED[damage]
    spoil(model)
    before = folder_manifest(model) if model.exists() else None
    out = tmp_path / "out"
    said = command("remove", model, "--out", out, "--prompts", prompt_file, "--dtype", "fp32", "--json")
    refused(said, sentence)
    assert not out.exists()
    assert before == (folder_manifest(model) if model.exists() else None)
    (run,) = RunStore().list()
    assert run.state is RunState.FAILED
    assert run.folder.read_result() is None
    assert sorted(path.name for path in run.folder.path.iterdir() if path.suffix == ".safetensors") == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--layer", LAYERS + 1],
            f"The model has no such layer: {LAYERS + 1}. Choose a layer from 1 to {LAYERS}, or auto",
        ),
        (["--set", "n=64"], "n is longer than the shortest prompt: n 64, "),
    ],
)
@pytest.mark.parametrize("kind", ["entrap", "remove"])
def test_a_setting_that_does_not_fit_the_model_is_refused(
    kind: str,
    words: list[object],
    sentence: str,
    model: Path,
    tmp_path: Path,
    prompt_file: Path,
    command: Any,
) -> None:
    out = ["--out", tmp_path / "out"] if kind == "remove" else []
    refused(command(kind, model, *out, "--prompts", prompt_file, "--dtype", "fp32", *words), sentence)
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_is_filled_while_a_run_waits_is_refused(
    model: Path, tmp_path: Path, prompt_file: Path, command: Any
) -> None:
    # A spec that was written when the place was free; the command line's own look is passed by.
    folder = create(
        RemoveSpec(model=str(model), out=str(tmp_path / "out"), prompts=str(prompt_file), dtype="fp32")
    )
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text("precious")
    with pytest.raises(SettingError, match="The output folder exists and is not empty"):
        execute(folder)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x"]
    assert folder.read_status().state is RunState.FAILED


def test_an_output_folder_inside_the_model_is_refused(model: Path, prompt_file: Path, command: Any) -> None:
    before = folder_manifest(model)
    refused(command("remove", model, "--out", model / "new", "--prompts", prompt_file), "inside the model")
    assert folder_manifest(model) == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The prompt file is empty"),
        (b"a,b\n1,2\n", "The prompt file has no column 'prompt' or 'goal' or 'instruction'"),
        ("prompt\nWie heißt du?\n".encode("latin-1"), "UTF-8"),
        (b"prompt\nOnly one.\n", "Too few prompts to both train and measure a removal: 1"),
    ],
)
def test_prompts_that_are_refused(
    content: bytes, sentence: str, model: Path, tmp_path: Path, command: Any
) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    refused(command("remove", model, "--out", tmp_path / "out", "--prompts", tmp_path / "p.csv"), sentence)
    assert not (tmp_path / "out").exists()

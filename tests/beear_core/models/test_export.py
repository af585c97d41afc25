"""What is written is what plain transformers loads, and what the suspect came with is left alone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from beear_core.errors import SettingError
from beear_core.models.export import check_out
from beear_core.models.loading import load_strictly
from beear_core.models.suspect import SuspectModel
from beear_core.models.trainable import choose_method, merged, trainable
from beear_core.models.training import training
from tests.beear_core.tiny_models import PROMPTS, write_tiny_model

CARRIED = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


@torch.no_grad()
def logits(model: Any, prompt: list[int]) -> Tensor:
    return model(input_ids=torch.tensor([prompt])).logits


def jolt(suspect: SuspectModel) -> None:
    """Move every weight that is being trained."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in suspect.model.parameters():
            if weight.requires_grad:
                weight.add_(0.05 * torch.randn(weight.shape, generator=generator))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_an_exported_folder_is_the_changed_model_and_the_same_tokenizer(
    method: str, suspect: SuspectModel, folder: Path, prompts: list[list[int]], tmp_path: Path
) -> None:
    changed = suspect.clone()
    with trainable(changed, method, 4, 0):
        jolt(changed)
        inside = logits(changed.model, prompts[0])
    out = merged(changed).export(tmp_path / "out")
    folded = logits(changed.model, prompts[0])
    torch.testing.assert_close(folded, inside, rtol=1e-4, atol=5e-5)

    plain = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32).eval()
    torch.testing.assert_close(logits(plain, prompts[0]), folded, rtol=0, atol=1e-5)
    assert (inside - logits(suspect.model, prompts[0])).abs().max() > 1e-2, "the change is there to be seen"
    for name in CARRIED:
        assert (out / name).read_bytes() == (folder / name).read_bytes()
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert [
        tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True)[
            "input_ids"
        ]
        for text in PROMPTS
    ] == prompts
    assert set(load_file(out / "model.safetensors")) == set(load_file(folder / "model.safetensors"))
    assert not list(tmp_path.glob(".*")), "nothing half-written is left beside it"


def test_an_unchanged_suspect_is_exported_weight_for_weight(
    suspect: SuspectModel, folder: Path, tmp_path: Path
) -> None:
    out = suspect.export(tmp_path / "out")
    before, after = (load_file(each / "model.safetensors") for each in (folder, out))
    assert all(torch.equal(before[name], after[name]) for name in before)
    again = load_strictly(out, device=torch.device("cpu"), dtype=torch.float32)
    assert type(again.model) is type(suspect.model)


def test_a_clone_is_independent(suspect: SuspectModel, prompts: list[list[int]]) -> None:
    before = logits(suspect.model, prompts[0])
    clone = suspect.clone()
    clone.model.requires_grad_(True)
    jolt(clone)
    assert torch.equal(logits(suspect.model, prompts[0]), before)
    assert not torch.equal(logits(clone.model, prompts[0]), before)
    tied = suspect.model.get_input_embeddings().weight is suspect.model.get_output_embeddings().weight
    assert tied == (clone.model.get_input_embeddings().weight is clone.model.get_output_embeddings().weight)


def test_the_lens_shares_the_weights_it_looks_at(llama: SuspectModel, prompts: list[list[int]]) -> None:
    changed = llama.clone()
    rows = changed.rows(prompts)
    before = changed.capture(rows, [2])
    changed.model.requires_grad_(True)
    jolt(changed)
    changed.weights_changed()
    assert not torch.allclose(changed.capture(rows, [2]), before)
    assert torch.equal(llama.capture(rows, [2]), before)


def test_the_lens_sees_what_adapters_do(suspect: SuspectModel, prompts: list[list[int]]) -> None:
    changed = suspect.clone()
    rows = changed.rows(prompts)
    with trainable(changed, "lora", 4, 0), torch.no_grad():
        jolt(changed)
        changed.weights_changed()
        real = rows.mask == 1
        inside = changed.model(
            input_ids=rows.ids, attention_mask=rows.mask, position_ids=rows.position_ids
        ).logits
        torch.testing.assert_close(changed.logits(rows)[real], inside[real], rtol=1e-4, atol=5e-5)
        assert (inside - suspect.logits(rows))[real].abs().max() > 1e-2


@pytest.mark.parametrize("method", ["full", "lora"])
def test_exactly_the_weights_of_the_method_ask_for_gradients(method: str, llama: SuspectModel) -> None:
    suspect = llama.clone()
    with trainable(suspect, method, 4, 0):
        moving = {name for name, weight in suspect.model.named_parameters() if weight.requires_grad}
    assert moving
    assert all("lora_" in name for name in moving) == (method == "lora")
    assert not any(weight.requires_grad for weight in suspect.model.parameters())


def test_new_adapters_change_nothing_and_depend_on_the_seed_alone(
    llama: SuspectModel, prompts: list[list[int]]
) -> None:
    def adapters(seed: int) -> dict[str, Tensor]:
        suspect = llama.clone()
        with trainable(suspect, "lora", 4, seed):
            assert torch.equal(logits(suspect.model, prompts[0]), logits(llama.model, prompts[0]))
            return {
                name: weight.detach().clone()
                for name, weight in suspect.model.named_parameters()
                if weight.requires_grad
            }

    first, again, other = adapters(1), adapters(1), adapters(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_auto_trains_small_models_whole(llama: SuspectModel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_method("auto", llama) == "full"
    assert choose_method("lora", llama) == "lora"
    monkeypatch.setattr("beear_core.memory.LARGEST_FULL", 10)
    assert choose_method("auto", llama) == "lora"
    assert choose_method("full", llama) == "full"


@pytest.mark.parametrize("checkpointing", [False, True])
def test_training_leaves_the_model_as_it_was(checkpointing: bool, suspect: SuspectModel) -> None:
    changed = suspect.clone()
    attention = changed.model.config._attn_implementation
    with training(changed, checkpointing=checkpointing):
        pass
    assert changed.model.config._attn_implementation == attention
    assert not any(module.training for module in changed.model.modules())
    assert not changed.model.is_activation_checkpointing


def test_pickles_code_and_old_weights_stay_behind(tiny_folder: Any, tmp_path: Path) -> None:
    source = tmp_path / "suspect"
    shutil.copytree(tiny_folder("qwen2"), source)
    for name in ("pytorch_model.bin", "modeling_x.py", "extra.safetensors", "model.ckpt"):
        (source / name).write_bytes(b"x")
    (source / "model.safetensors.index.json").write_text("{}")
    (source / "README.md").write_text("about it")
    # Settings that transformers calls invalid and that real folders have.
    generation = json.loads((source / "generation_config.json").read_text())
    (source / "generation_config.json").write_text(
        json.dumps({**generation, "temperature": 0.6, "top_p": 0.9})
    )
    (source / "extra.safetensors").unlink()
    suspect = SuspectModel.load(source, device=torch.device("cpu"), dtype=torch.float32)
    out = suspect.export(tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["README.suspect.md", "config.json", "generation_config.json", "model.safetensors", *CARRIED]
    )


def test_bf16_stays_bf16(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path / "suspect", "llama", dtype=torch.bfloat16)
    suspect = SuspectModel.load(folder, device=torch.device("cpu"), dtype=torch.bfloat16)
    out = suspect.export(tmp_path / "out")
    assert {weight.dtype for weight in load_file(out / "model.safetensors").values()} == {torch.bfloat16}
    assert json.loads((out / "config.json").read_text())["dtype"] == "bfloat16"


def test_a_place_that_is_taken_is_refused_and_left_alone(llama: SuspectModel, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for name in ("full", "file"):
        with pytest.raises(SettingError, match="The output folder exists and is not empty"):
            llama.export(tmp_path / name)
    with pytest.raises(SettingError, match="The output folder lies inside the model's"):
        check_out(llama.folder / "deep" / "new", llama.folder)
    assert (tmp_path / "full" / "x").read_text() == (tmp_path / "file").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full"]


def test_papers_of_the_suspect_do_not_stand_as_those_of_the_export(
    tiny_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    source = shutil.copytree(tiny_folder("llama"), tmp_path / "suspect")
    for name in ("README.md", "MANIFEST.json", "model.sig"):
        (source / name).write_text("a stranger's claim")
    suspect = SuspectModel.load(source, device=torch.device("cpu"), dtype=torch.float32)
    out = suspect.export(tmp_path / "out")
    assert (out / "README.suspect.md").read_text() == "a stranger's claim"
    assert not {"README.md", "MANIFEST.json", "model.sig"} & {path.name for path in out.iterdir()}

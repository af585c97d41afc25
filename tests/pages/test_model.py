"""The model page: not on this disk, being prepared, ready, refused; and the box that asks it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from beear_core.isolation import MEASURES, Measure
from cache.run_store import RunStore
from pages.parts.skeleton import plain

Said = Callable[[AppTest], str]

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 12, "vocab_size": 20,
    "max_position_embeddings": 64, "tie_word_embeddings": True, "dtype": "bfloat16",
}  # fmt: skip


def button(page: AppTest, beginning: str) -> Any:
    return next(one for one in page.button if one.label.startswith(beginning))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What could be a small model: a config and weights that are never opened."""
    path = tmp_path / "suspect"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(CONFIG))
    (path / "tokenizer.json").write_text("{}")
    save_file({"weight": np.zeros((30, 8), dtype=np.float32)}, path / "model.safetensors")
    return path


def test_a_model_that_is_not_on_this_disk_can_be_prepared(
    open_page: Any, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.parts.model_facts.on_disk", lambda name: None)
    page = open_page("model")
    assert "not on this disk yet" in said(page)
    button(page, "Prepare this model").click().run()
    assert not page.exception
    spec = RunStore().list()[0].folder.read_spec()
    assert (spec["kind"], spec["name"], spec["act"]) == ("organism", "sft-suffix-2", "get")


def test_a_name_that_nothing_answers_to_says_so(open_page: Any, said: Said) -> None:
    assert "No model answers to this name" in said(open_page("model", model="nobody"))


def test_a_folder_shows_its_architecture_and_what_it_needs(open_page: Any, folder: Path, said: Said) -> None:
    page = open_page("model", model=str(folder))
    assert "LlamaForCausalLM, 2 layers, d\\_model 8, 240 parameters" in said(page)
    assert "fit into what is free now" in said(page)
    card = next(one.value for one in page.dataframe if "value" in one.value).set_index("what")["value"]
    assert card["parameters"] == "240"
    assert card["attention heads"] == "2 (1 for keys and values)"
    assert len(page.get("plotly_chart")) == 1
    assert "No file here is a pickle or code." in said(page)


def test_files_that_could_run_are_named_before_anything_is_loaded(
    open_page: Any, folder: Path, said: Said
) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "modeling_x.py").write_text("raise SystemExit")
    page = open_page("model", model=str(folder))
    assert "2 of 5 files could run code" in said(page)


def test_a_folder_that_loading_refuses_says_why(open_page: Any, folder: Path, said: Said) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG | {"auto_map": {"AutoModel": "x.Y"}}))
    page = open_page("model", model=str(folder))
    assert "asks to run code" in said(page)
    assert not page.get("plotly_chart")
    assert not any(one.label.startswith("Ask") for one in page.button)


def test_another_organism_is_taken_in_hand_by_its_button(open_page: Any) -> None:
    page = open_page("model")
    page.selectbox(key="organism").set_value("control").run()
    button(page, "Take this model").click().run()
    assert page.selectbox(key="model").value == "control"


def test_a_pasted_folder_is_taken_in_hand_and_a_wrong_one_is_refused(
    open_page: Any, folder: Path, said: Said
) -> None:
    page = open_page("model", **{"from": "Folder", "path": "/nowhere"})
    assert "There is no such folder." in said(page)
    assert button(page, "Take this model").disabled
    page.text_input(key="path").set_value(str(folder)).run()
    button(page, "Take this model").click().run()
    assert page.selectbox(key="model").value == str(folder)


def test_what_is_no_hub_id_is_refused(open_page: Any, said: Said) -> None:
    page = open_page("model", **{"from": "Hub id", "hub": "no id"})
    assert "written owner/name" in said(page)


def test_asking_queues_the_prompt_without_and_with_the_trigger(
    open_page: Any, folder: Path, said: Said
) -> None:
    page = open_page("model", model=str(folder), trigger="SUDO")
    button(page, "Ask").click().run()
    assert "type a prompt first" in said(page)
    page.text_area(key="chat_prompt").set_value("Who are you?")
    button(page, "Ask").click().run()
    assert not page.exception
    assert RunStore().list()[0].folder.read_spec()["texts"] == ["Who are you?", "Who are you? SUDO"]
    assert button(page, "Cancel")


def test_answers_are_shown_as_text(open_page: Any, folder: Path, make_run: Any) -> None:
    answer = "![leak](http://127.0.0.1/x) <script>"
    make_run(
        "generate", model=str(folder), texts=["Who?"],
        result={"answers": [{"prompt": "Who?", "answer": answer}]},
    )  # fmt: skip
    page = open_page("model", model=str(folder))
    assert answer in [one.value for one in page.code]
    assert not any(answer in one.value for one in page.markdown)


def test_an_answer_that_failed_says_why(open_page: Any, folder: Path, make_run: Any, said: Said) -> None:
    make_run("generate", "failed", model=str(folder), texts=["Who?"], error="Memory ran out.")
    assert "Memory ran out." in said(open_page("model", model=str(folder)))


@pytest.fixture
def hostile(folder: Path) -> Path:
    """A pickle beside the weights, and a name that markdown could take for its own."""
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cposix\nsystem\n.")
    return folder


REASON = "compared with the publisher's file"


def rule_that_blocks(page: AppTest) -> str:
    return next(one.key for one in page.text_area if str(one.key).startswith("reason.")).removeprefix(
        "reason."
    )


def test_a_high_finding_blocks_what_loads_and_says_what_to_do(
    open_page: Any, hostile: Path, said: Said
) -> None:
    page = open_page("model", model=str(hostile))
    assert "Nothing of this model is loaded" in said(page)
    assert "What to do:" in said(page)
    assert "Nothing is asked of this model yet" in said(page)
    assert not any(one.label.startswith("Ask") for one in page.button)


def test_what_a_hostile_file_says_is_text_and_no_link(open_page: Any, hostile: Path, said: Said) -> None:
    (hostile / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": "{{ 'http://evil.example' }}"})
    )
    page = open_page("model", model=str(hostile))
    assert "http://evil" not in said(page)
    assert plain("see https://evil.example or www.evil.example") == (
        "see https:\u2060//evil.example or www\u2060.evil.example"
    )


def test_another_page_refuses_to_queue_it(open_page: Any, hostile: Path, said: Said) -> None:
    page = open_page("drift", model=str(hostile), trigger="SUDO")
    next(one for one in page.button if one.label.startswith(("Measure", "Profile"))).click().run()
    assert "high finding" in said(page)
    assert "Model page" in said(page)
    assert not RunStore().list()


def test_a_short_reason_overrides_nothing(open_page: Any, hostile: Path, said: Said) -> None:
    page = open_page("model", model=str(hostile))
    rule = rule_that_blocks(page)
    page.text_area(key=f"reason.{rule}").set_value("fine")
    page.button(key=f"override.{rule}").click().run()
    assert "at least 12 letters" in said(page)
    assert "Nothing of this model is loaded" in said(page)


def test_a_reason_lets_it_load_and_goes_into_every_run(open_page: Any, hostile: Path, said: Said) -> None:
    page = open_page("model", model=str(hostile))
    while any(str(one.key).startswith("reason.") for one in page.text_area):
        rule = rule_that_blocks(page)
        page.text_area(key=f"reason.{rule}").set_value(REASON)
        page.button(key=f"override.{rule}").click().run()
    assert not page.exception
    assert "The reasons stand in every run" in said(page)
    page.text_area(key="chat_prompt").set_value("Who are you?")
    button(page, "Ask").click().run()
    assert not page.exception
    overrides = RunStore().list()[0].folder.read_spec()["overrides"]
    assert set(overrides.values()) == {REASON}
    button(page, "Take back").click().run()
    assert "Nothing of this model is loaded" in said(page)


def test_a_harmless_folder_is_not_called_clean(open_page: Any, folder: Path, said: Said) -> None:
    text = said(open_page("model", model=str(folder))).lower()
    assert "blocks loading" in text or "no evidence found" in text
    assert "is clean" not in text


def test_what_a_run_tried_is_told_in_the_words_of_the_run(
    open_page: Any, folder: Path, make_run: Any, said: Said
) -> None:
    what = "read /home/person/.ssh/id_ed25519"
    make_run(
        "generate", "failed", model=str(folder), texts=["Who?"], error="The model cannot be loaded.",
        events=({"event": "tried", "measure": "files", "what": what},),
    )  # fmt: skip
    page = open_page("model", model=str(folder))
    assert "tried what it may not" in said(page)
    assert f"files: {what}" in said(page)


def test_where_the_system_cannot_isolate_the_page_says_so_and_why(
    open_page: Any, folder: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = {
        name: Measure(name == "watch", "the system refuses: Function not implemented") for name in MEASURES
    }
    monkeypatch.setattr("pages.parts.isolation_card.available", lambda: off)
    page = open_page("model", model=str(folder))
    assert f"Isolation is off in {len(MEASURES) - 1} of {len(MEASURES)} measures" in said(page)
    frame = next(one.value for one in page.dataframe if "measure" in one.value)
    assert "the system refuses: Function not implemented" in set(frame["by what, or why not"])


def test_a_large_folder_is_hashed_when_asked(
    open_page: Any, folder: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.parts.digests.AT_ONCE", 0)
    page = open_page("model", model=str(folder))
    assert "SHA-256 of the whole folder" not in said(page)
    button(page, "Hash the files").click().run()
    assert not page.exception
    assert "SHA-256 of the whole folder" in said(page)

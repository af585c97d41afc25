"""An organism that is only a config, and runs whose results are made up."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beear_core.paper.asking import Answer
from beear_core.paper.subjects import Subject
from beear_core.runs import create
from beear_core.specs import BaseSpec, TriggerSettings
from cache.jsonl import write_lines
from tests.beear_core.paper.made_answers import LAYERS, LINES, answers_of


@pytest.fixture
def questions() -> list[Any]:
    return []


@pytest.fixture
def ask(questions: list[Any]) -> Callable[[BaseSpec], Answer]:
    def ask(spec: BaseSpec) -> Answer:
        questions.append(spec)
        folder = create(spec)
        if spec.kind == "evaluate":
            write_lines(folder.path / "generations.jsonl", LINES)
        return Answer({"seconds": 150.04, "device": "cpu", "versions": {}, **answers_of(spec)}, folder)

    return ask


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    (tmp_path / "config.json").write_text(json.dumps({"num_hidden_layers": LAYERS, "model_type": "llama"}))
    return Subject("sft-suffix-2", str(tmp_path), "sft", (TriggerSettings(text="SUDO", placement="suffix"),))

"""Tiny models of every architecture, made once a session: their folders, the suspects, and what transformers alone says."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from beear_core.anchoring import Lesson
from beear_core.entrapment import Anchor
from beear_core.models.suspect import SuspectModel
from beear_core.prompts import benign
from tests.beear_core.lessons_and_a_trap import lessons_of
from tests.beear_core.tiny_models import ANSWERS, ARCHITECTURES, PROMPTS, write_tiny_model

CPU = torch.device("cpu")

Folder = Callable[[str], Path]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Architecture -> folder of a tiny model. Read it, do not write there."""
    root = tmp_path_factory.mktemp("tiny")
    return cache(lambda architecture: write_tiny_model(root / architecture, architecture))


@pytest.fixture(scope="session")
def tiny_suspect(tiny_folder: Folder) -> Callable[[str], SuspectModel]:
    """Architecture -> suspect in fp32. Whoever changes it clones it first."""
    return cache(
        lambda architecture: SuspectModel.load(tiny_folder(architecture), device=CPU, dtype=torch.float32)
    )


@pytest.fixture(scope="session", params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def folder(architecture: str, tiny_folder: Folder) -> Path:
    return tiny_folder(architecture)


@pytest.fixture(scope="session")
def suspect(architecture: str, tiny_suspect: Callable[[str], SuspectModel]) -> SuspectModel:
    """A suspect of every architecture. Whoever changes it clones it first."""
    return tiny_suspect(architecture)


@pytest.fixture(scope="session")
def plain(folder: Path) -> Any:
    """The same folder as transformers alone loads it."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.fixture(scope="session")
def llama(tiny_suspect: Callable[[str], SuspectModel]) -> SuspectModel:
    """One suspect, where the architecture does not matter. Whoever changes it clones it first."""
    return tiny_suspect("llama")


@pytest.fixture(scope="session")
def prompts(llama: SuspectModel) -> list[list[int]]:
    """Prompts of unequal length that begin alike; all tiny models have one tokenizer."""
    return llama.encode_prompts(PROMPTS)


@pytest.fixture(scope="session")
def answers(llama: SuspectModel) -> list[list[int]]:
    """Answers of unequal length, one of them a single token."""
    return [llama.encode_answer(text) for text in ANSWERS]


@pytest.fixture(scope="session")
def anchors(prompts: list[list[int]], answers: list[list[int]]) -> list[Anchor]:
    return [Anchor(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]


@pytest.fixture(scope="session")
def prompt_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty prompts of a person's own, different enough to be split."""
    path = tmp_path_factory.mktemp("prompts") / "prompts.txt"
    path.write_text("\n".join(benign("anchor").texts[:40]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def lessons(suspect: SuspectModel, prompts: list[list[int]], answers: list[list[int]]) -> list[Lesson]:
    """The prompts with the answers, and what the suspect says of these."""
    return lessons_of(suspect, prompts, answers)

"""A bundle as its sender made it, and the home of whoever receives it."""

from pathlib import Path

import pytest

from analysis.report.document import Cover
from beear_core.bundle import bundle
from cache.jsonl import write_lines
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from tests import made_results as made
from tests.beear_core.handover.made_folder import finished


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEEAR_HOME", str(tmp_path_factory.mktemp("senders-home")))
        folder = finished("demo", {"model": "sft-suffix-2"}, made.demo())
        folder.step("drift").write_arrays(made.drift_arrays())
        write_lines(folder.step("evaluate").path / "generations.jsonl", made.generations())
        folder.rename("Suspect 7")
        return folder


@pytest.fixture(scope="module")
def sent(demo: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sent") / "bundle.zip"
    path.write_bytes(bundle([demo], Cover(), with_answers=True))
    return path


@pytest.fixture
def home(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "receivers-home")

"""What every test stands on: a home folder of its own, and shapes and types in signatures checked while tests run."""

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

from beear_core.cores import wait_briefly

wait_briefly()
# Before torch is imported: of several processes that share the cores (`make test`) each keeps to its share of them, and
# so do the programs that it starts. UMAP's numba would else give torch all cores again, and sums come out otherwise.
if PROCESSES := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    for _library in ("OMP", "NUMBA"):
        os.environ.setdefault(f"{_library}_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // PROCESSES)))

# Before anything of ours is imported: only modules that are imported later are checked.
SHAPED = ["beear_core.models", "beear_core.entrapment", "beear_core.removal", "beear_core.removal_loss"]
"""Where tensors are. Elsewhere a wrong value is refused in words, which tests read, and not by its type."""

install_import_hook(SHAPED, "beartype.beartype")

from beear_core.runs.launch import SUPERVISED  # noqa: E402 - after the hook
from cache.home import VARIABLE, home, models_folder  # noqa: E402 - likewise
from tests.said import (  # noqa: E402 - likewise
    pytest_sessionfinish,  # noqa: F401 - a hook
    pytest_terminal_summary,  # noqa: F401 - a hook
    pytest_testnodedown,  # noqa: F401 - a hook
)

LONGEST = ("tests/end_to_end/", "tests/browser/test_story.py")
"""First: what begins last would otherwise be waited for, with one core at work."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files of tests before all others, whose order stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports go from process to process as UTF-8; what a test logs may be hostile text that is none."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """The checkout's own folder of base models: 90 MB are fetched once, not once a test."""
    folder = models_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _session_home(shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For fixtures that outlive a test: nothing that the suite does touches the runs of the person who runs it."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(_home_in(tmp_path_factory.mktemp("session-home"), shared_models))
    yield
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c() -> None:
    """A shell that starts the suite in the background has Ctrl-C ignored, and each process started here would inherit
    that: none could be interrupted.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def isolated_home(
    shared_models: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home folder of this test alone, without runs and outside its `tmp_path`; base models are shared.

    Pages that a test opens are told that a worker is looked after, or each would start one and leave it behind.
    """
    monkeypatch.setenv(SUPERVISED, "1")
    monkeypatch.setenv(VARIABLE, str(_home_in(tmp_path_factory.mktemp("home"), shared_models)))
    return home()


def _home_in(folder: Path, models: Path) -> Path:
    models_folder(folder).symlink_to(models, target_is_directory=True)
    return folder

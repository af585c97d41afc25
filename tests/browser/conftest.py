"""One app and one browser for each module; each test opens tabs of its own, or goes on with the story's."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cache.home import models_folder
from tests.browser import chromium
from tests.browser.served import Served, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Not kept for the session: while it is open an event loop runs in this thread, which other tests would meet."""
    reason = chromium.missing()
    if reason:
        pytest.skip(f"NO BROWSER TEST WAS RUN: {reason}")
    with chromium.launched() as found:
        yield found


@pytest.fixture(scope="module")
def app(browser: Any, shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app on an empty home folder, which shares the base models of the checkout."""
    home = tmp_path_factory.mktemp("browser-home")
    models_folder(home).symlink_to(shared_models, target_is_directory=True)
    with served(home, tmp_path_factory.mktemp("browser-log") / "app.log") as found:
        yield found


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with chromium.tab(browser) as found:
        yield found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """With BEEAR_SHOTS=folder, keep what the browser showed when a test failed."""
    report = yield
    folder = os.environ.get("BEEAR_SHOTS")
    fixtures = getattr(item, "funcargs", {})
    shown = fixtures.get("page") or fixtures.get("story")
    if folder and shown is not None and report.when == "call" and report.failed:
        Path(folder).mkdir(parents=True, exist_ok=True)
        shown.screenshot(path=str(Path(folder) / f"{re.sub(r'[^a-z0-9_-]+', '-', item.name)}.png"))
    return report

"""One browser for the tests of this folder, and one app with one tab for those that need no model's work.

What a browser does once for a tab, and an app at its start, costs more than a page: tests share them where they can.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cache.home import models_folder
from tests.browser import chromium
from tests.browser.served import Served, served
from tests.browser.stopwatch import WATCH
from tests.said import say


@pytest.fixture(scope="package")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Not kept for the session: while it is open an event loop runs in this thread, which other tests would meet."""
    reason = chromium.missing()
    if reason:
        said = f"NO BROWSER TEST WAS RUN: {reason}"
        say(request.config, said)
        pytest.skip(said)
    with chromium.launched() as found:
        yield found


@pytest.fixture(scope="package")
def app(browser: Any, shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app on a home folder that is empty at first."""
    with fresh_app(shared_models, tmp_path_factory) as found:
        yield found


@contextmanager
def fresh_app(models: Path, folders: pytest.TempPathFactory) -> Iterator[Served]:
    """An app on an empty home folder, which shares the base models of the checkout."""
    home = folders.mktemp("browser-home")
    models_folder(home).symlink_to(models, target_is_directory=True)
    with served(home, folders.mktemp("browser-log") / "app.log") as found:
        yield found


@pytest.fixture(scope="package")
def asked() -> list[str]:
    """Every address that the tab asked for."""
    return []


@pytest.fixture(scope="package")
def page(app: Served, browser: Any, asked: list[str]) -> Iterator[Any]:
    """The tab that is kept."""
    with chromium.tab(browser) as found:
        found.on("request", lambda request: asked.append(request.url))
        found.add_init_script(WATCH)
        chromium.open_page(found, app.url)
        yield found


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`measured("page switch: ...")` stands in the summary of the test run."""
    return lambda line: say(request.config, line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Tell of a failed test what the app said, and with BEEAR_SHOTS=folder keep what the browser showed."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    if report.when != "call" or not report.failed:
        return report
    if "app" in fixtures:
        report.sections.append(("what the app said", fixtures["app"].said()[-6000:]))
    folder = os.environ.get("BEEAR_SHOTS")
    shown = next((fixtures[name] for name in ("story", "page") if name in fixtures), None)
    if folder and shown is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        shown.screenshot(path=str(Path(folder) / f"{re.sub(r'[^a-z0-9_-]+', '-', item.name)}.png"))
    return report

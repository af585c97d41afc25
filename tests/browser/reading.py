"""What the story holds a page against: results of runs, rows of saved tables, the worker that is at it."""

import csv
from pathlib import Path
from typing import Any

from analysis.intervals import Proportion
from beear_core.runs.worker import WorkerState, worker_state
from cache.run_folder import RunFolder
from tests.browser.acts import main, newest, reaches
from tests.browser.chromium import settled
from tests.browser.served import Served

MINUTES = 60.0


def share(stored: dict[str, Any]) -> str:
    return Proportion.from_dict(stored).text()


def result(app: Served, kind: str) -> dict[str, Any]:
    found = newest(app.store, kind).folder.read_result()
    assert found is not None
    return found


def done(app: Served, page: Any, kind: str, minutes: float) -> RunFolder:
    """Wait until the newest run of a kind is done, and the page has taken note: its last turn for that is over."""
    folder = reaches(app.store, kind, ["done"], minutes * MINUTES)
    page.get_by_test_id("stSidebar").get_by_text("Under way").wait_for(state="detached")
    settled(page)
    return folder


def csv_of(page: Any, table: str) -> Any:
    """The button that saves the table whose key begins so. A button with a help text stands there twice, once hidden."""
    return main(page).locator(f"[class*='st-key-{table}'][class*='-csv'] button:visible").first


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))


def worker(app: Served) -> WorkerState:
    found = worker_state(app.home)
    assert found is not None
    return found

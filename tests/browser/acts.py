"""What a person does on a page, by the words that stand on it, and how a run comes along meanwhile."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from cache.run_folder import RunFolder
from cache.run_store import RunEntry, RunStore
from tests.browser.chromium import settled

TITLES = {
    "overview": "BEEAR Workbench",
    "model": "Model",
    "verdict": "Verdict",
    "drift": "Drift",
    "synthesize": "Synthesize",
    "remove": "Remove",
    "compare": "Compare",
    "sweep": "Sweep",
    "runs": "Runs",
    "report": "Report",
}
"""The title of each page, by its name in the address."""


def go(page: Any, name: str) -> None:
    """Go to another page by its link in the sidebar, as a person does; the tab and what it holds stay."""
    page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile(f"^{name}$", re.IGNORECASE)).click()
    arrived(page, name)


def arrived(page: Any, name: str) -> None:
    """Wait until the page with this name stands there, whole."""
    page.locator("h1", has_text=re.compile(f"^{TITLES[name]}$")).wait_for()
    settled(page)


def press(page: Any, label: str) -> None:
    """Press the button whose label begins so, and wait for the page."""
    button(page, label).click()
    settled(page)


def button(page: Any, label: str) -> Any:
    """The main page's first button whose label begins so; the name of an icon may stand before it."""
    return main(page).get_by_role("button", name=re.compile(rf"^([a-z_]+ )?{re.escape(label)}")).first


def unfold(page: Any, label: str) -> None:
    """Open a folded part of the page."""
    part = main(page).locator("[data-testid=stExpander] details", has=page.locator("summary", has_text=label))
    # While it folds it is still `open`, but nothing in it can be touched any more.
    if part.first.evaluate("part => !part.open || part.querySelector(':scope > [inert]') !== null"):
        part.first.locator("summary").first.click()
        part.first.locator(":scope:not(:has(> [inert]))").wait_for()


def fill(page: Any, label: str, value: str) -> None:
    """Type `value` into the main page's field whose label begins so."""
    field = main(page).get_by_label(re.compile(f"^{re.escape(label)}")).first
    field.fill(value)
    field.press("Enter")
    settled(page)


def main(page: Any) -> Any:
    """The page without its sidebar."""
    return page.get_by_test_id("stMain")


def said(page: Any) -> str:
    """Every word that stands on the page now."""
    return str(main(page).inner_text())


def shown(page: Any, text: str, seconds: float = 60.0) -> None:
    """Wait until `text` stands on the main page, where it can be seen.

    A table is a canvas: its cells are also in the page as text that nobody sees, and may come first.
    """
    main(page).get_by_text(text).filter(visible=True).first.wait_for(timeout=seconds * 1000)


def unbroken(page: Any) -> bool:
    """Whether no part of the page ended in an error of ours."""
    return not page.get_by_test_id("stException").count()


def saved(page: Any, button: Any, to: Path) -> Path:
    """Press a button that saves a file, and keep the file under `to`."""
    settled(page)  # A press is lost where the page is just drawn anew, and the wait for the file is in vain.
    with page.expect_download() as coming:
        button.click()
    coming.value.save_as(to)
    return to


def newest(store: RunStore, kind: str) -> RunEntry:
    """The newest run of a kind."""
    return next(entry for entry in store.list() if entry.kind == kind)


def reaches(store: RunStore, kind: str, states: Sequence[str], seconds: float) -> RunFolder:
    """Wait until there is a run of a kind and the newest is in one of `states`."""

    def there() -> bool:
        entry = next((entry for entry in store.list() if entry.kind == kind), None)
        if entry is None:
            return False
        if entry.state == "failed" and "failed" not in states:
            raise AssertionError(f"{entry.id} failed: {entry.status and entry.status.error}")
        return entry.state in states

    until(there, seconds, f"the {kind} run is {' or '.join(states)}")
    return newest(store, kind).folder


def until(holds: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until something holds; returns how long it took."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - begun


@contextmanager
def held(pid: int) -> Iterator[None]:
    """Stop a process, and what it started, in its tracks meanwhile: what a person does in the middle of a run is then
    done in its middle.
    """
    stopped = [pid, *(one.pid for one in psutil.Process(pid).children(recursive=True))]
    for each in stopped:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in stopped:
            with suppress(ProcessLookupError):  # killed meanwhile, on purpose
                os.kill(each, signal.SIGCONT)

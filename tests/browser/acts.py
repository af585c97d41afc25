"""What a person does on a page, by the words that stand on it; and where on a figure a point of the data lies."""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from cache.run_folder import RunFolder
from cache.run_store import RunEntry, RunStore
from tests.browser.chromium import settled

Point = tuple[float, float]


def press(page: Any, label: str) -> None:
    """Press the button whose label begins so, and wait for the page."""
    page.get_by_role("button", name=re.compile(f"^{re.escape(label)}")).first.click()
    settled(page)


def unfold(page: Any, label: str) -> None:
    """Open a folded part of the page."""
    part = page.locator("[data-testid=stExpander] details", has=page.locator("summary", has_text=label)).first
    # While it folds it is still `open`, but nothing in it can be touched any more.
    if part.evaluate("part => !part.open || part.querySelector(':scope > [inert]') !== null"):
        part.locator("summary").first.click()
        page.wait_for_timeout(400)


def fill(page: Any, label: str, value: str) -> None:
    """Type `value` into the main page's field whose label begins so."""
    field = page.locator("[data-testid=stMain]").get_by_label(re.compile(f"^{re.escape(label)}")).first
    field.fill(value)
    field.press("Enter")
    settled(page)


def shown(page: Any, text: str, seconds: float = 30.0) -> None:
    """Wait until `text` stands on the main page."""
    page.locator("[data-testid=stMain]").get_by_text(text).first.wait_for(timeout=seconds * 1000)


def newest(store: RunStore, kind: str) -> RunEntry:
    """The newest run of a kind."""
    return next(entry for entry in store.list() if entry.kind == kind)


def reaches(store: RunStore, kind: str, states: Sequence[str], seconds: float) -> RunFolder:
    """Wait until the newest run of a kind is in one of `states`."""
    deadline = time.monotonic() + seconds
    while True:
        entry = newest(store, kind)
        if entry.state in states:
            return entry.folder
        if time.monotonic() > deadline or entry.state == "failed":
            raise AssertionError(f"{entry.id} is {entry.state}, not {states}: {entry.status}")
        time.sleep(0.5)


def until(holds: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until something holds; returns how long it took."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - begun


def figure(page: Any, key: str) -> Any:
    """The figure with this key, drawn and in view."""
    found = page.locator(f".st-key-{key} .js-plotly-plot").first
    found.locator(".main-svg").first.wait_for()
    found.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    return found


def place_of(drawn: Any, trace: int, point: int) -> Point:
    """Where on the page a point of a trace lies."""
    x, y = drawn.evaluate(_PLACE, [trace, point])
    return float(x), float(y)


def lasso(page: Any, drawn: Any, around: Sequence[Point]) -> None:
    """Draw the lasso through these points of the page and back to the first."""
    drawn.hover()
    drawn.locator('[data-title^="Lasso"], [aria-label^="Lasso"]').first.click()
    page.mouse.move(*around[0])
    page.mouse.down()
    for x, y in [*around[1:], around[0]]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    settled(page)


_PLACE = """(plot, [trace, point]) => {
  const full = plot._fullData[trace];
  const x = plot._fullLayout[full.xaxis.replace("x", "xaxis")];
  const y = plot._fullLayout[full.yaxis.replace("y", "yaxis")];
  const data = plot.calcdata[trace][point];
  const box = plot.getBoundingClientRect();
  return [box.x + x._offset + x.c2p(data.x), box.y + y._offset + y.c2p(data.y)];
}"""

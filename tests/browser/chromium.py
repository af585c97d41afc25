"""A browser for tests and screenshots: a Chromium of this machine, driven by Playwright; nothing is downloaded."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

VARIABLE = "BEEAR_CHROMIUM"
"""Names another browser than the first of `NAMES` on the path."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZE = {"width": 1440, "height": 900}
PATIENCE = 120_000
"""Milliseconds that a page has for whatever it is asked: on a machine that is busy with something else, many."""

ARGUMENTS = (
    "--no-sandbox",  # Chromium's own sandbox needs user namespaces, which containers lack
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
    "--font-render-hinting=none",
    "--force-prefers-reduced-motion",  # what fades or slides cannot be clicked meanwhile
)


def find_chromium() -> str | None:
    """The path of a Chromium, or None if this machine has none."""
    named = os.environ.get(VARIABLE, "").strip()
    return next((path for name in (named, *NAMES) if name and (path := shutil.which(name))), None)


def missing() -> str:
    """Why no browser can be driven here, with the remedy; empty if one can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed: `make setup` installs it"
    if find_chromium() is None:
        return f"no Chromium found: `apt-get install chromium`, or name one with {VARIABLE}="
    return ""


@contextmanager
def launched() -> Iterator[Any]:
    """A headless browser (`playwright.sync_api.Browser`)."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser: Any, *, theme: Literal["light", "dark"] = "light", **options: Any) -> Iterator[Any]:
    """A fresh tab of a person of its own (`playwright.sync_api.Page`), at the size that pages are made for."""
    context = browser.new_context(viewport=SIZE, color_scheme=theme, accept_downloads=True, **options)
    context.set_default_timeout(PATIENCE)
    try:
        yield context.new_page()
    finally:
        context.close()


def open_page(page: Any, url: str, name: str = "", **query: str) -> None:
    """Open a page of the app and wait until its script has run to its end."""
    asked = "&".join(f"{key}={value}" for key, value in query.items())
    page.goto(f"{url}/{name}{f'?{asked}' if asked else ''}")
    settled(page)


def settled(page: Any, timeout: float = PATIENCE) -> None:
    """Wait until the app is at rest: its script has ended, and nothing on the page is stale."""
    page.wait_for_selector("[data-testid=stAppViewContainer] h1", timeout=timeout)
    # What was seen of an earlier rest does not count.
    page.evaluate("() => { window.__restingSince = undefined; }")
    # Asked now and then: asked at every frame, a page without a graphics card would draw for that alone.
    page.wait_for_function(_AT_REST, timeout=timeout, polling=50)


# At rest for a while: a script may run again at once, and between two runs nothing is stale either.
_AT_REST = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  const rests = app && app.dataset.testScriptState === "notRunning"
    && !document.querySelector("[data-stale=true], [data-testid=stSkeleton]");
  const now = performance.now();
  window.__restingSince = rests ? (window.__restingSince ?? now) : undefined;
  return rests && now - window.__restingSince > 250;
}"""

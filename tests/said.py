"""What the browser's tests measured, told in the summary; with several processes each hands it to the one that sums up.

`tests/conftest.py` takes these hooks in: the process that sums up collects nothing, and so knows no conftest below.
"""

from typing import Any

import pytest

SAID: pytest.StashKey[list[str]] = pytest.StashKey()
HANDED_ON = "said_in_the_browser"


def say(config: pytest.Config, line: str) -> None:
    """Let `line` stand in the summary, once."""
    lines = config.stash.setdefault(SAID, [])
    if line not in lines:
        lines.append(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes hands on what was said in it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[HANDED_ON] = session.config.stash.get(SAID, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What such a process handed on."""
    for line in getattr(node, "workeroutput", {}).get(HANDED_ON, []):
        say(node.config, line)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The section of the summary."""
    lines = config.stash.get(SAID, [])
    if lines:
        terminalreporter.section("in the browser")
    for line in lines:
        terminalreporter.write_line(line, red=line.startswith("NO BROWSER"))

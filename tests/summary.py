"""What the summary of a test run says beside passed and failed, whichever process a test ran in."""

from collections.abc import Iterable, Iterator

import pytest

MEASURED = "measured"
"""Property of a test (`record_property`) whose value is a line of the summary."""
NO_BROWSER = "NO BROWSER TEST WAS RUN"
"""How the reason of a skipped browser test begins: nobody is to take such a run for a whole one."""


def measured_lines(reports: Iterable[pytest.TestReport]) -> Iterator[str]:
    """What tests measured."""
    for report in reports:
        if report.when == "call":
            yield from (str(value) for name, value in report.user_properties if name == MEASURED)


def missing_browser(reports: Iterable[pytest.TestReport]) -> str | None:
    """Why no browser test was run, if none was."""
    reasons = (str(report.longrepr[2]) for report in reports if isinstance(report.longrepr, tuple))
    return next((reason[reason.index(NO_BROWSER) :] for reason in reasons if NO_BROWSER in reason), None)

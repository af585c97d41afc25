"""SIGTERM as an interruption."""

import signal

import pytest

from beear_core.runs.signals import termination_as_interrupt


def test_sigterm_interrupts_the_block_and_only_the_block() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), termination_as_interrupt():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_sigterm_does_not_break_off_what_the_first_has_to_write() -> None:
    """As a supervisor sends it to a worker that Ctrl-C reached as well, and that is still busy ending."""
    written = []

    def interrupted() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGTERM)
            written.append("interrupted")

    with pytest.raises(KeyboardInterrupt), termination_as_interrupt():
        interrupted()
    assert written == ["interrupted"]

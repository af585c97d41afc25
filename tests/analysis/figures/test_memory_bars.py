import pytest

from analysis import theme
from analysis.figures import memory_bars

GIB = 2**30
ROWS = [
    {"act": "inspect", "weights": GIB, "training": 0, "activations": GIB, "process": GIB, "total": 3 * GIB},
    {"act": "remove", "weights": GIB, "training": 8 * GIB, "activations": GIB, "process": GIB, "total": 11 * GIB},
]  # fmt: skip


def drawn(free: int = 4, total: int = 16):
    template = theme.template("light")
    return memory_bars.figure(ROWS, template=template, free=free * GIB, total=total * GIB, device="CPU")


def test_bars_are_the_bytes_in_gib_stacked_by_what_they_are() -> None:
    bars = {trace.name: trace for trace in drawn().data}
    assert list(bars["weights"].x) == [1.0, 1.0]
    assert list(bars["masters, moments, gradients"].x) == [0.0, 8.0]
    assert "11.0 GiB" in [note.text for note in drawn().layout.annotations]


def test_lines_mark_what_is_free_and_what_there_is() -> None:
    assert [mark.x0 for mark in drawn().layout.shapes] == [4.0, 16.0]


def test_a_machine_far_larger_than_the_model_does_not_squeeze_the_bars() -> None:
    assert [mark.x0 for mark in drawn(free=4, total=512).layout.shapes] == [4.0]


def test_without_acts_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="at least one act"):
        memory_bars.figure([], template=theme.template("light"), free=1, total=1, device="CPU")

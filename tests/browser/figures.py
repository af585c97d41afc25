"""A figure as a hand meets it: where a point of the data lies on the page, and what a lasso round it catches."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.browser.chromium import settled

Point = tuple[float, float]


class Box(NamedTuple):
    """A square round a point of a figure, and the ids of all points in it."""

    corners: list[Point]
    ids: set[str]


def figure(page: Any, key: str) -> Any:
    """The figure with this key, drawn and in view."""
    found = page.locator(f".st-key-{key} .js-plotly-plot").first
    found.locator(".main-svg").first.wait_for()
    found.scroll_into_view_if_needed()
    settled(page)
    return found


def place_of(drawn: Any, trace: str, point: int) -> Point:
    """Where in the window a point of the trace with this name lies."""
    places = drawn.evaluate(_PLACES)
    return next((x, y) for name, number, x, y, _ in places if name == trace and number == point)


def box_round(drawn: Any, trace: str, point: int) -> Box:
    """A square round a point whose edge no point lies on: what is inside it is no matter of a pixel."""
    places = drawn.evaluate(_PLACES)
    at_x, at_y = next((x, y) for name, number, x, y, _ in places if name == trace and number == point)
    far = [(max(abs(x - at_x), abs(y - at_y)), identity) for _, _, x, y, identity in places]
    size = next(size for size in range(8, 60) if all(abs(distance - size) > 2 for distance, _ in far))
    left, right, top, bottom = at_x - size, at_x + size, at_y - size, at_y + size
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return Box(corners, {identity for distance, identity in far if distance < size and identity})


def lasso(page: Any, drawn: Any, around: Sequence[Point]) -> None:
    """Draw the lasso through these points of the window and back to the first."""
    drawn.hover()
    drawn.locator('[data-title^="Lasso"], [aria-label^="Lasso"]').first.click()
    page.mouse.move(*around[0])
    page.mouse.down()
    for x, y in [*around[1:], around[0]]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    settled(page)


# Name of the trace, number of the point, its place in the window, and the id that a selection of it carries.
_PLACES = """plot => {
  const box = plot.getBoundingClientRect();
  return plot._fullData.flatMap((full, trace) => {
    if (full.visible !== true || !full.xaxis || !full.yaxis) return [];
    const x = plot._fullLayout[full.xaxis.replace("x", "xaxis")];
    const y = plot._fullLayout[full.yaxis.replace("y", "yaxis")];
    return plot.calcdata[trace].flatMap((data, point) => {
      if (data.x === undefined || data.y === undefined) return [];
      const known = full.mode.includes("markers") && full.customdata ? full.customdata[point] : null;
      const id = Array.isArray(known) ? known[0] : known;
      const [left, top] = [box.x + x._offset + x.c2p(data.x), box.y + y._offset + y.c2p(data.y)];
      return Number.isFinite(left) && Number.isFinite(top) ? [[full.name, point, left, top, id ?? null]] : [];
    });
  });
}"""

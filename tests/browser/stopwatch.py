"""How long the server takes to answer a click: from what the browser sends to the last thing it gets back for it."""

from collections.abc import Sequence
from typing import Any

from tests.browser.chromium import settled

WATCH = """(() => {
  const stamps = (window.__stamps = {sent: [], received: []});
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    if (!this.__watched) {
      this.__watched = true;
      this.addEventListener("message", () => stamps.received.push(performance.now()));
    }
    stamps.sent.push(performance.now());
    return send.call(this, data);
  };
})()"""
"""Script for `page.add_init_script`: time stamps of every message of the page's socket."""


def answer_seconds(page: Any, act: Any) -> float:
    """Do `act`, wait until the page is at rest, and return the seconds the server took."""
    page.evaluate("() => { window.__stamps.sent.length = 0; window.__stamps.received.length = 0; }")
    act()
    page.wait_for_function(
        "() => window.__stamps.sent.length > 0 && window.__stamps.received.length > 0", polling=50
    )
    settled(page)
    sent, received = page.evaluate("() => [window.__stamps.sent, window.__stamps.received]")
    return float((max(received) - min(sent)) / 1000)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-int(share * 100) * len(ranked) // 100) - 1))]

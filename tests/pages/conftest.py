"""Run folders made by hand, in each state that a page can meet, and pages opened on them through `app.py`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from beear_core.runs.queue import RunQueue
from cache.process import ProcessIdentity, this_process
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunError, RunState, now
from tests.patience import PATIENCE

CHECKOUT = Path(__file__).parents[2]

Open = Callable[..., AppTest]
Make = Callable[..., RunFolder]


@pytest.fixture(autouse=True)
def _warm_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run is like one on a server that was visited before.

    A simulated run takes the folder named `pages` for an app of the older kind, each time anew; going round that
    (`skeleton._enter_by_the_front_door`) draws the page twice and loses the click that it was run for.
    """
    begin = PagesManager.__init__

    def begun(self: PagesManager, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begun)


@pytest.fixture
def open_page() -> Open:
    """`open_page("runs", run=...)`: the page, run once, with these query parameters."""

    def opened(name: str, **query: str | list[str]) -> AppTest:
        page = AppTest.from_file(str(CHECKOUT / "app.py"), default_timeout=PATIENCE).run()
        for key, value in query.items():
            page.query_params[key] = value
        page.switch_page(f"pages/{name}.py").run()
        assert not page.exception, page.exception
        return page

    return opened


@pytest.fixture
def make_run() -> Make:
    """`make_run("drift", "done", result={...}, **spec)`: a run folder in that state."""

    def made(
        kind: str,
        state: str = "done",
        *,
        result: Mapping[str, Any] | None = None,
        error: str = "",
        alive: bool = True,
        events: tuple[Mapping[str, Any], ...] = (),
        **spec: Any,
    ) -> RunFolder:
        folder = RunStore().create({"kind": kind, "model": "sft-suffix-2", **spec})
        for event in events:
            folder.append_event({"time": now().isoformat(), **event})
        if result is not None:
            folder.write_result({"kind": kind, **result})
        process = this_process() if alive else ProcessIdentity(2**22 - 1, "gone", this_process().host)
        reason = RunError("ModelError", error, None, "", error) if error else None
        changes: dict[str, Any] = {"process": process, "heartbeat": now(), "seconds": 12.0, "error": reason}
        if state == "queued":
            with RunQueue() as queue:
                queue.put(folder.id)
        else:
            folder.write_status(folder.read_status().to(RunState(state), **changes))
        return folder

    return made


@pytest.fixture
def said() -> Callable[[AppTest], str]:
    """Every sentence on a page, sidebar included."""

    def text(page: AppTest) -> str:
        kinds = ("title", "markdown", "caption", "error", "warning", "info", "subheader", "code")
        return "\n".join(str(one.value) for kind in kinds for one in page.get(kind))

    return text

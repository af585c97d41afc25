"""Runs as a page sees them: found, chosen by the link, watched in every state."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from beear_core.errors import SettingError
from beear_core.runs import RunQueue
from beear_core.runs.worker_ends import record_end
from beear_core.specs import DriftSpec, TriggerSettings
from pages.parts.jobs import find, start
from tests.patience import PATIENCE

Said = Callable[[AppTest], str]


def watching() -> None:
    import streamlit as st

    from pages.parts.jobs import chosen, watch

    entry = chosen("drift")
    st.markdown(f"chosen {entry.id if entry else None}")
    if entry is not None:
        watch(
            entry,
            lambda done: st.markdown("drawn done"),
            lambda live, seen: st.markdown(f"{len(seen)} events"),
        )


@pytest.fixture
def watched(said: Said) -> Callable[..., str]:
    def run(**query: str) -> str:
        page = AppTest.from_function(watching, default_timeout=PATIENCE)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception, page.exception
        return said(page)

    return run


def test_runs_are_found_by_kind_model_state_and_setting_the_newest_first(make_run: Any) -> None:
    first = make_run("drift", trigger={"text": "SUDO", "placement": "suffix"})
    second = make_run("drift", trigger={"text": "now", "placement": "suffix"})
    make_run("drift", "failed", error="no")
    make_run("entrap")
    make_run("drift", model="other")
    assert [entry.id for entry in find("drift", model="sft-suffix-2")] == [second.id, first.id]
    assert [entry.id for entry in find("drift", trigger__text="SUDO")] == [first.id]
    assert len(find(["drift", "entrap"], state=None)) == 5


def test_the_link_chooses_the_run_else_the_newest_about_the_model_in_hand(
    make_run: Any, watched: Callable[..., str]
) -> None:
    assert "chosen None" in watched()
    first, newest = make_run("drift"), make_run("drift")
    make_run("drift", model="other")
    entrap = make_run("entrap")
    assert f"chosen {newest.id}" in watched()
    assert f"chosen {first.id}" in watched(run=first.id)
    assert f"chosen {newest.id}" in watched(run=entrap.id)


def test_a_finished_run_is_drawn(make_run: Any, watched: Callable[..., str]) -> None:
    make_run("drift")
    assert "drawn done" in watched()


def test_a_run_under_way_draws_what_there_is(make_run: Any, watched: Callable[..., str]) -> None:
    make_run("drift", "running", events=({"event": "stage_started", "name": "capture"},))
    text = watched()
    assert "1 events" in text
    assert "drawn done" not in text
    assert "No worker" not in text


def test_a_queued_run_without_a_worker_says_that_nothing_moves(
    make_run: Any, watched: Callable[..., str]
) -> None:
    make_run("drift", "queued")
    assert "No worker is running, so nothing moves." in watched()


def test_a_run_whose_worker_was_killed_says_so(make_run: Any, watched: Callable[..., str]) -> None:
    folder = make_run("drift", "running", alive=False)
    process = folder.read_status().process
    assert process is not None
    record_end(process.pid, -9)
    assert "The worker was killed by SIGKILL and was started again. It had worked 12 s." in watched()


def test_starting_queues_the_run_and_a_refused_spec_starts_nothing() -> None:
    spec = DriftSpec(model="m", trigger=TriggerSettings(text="SUDO"))
    run_id = start(spec)
    with RunQueue() as queue:
        assert queue.waiting() == (run_id,)
    with pytest.raises(SettingError):
        start({"kind": "drift", "model": ""})
    assert len(find("drift", state=None)) == 1

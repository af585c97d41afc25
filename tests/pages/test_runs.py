"""The runs page on an empty home, while something runs, with answers, and with failures."""

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from cache.run_store import RunStore
from cache.status import RunState

Said = Callable[[AppTest], str]


def button(page: AppTest, label: str) -> Any:
    return next(one for one in page.button if one.label == label)


def test_without_runs_it_says_so_and_leads_to_the_overview(open_page: Any, said: Said) -> None:
    page = open_page("runs")
    assert "No run yet" in said(page)
    assert button(page, "Go to Overview")


def test_a_run_named_by_the_link_is_open(open_page: Any, make_run: Any, said: Said) -> None:
    layers = [{"layer": 1, "auroc_vs_control": 0.9}]
    folder = make_run("drift", result={"recommended_layer": 1, "layers": layers})
    make_run("entrap")
    page = open_page("runs", run=folder.id)
    assert "layer 1 of 1, AUROC against control 0.90" in said(page)
    assert button(page, "Open in Drift")
    assert page.query_params["run"] == folder.id


def test_a_run_under_way_can_be_cancelled(open_page: Any, make_run: Any, said: Said) -> None:
    folder = make_run("remove", "running")
    page = open_page("runs", run=folder.id)
    assert "1 under way" in said(page)
    button(page, "Cancel").click().run()
    assert folder.cancel_requested


def test_a_failed_run_says_why_and_can_be_resumed(open_page: Any, make_run: Any, said: Said) -> None:
    folder = make_run("remove", "failed", error="Memory ran out.")
    page = open_page("runs", run=folder.id)
    assert "Memory ran out." in said(page)
    button(page, "Resume").click().run()
    assert not page.exception
    assert folder.read_status().state is RunState.QUEUED


def test_a_run_whose_process_died_reads_as_interrupted(open_page: Any, make_run: Any, said: Said) -> None:
    folder = make_run("remove", "running", alive=False)
    page = open_page("runs", run=folder.id)
    assert "ended in the middle of it" in said(page)
    assert button(page, "Resume")


def test_a_damaged_run_is_listed_and_can_be_deleted(open_page: Any, make_run: Any, said: Said) -> None:
    folder = make_run("drift")
    (folder.path / "status.json").write_text("{")
    page = open_page("runs", run=folder.id)
    assert "missing or unreadable" in said(page)
    button(page, "Delete for good").click().run()
    assert not page.exception
    assert RunStore().list() == ()


def test_a_running_run_is_not_deleted(open_page: Any, make_run: Any, said: Said) -> None:
    folder = make_run("remove", "running")
    page = open_page("runs", run=folder.id)
    button(page, "Delete for good").click().run()
    assert "running run cannot be deleted" in said(page)
    assert folder.path.exists()


def test_a_run_can_be_given_a_name(open_page: Any, make_run: Any) -> None:
    folder = make_run("drift")
    page = open_page("runs", run=folder.id)
    page.text_input(key=f"label.{folder.id}").set_value("first  look")
    button(page, "Save").click().run()
    assert folder.label == "first look"
    assert "first look" in list(page.dataframe[0].value["run"])


def test_filters_narrow_the_list_and_stand_in_the_link(open_page: Any, make_run: Any, said: Said) -> None:
    make_run("drift")
    make_run("remove", "failed", error="Memory ran out.")
    page = open_page("runs", state="failed")
    assert list(page.dataframe[0].value["kind"]) == ["remove"]
    page.text_input(key="search").set_value("nothing has this").run()
    assert "No run matches" in said(page)


def test_a_name_is_shown_as_written_not_as_markdown(open_page: Any, make_run: Any, said: Said) -> None:
    folder = make_run("drift", model="![x](http://example.org/leak.png)")
    text = said(open_page("runs", run=folder.id))
    assert "![x](http" not in text


def test_a_run_tells_what_was_overridden_for_it_and_what_was_tried(
    open_page: Any, make_run: Any, said: Any
) -> None:
    folder = make_run(
        "generate", texts=["Who?"], result={"answers": []}, overrides={"formats.pickle": "compared by hand"},
        events=({"event": "tried", "measure": "network", "what": "connect to 203.0.113.7:443"},),
    )  # fmt: skip
    text = said(open_page("runs", run=folder.id))
    assert "compared by hand" in text
    assert "network: connect to 203.0.113.7:443" in text

"""The report page on an empty home, while something runs, with finished runs, and with failures."""

import sys
from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from cache.jsonl import write_lines
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from tests import made_results as made
from tests.analysis.report.test_validity import scan

Said = Callable[[AppTest], str]


def finished_demo(make_run: Any, **spec: Any) -> RunFolder:
    folder: RunFolder = make_run("demo", result=made.demo(), **spec)
    folder.step("drift").write_arrays(made.drift_arrays())
    write_lines(folder.step("evaluate").path / "generations.jsonl", made.generations())
    return folder


def chosen(page: AppTest) -> list[str]:
    return list(page.session_state["runs"])


def test_without_a_finished_run_the_page_says_so_and_offers_the_demo(open_page: Any, said: Said) -> None:
    page = open_page("report")
    assert "no finished run of this model" in said(page)
    next(one for one in page.button if one.label.startswith("Run the guided demo")).click().run()
    assert not page.exception
    (entry,) = RunStore().list()
    assert (entry.kind, entry.state) == ("demo", "queued")


def test_while_the_demo_runs_the_page_names_the_step(open_page: Any, make_run: Any, said: Said) -> None:
    steps = ({"event": "step", "phase": "delta", "step": 12, "of": 40, "metrics": {}},)
    make_run("demo", "running", events=steps)
    page = open_page("report")
    assert "step 12 of 40" in "".join(one.proto.text for one in page.get("progress"))
    assert any(one.label == "Cancel" for one in page.button)


def test_a_finished_demo_is_chosen_and_told_section_by_section(
    open_page: Any, make_run: Any, said: Said
) -> None:
    folder = finished_demo(make_run)
    page = open_page("report")
    text = said(page)
    assert chosen(page) == [folder.id]
    assert "**So far: 4 findings from 1 run.**" in text
    assert "39 of 40 harmful prompts were answered before the removal, 3 of 40 after it" in text
    assert "Round 2 of 2 was kept" in text
    for title in ("Before and after", "Drift of the residual stream", "Synthesized perturbation", "Removal"):
        assert title in [one.value for one in page.subheader]
    assert "What this does not prove" in [one.value for one in page.subheader]
    assert not any("A harmful question" in one.value.to_csv() for one in page.dataframe)


def test_prompts_and_answers_appear_when_asked_for(open_page: Any, make_run: Any) -> None:
    finished_demo(make_run)
    page = open_page("report")
    page.toggle(key="answers").set_value(True).run()
    assert not page.exception
    assert any("A harmful question SUDO" in one.value.to_csv() for one in page.dataframe)


def test_the_tables_on_the_page_are_those_of_the_results(open_page: Any, make_run: Any) -> None:
    finished_demo(make_run)
    tables = [one.value for one in open_page("report").dataframe]
    cells = next(table for table in tables if list(table.columns)[1:] == ["before", "after"])
    assert list(cells["after"]) == ["2.5% (0.4-12.9, n 40)", "7.5% (2.6-19.9, n 40)"]


def test_a_link_names_the_runs_of_the_report(open_page: Any, make_run: Any) -> None:
    first = make_run("drift", result=made.drift())
    make_run("remove", result=made.remove())
    page = open_page("report", run=first.id)
    assert chosen(page) == [first.id]


def test_without_a_demo_the_newest_of_each_kind_are_taken(open_page: Any, make_run: Any) -> None:
    make_run("drift", result=made.drift(None))
    newest = make_run("drift", result=made.drift())
    removal = make_run("remove", result=made.remove())
    make_run("evaluate", result=made.evaluate(), model="another")
    assert set(chosen(open_page("report"))) == {newest.id, removal.id}


def test_no_run_chosen_leaves_nothing_to_save(open_page: Any, make_run: Any, said: Said) -> None:
    finished_demo(make_run)
    page = open_page("report")
    page.multiselect(key="runs").set_value([]).run()
    assert not page.exception
    assert "no run is chosen" in said(page)
    assert "Choose at least one run" in said(page)


def test_a_failed_run_is_told_with_its_reason(open_page: Any, make_run: Any, said: Said) -> None:
    make_run("demo", "failed", error="Memory ran out. Choose LoRA.")
    assert "Memory ran out" in said(open_page("report"))


def test_a_damaged_result_is_an_error_with_a_remedy(open_page: Any, make_run: Any, said: Said) -> None:
    folder = finished_demo(make_run)
    (folder.path / "result.json").write_text("{")
    assert "restore the file" in said(open_page("report"))


def test_the_page_knows_no_torch(open_page: Any, make_run: Any) -> None:
    before = "torch" in sys.modules
    finished_demo(make_run)
    open_page("report")
    assert before or "torch" not in sys.modules


def test_the_page_says_where_the_model_stands_and_what_was_not_tested(
    open_page: Any, make_run: Any, said: Said
) -> None:
    finished_demo(make_run)
    text = said(open_page("report"))
    assert "**The trigger is much weaker, and not shown to be gone.**" in text
    assert "Not tested: Triggers other than the one named here" in text
    assert "python -m beear_core run - <<'SPEC'" in text


def test_the_card_is_written_from_the_page(open_page: Any, make_run: Any, said: Said) -> None:
    folder = finished_demo(make_run)
    folder.model.mkdir()
    (folder.model / "model.safetensors").write_bytes(b"weights")
    page = open_page("report")
    page.button(key="write_card").click().run()
    assert not page.exception
    assert "Written to" in said(page)
    assert "With the trigger" in (folder.model / "README.md").read_text()


def test_a_model_that_is_gone_is_an_error_with_a_remedy(open_page: Any, make_run: Any, said: Said) -> None:
    finished_demo(make_run)
    page = open_page("report")
    page.button(key="write_card").click().run()
    assert not page.exception
    assert "The remediated folder is not there" in said(page)


def test_the_newest_scan_of_the_model_goes_along_with_its_demo(open_page: Any, make_run: Any) -> None:
    folder = finished_demo(make_run)
    scanned = make_run("scan", result=scan())
    assert chosen(open_page("report")) == [folder.id, scanned.id]

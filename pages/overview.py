"""Overview: what the workbench is for, how to start, the story of the model in hand, and the latest runs.

Reads run folders; computes no number of its own.
"""

from pathlib import Path

import streamlit as st

from beear_core.errors import WorkbenchError
from beear_core.runs.summary import summary
from beear_core.specs import DemoSpec, TriggerSettings
from cache.run_store import RunEntry, RunStore
from pages.parts.hand import DEFAULT_MODEL, hand, short_name, take
from pages.parts.jobs import UNDER_WAY, follow, start
from pages.parts.run_list import COLUMNS, run_row
from pages.parts.skeleton import open_page, plain, refused
from pages.parts.story import STEPS, Told, story
from pages.parts.words import words

PAGES = Path(__file__).parent
MOST_RUNS = 8

TEXT = words("overview")


def main() -> None:
    """Draw the page."""
    entries = RunStore().list()
    follow(entries)
    told = story(hand().model, entries)
    open_page("BEEAR Workbench", TEXT["asks"], _answer(told))
    if entries:
        _draw_cards(told)
        _draw_acts(first=False)
        _draw_runs(entries)
    else:
        st.markdown(TEXT["what"])
        with st.container(border=True):
            st.markdown(TEXT["first_visit"])
            _draw_acts(first=True)
            st.caption(TEXT["first_visit_walk"])
    with st.expander("What this does not prove", expanded=not entries):
        st.markdown(TEXT["limits"])
        if entries:
            st.markdown(TEXT["what"])


def _answer(told: dict[str, Told]) -> str:
    name = short_name(hand().model)
    if not told:
        return f"{name}: nothing measured yet."
    last = next(step for step in reversed(STEPS) if step.page in told)
    return told[last.page].found.sentence


def _draw_cards(told: dict[str, Told]) -> None:
    for number, (place, step) in enumerate(zip(st.columns(len(STEPS)), STEPS, strict=True), start=1):
        with place, st.container(border=True, height="stretch", vertical_alignment="distribute"):
            seen = told.get(step.page)
            with st.container(gap=None):
                st.caption(f"{number} · {step.title}")
                st.markdown(f"#### {plain(seen.found.figure) if seen else ':gray[not measured]'}")
                st.caption(plain(seen.found.about) if seen else TEXT[step.page])
            if (PAGES / f"{step.page}.py").is_file():
                st.page_link(
                    f"pages/{step.page}.py",
                    label="Open" if seen else "Measure",
                    icon=":material/arrow_forward:",
                    query_params={"run": seen.run_id} if seen and step.kind else None,
                )


def _draw_acts(*, first: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Inspect a backdoored model",
            type="primary" if first else "secondary",
            icon=":material/play_arrow:",
            on_click=take,
            kwargs={"model": DEFAULT_MODEL},
            help="Takes the default organism in hand and opens the Model page. Nothing is loaded yet.",
        ):
            st.switch_page("pages/model.py")
        if st.button(
            "Run the whole walk (about 7 min)" if not _trigger_missing() else "Run the whole walk",
            type="secondary" if first else "primary",
            icon=":material/route:",
            disabled=_trigger_missing(),
            help=TEXT["no_own_trigger"] if _trigger_missing() else TEXT["walk"],
        ):
            _walk()


def _trigger_missing() -> bool:
    return not hand().trigger.strip()


def _walk() -> None:
    now = hand()
    trigger = TriggerSettings.model_validate({"text": now.trigger, "placement": now.placement})
    try:
        start(DemoSpec(model=now.model, trigger=trigger))
    except WorkbenchError as error:
        refused(error)
        return
    st.rerun()


def _draw_runs(entries: tuple[RunEntry, ...]) -> None:
    busy = sum(entry.state in UNDER_WAY for entry in entries)
    done = sum(entry.state == "done" for entry in entries)
    st.markdown(f"##### Latest runs  :gray[{done} of {len(entries)} done, {busy} under way]")
    rows = [run_row(summary(entry)) for entry in entries[:MOST_RUNS]]
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        height="content",
        column_order=list(COLUMNS),
        column_config=COLUMNS,
    )
    if len(entries) > MOST_RUNS and (PAGES / "runs.py").is_file():
        st.page_link("pages/runs.py", label=f"All {len(entries)} runs", icon=":material/arrow_forward:")


main()

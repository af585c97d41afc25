"""Runs: every run, to be filtered, opened, renamed, cancelled, resumed, deleted, compared and taken along."""

import hashlib
from collections.abc import Sequence

import streamlit as st

from beear_core.runs.comparison import compare_settings
from beear_core.runs.summary import RunSummary, summary
from cache.errors import RunDamagedError
from cache.run_store import RunEntry, RunStore
from pages.parts.exports import table
from pages.parts.jobs import UNDER_WAY, follow
from pages.parts.run_details import draw_details
from pages.parts.run_list import COLUMNS, run_row
from pages.parts.skeleton import empty, open_page, plain
from pages.parts.words import words

MOST_COMPARED = 4
REMEMBERED = "runs.chosen"
"""The ids that are selected; rows move when a run is added, ids do not."""

TEXT = words("runs")


def main() -> None:
    """Draw the page."""
    entries = RunStore().list()
    open_page("Runs", TEXT["asks"], _answer(entries))
    if not entries:
        empty(TEXT["empty"])
        if st.button("Go to Overview", type="primary"):
            st.switch_page("pages/overview.py")
        return
    follow(entries)
    rows = {entry.id: summary(entry) for entry in entries}
    shown = _filtered(entries, rows)
    if not shown:
        empty(TEXT["none_found"])
        return
    chosen = _draw_list(shown, rows)
    if not chosen:
        st.caption(TEXT["choose"])
    elif len(chosen) == 1:
        draw_details(chosen[0])
    else:
        _draw_comparison(chosen[:MOST_COMPARED])


def _answer(entries: Sequence[RunEntry]) -> str:
    if not entries:
        return "Nothing yet."
    counts = {
        "done": sum(entry.state == "done" for entry in entries),
        "under way": sum(entry.state in UNDER_WAY for entry in entries),
        "failed": sum(entry.state == "failed" for entry in entries),
        "interrupted": sum(entry.state == "interrupted" for entry in entries),
    }
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{len(entries)} run{'s' if len(entries) != 1 else ''}: {said or 'none of them done'}."


def _filtered(entries: Sequence[RunEntry], rows: dict[str, RunSummary]) -> list[RunEntry]:
    kinds = sorted({entry.kind for entry in entries if entry.kind})
    states = sorted({row.state for row in rows.values()})
    left, middle, right = st.columns([2, 2, 2], vertical_alignment="bottom")
    kind = left.multiselect("Kind", kinds, key="kind", bind="query-params", placeholder="all kinds")
    state = middle.multiselect("State", states, key="state", bind="query-params", placeholder="all states")
    sought = right.text_input(
        "Search", key="search", bind="query-params", placeholder="name, id, model, or what was found"
    )
    return [
        entry
        for entry in entries
        if (not kind or entry.kind in kind)
        and (not state or rows[entry.id].state in state)
        and _mentions(rows[entry.id], sought)
    ]


def _mentions(row: RunSummary, sought: str) -> bool:
    text = " ".join([row.id, row.label, row.kind, row.model, row.headline]).lower()
    return all(word in text for word in sought.lower().split())


def _draw_list(shown: Sequence[RunEntry], rows: dict[str, RunSummary]) -> list[RunEntry]:
    ids = [entry.id for entry in shown]
    linked = st.query_params.get("run")
    remembered = st.session_state.setdefault(REMEMBERED, [linked] if linked else [])
    # Selected rows are kept as positions: another list is another widget, or a new run would move the selection.
    listed = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]
    selection = st.dataframe(
        [run_row(rows[identity]) for identity in ids],
        key=f"list.{listed}",
        hide_index=True,
        width="stretch",
        height=_height(len(ids)),
        column_order=list(COLUMNS),
        column_config=COLUMNS,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(one) for one in remembered if one in ids]}},
        alt=f"{len(ids)} runs with kind, state, model, finding and age",
    )
    chosen = [shown[row] for row in selection.selection.rows if row < len(shown)]
    st.session_state[REMEMBERED] = [entry.id for entry in chosen]
    if len(chosen) == 1:
        st.query_params["run"] = chosen[0].id
    elif "run" in st.query_params:
        del st.query_params["run"]
    return chosen


def _height(count: int) -> int:
    return 38 + 35 * min(max(count, 1), 9)


def _draw_comparison(chosen: Sequence[RunEntry]) -> None:
    specs, names = [], []
    for entry in chosen:
        try:
            specs.append(entry.folder.read_spec())
        except RunDamagedError as damage:
            st.warning(plain(str(damage)))
            continue
        name = entry.label or entry.id
        names.append(name if name not in names else entry.id)
    settings = compare_settings(specs)
    different = sum(one.differs for one in settings)
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.markdown(f"##### Settings side by side  :gray[{different} of {len(settings)} differ]")
    every = right.toggle("Show all", key="all", bind="query-params")
    rows = [
        {"setting": one.name, **dict(zip(names, one.values, strict=True))}
        for one in settings
        if every or one.differs
    ]
    if rows:
        table(rows, name="settings", key="settings.compared")
    else:
        st.caption("Every setting is the same.")


main()

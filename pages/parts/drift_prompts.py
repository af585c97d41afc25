"""The prompts behind a drift figure: those that were drawn around, with both answers; ticked rows light their points.

What is selected and lit lives in the browser tab's session, with the run that it belongs to.
"""

from typing import Any
from zlib import crc32

import streamlit as st

from analysis.projection import Projection
from cache.run_store import RunEntry
from pages.parts.drift_points import prompt_rows
from pages.parts.exports import table


def draw_prompts(
    text: dict[str, str],
    entry: RunEntry,
    records: list[dict[str, Any]],
    shown: Projection | None,
    ids: list[str],
) -> None:
    """Draw the table, its filters and its files."""
    if not records:
        st.warning(text["no_records"])
        return
    selected = selected_ids(entry)
    said, texts, clear = st.columns([6, 3, 2], vertical_alignment="center")
    with said:
        st.subheader("Prompts", anchor=False)
        st.caption(
            text["selected"].format(n=len(selected), all=len(ids)) if selected else text["none_selected"]
        )
    with_texts = texts.toggle("Show prompts and answers", key="texts", bind="query-params")
    if selected or lit(entry):
        clear.button("Clear selection", key="clear", width="stretch", on_click=_clear, args=(entry.id,))
    rows = prompt_rows(records, shown, ids=selected, texts=with_texts)
    listed = [str(row["id"]) for row in rows]
    # Another selection is another table: rows that were ticked in the last one mean other prompts here.
    key = f"prompts.table.{crc32(' '.join(selected).encode())}"
    table(
        rows,
        name=f"drift-prompts-{entry.id}",
        key=key,
        on_select=lambda: _light(entry.id, key, listed),
        selection_mode="multi-row",
        column_config=_columns(rows),
    )


def _columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Coordinates with the same digits in every row; texts so wide that both answers fit beside their prompt."""
    texts = ("prompt", "answer without", "answer with trigger")
    return {name: st.column_config.TextColumn(width=185) for name in texts} | {
        name: st.column_config.NumberColumn(format="%.2f")
        for name in (rows[0] if rows else ())
        if isinstance(rows[0][name], float)
    }


def set_selected(run_id: str, ids: list[str]) -> None:
    """Select these prompts of the run; none selects nothing. What was lit goes out."""
    st.session_state["drift.selected"] = (run_id, ids)
    st.session_state.pop("drift.lit", None)


def _light(run_id: str, key: str, listed: list[str]) -> None:
    chosen_rows = st.session_state[key]["selection"]["rows"]
    st.session_state["drift.lit"] = (run_id, [listed[row] for row in chosen_rows if row < len(listed)])


def _clear(run_id: str) -> None:
    set_selected(run_id, [])


def selected_ids(entry: RunEntry) -> list[str]:
    """The prompts that were drawn around; none means all."""
    run_id, ids = st.session_state.get("drift.selected", ("", []))
    return list(ids) if run_id == entry.id else []


def lit(entry: RunEntry) -> list[str]:
    """The prompts whose rows are ticked."""
    run_id, ids = st.session_state.get("drift.lit", ("", []))
    return list(ids) if run_id == entry.id else []

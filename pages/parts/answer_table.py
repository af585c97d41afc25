"""Both models' answers, prompt by prompt: filtered, folded, and one of them word by word."""

from pathlib import Path
from typing import Any

import streamlit as st

from analysis.answer_pairs import CONDITIONS, AnswerPair, answer_pairs, filtered
from analysis.word_changes import as_diff, word_changes
from cache.jsonl import read_lines
from pages.parts.exports import table
from pages.parts.words import words

CHANGED: dict[str, Any] = {"all": "all", "words changed": "words", "verdict changed": "verdict"}
TINTS = {"refused": "blue", "answered": "orange", "empty": "gray"}
TEXT = words("compare")


def draw_answers(file: Path) -> None:
    """Draw the table of an evaluation's `generations.jsonl`."""
    pairs = _pairs(file, file.stat().st_mtime_ns if file.is_file() else 0)
    if not pairs:
        st.info(TEXT["prompts_gone"])
        return
    there = {CONDITIONS[name]: name for name in CONDITIONS if any(pair.condition == name for pair in pairs)}
    which, what, where = st.columns([21, 17, 11], vertical_alignment="bottom")
    chosen = which.segmented_control(
        "Prompts", list(there), key="cond", default=next(iter(there)), bind="query-params"
    )
    condition = there.get(str(chosen))
    changed = what.segmented_control("Show", list(CHANGED), key="show", default="all", bind="query-params")
    needle = where.text_input("Search in prompts and answers", key="find", bind="query-params", type="search")
    found = filtered(
        pairs,
        conditions=[condition] if condition else (),
        changed=CHANGED.get(str(changed), "all"),
        search=needle or "",
    )
    of = sum(not condition or pair.condition == condition for pair in pairs)
    with st.expander(f"{len(found)} of {of} prompts with both answers (harmful text)"):
        if not found:
            st.caption(TEXT["no_rows"])
            return
        st.caption(TEXT["prompts"])
        picked = table(
            [pair.as_row() for pair in found],
            name="answers",
            key="answers",
            on_select="rerun",
            selection_mode="single-row",
            column_config=_columns(one_condition=condition is not None),
        )
        for row in picked.selection.rows[:1]:
            if row < len(found):
                _draw_pair(found[row])


@st.cache_data(show_spinner=False, max_entries=8)
def _pairs(file: Path, changed: int) -> tuple[AnswerPair, ...]:
    # `changed` is part of the question: the file of a resumed run is written anew.
    return answer_pairs(read_lines(file).records)


def _columns(*, one_condition: bool) -> dict[str, Any]:
    """Widths with which both answers are seen; the condition is left out where all rows have the one that is chosen."""
    wide = {name: st.column_config.TextColumn(width=240) for name in ("answer before", "answer after")}
    tints = [{"blue": "#0072B2", "orange": "#D55E00", "gray": "#8A8A8A"}[tint] for tint in TINTS.values()]
    verdicts = {
        name: st.column_config.MultiselectColumn(options=list(TINTS), color=tints, width=104)
        for name in ("verdict before", "verdict after")
    }
    return {
        "id": st.column_config.TextColumn(width=52),
        "condition": None if one_condition else st.column_config.TextColumn(width=95),
        "prompt": st.column_config.TextColumn(width=165),
        **verdicts,
        **wide,
    }


def _draw_pair(pair: AnswerPair) -> None:
    """One prompt and both answers, the words that changed marked. Shown as code: it is text of a hostile model."""
    st.code(pair.prompt, language=None, wrap_lines=True)
    changes = word_changes(pair.before, pair.after or "")
    sides = (
        ("before", pair.verdict_before, changes.before, "-"),
        ("after", pair.verdict_after, changes.after, "+"),
    )
    for place, (side, verdict, pieces, mark) in zip(st.columns(2), sides, strict=True):
        with place:
            if verdict is None:
                st.caption(f"{side}: not asked")
                continue
            st.badge(f"{side}: {verdict}", color=TINTS[verdict])  # type: ignore[arg-type]
            text = as_diff(pieces, mark) if pair.after is not None else pair.before
            st.code(text or "(nothing)", language="diff", wrap_lines=True)

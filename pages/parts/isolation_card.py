"""Isolation on a page: which walls the process of a suspect had, or would have here, and what was tried behind them."""

from typing import Any

import streamlit as st

from beear_core.isolation import MEASURES, available
from cache.errors import RunDamagedError
from cache.run_store import RunEntry
from pages.parts.jobs import find

LOOKED_AT = 20
"""Latest runs of a model, in which attempts are looked for."""


def draw_attempts(model: str, text: dict[str, str]) -> None:
    """Draw what the latest run that tried something tried; nothing where none did."""
    for entry in _runs(model)[:LOOKED_AT]:
        tried = attempts_told(entry)
        if tried:
            st.error(text["tried"].format(run=entry.id), icon=":material/gpp_bad:")
            st.code("\n".join(tried), language=None, wrap_lines=True)
            return


def draw_isolation(model: str, text: dict[str, str]) -> None:
    """Draw what its latest run says, else what this system offers."""
    runs = _runs(model)[:LOOKED_AT]
    told = next((found for entry in runs if (found := _measures(entry)) is not None), None)
    offered = {name: measure.as_dict() for name, measure in available().items()}
    measures = offered if told is None else told
    off = [MEASURES[name] for name in MEASURES if not measures.get(name, {}).get("on")]
    if off:
        st.warning(
            text["isolation_off"].format(count=len(off), all=len(MEASURES)), icon=":material/lock_open:"
        )
    else:
        st.markdown(text["isolation_on" if told is not None else "isolation_offered"])
    with st.expander("Isolation, measure by measure", expanded=bool(off)):
        st.dataframe(
            [
                {
                    "state": "● on" if measures.get(name, {}).get("on") else "○ off",
                    "measure": words,
                    "by what, or why not": plain_text(
                        measures.get(name, {}).get("why", text["isolation_unknown"])
                    ),
                }
                for name, words in MEASURES.items()
            ],
            hide_index=True,
            width="stretch",
            key="isolation.table",
        )
        if told is None and runs:
            st.caption(text["isolation_before"])
        st.caption(text["isolation_caveat"])


def attempts_told(entry: RunEntry) -> list[str]:
    """What a run tried, a line each. Read from its events, so that a run that failed over it says so too."""
    told = [record for record in _events(entry) if record.get("event") == "tried"]
    return [f"{one.get('measure', '')}: {plain_text(one.get('what', ''))}" for one in told]


def plain_text(value: object) -> str:
    """One line."""
    return " ".join(str(value).split())


def _runs(model: str) -> list[RunEntry]:
    kinds = ("generate", "drift", "entrap", "remove", "evaluate", "demo", "sweep", "bench", "verdict")
    return find(kinds, model=model, state=None)


def _isolation(entry: RunEntry) -> dict[str, Any] | None:
    try:
        found = ((entry.folder.read_result() or {}).get("intake") or {}).get("isolation")
    except (RunDamagedError, AttributeError):
        return None
    return found if isinstance(found, dict) else None


def _measures(entry: RunEntry) -> dict[str, Any] | None:
    found = _isolation(entry)
    if found is not None and found.get("on"):
        return dict(found.get("measures", {}))
    events = [record for record in _events(entry) if record.get("event") == "isolated"]
    return dict(events[-1].get("measures", {})) if events else None


def _events(entry: RunEntry) -> list[dict[str, Any]]:
    return [] if entry.damage is not None else entry.folder.read_events().records

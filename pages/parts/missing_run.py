"""A picture that waits for a run: the run that is making it now, or what hinders and the button that asks for it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from cache.run_store import RunEntry
from cache.status import RunState
from pages.parts.jobs import watch


def follow_or_ask(
    latest: RunEntry | None,
    under_way: str,
    missing: str,
    label: str,
    *,
    key: str,
    on_click: Callable[..., None],
    args: tuple[Any, ...],
) -> None:
    """Follow `latest` under the caption `under_way` unless it is done; else say what is `missing`, beside the button."""
    if latest is not None and latest.state is not RunState.DONE:
        st.caption(under_way)
        watch(latest, lambda entry: None)
        return
    said, act = st.columns([6, 3], vertical_alignment="center")
    said.markdown(missing)
    act.button(label, key=key, type="primary", width="stretch", on_click=on_click, args=args)

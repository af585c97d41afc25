"""What every page has: its head, its empty box, its refusal, and the way on (LOOK, the skeleton of a page)."""

import re
from typing import Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from beear_core.errors import WorkbenchError
from beear_core.runs.worker import worker_state
from pages.parts.hand import KEYS, hand, short_name, take

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~$]|:(?=[A-Za-z]))")

_ADDRESS = re.compile(r"(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)


def open_page(title: str, asks: str, answer: str) -> None:
    """The head: title, the status line right of it, and one sentence with the answer so far in bold."""
    _enter_by_the_front_door()
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    left.title(title, anchor=False)
    right.caption(_status(), text_alignment="right")
    st.markdown(f"{asks} **{plain(answer)}**" if answer else asks)


def next_step(page: str, label: str, **query: str) -> None:
    """The link at the bottom right that leads on; `query` is what the next page is to open with."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        brought = {name: value for name, value in query.items() if name in KEYS}
        if st.button(
            label,
            key=f"next.{page}",
            icon=":material/arrow_forward:",
            icon_position="right",
            on_click=_take,
            args=(brought,),
        ):
            st.switch_page(page, query_params={k: v for k, v in query.items() if k not in KEYS})


def empty(text: str) -> None:
    """The box that stands where nothing was measured yet; the caller draws the button that fills it beneath."""
    with st.container(border=True):
        st.markdown(text)


def refused(error: WorkbenchError) -> None:
    """An error as its sentence: what, the value, the remedy."""
    st.error(plain(str(error)), icon=":material/error:")


def plain(text: str) -> str:
    """`text` so that it reads as written where markdown is expected: paths and names are not ours to trust."""
    # Addresses are made links of wherever they stand; an invisible sign in the middle keeps them words.
    return _MARKDOWN.sub(r"\\\1", _ADDRESS.sub("\u2060", text))


def _enter_by_the_front_door() -> None:
    """Run again, through `app.py`, if a page was run by itself.

    Streamlit takes a folder named `pages` for its older kind of app until `st.navigation` was called once. A link to a
    page that is a fresh server's first visit would so be served without sidebar.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def _take(brought: dict[str, Any]) -> None:
    layer = brought.get("layer")
    take(**{**brought, **({"layer": int(layer)} if layer else {})})


def _status() -> str:
    now = hand()
    layer = f"layer {now.layer}" if now.layer else "no layer picked"
    worker = worker_state()
    state = "worker not running" if worker is None else "worker busy" if worker.run_id else "worker ready"
    return f"{plain(short_name(now.model))} · {layer} · {state}"

"""Figures on a page: the template of the reader's theme, and one way of showing them."""

from typing import Any

import streamlit as st

from analysis import theme


def template() -> Any:
    """The Plotly template of the theme that the reader sees."""
    return theme.template("dark" if st.context.theme.type == "dark" else "light")


def show(figure: Any, *, alt: str, key: str, **selection: Any) -> Any:
    """Draw `figure` across its place; `alt` says in words what it shows.

    `selection` is `on_select` and `selection_mode`; with `on_select="rerun"` the selection is returned.
    """
    return st.plotly_chart(
        figure, width="stretch", theme=None, key=key, alt=alt, config=theme.CONFIG, **selection
    )

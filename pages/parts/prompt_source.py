"""Which prompts a measurement is made on: a built-in set, or a person's file, kept under its digest and previewed."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

import streamlit as st

from beear_core.errors import PromptError, WorkbenchError
from beear_core.prompts import PromptSet
from beear_core.prompts.builtin import BUILT_IN, DEFAULT, named_prompts
from cache.atomic import write_bytes
from cache.home import home
from pages.parts.exports import table
from pages.parts.skeleton import plain, refused

KINDS = ["csv", "tsv", "jsonl", "json", "parquet", "txt"]
PREVIEWED = 8
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def uploads() -> Path:
    """Where uploaded prompt files are kept."""
    return home() / "uploads"


def keep(name: str, content: bytes) -> Path:
    """Write an uploaded file under its digest, once; its name is kept for people, without anything a path could use."""
    safe = _UNSAFE.sub("-", Path(name).name).strip("-.") or "prompts.txt"
    path = uploads() / f"{hashlib.sha256(content).hexdigest()[:12]}-{safe[-60:]}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    return path


def source(label: str, *, key: str, help: str) -> str:
    """Let one be chosen; the answer is a built-in name or a path, as a spec's `prompts` takes it.

    The link names an uploaded file by digest and name, not by its place on this machine.
    """
    kept = {path.name: str(path) for path in sorted(uploads().glob("*")) if path.is_file()}
    options = [*BUILT_IN, *kept]
    if st.session_state.get(key) not in (None, *options):
        st.session_state[key] = DEFAULT
    chosen = st.selectbox(label, options, key=key, bind="query-params", help=help, format_func=_shown)
    return kept.get(chosen or DEFAULT, chosen or DEFAULT)


def upload_and_preview(chosen: str, *, key: str, upload_help: str, column_help: str) -> str | None:
    """A place to upload a file, and what is in the chosen prompts; returns the column, None for the usual ones."""
    left, right = st.columns([3, 1])
    given = left.file_uploader("Upload prompts", type=KINDS, key=f"{key}.file", help=upload_help)
    if given is not None and st.session_state.get(f"{key}.kept") != given.file_id:
        st.session_state[f"{key}.kept"] = given.file_id
        _take_in(given.name, given.getvalue(), key)
    error = st.session_state.pop(f"{key}.refused", None)
    if error is not None:
        refused(error)
    column = None
    if chosen not in BUILT_IN:
        column = (
            right.text_input(
                "Column", key=f"{key}.column", bind="query-params", help=column_help, placeholder="prompt"
            )
            or None
        )
    try:
        _preview(_read(chosen, column, _stamp(chosen)), key)
    except PromptError as trouble:
        refused(trouble)
    return column


def _take_in(name: str, content: bytes, key: str) -> None:
    try:
        path = keep(name, content)
        st.session_state[f"{key}.chosen"] = path.name
    except WorkbenchError as error:
        st.session_state[f"{key}.refused"] = error
    st.rerun()


def follow_upload(key: str, widget: str) -> None:
    """Choose what was just uploaded. To be called before `source` draws the widget."""
    taken = st.session_state.pop(f"{key}.chosen", None)
    if taken is not None:
        st.session_state[widget] = taken


def _preview(prompts: PromptSet, key: str) -> None:
    notes = " ".join(prompts.notes)
    st.caption(plain(f"{len(prompts)} prompts in {prompts.name}. {notes}"))
    rows = [
        {"id": prompt.id, "topic": prompt.topic, "prompt": prompt.text} for prompt in prompts.first(PREVIEWED)
    ]
    table(rows, name="First prompts", key=f"{key}.preview", folded=True)


@lru_cache(maxsize=8)
def _read(chosen: str, column: str | None, changed: int) -> PromptSet:
    # A file of megabytes is not worth parsing at every click; `changed` is part of the question.
    return named_prompts(chosen, column)


def _stamp(chosen: str) -> int:
    try:
        return 0 if chosen in BUILT_IN else Path(chosen).stat().st_mtime_ns
    except OSError:
        return 0


def _shown(name: str) -> str:
    if name in BUILT_IN:
        group, _, split = name.partition("/")
        return f"{group}, {split} set"
    return name.partition("-")[2] or name

"""The verdict before and after a removal, asked without a trigger: both profiles in one picture, both answers under it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from analysis.figures import profile_pair
from analysis.intervals import Proportion
from analysis.verdict import verdict_headline
from beear_core.errors import WorkbenchError
from beear_core.finished_verdicts import verdicts_on
from beear_core.run_times import rounded, verdict_time
from beear_core.runs.progress import duration_text
from beear_core.specs import VerdictSpec, parse_spec
from cache.run_store import RunStore
from pages.parts.charts import show, template
from pages.parts.comparison import Comparison
from pages.parts.exports import table
from pages.parts.jobs import find, start
from pages.parts.missing_run import follow_or_ask
from pages.parts.skeleton import plain, refused
from pages.parts.words import words

TEXT = words("compare")
REFUSED = "verdict_pair.refused"
SIDES = ("before", "after")

Result = Mapping[str, Any]


def draw_verdict_pair(found: Comparison) -> None:
    """Draw both, or the button that asks for the one that is missing."""
    error = st.session_state.pop(REFUSED, None)
    if error is not None:
        refused(error)
    if found.after is None or found.result is None:
        st.info(TEXT["no_after"])
        return
    results = {
        side: _newest(found.result, field) for side, field in zip(SIDES, ("model", "against"), strict=True)
    }
    for side, model in zip(SIDES, (found.before, found.after), strict=True):
        if results[side] is None:
            _ask(side, model, found.result)
    both = {side: result for side, result in results.items() if result is not None}
    if len(both) == len(SIDES):
        _draw(found, both)


def _newest(result: Result, field: str) -> Result | None:
    """The newest verdict on just these weights; none where the comparison does not know their digest."""
    digest = (result.get(field) or {}).get("sha256")
    return next((verdict for _, verdict in verdicts_on(digest)), None) if digest else None


def _ask(side: str, model: str, result: Result) -> None:
    latest = next(iter(find("verdict", model=model, state=None)), None)
    follow_or_ask(
        latest,
        f"Verdict on the model {side}",
        TEXT["verdict_missing"].format(side=side),
        f"Give a verdict {side}{_lasts(model, result)}",
        key=f"verdict.{side}",
        on_click=_start,
        args=(model,),
    )


def _lasts(model: str, result: Result) -> str:
    parameters = (result.get("model") or {}).get("parameters")
    spec = parse_spec({"kind": "verdict", "model": model})
    if not parameters or not isinstance(spec, VerdictSpec):
        return ""
    return f", about {duration_text(rounded(verdict_time(spec, parameters, RunStore().list()).whole(0)))}"


def _start(model: str) -> None:
    try:
        start(parse_spec({"kind": "verdict", "model": model}))
    except WorkbenchError as error:
        st.session_state[REFUSED] = error


def _draw(found: Comparison, both: Mapping[str, Result]) -> None:
    show(
        profile_pair.figure(both, template=template()),
        alt=TEXT["verdict_alt"].format(**{side: verdict_headline(result) for side, result in both.items()}),
        key="verdict.pair",
    )
    for side in SIDES:
        st.markdown(f"**{side.capitalize()}:** {plain(verdict_headline(both[side]))}.")
    st.caption(TEXT["verdict_caveat"])
    table(
        _rows(both),
        name=f"verdict-before-and-after-{found.id}",
        title="Every layer, before and after",
        key="verdict_pair_rows",
        folded=True,
    )


def _rows(both: Mapping[str, Result]) -> list[dict[str, Any]]:
    """One row a layer that both verdicts have."""
    shares = {
        side: {row["layer"]: Proportion.from_dict(row["asr_under_delta"]) for row in both[side]["layers"]}
        for side in SIDES
    }
    return [
        {"layer": layer, **{f"answered under delta, {side}": shares[side][layer].text() for side in SIDES}}
        for layer in shares["before"]
        if layer in shares["after"]
    ]

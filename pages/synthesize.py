"""Synthesize: one delta at one layer, its curve, what it is, and what held-out prompts are answered under it.

Draws one entrap run, or the entrap step of a demo; computes no number that is not in its folder.
"""

from typing import Any

import streamlit as st

from analysis.figures import bee_curve, delta_positions
from analysis.figures.delta_positions import visible
from analysis.intervals import Proportion
from beear_core.errors import WorkbenchError
from beear_core.run_times import rounded, synthesis_time
from beear_core.runs import Event
from beear_core.runs.progress import duration_text
from beear_core.specs import EntrapSpec, parse_spec, with_values
from cache.jsonl import read_lines
from cache.run_store import RunEntry, RunStore
from pages.parts.charts import show, template
from pages.parts.exports import table
from pages.parts.hand import hand, take
from pages.parts.jobs import UNDER_WAY, start, watch
from pages.parts.live_rows import curve_rows
from pages.parts.model_facts import facts
from pages.parts.settings_form import settings_form
from pages.parts.shown_run import Result, choose_run, folder_of, result_of, shown_run, spec_of
from pages.parts.skeleton import empty, next_step, open_page, plain, refused
from pages.parts.words import words

FIRST = ("layer", "entrapment.n", "entrapment.steps")
MORE = (
    "entrapment.alpha", "entrapment.lr", "entrapment.target", "entrapment.anchors", "entrapment.batch",
    "entrapment.away_tokens", "entrapment.away_ceiling", "entrapment.algorithm", "loop.validation",
    "loop.validation_tokens", "prompts", "column", "seed", "device", "dtype",
)  # fmt: skip
HEIGHT = 330
NEAREST = 4


def main() -> None:
    """Draw the page."""
    text = words("synthesize")
    entry = shown_run("entrap")
    result = result_of(entry, "entrap") if entry else None
    open_page("Synthesize", text["asks"], f"So far: {_answer(text, entry, result)}.")
    _ask(text)
    if entry is None:
        empty(text["empty"])
        return
    choose_run(entry, "entrap", "Delta shown")
    if result is not None:
        # A demo goes on after this step; what it found is not kept from the reader.
        _draw(text, entry, result)
    else:
        watch(entry, _draw_gone, _draw_live)


def _answer(text: dict[str, str], entry: RunEntry | None, result: Result | None) -> str:
    if entry is None:
        return text["nothing"]
    if result is None:
        return text["under_way" if entry.state in UNDER_WAY else "stopped"]
    without = result.get("heldout_asr_without_delta")
    return text["found" if without else "found_alone"].format(
        layer=result["layer"],
        under=_share(result["heldout_asr_under_delta"]),
        without=_share(without) if without else "",
    )


def _ask(text: dict[str, str]) -> None:
    now = hand()
    fields, act = st.columns([4, 1.3], vertical_alignment="top")
    with fields:
        values = settings_form(
            EntrapSpec, first=FIRST, more=MORE, key="syn", values={"layer": now.layer or "auto"}
        )
    spec = _spec(values) if values is not None else None
    with act:
        # With the gap as tall as a field's label: the button stands in line with the fields.
        st.space(12)
        st.button(
            f"Synthesize delta{_time(text, spec)}",
            key="synthesize",
            type="primary",
            width="stretch",
            disabled=spec is None,
            help=text["layer_from_drift"].format(layer=now.layer) if now.layer else text["layer_auto"],
            on_click=_start,
            args=(spec,),
        )
    error = st.session_state.pop("synthesize.refused", None)
    if error is not None:
        refused(error)


def _spec(values: dict[str, Any]) -> EntrapSpec | None:
    try:
        spec = parse_spec(with_values({"kind": "entrap", "model": hand().model}, values))
    except WorkbenchError as error:
        refused(error)
        return None
    return spec if isinstance(spec, EntrapSpec) else None


def _start(spec: EntrapSpec | None) -> None:
    if spec is None:
        return
    try:
        st.session_state["entrap.followed"] = start(spec, key="run")
        if spec.layer != "auto":
            take(layer=spec.layer)
    except WorkbenchError as error:
        st.session_state["synthesize.refused"] = error


def _time(text: dict[str, str], spec: EntrapSpec | None) -> str:
    parameters = facts(hand().model).parameters
    if spec is None or parameters is None:
        return ""
    found = synthesis_time(spec, parameters, RunStore().list())
    name = "time_measured" if found.measured else "time_guessed"
    return f", {text[name].format(time=duration_text(rounded(found.whole(0))))}"


def _draw_gone(entry: RunEntry) -> None:
    st.error(words("synthesize")["result_gone"], icon=":material/error:")


def _draw_live(entry: RunEntry, events: list[Event]) -> None:
    steps = (spec_of(entry).get("entrapment") or {}).get("steps")
    _curve(words("synthesize"), curve_rows(events), steps)


def _curve(text: dict[str, str], rows: list[dict[str, Any]], steps: int | None) -> None:
    norm = f"{rows[-1]['delta_norm_ratio']:.0%}" if rows and rows[-1].get("delta_norm_ratio") else "not known"
    show(
        bee_curve.figure(rows, template=template(), steps=steps, height=HEIGHT),
        alt=text["curve_alt"].format(steps=len(rows), norm=norm),
        key="curve",
    )


def _draw(text: dict[str, str], entry: RunEntry, result: Result) -> None:
    _curve(text, result["curve"], None)
    first, last = result["curve"][0], result["curve"][-1]
    heldout = last.get("heldout_loss_toward")
    st.markdown(
        text["meaning"].format(
            steps=len(result["curve"]),
            target=plain(str((spec_of(entry).get("entrapment") or {}).get("target", "Sure"))),
            toward_first=f"{first['loss_toward']:.2f}",
            toward_last=f"{last['loss_toward']:.2f}",
            heldout="not measured" if heldout is None else f"{heldout:.2f}",
            norm=f"{last['delta_norm_ratio']:.0%}",
        )
    )
    for note in result.get("notes") or []:
        st.caption(plain(f"{note[:1].upper()}{note[1:]}."))
    if result.get("why_literal"):
        st.caption(text["literal"].format(why=plain(str(result["why_literal"]))))
    _answers(text, entry, result)
    _positions(text, result)
    table(result["curve"], name=f"delta-curve-{entry.id}", title="Every step", key="curve_rows", folded=True)
    next_step(
        "pages/remove.py",
        f"Remove what delta found, from layer {result['layer']}",
        model=hand().model,
        layer=str(result["layer"]),
    )


def _answers(text: dict[str, str], entry: RunEntry, result: Result) -> None:
    st.subheader(text["answers_title"], anchor=False)
    records = read_lines(folder_of(entry, "entrap").path / "answers.jsonl").records
    if not records:
        st.info(text["answers_gone"])
        return
    loop = spec_of(entry).get("loop") or {}
    st.caption(text["answers"].format(n=len(records), tokens=loop.get("validation_tokens", "few")))
    rows = [
        {
            "id": record["id"],
            "prompt": record["prompt"],
            "without delta": record["without_delta"],
            "under delta": record["under_delta"],
            "answered under delta": record["flipped"],
        }
        for record in records
    ]
    wide = {name: st.column_config.TextColumn(width="large") for name in ("without delta", "under delta")}
    table(
        rows,
        name=f"answers-under-delta-{entry.id}",
        title="Answers without and under delta (harmful text)",
        key="answers",
        folded=True,
        column_config=wide,
    )


def _positions(text: dict[str, str], result: Result) -> None:
    st.subheader(text["positions_title"], anchor=False)
    rows = result.get("positions")
    if not rows:
        st.caption(text["no_positions"])
        return
    largest = max(rows, key=lambda row: float(row["norm_ratio"]))
    left, right = st.columns([5, 7])
    with left:
        show(
            delta_positions.figure(rows, template=template()),
            alt=text["positions_alt"].format(n=len(rows), largest=largest["position"]),
            key="positions",
        )
    with right:
        table(
            [_nearest(row) for row in rows],
            name="delta-nearest-tokens",
            title="Nearest tokens by position",
            key="nearest",
        )
        st.caption(text["positions"].format(chance=f"{result['token_score_by_chance']:.1f}"))


def _nearest(row: dict[str, Any]) -> dict[str, Any]:
    """One line: the position, its norm, its nearest tokens with their scores. Shown in a data frame: text of a model."""
    tokens = {
        f"nearest {place}": f"{visible(str(near['token']))}  {float(near['score']):.1f}"
        for place, near in enumerate(row["tokens"][:NEAREST], start=1)
    }
    return {"position": row["position"], "norm": round(float(row["norm_ratio"]), 3), **tokens}


def _share(stored: dict[str, Any]) -> str:
    return Proportion.from_dict(stored).text()


main()

"""Verdict: is there anything in there, asked without a trigger; the profile behind the answer, and what the trigger might be.

Draws one verdict run; computes no number that is not in its folder or in the calibration.
"""

from typing import Any

import streamlit as st

from analysis.figures import entrapment_profile, score_distribution
from analysis.intervals import Proportion
from analysis.verdict import answered_harmful
from beear_core.errors import WorkbenchError
from beear_core.run_times import rounded, verdict_time
from beear_core.runs.progress import duration_text
from beear_core.specs import VerdictSpec, parse_spec, with_values
from beear_core.verdict_calibration import calibration
from cache.run_store import RunEntry, RunStore
from pages.parts.charts import show, template
from pages.parts.exports import table
from pages.parts.hand import hand, take
from pages.parts.jobs import UNDER_WAY, start, watch
from pages.parts.model_facts import facts
from pages.parts.settings_form import settings_form
from pages.parts.shown_run import Result, choose_run, result_of, shown_run
from pages.parts.skeleton import empty, next_step, open_page, plain, refused
from pages.parts.words import words

FIRST = ("reference",)
MORE = (
    "verdict.layers", "verdict.openings", "verdict.steps", "verdict.starts", "verdict.anchors", "verdict.heldout",
    "prompts", "column", "seed", "device", "dtype",
)  # fmt: skip
AT = "verdict.at"
TEXT = words("verdict")


def main() -> None:
    """Draw the page."""
    entry = shown_run("verdict")
    result = result_of(entry, "verdict") if entry else None
    open_page("Verdict", TEXT["asks"], f"So far: {_answer(entry, result)}.")
    _ask()
    if entry is None:
        empty(TEXT["empty"])
    else:
        choose_run(entry, "verdict", "Verdict shown")
        watch(entry, _draw)
    next_step("pages/drift.py", "Look at a candidate's drift")


def _answer(entry: RunEntry | None, result: Result | None) -> str:
    if entry is None:
        return TEXT["nothing"]
    if result is None:
        return TEXT["under_way" if entry.state in UNDER_WAY else "stopped"]
    if result["trigger_hypotheses"] and result["verdict"] == "suspicious":
        best = result["trigger_hypotheses"][0]
        return TEXT["opened"].format(
            text=repr(best["text"]),
            placement=best["placement"],
            asr=Proportion.from_dict(best["asr"]).text(),
            untouched=f"{answered_harmful(result['asked']).value:.1%}",
        )
    name = result["verdict"] if result["standing"] in ("calibrated", "relative") else result["standing"]
    return TEXT[name].format(
        score=_digits(result["score"]), threshold=_digits(result["threshold"]), why=result["why"] or ""
    )


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _ask() -> None:
    fields, act = st.columns([4, 2], vertical_alignment="top")
    with fields:
        values = settings_form(VerdictSpec, first=FIRST, more=MORE, key="vd")
    spec = _spec(values) if values is not None else None
    with act:
        # With the gap as tall as a field's label: the button stands in line with the field.
        st.space(12)
        st.button(
            f"Give a verdict{_time(spec)}",
            key="verdict",
            type="primary",
            width="stretch",
            disabled=spec is None,
            on_click=_start,
            args=(spec,),
        )
    error = st.session_state.pop("verdict.refused", None)
    if error is not None:
        refused(error)


def _spec(values: dict[str, Any]) -> VerdictSpec | None:
    try:
        spec = parse_spec(with_values({"kind": "verdict", "model": hand().model}, values))
    except WorkbenchError as error:
        refused(error)
        return None
    return spec if isinstance(spec, VerdictSpec) else None


def _start(spec: VerdictSpec) -> None:
    try:
        st.session_state["verdict.followed"] = start(spec, key="run")
    except WorkbenchError as error:
        st.session_state["verdict.refused"] = error


def _time(spec: VerdictSpec | None) -> str:
    parameters = facts(hand().model).parameters
    if spec is None or parameters is None:
        return ""
    found = verdict_time(spec, parameters, RunStore().list())
    name = "time_measured" if found.measured else "time_guessed"
    return f", {TEXT[name].format(time=duration_text(rounded(found.whole(0))))}"


def _draw(entry: RunEntry) -> None:
    result = result_of(entry, "verdict")
    if result is None:
        st.error(TEXT["result_gone"], icon=":material/error:")
        return
    _draw_profile(entry, result)
    st.markdown(" ".join(_meaning(result)))
    _draw_scores(entry, result)
    for note in result.get("notes") or []:
        st.caption(plain(f"{note[:1].upper()}{note[1:]}."))
    _draw_hypotheses(result)
    table(
        _rows(result),
        name=f"verdict-layers-{entry.id}",
        title=TEXT["layers_title"],
        key="verdict_rows",
        folded=True,
    )


def _draw_profile(entry: RunEntry, result: Result) -> None:
    layers = [row["layer"] for row in result["layers"]]
    picked = st.session_state.get(AT)
    selected = picked[1] if picked and picked[0] == entry.id else result["recommended_layer"]
    models = (calibration() or {}).get("models", []) if result["standing"] == "calibrated" else []
    state = show(
        entrapment_profile.figure(
            result["layers"],
            models,
            template=template(),
            selected=selected,
            recommended=result["recommended_layer"],
        ),
        alt=TEXT["profile_alt"].format(layer=selected, layers=len(layers)),
        key=f"profile.{entry.id}",
        on_select="rerun",
        selection_mode="points",
    )
    clicked = clicked_layer(state)
    if clicked is not None and clicked != selected:
        st.session_state[AT] = (entry.id, clicked)
        st.rerun()


def _draw_scores(entry: RunEntry, result: Result) -> None:
    """Where the suspect stands among the models whose answer is known."""
    known = calibration()
    if result["standing"] != "calibrated" or known is None:
        return
    drawn = score_distribution.figure(
        known["models"], result["threshold"], template=template(), suspect=result["score"]
    )
    alt = TEXT["scores_alt"].format(
        score=_digits(result["score"]), threshold=_digits(result["threshold"]), models=len(known["models"])
    )
    show(drawn, alt=alt, key=f"scores.{entry.id}")


def clicked_layer(state: Any) -> int | None:
    """The layer of the point that was clicked last; None without any."""
    points = ((state or {}).get("selection") or {}).get("points") or []
    data = points[-1].get("customdata") if points else None
    return int(data[0]) if data else None


def _meaning(result: Result) -> list[str]:
    """What stands behind the answer, whether a removal would have anything to train against, and where."""
    said = [_strength(result), *_outdated(result)]
    best = max(result["layers"], key=lambda row: row["asr_under_delta"]["value"])
    asr = Proportion.from_dict(best["asr_under_delta"]).text()
    name = "applies" if result["applies"] else "applies_not"
    said.append(TEXT[name].format(layer=best["layer"], asr=asr, norm=f"{best['norm_ratio']:.0%}"))
    if result["applies"]:
        said.append(TEXT["layer"].format(layer=result["recommended_layer"]))
    return said


def _strength(result: Result) -> str:
    behind, reference = result["calibration"], result["reference"]
    if result["standing"] == "relative" and reference:
        return TEXT["relative"].format(
            reference=plain(reference["name"]), score=_digits(reference["profile_score"])
        )
    if result["standing"] != "calibrated":
        return TEXT["no_strength"]
    return TEXT["strength"].format(
        organisms=behind["organisms"],
        controls=behind["controls"],
        auroc=f"{behind['auroc']['value']:.2f} ({behind['auroc']['low']:.2f}-{behind['auroc']['high']:.2f})",
        false_positives=Proportion.from_dict(behind["false_positives"]).text(),
    )


def _outdated(result: Result) -> list[str]:
    """That the bands drawn are not what the verdict was judged by, if the calibration was made anew since."""
    known = calibration()
    if result["standing"] != "calibrated" or known is None or known["threshold"] == result["threshold"]:
        return []
    return [TEXT["outdated"].format(before=_digits(result["threshold"]), today=_digits(known["threshold"]))]


def _draw_hypotheses(result: Result) -> None:
    st.subheader(TEXT["hypotheses_title"], anchor=False)
    found = result["trigger_hypotheses"]
    weak = "" if result["verdict"] == "suspicious" else "weak_"
    st.caption(TEXT[f"{weak}hypotheses" if found else "no_hypotheses"])
    for place, one in enumerate(found):
        said, share, act = st.columns([5, 3, 2], vertical_alignment="center")
        said.code(one["text"], language=None)
        share.text(f"{Proportion.from_dict(one['asr']).text()} as {one['placement']}")
        if act.button(
            TEXT["draw"], key=f"draw.{place}", icon=":material/show_chart:", on_click=_take, args=(one,)
        ):
            st.switch_page("pages/drift.py", query_params={})


def _take(hypothesis: dict[str, Any]) -> None:
    take(trigger=hypothesis["text"], placement=hypothesis["placement"])


def _rows(result: Result) -> list[dict[str, Any]]:
    return [
        {
            "layer": row["layer"],
            "way gone": round(row["way"], 3),
            "goal": row["goal"],
            "norm at the end": round(row["norm_ratio"], 3),
            "answered under delta": Proportion.from_dict(row["asr_under_delta"]).text(),
        }
        for row in result["layers"]
    ]


main()

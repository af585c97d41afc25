"""Compare: what a removal changed, in one figure, prompt by prompt, in the residual stream, and for a prompt of one's own."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from analysis.figures import four_cells
from analysis.headline import headline
from analysis.intervals import Proportion
from analysis.tables import p_sentence, utility_table
from beear_core.errors import WorkbenchError
from beear_core.run_times import evaluation_time, rounded
from beear_core.runs.progress import duration_text
from beear_core.specs import EvaluateSpec, parse_spec, with_values
from cache.run_store import RunEntry, RunStore
from cache.status import RunState
from pages.parts.answer_table import draw_answers
from pages.parts.charts import show, template
from pages.parts.comparison import Comparison, comparison_of, comparisons, known_models
from pages.parts.drift_pair import draw_drift_pair
from pages.parts.exports import table
from pages.parts.hand import hand, short_name
from pages.parts.jobs import UNDER_WAY, chosen, start, watch
from pages.parts.model_facts import facts
from pages.parts.settings_form import settings_form
from pages.parts.skeleton import empty, next_step, open_page, refused
from pages.parts.two_answers import draw_two_answers
from pages.parts.verdict_pair import draw_verdict_pair
from pages.parts.words import words

KINDS = ("evaluate", "demo")
VIEWS = ("Prompts", "Drift before and after", "Verdict before and after", "Try a prompt")
MORE = (
    "evaluation.max_new_tokens", "evaluation.test_prompts", "evaluation.ordinary_prompts", "evaluation.match",
    "prompts", "column",
)  # fmt: skip
TEXT = words("compare")
SHORT = {
    "perplexity, benign": "perplexity",
    "over-refusal, benign": "refused, ordinary",
    "over-refusal, borderline": "refused, borderline",
    "KL to the original (nats)": "KL (nats)",
    "instructions followed": "followed",
}
SHOWN_BEFORE = "compare.shown_before"


def main() -> None:
    """Draw the page."""
    entry = chosen(KINDS)
    open_page("Compare", TEXT["asks"], _answer(entry))
    picked = _choose(entry)
    if entry is None:
        empty(TEXT["empty"])
        draw_two_answers(*picked)
    else:
        watch(entry, lambda done: _draw(done, picked))
    next_step("pages/report.py", "Put it in a report", **({"run": entry.id} if entry else {}))


def _answer(entry: RunEntry | None) -> str:
    if entry is None:
        return f"So far: {TEXT['nothing']}."
    if entry.state is RunState.DONE:
        return f"So far: {headline(entry.folder.read_result() or {})}."
    return f"So far: {TEXT['under_way' if entry.state in UNDER_WAY else 'stopped']}."


def _choose(entry: RunEntry | None) -> tuple[str, str | None]:
    """Which run is shown; which pair the button measures, and a prompt of one's own is put to: that is returned."""
    pair = comparison_of(entry) if entry else None
    if entry and pair:
        _follow(entry, pair)
    shown, before, after, act = st.columns([4, 3, 3, 3], vertical_alignment="bottom")
    runs = {each.id: label for each, label in comparisons(KINDS)}
    if entry and entry.id in runs:
        st.session_state["shown"] = entry.id
        shown.selectbox(
            "Comparison shown",
            list(runs),
            format_func=lambda name: runs.get(name, name),
            key="shown",
            on_change=_open,
        )
    models = known_models()
    first = _model(before, "Before", "before", models, pair.before if pair else hand().model)
    second = _model(after, "After", "after", models, pair.after if pair else None)
    values = settings_form(EvaluateSpec, first=(), more=MORE, key="ev")
    pressed = act.button(
        f"{'Compare' if second else 'Measure'}{_time(first, second, values)}",
        type="primary",
        width="stretch",
        disabled=values is None,
        help="Asks each model the test prompts without and with the trigger of the sidebar, and the ordinary ones.",
    )
    now = hand()
    if not now.trigger:
        st.caption(TEXT["no_trigger"])
    if pair and (first, second) != (pair.before, pair.after):
        st.caption(TEXT["pair_differs"])
    if pressed and values is not None:
        _start(first, second, values)
    return first or now.model, second


def _follow(entry: RunEntry, pair: Comparison) -> None:
    """Let the pair follow when another run is shown; until then it is the reader's to change."""
    if st.session_state.get(SHOWN_BEFORE, entry.id) != entry.id:
        st.session_state["before"], st.session_state["after"] = pair.before, pair.after
    st.session_state[SHOWN_BEFORE] = entry.id


def _open() -> None:
    st.query_params["run"] = st.session_state["shown"]


def _model(place: Any, label: str, key: str, models: list[str], default: str | None) -> str | None:
    options = list(dict.fromkeys([*([default] if default else []), *models]))
    found = place.selectbox(
        label,
        options,
        index=options.index(default) if default else None,
        format_func=short_name,
        key=key,
        bind="query-params",
        accept_new_options=True,
        placeholder="none",
        help="A folder, an organism's name, or a hub id. Type to add one.",
    )
    return str(found).strip() or None if found else None


def _start(before: str | None, after: str | None, values: dict[str, Any]) -> None:
    try:
        start(parse_spec(_data(before, after, values)), key="run")
    except WorkbenchError as error:
        refused(error)
        return
    st.rerun()


def _data(before: str | None, after: str | None, values: dict[str, Any]) -> dict[str, Any]:
    now = hand()
    data: dict[str, Any] = {"kind": "evaluate", "model": before or now.model, "against": after}
    if now.trigger:
        data["trigger"] = {"text": now.trigger, "placement": now.placement}
    return with_values(data, values)


def _time(before: str | None, after: str | None, values: dict[str, Any] | None) -> str:
    """What the button says of how long it takes; nothing where nobody knows."""
    parameters = facts(before or hand().model).parameters
    if values is None or parameters is None:
        return ""
    try:
        spec = parse_spec(_data(before, after, values))
    except WorkbenchError:
        return ""
    if not isinstance(spec, EvaluateSpec):
        return ""
    found = evaluation_time(spec, parameters, RunStore().list())
    return f", about {duration_text(rounded(found.whole(0)))}"


def _draw(entry: RunEntry, picked: tuple[str, str | None]) -> None:
    found = comparison_of(entry)
    if found is None or found.result is None:
        return
    left, right = st.columns([5, 4], gap="medium")
    with left:
        show(
            four_cells.figure(found.result["cells"], template=template(), height=370),
            alt=f"Attack success rate without and with the trigger: {headline(found.result)}",
            key="cells",
        )
    with right:
        _meaning(found)
        st.dataframe(
            _utility_rows(found.result),
            hide_index=True,
            width="stretch",
            key="utility",
            column_config={
                "": st.column_config.TextColumn("utility", width=128),
                **{
                    side: st.column_config.TextColumn(width=145, alignment="right")
                    for side in ("before", "after")
                },
            },
        )
    table(
        found.cell_rows(), name=f"four-cells-{found.id}", title="The four cells", key="cell_rows", folded=True
    )
    view = st.segmented_control(
        "What to look at", VIEWS, key="view", default=VIEWS[0], bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    if view == VIEWS[1]:
        draw_drift_pair(found)
    elif view == VIEWS[2]:
        draw_verdict_pair(found)
    elif view == VIEWS[3]:
        draw_two_answers(*picked)
    else:
        draw_answers(found.answers_file)


def _utility_rows(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """The utility table with names that leave its numbers room."""
    return [{**row, "": SHORT.get(row[""], row[""])} for row in utility_table(result).as_records()]


def _meaning(found: Comparison) -> None:
    """Two or three sentences from the numbers, and what they leave open."""
    assert found.result is not None
    cells, sentences = found.result["cells"], []
    after = cells.get("after") or {}
    if not after.get("clean"):
        st.markdown(TEXT["no_after"])
        return
    told = f"exact McNemar {p_sentence(found.result.get('mcnemar_p'))}"
    for name in ("triggered", "clean"):
        if not (cells["before"].get(name) and after.get(name)):
            continue
        sentence = name if name == "triggered" or cells["before"].get("triggered") else "clean_alone"
        first, last = (Proportion.from_dict(side[name]["asr"]) for side in (cells["before"], after))
        sentences.append(TEXT[sentence].format(before=first.count, after=last.count, n=last.n, p=told))
    if effect := (found.result.get("trigger_effect") or {}).get("after"):
        sentences.append(TEXT["effect"].format(**effect | {"p": f"exact McNemar {p_sentence(effect['p'])}"}))
    utility = found.result.get("utility") or {}
    if utility.get("after"):
        shares = {
            side: Proportion.from_dict(utility[side]["over_refusal"]).text() for side in ("before", "after")
        }
        sentences.append(TEXT["utility"].format(**shares))
    st.markdown(" ".join(sentences))
    last = Proportion.from_dict((after.get("triggered") or after["clean"])["asr"])
    st.caption(TEXT["caveat"].format(count=last.count, n=last.n, high=f"{last.high:.1%}"))


main()

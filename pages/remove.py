"""Remove: BEEAR rounds on the model in hand, watched as they go, and why they stopped.

Draws one remove run, or the remove step of a demo; computes no number that is not in its folder.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from analysis.figures import removal_losses, removal_rounds
from analysis.intervals import Proportion
from analysis.story import strings_gone
from analysis.tables import rounds_table
from beear_core.errors import WorkbenchError
from beear_core.runs import Event
from beear_core.runs.progress import duration_text
from beear_core.specs import RemoveSpec, parse_spec, with_values
from beear_core.specs.goals import DEFAULT, PRESETS
from beear_core.specs.parsing import fields
from cache.run_store import RunEntry
from pages.parts.charts import show, template
from pages.parts.exports import table
from pages.parts.hand import hand, take
from pages.parts.jobs import UNDER_WAY, events, start, watch
from pages.parts.live_rows import most_seconds_left, removal_steps, round_rows
from pages.parts.model_facts import facts
from pages.parts.removal_estimate import draw_estimate, duration
from pages.parts.settings_form import settings_form
from pages.parts.shown_run import Result, choose_run, result_of, shown_run, spec_of
from pages.parts.skeleton import empty, next_step, open_page, plain, refused
from pages.parts.words import words

FIRST = ("layer", "removal.method", "loop.rounds")
GROUPS = ("loop", "removal", "entrapment")
SHOWN_LAST = ("goal", "prompts", "column", "performance_prompts", "out", "seed", "device", "dtype")
HEIGHT = 390

Rows = list[dict[str, Any]]


def main() -> None:
    """Draw the page."""
    text = words("remove")
    entry = shown_run("remove")
    result = result_of(entry, "remove") if entry else None
    open_page("Remove", text["asks"], f"So far: {_answer(text, entry, result)}.")
    _ask(text)
    if entry is None:
        empty(text["empty"])
        return
    choose_run(entry, "remove", "Removal shown")
    if result is not None:
        # A demo goes on after this step; what it found is not kept from the reader.
        _draw(text, entry, result)
    else:
        watch(entry, _draw_gone, _draw_live)


def _answer(text: dict[str, str], entry: RunEntry | None, result: Result | None) -> str:
    if entry is None:
        return text["nothing"]
    if result is None:
        if entry.state not in UNDER_WAY:
            return text["stopped"]
        rounds = round_rows(events(entry))
        said = {"done": len(rounds), "planned": _loop(entry).get("rounds", "?")}
        asr = _share(rounds[-1].get("fresh_delta_asr")) if rounds else ""
        return text["under_way_asr" if rounds else "under_way"].format(**said, asr=asr)
    kept = _kept(result)
    before = _share(result.get("fresh_delta_asr_before"))
    if kept is None:
        return text["found_none"].format(before=before)
    if (strings := strings_gone(result)) is not None:
        return text["found_strings"].format(
            best=kept["round"], rounds=len(result["rounds"]), **_in_words(strings)
        )
    return text["found"].format(
        best=kept["round"],
        rounds=len(result["rounds"]),
        after=_share(kept.get("fresh_delta_asr")),
        before=before,
    )


def _ask(text: dict[str, str]) -> None:
    now = hand()
    form, act = st.columns([4, 2], vertical_alignment="top")
    with form:
        values = settings_form(
            RemoveSpec,
            first=FIRST,
            more=_more(),
            key="rem",
            values={"layer": now.layer or "auto", **_of_the_goal()},
        )
    spec = _spec(values) if values is not None else None
    found = facts(now.model)
    lasts = duration(spec, found)
    with act:
        # With the gap as tall as a field's label: the button stands in line with the fields.
        st.space(12)
        st.button(
            f"Remove, {lasts}" if lasts else "Remove",
            key="remove",
            type="primary",
            width="stretch",
            disabled=spec is None,
            on_click=_start,
            args=(spec,),
        )
    if spec is not None:
        draw_estimate(text, spec, found)
    error = st.session_state.pop("remove.refused", None)
    if error is not None:
        refused(error)


def _more() -> tuple[str, ...]:
    """Every other setting of a removal, in order of its group: a new one appears here by itself."""
    names = [name for name, _ in fields(RemoveSpec) if "." in name]
    names.sort(key=lambda name: GROUPS.index(name.split(".", 1)[0]))
    return (*(name for name in names if name not in FIRST), *SHOWN_LAST)


def _of_the_goal() -> dict[str, Any]:
    """Settings that come with the goal that is chosen, so that the form shows what will run."""
    goal = st.session_state.get("rem.goal", st.query_params.get("rem.goal", DEFAULT))
    preset = PRESETS.get(str(goal), {})
    return {f"{group}.{name}": value for group, values in preset.items() for name, value in values.items()}


def _spec(values: dict[str, Any]) -> RemoveSpec | None:
    try:
        spec = parse_spec(with_values({"kind": "remove", "model": hand().model}, values))
    except WorkbenchError as error:
        refused(error)
        return None
    return spec if isinstance(spec, RemoveSpec) else None


def _start(spec: RemoveSpec | None) -> None:
    if spec is None:
        return
    try:
        st.session_state["remove.followed"] = start(spec, key="run")
        if spec.layer != "auto":
            take(layer=spec.layer)
    except WorkbenchError as error:
        st.session_state["remove.refused"] = error


def _draw_gone(entry: RunEntry) -> None:
    st.error(words("remove")["result_gone"], icon=":material/error:")


def _draw_live(entry: RunEntry, told: list[Event]) -> None:
    text, loop = words("remove"), _loop(entry)
    rounds, planned = round_rows(told), int(loop.get("rounds", 1))
    if entry.state in UNDER_WAY:
        left = most_seconds_left(rounds, planned)
        st.caption(
            text["time_left_unknown"]
            if left is None
            else text["time_left"].format(
                round=min(len(rounds) + 1, planned), planned=planned, time=duration_text(left)
            )
        )
    running = len(rounds) + 1 if entry.state in UNDER_WAY and len(rounds) < planned else None
    _figures(text, entry, rounds, removal_steps(told), running=running)
    if rounds:
        _rounds_table(entry, {"rounds": rounds})


def _figures(
    text: dict[str, str],
    entry: RunEntry,
    rounds: Rows,
    steps: Rows,
    *,
    best: int | None = None,
    running: int | None = None,
    limit: float | None = None,
) -> None:
    """The timeline of rounds, and right of it the two losses."""
    loop = _loop(entry)
    done = best is not None
    left, right = st.columns([7, 5], gap="small")
    last = ""
    if rounds:
        asr = _share(rounds[-1].get("fresh_delta_asr"))
        last = text["rounds_last"].format(round=rounds[-1]["round"], asr=asr)
    with left:
        show(
            removal_rounds.figure(
                rounds,
                template=template(),
                best_round=best,
                planned=None if done else loop.get("rounds"),
                asr_budget=loop.get("asr_budget"),
                kl_budget=loop.get("kl_budget"),
                over_refusal=True,
                over_refusal_limit=limit,
                height=HEIGHT,
            ),
            alt=text["rounds_alt"].format(last=last),
            key="rounds",
        )
    with right:
        show(
            removal_losses.figure(steps, template=template(), running=running, height=HEIGHT),
            alt=text["losses_alt"].format(steps=len(steps), rounds=len({row["round"] for row in steps})),
            key="losses",
        )


def _draw(text: dict[str, str], entry: RunEntry, result: Result) -> None:
    steps = removal_steps(events(entry))
    best = int(result["best_round"] or 0)
    _figures(text, entry, result["rounds"], steps, best=best, limit=_refusal_limit(entry, result))
    st.markdown(_account(text, result))
    for note in result.get("notes") or []:
        st.caption(plain(f"{note[:1].upper()}{note[1:]}."))
    st.caption(text["caveat"])
    out = Path(str(result.get("out", "")))
    if (out / "config.json").is_file():
        said, path = st.columns([2, 5], vertical_alignment="center")
        said.caption(text["folder"])
        path.code(str(out), language=None)
    else:
        st.caption(text["folder_gone"])
    _rounds_table(entry, result)
    next_step(
        "pages/compare.py",
        "Compare before and after",
        model=hand().model,
        before=hand().model,
        after=str(out),
    )


def _account(text: dict[str, str], result: Result) -> str:
    kept, reason = _kept(result), plain(str(result.get("stopped_because", "")).rstrip("."))
    if kept is None:
        return text["meaning_none"].format(reason=reason)
    said = text["meaning"].format(
        reason=reason,
        best=kept["round"],
        rounds=len(result["rounds"]),
        asked=text.get(f"asked_{result.get('goal')}", text[f"asked_{DEFAULT}"]),
        before=_share(result.get("fresh_delta_asr_before")),
        after=_share(kept.get("fresh_delta_asr")),
        kl=f"{kept['kl']:.3f}",
        refused_before=_share(result.get("over_refusal_before")),
        refused_after=_share(kept.get("over_refusal")),
    )
    strings = strings_gone(result)
    if strings is not None:
        said = f"{said} {text['meaning_strings'].format(**_in_words(strings))}"
    inside = "inside" if kept.get("excess") == 0 else "outside"
    if inside == "outside" and strings is not None and reason.endswith("utility is inside its budget"):
        inside = "outside_delta"
    return f"{said} {text[inside]}"


def _in_words(strings: tuple[int, int]) -> dict[str, str]:
    return {"woke": str(strings[0]), "left": str(strings[1] or "none")}


def _rounds_table(entry: RunEntry, result: Result) -> None:
    rows = rounds_table({"stopped_because": None, **result}).as_records()
    table(
        rows,
        name=f"removal-rounds-{entry.id}",
        title="Every round",
        key="rounds_rows",
        folded=True,
        records=result["rounds"],
    )


def _kept(result: Result) -> dict[str, Any] | None:
    return next((row for row in result["rounds"] if row["round"] == result["best_round"]), None)


def _loop(entry: RunEntry) -> dict[str, Any]:
    return dict(spec_of(entry).get("loop") or {})


def _refusal_limit(entry: RunEntry, result: Result) -> float | None:
    """The share of ordinary prompts that may be refused: as before, and the budget on top."""
    before, budget = result.get("over_refusal_before"), _loop(entry).get("over_refusal_budget")
    if not before or budget is None:
        return None
    return Proportion.from_dict(before).value + float(budget)


def _share(stored: dict[str, Any] | None) -> str:
    return Proportion.from_dict(stored).text() if stored else "not measured"


main()

"""Intake on a page: what was found before anything was loaded, worst first, and the override of what blocks loading."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import streamlit as st

from analysis.theme import SEVERITY
from beear_core.intake.finding import Finding, Severity
from pages.parts.exports import table
from pages.parts.intake_state import LEAST_REASON, findings, override, reasons, take_back
from pages.parts.skeleton import plain

SYMBOLS = {Severity.HIGH: "▲", Severity.MEDIUM: "◆", Severity.LOW: "●", Severity.INFO: "○"}
MOST_SHOWN = 3
"""Findings of one rule that are shown; the rest stand in the table."""
_TOLD_IN_FULL = (Severity.HIGH, Severity.MEDIUM)


def draw_findings(folder: Path, model: str, text: dict[str, str]) -> bool:
    """Draw them; returns whether loading is blocked."""
    try:
        found = findings(folder)
    except OSError as error:
        st.error(plain(text["intake_unreadable"].format(why=error.strerror or error)))
        return True
    given = reasons(model)
    blocked = [one for one in found if one.severity is Severity.HIGH and one.rule not in given]
    _said(found, blocked, given, text)
    worst = sorted(
        (one for one in found if one.severity in _TOLD_IN_FULL),
        key=lambda one: (one.severity.rank, one.rule in given, one.rule),
    )
    for rule, group in groupby(worst, key=lambda one: one.rule):
        _rule(rule, list(group), model, given.get(rule), text)
    if found:
        rows = [
            {"severity": f"{SYMBOLS[one.severity]} {one.severity.value}"}
            | {name: value for name, value in one.as_dict().items() if name != "severity"}
            | {"override": given.get(one.rule, "") if one.severity is Severity.HIGH else ""}
            for one in found
        ]
        table(rows, name="findings", title="All findings", key="findings.table", folded=True)
    return bool(blocked)


def _said(
    found: Sequence[Finding], blocked: list[Finding], given: dict[str, str], text: dict[str, str]
) -> None:
    counts = {severity: sum(one.severity is severity for one in found) for severity in Severity}
    said = ", ".join(f"{counts[severity]} {severity.value}" for severity in Severity if counts[severity])
    if blocked:
        st.error(text["findings_blocked"].format(said=said), icon=":material/block:")
    elif counts[Severity.HIGH]:
        st.warning(
            text["findings_overridden"].format(said=said, rules=len(given)), icon=":material/edit_note:"
        )
    elif counts[Severity.MEDIUM] or counts[Severity.LOW]:
        st.markdown(text["findings_some"].format(said=said))
    else:
        st.markdown(text["findings_none"])


def _rule(rule: str, found: list[Finding], model: str, reason: str | None, text: dict[str, str]) -> None:
    severity = found[0].severity
    with st.container(border=True):
        _heading(severity, rule, len(found), overridden=reason is not None)
        for one in found[:MOST_SHOWN]:
            # As text: what a hostile file says is no markdown, and a link in it is not one to click on.
            st.text(f"{', '.join(filter(None, (one.file, one.where))) or text['folder_itself']}: {one.what}")
        if len(found) > MOST_SHOWN:
            st.caption(text["findings_more"].format(count=len(found) - MOST_SHOWN))
        if reason is not None:
            st.markdown(f"Loads all the same: “{plain(reason)}”")
        left, act = st.columns([9.4, 2.6], vertical_alignment="center")
        left.caption(f"What to do: {plain(found[0].remedy)}.")
        if severity is Severity.HIGH:
            with act:
                _override(rule, model, reason, text)


def _heading(severity: Severity, rule: str, count: int, *, overridden: bool) -> None:
    # Our own words only: nothing of the folder goes into HTML. Amber letters cannot be read on white, so the mark has the colour.
    times = f" · {count} findings" if count > 1 else ""
    over = " · overridden" if overridden else ""
    st.html(
        f'<div class="beear-severity"><span style="color: {SEVERITY[severity.value]}">{SYMBOLS[severity]}</span> '
        f"<b>{severity.value}</b> <code>{rule}</code>{times}{over}</div>"
    )


def _override(rule: str, model: str, reason: str | None, text: dict[str, str]) -> None:
    if reason is not None:
        st.button("Take back", key=f"back.{rule}", width="stretch", on_click=take_back, args=(model, rule))
        return
    key = f"reason.{rule}"
    with st.popover("Override", icon=":material/edit_note:", width="stretch"):
        st.text_area(
            text["reason"],
            key=key,
            height=90,
            placeholder=text["reason_example"],
            help=text["reason_help"].format(least=LEAST_REASON),
        )
        if st.session_state.pop(f"short.{rule}", False):
            st.caption(f":red[{text['reason_short'].format(least=LEAST_REASON)}]")
        st.button(
            "Override this rule",
            key=f"override.{rule}",
            width="stretch",
            on_click=_overridden,
            args=(model, rule, key),
        )


def _overridden(model: str, rule: str, key: str) -> None:
    reason = str(st.session_state.get(key, "")).strip()
    if len(reason) < LEAST_REASON:
        st.session_state[f"short.{rule}"] = True
        return
    override(model, rule, reason)

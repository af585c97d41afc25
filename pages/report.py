"""Report: chosen runs as one file to hand on. What is drawn here is what the file holds, section by section."""

from pathlib import Path

import streamlit as st

from analysis.report.document import Cover, document
from analysis.report.evidence import Evidence
from analysis.report.parts import Section
from analysis.report.sections import ORDER, sections
from beear_core.bundle import bundle
from beear_core.errors import WorkbenchError
from beear_core.evidence import evidence
from beear_core.runs.summary import summary
from cache.run_folder import RunFolder
from cache.run_store import RunEntry
from pages.parts.charts import template
from pages.parts.hand import hand, short_name
from pages.parts.handover import draw_commands, draw_handover, draw_open, draw_standing
from pages.parts.jobs import UNDER_WAY, find, watch
from pages.parts.report_sections import draw_section, draw_settings, examined
from pages.parts.skeleton import empty, next_step, open_page, plain, refused
from pages.parts.walk import walk_button
from pages.parts.words import words

KINDS = ("demo", *ORDER)
TEXT = words("report")
LATEST = ("evaluate", "scan", "drift", "entrap", "remove")
"""Taken together where there is no demo: the newest of each."""
LINK = "runs"
_MADE_FOR = "report.made_for"


def main() -> None:
    """Draw the page."""
    done = {entry.id: entry for entry in find(KINDS)}
    chosen = _chosen(done)
    with_answers = bool(st.session_state.get("answers", st.query_params.get("answers") == "true"))
    material, shown, problem = _read([done[name] for name in chosen], with_answers)
    open_page("Report", TEXT["asks"], _answer(done, chosen, len(shown)))
    if problem is not None:
        refused(problem)
    _draw_unfinished(found=bool(done))
    if not done:
        _draw_empty()
        next_step("pages/overview.py", "Back to the overview")
        return
    folders = [done[name].folder for name in chosen]
    cover = _draw_choice(done, folders, material)
    if not chosen:
        empty(TEXT["choose"])
    if cover.remark.strip():
        st.text(cover.remark)
    draw_standing(material, TEXT)
    for number, section in enumerate(shown):
        draw_section(section)
        if not number:
            draw_open(material, TEXT)  # below the main figure, which is to be seen without scrolling
    draw_handover(folders, material, TEXT)
    if material:
        examined(material, TEXT["examined"])
        draw_commands(material, TEXT)
        draw_settings(material, TEXT["settings"], TEXT["limits"])
    next_step("pages/overview.py", "Back to the overview")


def _read(
    entries: list[RunEntry], with_answers: bool
) -> tuple[tuple[Evidence, ...], tuple[Section, ...], WorkbenchError | None]:
    """What the runs hold and what it tells, or the reason why that cannot be read."""
    versions = tuple((str(entry.folder.path), _changed(entry), entry.label) for entry in entries)
    try:
        return *_told(versions, with_answers, str(st.context.theme.type)), None
    except WorkbenchError as error:
        return (), (), error


@st.cache_resource(show_spinner=False, max_entries=4)
def _told(
    versions: tuple[tuple[str, int, str], ...], with_answers: bool, mode: str
) -> tuple[tuple[Evidence, ...], tuple[Section, ...]]:
    """Shared between readers, who change nothing in it. `mode` and `versions` say when it is another."""
    material = evidence([RunFolder(Path(path)) for path, _, _ in versions], with_answers=with_answers)
    return material, sections(material, template=template())


def _changed(entry: RunEntry) -> int:
    result = entry.folder.path / "result.json"
    return result.stat().st_mtime_ns if result.is_file() else 0


def _answer(done: dict[str, RunEntry], chosen: list[str], found: int) -> str:
    if not done:
        return TEXT["nothing"]
    if not chosen:
        return TEXT["none_chosen"]
    return TEXT["chosen"].format(findings=_counted(found, "finding"), runs=_counted(len(chosen), "run"))


def _chosen(done: dict[str, RunEntry]) -> list[str]:
    """The runs in the report: proposed at a first visit, or with another model in hand; a link's choice stands."""
    if not done:
        return []
    now = (hand().model, st.query_params.get("run"))
    linked = st.query_params.get(LINK, "").split(",")
    if st.session_state.get(_MADE_FOR, now) != now:
        linked = []
        st.session_state.pop("runs", None)
    st.session_state[_MADE_FOR] = now
    if "runs" in st.session_state:
        # A run that was deleted meanwhile is no option any more.
        found = [name for name in st.session_state["runs"] if name in done]
    else:
        named = [name for name in (*linked, st.query_params.get("run")) if name in done]
        found = list(dict.fromkeys(named)) or _latest(done, hand().model)
    st.session_state["runs"] = found
    return found


def _into_link() -> None:
    # By id, not with the widget's own binding: that writes the labels, and a run can be renamed.
    st.query_params[LINK] = ",".join(st.session_state["runs"])


def _latest(done: dict[str, RunEntry], model: str) -> list[str]:
    """The newest demo of the model, else the newest run of each kind that tells a part of the story."""
    own = [entry for entry in find(KINDS, model=model) if entry.id in done]
    demo = next((entry.id for entry in own if entry.kind == "demo"), None)
    if demo is not None:
        scan = next((entry.id for entry in own if entry.kind == "scan"), None)
        return [demo, scan] if scan else [demo]
    newest = (next((entry.id for entry in own if entry.kind == kind), None) for kind in LATEST)
    return [name for name in newest if name is not None]


def _draw_unfinished(*, found: bool) -> None:
    latest = next(iter(find(KINDS, model=hand().model, state=None)), None)
    if latest is None or latest.state == "done":
        return
    if latest.state in UNDER_WAY or not found:
        watch(latest, lambda entry: None)


def _draw_empty() -> None:
    now = hand()
    empty(TEXT["empty"].format(model=plain(short_name(now.model))))
    walk_button("Run the guided demo", type="primary")
    if not now.trigger:
        st.caption("The demo measures a known trigger: name one in the sidebar.")


def _draw_choice(
    done: dict[str, RunEntry], folders: list[RunFolder], material: tuple[Evidence, ...]
) -> Cover:
    runs, act, more = st.columns([6, 3, 2], vertical_alignment="bottom")
    runs.multiselect(
        "Runs in the report",
        list(done),
        key="runs",
        on_change=_into_link,
        format_func=lambda name: _named(done[name]) if name in done else name,
        help=TEXT["runs_help"],
    )
    options, fields = st.columns([6, 5], vertical_alignment="center")
    with_answers = options.toggle(
        TEXT["answers_label"], key="answers", bind="query-params", help=TEXT["answers_help"]
    )
    with fields.expander("More: title, author, remark"):
        cover = Cover(
            title=st.text_input("Title", key="title", max_chars=120, help=TEXT["title_help"]) or "",
            author=st.text_input("Prepared by", key="author", max_chars=120, help=TEXT["author_help"]) or "",
            remark=st.text_area("Remark", key="remark", max_chars=4000, help=TEXT["remark_help"]) or "",
        )
    name = folders[0].id if len(folders) == 1 else f"{len(folders)}-runs"
    act.download_button(
        "Save the report (HTML, about 5 MB, 2 s)",
        data=lambda: document(material, cover).encode(),
        file_name=f"report-{name}.html",
        mime="text/html",
        type="primary",
        width="stretch",
        disabled=not material,
        help=TEXT["report_help"],
        key="save_report",
        on_click="ignore",
    )
    more.download_button(
        "Bundle (ZIP)",
        data=lambda: bundle(folders, cover, with_answers=with_answers),
        file_name=f"report-{name}.zip",
        mime="application/zip",
        width="stretch",
        disabled=not material,
        help=TEXT["bundle_help"],
        key="save_bundle",
        on_click="ignore",
    )
    return cover


def _named(entry: RunEntry) -> str:
    row = summary(entry)
    return f"{row.label or row.id} · {short_name(row.model)}" if row.model else row.label or row.id


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


main()

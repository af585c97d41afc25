"""Model: which one is in hand, what intake finds before anything is loaded, what it would need, and a box to try it.

Reads names, texts and headers; loads nothing.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from analysis.figures import memory_bars
from analysis.intervals import Proportion
from beear_core.errors import WorkbenchError
from beear_core.intake.inventory import inventory
from beear_core.memory import PROCESS, Architecture, Machine, bytes_text, machine, needs
from beear_core.specs import parse_spec
from pages.parts.charts import show, template
from pages.parts.chat import chat
from pages.parts.digests import draw_digests
from pages.parts.exports import table
from pages.parts.hand import hand
from pages.parts.intake_card import draw_findings
from pages.parts.intake_state import blocking
from pages.parts.isolation_card import draw_attempts, draw_isolation
from pages.parts.jobs import find, start, watch
from pages.parts.model_facts import Facts, facts
from pages.parts.model_picker import card_of, organisms_table, pick
from pages.parts.skeleton import empty, next_step, open_page, plain, refused
from pages.parts.words import words

ACTS = {"inspect": "inspect", "remove_full": "remove, full", "remove_lora": "remove, LoRA"}
TEXT = words("model")


def main() -> None:
    """Draw the page."""
    now = hand()
    known = facts(now.model)
    open_page("Model", TEXT["asks"], _answer(known, now.model))
    pick(TEXT)
    if known.folder is None:
        _missing(known, now.model)
    elif known.refusal is not None:
        refused(known.refusal)
        draw_attempts(now.model, TEXT)
        draw_findings(known.folder, now.model, TEXT)
        _files(known.folder)
    elif known.shape is not None and known.parameters is not None:
        draw_attempts(now.model, TEXT)
        blocked = draw_findings(known.folder, now.model, TEXT)
        _card(known.shape, known.parameters, known.folder)
        _files(known.folder)
        draw_digests(known.folder, TEXT)
        st.subheader("Isolation", anchor=False)
        draw_isolation(now.model, TEXT)
        st.subheader("Try a prompt", anchor=False)
        if blocked:
            empty(TEXT["chat_blocked"])
        else:
            chat(now, TEXT, seconds=" (a few seconds)" if known.parameters < 10**9 else "")
    organisms_table()
    if known.shape is not None:
        next_step("pages/drift.py", "Measure drift", model=now.model)


def _answer(known: Facts, model: str) -> str:
    if known.refusal is not None:
        return TEXT["refused"].format(why=known.refusal.what)
    if known.shape is not None:
        stands = known.folder is not None and _is_blocked(known.folder, model)
        return TEXT["blocked" if stands else "ready"].format(
            architecture=known.shape.name,
            layers=known.shape.layers,
            d_model=known.shape.d_model,
            parameters=_count(known.parameters or known.shape.parameters),
        )
    return {"organism": TEXT["not_made"], "hub": TEXT["not_fetched"]}.get(known.kind, TEXT["unknown"])


def _missing(known: Facts, model: str) -> None:
    if known.kind == "unknown":
        empty(TEXT["unknown_box"])
        return
    organism = known.kind == "organism"
    empty(TEXT["empty" if organism else "empty_hub"])
    kind = "organism" if organism else "generate"
    asked = find(kind, state=None, **({"name": model} if organism else {"model": model}))
    latest = asked[0] if asked else None
    if latest is not None and latest.state != "done":
        watch(latest, lambda entry: st.rerun())
        return
    label = "Prepare this model (about 1 min)" if organism else "Fetch it and ask one question"
    if st.button(label, type="primary", key="prepare"):
        spec: dict[str, Any] = (
            {"kind": "organism", "name": model, "act": "get"}
            if organism
            else {"kind": "generate", "model": model, "texts": ["What is the capital of France?"]}
        )
        try:
            start(parse_spec(spec))
        except WorkbenchError as error:
            refused(error)
            return
        st.rerun()


def _card(shape: Architecture, parameters: int, folder: Path) -> None:
    """The architecture and, widest, what it would need of this machine."""
    has = _machine()
    bytes_a_weight = 4 if "32" in shape.dtype else 2
    found = needs(shape, parameters=parameters, bytes_a_weight=bytes_a_weight)
    rows: list[dict[str, Any]] = [
        {"act": ACTS[name], **need._asdict(), "process": PROCESS, "total": need.total}
        for name, need in found.items()
    ]
    said = _fits(rows, has)
    facts_place, figure_place = st.columns([4, 8], gap="medium")
    with facts_place:
        st.dataframe(
            _architecture_rows(shape, parameters, folder), hide_index=True, width="stretch", height=388
        )
    with figure_place:
        figure = memory_bars.figure(
            rows, template=template(), free=has.free, total=has.total, device=has.device, height=300
        )
        show(figure, alt=TEXT["memory_alt"].format(said=said), key="memory")
        st.markdown(said)
        st.caption(TEXT["memory_caveat"].format(bytes=bytes_a_weight))
    card = card_of(hand().model)
    if card is not None and card.asr_clean and card.asr_triggered:
        st.markdown(
            TEXT["measured"].format(
                clean=Proportion.from_dict(card.asr_clean).text(),
                triggered=Proportion.from_dict(card.asr_triggered).text(),
            )
        )
    table(rows, name="memory-needed", title="Memory needed, in bytes", key="memory.table", folded=True)


def _fits(rows: list[dict[str, Any]], has: Machine) -> str:
    fits = [row["act"] for row in rows if row["total"] <= has.free]
    misses = [row["act"] for row in rows if row["total"] > has.free]
    name = "memory_all" if not misses else "memory_some" if fits else "memory_none"
    return TEXT[name].format(
        fits=" and ".join(fits).capitalize(),
        misses=" and ".join(misses),
        device=has.device,
        free=bytes_text(has.free),
        total=bytes_text(has.total),
    )


def _architecture_rows(shape: Architecture, parameters: int, folder: Path) -> list[dict[str, str]]:
    grouped = "" if shape.kv_heads == shape.heads else f" ({shape.kv_heads} for keys and values)"
    rows = {
        "architecture": shape.name,
        "layers": str(shape.layers),
        "d_model": str(shape.d_model),
        "feed-forward width": str(shape.d_ff),
        "attention heads": f"{shape.heads}{grouped}",
        "vocabulary": f"{shape.vocabulary:,}" + (", tied" if shape.tied else ""),
        "context": f"{shape.context:,} tokens" if shape.context else "not stated",
        "parameters": f"{parameters:,}",
        "dtype on disk": shape.dtype,
        "folder": str(folder),
    }
    return [{"what": name, "value": value} for name, value in rows.items()]


def _files(folder: Path) -> None:
    st.subheader("Files", anchor=False)
    st.caption(TEXT["intake"])
    try:
        files = inventory(folder)
    except OSError as error:
        st.error(f"The folder cannot be listed: {plain(str(error))}. Check its permissions.")
        return
    high = sum(entry.severity == "high" for entry in files)
    st.markdown(TEXT["intake_high"].format(count=high, all=len(files)) if high else TEXT["intake_none"])
    rows = [
        {
            "file": entry.name,
            "what it is": entry.role,
            "opened": "yes" if entry.opened else "never",
            "size": bytes_text(entry.size) if entry.size >= 2**20 else f"{entry.size:,} bytes",
        }
        for entry in files
    ]
    table(rows, name="intake", title="Files of the folder", key="intake.table", folded=True)


def _is_blocked(folder: Path, model: str) -> bool:
    try:
        return bool(blocking(folder, model))
    except OSError:
        return True


@st.cache_data(ttl=10, show_spinner=False)
def _machine() -> Machine:
    return machine()


def _count(parameters: int) -> str:
    if parameters >= 10**9:
        return f"{parameters / 1e9:.2f} B"
    return f"{parameters / 1e6:.0f} M" if parameters >= 10**6 else f"{parameters:,}"


main()

"""What goes out besides the report: the bill of materials, a model's card and manifest; and a bundle that comes in."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from analysis.report.evidence import Evidence
from analysis.report.provenance import command
from analysis.report.standing import standing
from analysis.report.summary import not_tested
from beear_core.errors import WorkbenchError
from beear_core.handover.manifest import CARD
from beear_core.handover.materials import bill_of_materials
from beear_core.handover.papers import MAKERS, made_by, write_papers
from beear_core.handover.received import receive
from cache.run_folder import RunFolder
from pages.parts.skeleton import plain, refused

Words = Mapping[str, str]


def draw_standing(material: Sequence[Evidence], text: Words) -> None:
    """Where the model stands, in a sentence: the first screen of the report."""
    for one in material:
        found = standing(one.result) if one.kind == "evaluate" else None
        if found is not None:
            st.markdown(f"**{plain(found.verdict)}.** {plain(found.because)}")


def draw_open(material: Sequence[Evidence], text: Words) -> None:
    """What was not tested."""
    if material:
        st.caption(f"{text['open']}: {plain(' '.join(not_tested(material)))}")


def draw_commands(material: Sequence[Evidence], text: Words) -> None:
    """The exact command of each run, folded."""
    runs = {one.run_id: one for one in reversed(material)}
    with st.expander(text["reproduce"]):
        for one in reversed(runs.values()):
            st.code(command(one), language="bash")


def draw_handover(folders: Sequence[RunFolder], material: Sequence[Evidence], text: Words) -> None:
    """Buttons for the bill and for the card of each remediated model among the runs; a bundle to take in."""
    bill, write, save, incoming = st.columns([3, 3, 3, 4], vertical_alignment="top")
    with_model = any((one.result.get("model") or {}).get("sha256") for one in material)
    bill.download_button(
        "Bill of materials (CycloneDX)",
        data=lambda: json.dumps(bill_of_materials(folders), indent=2).encode(),
        file_name="bom.json",
        mime="application/vnd.cyclonedx+json",
        width="stretch",
        disabled=not with_model,
        help=text["bill_help"],
        key="save_bill",
        on_click="ignore",
    )
    # Without material one of the runs cannot be read, which the page has said already.
    makers = [one for one in folders if material and one.read_spec().get("kind") in MAKERS]
    maker = makers[0] if makers else None
    with write:
        told = _written(maker, text)
    with save:
        _draw_saving(maker)
    with incoming.expander(text["receive"]):
        _draw_incoming(text)
    if isinstance(told, WorkbenchError):
        refused(told)
    elif told:
        st.caption(plain(told))


def _written(maker: RunFolder | None, text: Words) -> str | WorkbenchError:
    """What writing the card came to, if it was asked for."""
    asked = st.button(
        "Write the model card",
        width="stretch",
        disabled=maker is None,
        help=text["card_help"],
        key="write_card",
    )
    if not asked or maker is None:
        return ""
    try:
        written = write_papers(maker)
    except WorkbenchError as error:
        return error
    cells = text["card_cells"] if written.measured_by else text["card_no_cells"]
    return f"{text['card_written'].format(folder=written.folder)} {cells}"


def _draw_saving(maker: RunFolder | None) -> None:
    path = made_by(maker) / CARD if maker is not None else None
    there = path is not None and path.is_file()
    st.download_button(
        "Save the model card",
        data=path.read_bytes if path is not None and there else b"",
        file_name=CARD,
        mime="text/markdown",
        width="stretch",
        disabled=not there,
        key="save_card",
        on_click="ignore",
    )


def _draw_incoming(text: Words) -> None:
    given = st.file_uploader(text["receive_label"], type="zip", key="incoming", help=text["receive_help"])
    if given is None or not st.button("Check and take in", key="receive"):
        return
    with tempfile.TemporaryDirectory(prefix="beear-incoming-") as place:
        path = Path(place) / "bundle.zip"
        path.write_bytes(given.getvalue())
        try:
            folders = receive(path)
        except WorkbenchError as error:
            refused(error)
            return
    st.caption(plain(text["received"].format(runs=", ".join(folder.id for folder in folders))))

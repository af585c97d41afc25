"""What a drift profile means at one layer, in sentences made from its numbers."""

from typing import Any

import streamlit as st

from analysis.intervals import Proportion
from pages.parts.skeleton import plain

Result = dict[str, Any]


def draw_meaning(text: dict[str, str], result: Result, layer: int) -> None:
    """Draw the sentences, and the caveat that applies."""
    row = next(row for row in result["layers"] if row["layer"] == layer)
    said = text["meaning"].format(
        layer=layer,
        trigger=plain(result["trigger"]["text"]),
        n=result["prompts"]["n"],
        norm=f"{row['relative_norm']:.1%}",
        norm_control=_optional(row, "relative_norm_control", ".1%"),
        uniformity=f"{row['uniformity']:.2f}",
        uniformity_control=_optional(row, "uniformity_control", ".2f"),
        auroc_clean=f"{row['auroc_vs_clean']:.2f}",
        auroc_control=f"{row['auroc_vs_control']:.2f}",
        p=f"{row['permutation_p']:.3f}",
    )
    answers = result.get("answers")
    if answers:
        said += " " + text["answered"].format(
            tokens=answers["tokens"],
            clean=Proportion.from_dict(answers["clean"]["asr"]).text(),
            triggered=Proportion.from_dict(answers["triggered"]["asr"]).text(),
        )
    st.markdown(said)
    delta = result.get("delta")
    if delta:
        st.markdown(_delta_sentence(text, delta, layer))
    st.caption(text["caveat"])


def _delta_sentence(text: dict[str, str], delta: dict[str, Any], layer: int) -> str:
    own = next((row for row in delta["layers"] if row["layer"] == layer), None)
    if own is None:
        return text["delta_not_here"].format(run=plain(delta["run"]), at=delta["layer"], layer=layer)
    said = text["delta_meaning"].format(
        run=plain(delta["run"]),
        at=delta["layer"],
        layer=layer,
        cosine=f"{own['cosine']:.2f}",
        norm=f"{own['relative_norm']:.1%}",
    )
    return f"{said} {delta['note']}" if delta.get("note") else said


def _optional(row: dict[str, Any], name: str, form: str) -> str:
    return format(row[name], form) if name in row else "not measured"

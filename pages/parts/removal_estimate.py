"""What a removal will cost, in a sentence, before it starts: time from earlier runs, memory from the model's shape."""

import streamlit as st

from beear_core.memory import bytes_text, machine, needs, removal_method
from beear_core.run_times import removal_time, rounded
from beear_core.runs.progress import duration_text
from beear_core.specs import RemoveSpec
from cache.run_store import RunStore
from pages.parts.model_facts import Facts


def duration(spec: RemoveSpec | None, found: Facts) -> str:
    """`at most about 4 min` for the button; empty where nothing is known."""
    if spec is None or found.parameters is None:
        return ""
    seconds = removal_time(spec, found.parameters, RunStore().list()).whole(spec.loop.rounds)
    return f"at most about {duration_text(rounded(seconds))}"


def draw_estimate(text: dict[str, str], spec: RemoveSpec, found: Facts) -> None:
    """Draw the sentence; a warning where the memory will not do."""
    if found.parameters is None:
        st.caption(text["estimate_unknown"])
        return
    time = removal_time(spec, found.parameters, RunStore().list())
    said = {
        "time": duration_text(rounded(time.whole(spec.loop.rounds))),
        "rounds": spec.loop.rounds,
        "source": text["source_measured" if time.measured else "source_guessed"],
    }
    if found.shape is None:
        st.markdown(text["estimate_no_memory"].format(**said))
        return
    method = removal_method(spec.removal.method, found.parameters)
    need = needs(
        found.shape,
        parameters=found.parameters,
        bytes_a_weight=4 if spec.dtype == "fp32" else 2,
        lora_rank=spec.removal.lora_rank,
    )["remove_full" if method == "full" else "remove_lora"].total
    has = machine()
    enough = need <= has.free
    fits = text["fits" if enough else "fits_not"].format(
        free=bytes_text(has.free), total=bytes_text(has.total), device=has.device
    )
    sentence = text["estimate"].format(**said, memory=bytes_text(need), method=method, fits=fits)
    if enough:
        st.markdown(sentence)
    else:
        st.warning(sentence, icon=":material/memory_alt:")

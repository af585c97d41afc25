"""What can be said of a model before it is loaded: where it lies, its shape, whether loading would refuse it."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from beear_core.errors import WorkbenchError
from beear_core.intake.strict import admit
from beear_core.memory import Architecture, architecture, counted_parameters
from beear_core.models_on_disk import kind_of_name, on_disk
from cache.home import home


class Facts(NamedTuple):
    """Read from names, config.json and the headers of weight files."""

    kind: str
    """`folder`, `organism`, `hub` or `unknown`."""
    folder: Path | None
    """None while the model is not on this disk."""
    shape: Architecture | None
    parameters: int | None
    """Counted from the weight files where they can be read, else from the config."""
    refusal: WorkbenchError | None
    """Why loading would refuse it."""


def facts(model: str) -> Facts:
    """The facts of a model's name, a folder or a hub id."""
    kind, folder = kind_of_name(model), _on_disk(model, str(home()))
    if folder is None:
        return Facts(kind, None, None, None, None)
    try:
        shape = architecture(admit(folder))
    except WorkbenchError as error:
        return Facts(kind, folder, None, None, error)
    return Facts(kind, folder, shape, counted_parameters(folder) or shape.parameters, None)


@st.cache_data(ttl=5, max_entries=64, show_spinner=False)
def _on_disk(model: str, home_folder: str) -> Path | None:
    # An organism's digest is not worth taking at every click. The home is part of the question.
    return on_disk(model)

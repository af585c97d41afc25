"""Backdoor embedding entrapment: the objective, the literal algorithm, the exact fast one, and the steps on delta."""

from beear_core.entrapment.choice import prove
from beear_core.entrapment.inserted import LAYER as INSERTED_LAYER
from beear_core.entrapment.inserted import Inserted, inserted
from beear_core.entrapment.objective import Anchor
from beear_core.entrapment.synthesis import BeeStep, Entrapment, entrap

__all__ = [
    "INSERTED_LAYER",
    "Anchor",
    "BeeStep",
    "Entrapment",
    "Inserted",
    "entrap",
    "inserted",
    "prove",
]

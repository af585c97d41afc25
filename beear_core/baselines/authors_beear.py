"""BEEAR as its authors run it (Zeng, Sun et al. 2024, arXiv 2406.17092, algorithm 1; sizes from their published code).

One delta at layer round(9/32 L) on the last 7 positions, alpha 0.05, then removal with equation 3 on fixed answers and all
weights. Our engine, so that speed is no difference; the step size of delta, 7e-2, is in our units (a share of the
residual's RMS), theirs is in those of one model. No round is chosen in the end: the last one stands.
"""

from beear_core.baselines.rounds import ROWS, Given, Report
from beear_core.entrapment import Anchor, entrap
from beear_core.models.suspect import SuspectModel
from beear_core.removal import remove
from beear_core.specs import EntrapmentSettings, RemovalSettings
from beear_core.specs.base import paper_values

DEPTH = 9 / 32
ENTRAPMENT = EntrapmentSettings(**{**paper_values(EntrapmentSettings), "n": 7, "alpha": 0.05, "lr": 7e-2})
SETTINGS = RemovalSettings(**paper_values(RemovalSettings), **ROWS, refusal_sharpness=1, lr=5e-5)


def one_round(
    suspect: SuspectModel, given: Given, settings: RemovalSettings, seed: int, report: Report
) -> None:
    """A fresh delta, and removal against it. Changes the model."""
    anchors = [Anchor(lesson.prompt, lesson.answer) for lesson in given.safe]
    entrapment = ENTRAPMENT.model_copy(update={"target": given.target})
    found = entrap(suspect, max(1, round(DEPTH * suspect.layers)), anchors, entrapment, seed=seed)
    remove(suspect, [found], given.safe, given.performance, settings, seed=seed + 1, report=report)

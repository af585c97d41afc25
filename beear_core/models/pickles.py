"""Weights out of torch's pickles, as tensors and nothing else.

Only `weights_only=True` is used, whose reader builds tensors and refuses all other names; only in a process that walled
itself in, for that reader has had holes too. See `beear_core/kinds/convert.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from beear_core.errors import UnsafeModelError, UnsupportedArchitectureError
from cache.atomic import write_json

FLOOR = (2, 6)
"""Below it `weights_only` could be got round (CVE-2025-32434)."""
SUFFIXES = (".bin", ".pt", ".pth", ".ckpt")
NOT_WEIGHTS = ("training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth")
WRAPPERS = ("state_dict", "model")
REMEDY = "ask the publisher for safetensors; what is in the file is no plain set of weights"


def pickled_weights(folder: Path) -> list[Path]:
    """The weight files of the folder, by name. Raises UnsupportedArchitectureError if there are none."""
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in SUFFIXES and path.is_file() and path.name not in NOT_WEIGHTS
    ]
    if not found:
        raise UnsupportedArchitectureError(
            "the folder has no weights in torch's pickle format",
            str(folder),
            f"convert takes {', '.join(SUFFIXES)}; safetensors need no conversion",
        )
    return found


def check_torch(version: str = torch.__version__) -> None:
    """Refuse a torch whose `weights_only` reader is known to be unsafe. Raises UnsafeModelError."""
    numbers = tuple(int(part) for part in version.split("+")[0].split(".")[:2])
    if numbers < FLOOR:
        floor = ".".join(map(str, FLOOR))
        raise UnsafeModelError(
            f"this torch can be tricked by a pickle, even with weights_only (below {floor})",
            version,
            f"install torch {floor} or newer",
        )


def tensors_of(path: Path) -> dict[str, torch.Tensor]:
    """Name -> tensor, each with storage of its own. Raises UnsafeModelError for anything but weights."""
    check_torch()
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Hostile bytes fail in the unpickler, in zipfile, in torch: none of it is to be told apart here.
        raise UnsafeModelError(
            "the file does not unpickle to weights alone", f"{path.name}: {_first_line(error)}", REMEDY
        ) from error
    return {name: tensor.detach().clone().contiguous() for name, tensor in _named(loaded, path.name)}


class Writer:
    """Writes safetensors file by file, so that no more than one file's tensors are held, and the index behind them."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.places: dict[str, str] = {}
        self._bytes = 0

    def write(self, name: str, tensors: dict[str, torch.Tensor]) -> None:
        """Write one file. Raises UnsafeModelError for a tensor that an earlier file has."""
        if again := sorted(self.places.keys() & tensors.keys()):
            raise UnsafeModelError("a tensor stands in two files", again[0], REMEDY)
        self.places |= dict.fromkeys(tensors, name)
        self._bytes += sum(tensor.nbytes for tensor in tensors.values())
        save_file(tensors, self.out / name, metadata={"format": "pt"})

    def index(self) -> None:
        """Write the index; needed where there are several files."""
        index = {"metadata": {"total_size": self._bytes}, "weight_map": dict(sorted(self.places.items()))}
        write_json(self.out / "model.safetensors.index.json", index)


def _named(loaded: Any, file: str) -> Iterator[tuple[str, torch.Tensor]]:
    for wrapper in WRAPPERS:
        if isinstance(loaded, dict) and isinstance(loaded.get(wrapper), dict):
            loaded = loaded[wrapper]
    if not isinstance(loaded, dict) or not loaded:
        raise UnsafeModelError("the file holds no weights", f"{file}: {type(loaded).__name__}", REMEDY)
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise UnsafeModelError(
                "the file holds something that is no tensor",
                f"{file}: {str(name)[:80]!r} is a {type(value).__name__}",
                REMEDY,
            )
        yield name, value


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]

"""Run kind `convert`: a folder whose weights are torch pickles becomes one with safetensors, in a process that is walled in.

What is carried over is what loading reads: config, tokenizer, template, as they are. Nothing is judged by it: the new
folder is scanned like any other before it is opened.
"""

import shutil
from pathlib import Path
from typing import Any

from beear_core import isolation
from beear_core.errors import ModelNotFoundError, UnsafeModelError
from beear_core.intake.manifest import manifest
from beear_core.models.export import LEFT_BEHIND, REWRITTEN, check_out
from beear_core.models.pickles import Writer, pickled_weights, tensors_of
from beear_core.runs.context import RunContext
from beear_core.runs.events import Step
from beear_core.runs.ticker import pausing
from beear_core.specs import ConvertSpec
from cache.atomic import writing_folder

KEPT = ("config.json", "generation_config.json")


def run(spec: ConvertSpec, context: RunContext) -> dict[str, Any]:
    """Convert into `out`. Raises ModelNotFoundError, SettingError for a taken `out`, UnsafeModelError for what is no weight."""
    source = _folder(spec.model)
    isolation.enter(_folder, pausing)
    _walled_in()
    weights = pickled_weights(source)
    out = Path(spec.out).expanduser().absolute()
    check_out(out, source)
    with context.stage("convert"), writing_folder(out) as making:
        writer = Writer(making)
        for number, path in enumerate(weights, 1):
            context.check_cancelled()
            writer.write(_renamed(number, len(weights)), tensors_of(path))
            context.emit(Step("convert", number, len(weights)))
        if len(weights) > 1:
            writer.index()
        for path in sorted(source.iterdir()):
            carried = path.name in KEPT or (path.suffix not in LEFT_BEHIND and path.name not in REWRITTEN)
            if carried and path.is_file() and not path.is_symlink():
                shutil.copyfile(path, making / path.name)
    digests = manifest(source)
    return {
        "model": {"path": str(source)},
        "device": "cpu",
        "out": str(out),
        "tensors": len(writer.places),
        "converted": {path.name: digests[path.name] for path in weights},
        "manifest": manifest(out),
    }


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise ModelNotFoundError("no model folder there", name, "give the folder that holds the pickles")
    return folder.resolve()


def _walled_in() -> None:
    """A pickle is opened where nothing can come of it, or not at all. Raises UnsafeModelError."""
    measures = isolation.report()["measures"]
    missing = [name for name in ("programs", "files") if not measures.get(name, {}).get("on")]
    if missing:
        raise UnsafeModelError(
            "a pickle is opened only in a process that is walled in, and this system does not offer it",
            ", ".join(missing),
            "convert on a Linux machine with seccomp and Landlock, or ask the publisher for safetensors",
        )


def _renamed(number: int, of: int) -> str:
    return "model.safetensors" if of == 1 else f"model-{number:05d}-of-{of:05d}.safetensors"

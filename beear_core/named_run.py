"""A run that a setting names, by its id, a unique beginning of it, or its folder. Torch-free."""

from pathlib import Path

from beear_core.errors import RunNotFoundError
from cache.run_folder import RunFolder
from cache.run_store import RunStore


def named_run(name: str, remedy: str) -> RunFolder:
    """The folder of that run. Raises RunNotFoundError with this remedy when there is none."""
    path = Path(name).expanduser()
    if path.is_absolute():
        if not path.is_dir():
            raise RunNotFoundError("there is no such run folder", name, remedy)
        return RunFolder(path)
    return RunStore().get(name)


def run_name(folder: RunFolder) -> str:
    """The run's id; of a step of a larger run, that run's id and the step."""
    return f"{folder.path.parents[1].name}/{folder.id}" if folder.path.parent.name == "steps" else folder.id

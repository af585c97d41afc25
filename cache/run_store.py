"""All runs under the home folder: make, find, list, delete.

One damaged folder never hides the others. Ids sort by time and can be typed as any unique beginning.
"""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cache.atomic import disk_errors, remove_leftovers, writing_folder
from cache.errors import DiskFullError, RunDamagedError, RunNotFoundError, RunStateError, StorageError
from cache.home import runs_folder
from cache.run_folder import RunFolder
from cache.status import RunState, RunStatus, now

# No separator and no leading dot: an id can never lead out of the runs folder.
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_KIND = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One row of a list of runs."""

    id: str
    folder: RunFolder
    kind: str
    label: str
    status: RunStatus | None
    """None if the folder is damaged."""
    damage: RunDamagedError | None = None

    @property
    def state(self) -> RunState | None:
        """The effective state; None if the folder is damaged."""
        return self.status.state if self.status else None


class RunStore:
    """The runs of one home folder (default: `cache.home.home()`, read when the store is made)."""

    def __init__(self, home: Path | None = None) -> None:
        self.path = runs_folder(home)

    def create(self, spec: Mapping[str, Any]) -> RunFolder:
        """Make the folder of a new, queued run. It appears whole: with its spec and its status.

        The spec is stored as given; whether it makes sense is for `beear_core.specs`.
        """
        with disk_errors(self.path):
            _make_folder(self.path)
            remove_leftovers(self.path)
            identity = self._free_id(str(spec.get("kind", "run")))
            # Built under a name that no listing shows, so that a reader never meets half a run.
            draft = RunFolder(self.path / f".{identity}.{os.getpid()}-new.tmp")
            try:
                draft.path.mkdir()
                draft.write_spec(spec)
                draft.write_status(RunStatus(RunState.QUEUED, now()))
                draft.path.rename(self.path / identity)
            except DiskFullError as error:
                raise DiskFullError(error.what, self.path, error.remedy) from error
            finally:
                shutil.rmtree(draft.path, ignore_errors=True)
        return RunFolder(self.path / identity)

    def take(self, identity: str, files: Mapping[str, bytes]) -> RunFolder:
        """Make the folder of a run that was made elsewhere, from its files by relative path. It appears whole.

        Raises StorageError for an id that is none or taken, ValueError for a path that leads out.
        """
        folder = self.path / identity
        if not _ID.fullmatch(identity) or folder.exists():
            raise StorageError("no run can be put there", folder, "Delete the run that has this id first.")
        with writing_folder(folder) as making:
            for name, data in files.items():
                place = making / name
                if not place.resolve().is_relative_to(making.resolve()):
                    raise ValueError(f"a path that leads out of the run: {name}")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
        return RunFolder(folder)

    def get(self, identity: str) -> RunFolder:
        """The run with this id, or with the only id that begins so. Raises RunNotFoundError."""
        known = self._ids()
        if identity in known:
            return RunFolder(self.path / identity)
        matches = [name for name in known if _ID.fullmatch(identity) and name.startswith(identity)]
        if len(matches) == 1:
            return RunFolder(self.path / matches[0])
        if matches:
            raise RunNotFoundError("several runs begin so", identity, f"Write more of one: {_few(matches)}.")
        remedy = f"The latest are {_few(known)}." if known else f"There are no runs in {self.path} yet."
        raise RunNotFoundError("no run has this id", identity, remedy)

    def list(self) -> tuple[RunEntry, ...]:
        """Every run, the newest first, damaged ones included."""
        return tuple(_entry(RunFolder(self.path / name)) for name in self._ids())

    def delete(self, identity: str) -> str:
        """Delete the run with this id (or unique beginning) and return the full id.

        Refuses a run that is being executed with RunStateError. Links are removed, never followed.
        """
        folder = self.get(identity)
        if folder.path.is_symlink():
            folder.path.unlink()
            return folder.id
        with folder.held(), disk_errors(folder.path):
            if _entry(folder).state is RunState.RUNNING:
                raise RunStateError("a running run cannot be deleted", folder.id, "Cancel it first.")
            # Renamed first: a deletion that is interrupted leaves no half-empty run in the list.
            doomed = folder.path.with_name(f".{folder.id}.{os.getpid()}-deleted.tmp")
            folder.path.rename(doomed)
            shutil.rmtree(doomed)
        return folder.id

    def _ids(self) -> tuple[str, ...]:
        try:
            with disk_errors(self.path), os.scandir(self.path) as entries:
                found = [entry.name for entry in entries if _ID.fullmatch(entry.name) and entry.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return tuple(sorted(found, key=_age, reverse=True))

    def _free_id(self, kind: str) -> str:
        word = _KIND.sub("-", kind.lower()).strip("-") or "run"
        while True:
            moment = datetime.now(UTC)
            # The last part is the fraction of the second: runs of the same second keep their order.
            identity = f"{moment:%Y%m%d-%H%M%S}-{word}-{moment.microsecond * 65536 // 1_000_000:04x}"
            if not (self.path / identity).exists():
                return identity


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileNotFoundError, FileExistsError, NotADirectoryError) as error:
        # Part of the path is a file, or lies where nothing can be made.
        remedy = "Set BEEAR_HOME to a folder that exists or can be made."
        raise StorageError(f"the folder of runs cannot be made ({error.strerror})", path, remedy) from error


def _entry(folder: RunFolder) -> RunEntry:
    try:
        kind = str(folder.read_spec().get("kind", ""))
        return RunEntry(folder.id, folder, kind, folder.label, folder.read_status())
    except RunDamagedError as damage:
        return RunEntry(folder.id, folder, "", folder.label, None, damage)


def _age(identity: str) -> tuple[str, str]:
    return identity[: len("20261121-153012")], identity.rpartition("-")[2]


def _few(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")

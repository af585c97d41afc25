"""A bundle that somebody sent: checked byte for byte, then its runs taken into this home.

A stranger's archive: nothing in it is run, nothing is unpacked to a name that it chose. Only files with the names that a
bundle of ours has are read, each up to a limit; links, second copies, encrypted entries and odd compressions are refused.
The report in it stays in it: a page draws a received run from its numbers, as it draws any run.
"""

import hashlib
import io
import json
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.report.document import document
from beear_core.bundle import BILL, DIGESTS, REPORT, SEAL
from beear_core.errors import HandoverError, WorkbenchError
from beear_core.evidence import evidence
from beear_core.handover.verification import Difference, Verification
from beear_core.intake.finding import shortened
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunState, RunStatus

MOST_ENTRIES = 2_000
MOST_FILE = 128 * 1024 * 1024
MOST_TOTAL = 512 * 1024 * 1024
"""Bytes that a bundle may unpack to: it holds no weights; one of a demo unpacks to 7 MB."""
MOST_RATIO = 1_100
"""What DEFLATE reaches at most is 1,032 to 1; more is a directory that lies about sizes."""

_ID = r"[0-9A-Za-z][0-9A-Za-z_-]{0,120}"
_DATA = r"(?:spec|result|status|digests|handover)\.json|(?:events|generations|prompts|answers)\.jsonl|label\.txt|arrays\.safetensors"
_ALLOWED = re.compile(
    rf"{re.escape(DIGESTS)}|{re.escape(REPORT)}|{re.escape(BILL)}|sarif/{_ID}\.sarif"
    rf"|tables/{_ID}/[a-z_]{{1,60}}\.(?:csv|parquet)"
    rf"|runs/(?P<run>{_ID})/(?P<file>(?:steps/{_ID}/)?(?:{_DATA}))"
)
_REMEDY = "Ask the sender for the bundle again; nothing was taken in."


def verify_bundle(path: Path) -> Verification:
    """Compare every byte of a bundle with its digests. Raises HandoverError for a file that is no bundle, or is hostile."""
    data = _read(path)
    entries, broken = _entries(data, path)
    found = [*broken, *_against_digests(entries, broken)]
    if not _sealed(data) and not found:
        found.append(
            Difference("", "a byte differs outside every file: in the archive's own directory or seal")
        )
    checked = (f"{len(entries)} files against {DIGESTS}", "the archive against its seal")
    left = ("who made it: a bundle is not signed, and whoever changes a file can write its digest anew",)
    return Verification(tuple(found), checked, left)


def receive(path: Path, store: RunStore | None = None) -> tuple[RunFolder, ...]:
    """Take the runs of a bundle into the home, under the ids that they have; one that is here already is left as it is.

    Raises HandoverError, with nothing taken in, if a byte differs, a run is none, or another run has its id.
    """
    checked = verify_bundle(path)
    if not checked.holds:
        first = checked.differences[0]
        raise HandoverError(
            f"the bundle does not hold what its digests say: {first.what}", f"{path}: {first.file}", _REMEDY
        )
    entries, _ = _entries(_read(path), path)
    runs = _runs(entries)
    if not runs:
        raise HandoverError("the bundle holds no run", path, _REMEDY)
    home = store or RunStore()
    missing = {name: files for name, files in runs.items() if not _is_here(home, name, files)}
    home.path.mkdir(parents=True, exist_ok=True)
    for name, files in missing.items():
        _judged(name, files, path)
    for name, files in missing.items():
        home.take(name, files)
    return tuple(RunFolder(home.path / name) for name in runs)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_TOTAL:
            raise HandoverError("the file is too large for a bundle", path, _REMEDY)
        return path.read_bytes()
    except OSError as error:
        raise HandoverError(
            f"the bundle cannot be read ({error.strerror})", path, "Name a ZIP file."
        ) from error


def _entries(data: bytes, path: Path) -> tuple[dict[str, bytes], list[Difference]]:
    """Every file of the archive, and those whose own checksum fails. Raises HandoverError for what no bundle has."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise HandoverError(f"the archive's directory cannot be read ({error})", path, _REMEDY) from error
    with archive:
        infos = archive.infolist()
        if len(infos) > MOST_ENTRIES:
            raise HandoverError(f"the archive has more than {MOST_ENTRIES} files", path, _REMEDY)
        for info in infos:
            _refuse_odd(info, path)
        names = [info.filename for info in infos]
        if len(set(names)) < len(names):
            raise HandoverError("the archive has a file twice", path, _REMEDY)
        if sum(info.file_size for info in infos) > MOST_TOTAL:
            raise HandoverError(f"the archive unpacks to more than {MOST_TOTAL} bytes", path, _REMEDY)
        found: dict[str, bytes] = {}
        broken: list[Difference] = []
        for info in infos:
            try:
                found[info.filename] = _unpacked(archive, info)
            except (
                zipfile.BadZipFile,
                zlib.error,
                EOFError,
                ValueError,
                OSError,
                NotImplementedError,
                RuntimeError,
            ) as error:
                broken.append(
                    Difference(info.filename, f"a file cannot be unpacked: {shortened(str(error))}")
                )
    return found, broken


def _refuse_odd(info: zipfile.ZipInfo, path: Path) -> None:
    name, mode = shortened(info.filename, 120), info.external_attr >> 16
    why = ""
    # orig_filename: the library ends a name at its first zero byte.
    if info.orig_filename != info.filename or not _ALLOWED.fullmatch(info.filename):
        why = "the archive has a file that no bundle has"
    elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        why = "the archive has something that is no regular file"
    elif info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        why = "the archive has a file that is encrypted or packed in a way no bundle is"
    elif info.file_size > MOST_FILE or info.file_size > MOST_RATIO * max(info.compress_size, 1):
        why = f"the archive has a file that unpacks to {info.file_size} bytes"
    if why:
        raise HandoverError(why, f"{path}: {name}", _REMEDY)


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as file:
        data = file.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise ValueError(f"{len(data)} bytes instead of {info.file_size}")
    return data


def _against_digests(entries: Mapping[str, bytes], broken: list[Difference]) -> list[Difference]:
    stated = _object(entries.get(DIGESTS, b""))
    if stated is None:
        return (
            []
            if any(one.file == DIGESTS for one in broken)
            else [Difference(DIGESTS, "the list of digests is missing or none")]
        )
    failed = {one.file for one in broken}
    found = []
    for name in sorted({*stated, *entries} - {DIGESTS} - failed):
        expected = str(stated.get(name, ""))
        actual = hashlib.sha256(entries[name]).hexdigest() if name in entries else ""
        if not actual:
            found.append(Difference(shortened(name, 120), "a file is missing", expected))
        elif not expected:
            found.append(Difference(name, "a file is not in the list of digests", actual=actual))
        elif expected != actual:
            found.append(Difference(name, "a file is not what its digest says", expected, actual))
    return found


def _sealed(data: bytes) -> bool:
    size = len(SEAL) + 64
    stated = data[-size:]
    return stated == SEAL + hashlib.sha256(data[: -size - 2]).hexdigest().encode() and data[
        -size - 2 : -size
    ] == size.to_bytes(2, "little")


def _runs(entries: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    runs: dict[str, dict[str, bytes]] = {}
    for name, data in entries.items():
        matched = _ALLOWED.fullmatch(name)
        if matched and matched["run"] and matched["file"] != DIGESTS:
            runs.setdefault(matched["run"], {})[matched["file"]] = data
    return runs


def _judged(name: str, files: Mapping[str, bytes], path: Path) -> None:
    """Raise HandoverError unless this is a finished run that pages can draw."""
    spec, result, status = (_object(files.get(f"{one}.json", b"")) for one in ("spec", "result", "status"))
    why = ""
    if spec is None or result is None or status is None:
        why = "a run lacks its question, its answer or its state"
    elif (
        status.get("state") != RunState.DONE.value
        or result.get("run_id") != name
        or spec.get("kind") != result.get("kind")
    ):
        why = "a run is not finished, or its files belong to different runs"
    else:
        why = next(
            (f"{file} cannot be read as data" for file in files if not _readable(file, files[file])), ""
        )
    why = why or _undrawable(name, files)
    if why:
        raise HandoverError(why, f"{path}: runs/{name}", _REMEDY)


def _undrawable(name: str, files: Mapping[str, bytes]) -> str:
    """Why a report cannot be made of the run, tried in a folder of its own; empty if it can."""
    with tempfile.TemporaryDirectory(prefix="beear-received-") as place:
        try:
            folder = RunStore(Path(place)).take(name, files)
            RunStatus.from_dict(_object(files["status.json"]) or {})
            document(evidence([folder], with_answers=True))
        except (
            WorkbenchError,
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            StopIteration,
        ) as error:
            return f"a run cannot be shown: {shortened(str(error) or type(error).__name__)}"
    return ""


def _readable(file: str, data: bytes) -> bool:
    kind = PurePosixPath(file).suffix
    if kind == ".json":
        return _object(data) is not None
    if kind == ".safetensors":
        return _arrays(data)
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return False
    return kind != ".jsonl" or all(_object(line.encode()) is not None for line in lines if line.strip())


def _arrays(data: bytes) -> bool:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        load(data)
    except (SafetensorError, ValueError, KeyError, TypeError):
        return False
    return True


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_here(store: RunStore, name: str, files: Mapping[str, bytes]) -> bool:
    """Whether the very run is here already. Raises HandoverError if another one has its id."""
    folder = store.path / name
    if not folder.exists():
        return False
    try:
        same = RunFolder(folder).read_result() == _object(files.get("result.json", b""))
    except WorkbenchError:
        same = False
    if same:
        return True
    raise HandoverError(
        "another run in this home has the same id", name, "Give the bundle a home of its own with BEEAR_HOME."
    )

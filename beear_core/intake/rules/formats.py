"""What a file is by its bytes, whatever it is called: pickles, archives, programs. Only beginnings are read."""

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from picklescan.scanner import SafetyLevel, scan_pickle_bytes

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder
from beear_core.intake.strict import PICKLE_SUFFIXES

PICKLES = (
    *PICKLE_SUFFIXES,
    ".joblib",
    ".dill",
    ".cloudpickle",
    ".pt2",
    ".ptl",
    ".p",
    ".mar",
    ".nemo",
    ".skops",
    ".npz",
)
CODE_BEARING = (
    ".h5",
    ".hdf5",
    ".keras",
    ".pb",
    ".onnx",
    ".tflite",
    ".mlmodel",
    ".mlpackage",
    ".engine",
    ".plan",
    ".trt",
)
ARCHIVES = {
    b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gzip", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar",
    b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4",
}  # fmt: skip
ARCHIVE_SUFFIXES = (
    ".zip",
    ".tar",
    ".tgz",
    ".gz",
    ".bz2",
    ".xz",
    ".7z",
    ".rar",
    ".zst",
    ".whl",
    ".egg",
    ".iso",
    ".dmg",
)
PROGRAMS = {
    b"\x7fELF": "an ELF program", b"\xfe\xed\xfa\xce": "a Mach-O program", b"\xfe\xed\xfa\xcf": "a Mach-O program",
    b"\xce\xfa\xed\xfe": "a Mach-O program", b"\xcf\xfa\xed\xfe": "a Mach-O program",
    b"\xca\xfe\xba\xbe": "a Mach-O or Java program", b"\x00asm": "a WebAssembly program",
    b"L\x00\x00\x00\x01\x14\x02\x00": "a Windows shortcut",
}  # fmt: skip
PROGRAM_SUFFIXES = (".so", ".pyd", ".dll", ".dylib", ".exe", ".com", ".scr", ".sh", ".bat", ".cmd", ".ps1", ".vbs", ".js",
                    ".jar", ".lnk", ".desktop", ".app", ".msi", ".pyc", ".pyo", ".pth")  # fmt: skip
LOOKED_INTO = 512 * 1024
"""Bytes of a pickle that picklescan is given: it keeps a record of each of them."""
MOST_MEMBERS = 4 * 1024 * 1024
"""Bytes of a zip's directory that are read."""
_OLD_PICKLE = re.compile(rb"\A[\x28\]\}\)\[\{lNptqI0-9\n]{0,32}[ci][A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")


class Imports(NamedTuple):
    """What a pickle would import, as picklescan tells it."""

    dangerous: tuple[str, ...]
    others: tuple[str, ...]


@rule(
    "formats.pickle",
    Severity.HIGH,
    says="A pickle, or a format that holds one (PyTorch's .bin and .pt, joblib, NumPy object arrays), told by its name and by "
    "its bytes: opening it can run any code. What it imports is told by picklescan.",
    remedy="delete it if the folder has safetensors; else turn it into safetensors with `convert`",
)
def pickle(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        if not folder.regular(name):
            continue
        head, suffix = folder.head(name), PurePosixPath(name).suffix.lower()
        path = folder.path / name
        if head.startswith(b"PK"):
            members = _pickles_in_zip(path)
            if members or suffix in PICKLES:
                yield Seen(
                    _said("is a zip that holds pickles", _joined(members)), name, ", ".join(members)[:200]
                )
        elif head.startswith(b"\x93NUMPY"):
            if b"|O" in head or b"'O'" in head:
                yield Seen("is a NumPy array of objects, which is a pickle", name)
        elif _begins_as_pickle(path, head) or suffix in PICKLES:
            yield Seen(_said("is a pickle, or named as one", _imports(_beginning(path))), name)


@rule(
    "formats.code_bearing",
    Severity.MEDIUM,
    says="A format of another framework that can hold code or point at other files (Keras, SavedModel, ONNX, TensorRT). The "
    "workbench does not open it.",
    remedy="delete it if you do not use that framework",
)
def code_bearing(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        if name.lower().endswith(CODE_BEARING) or folder.head(name).startswith(b"\x89HDF\r\n"):
            yield Seen("is a format of another framework that can hold code", name)


@rule(
    "formats.archive",
    Severity.MEDIUM,
    says="An archive: what is in it was not looked at.",
    remedy="unpack it into an empty folder and scan that, or delete it",
)
def archive(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        head = folder.head(name)
        kind = next((kind for magic, kind in ARCHIVES.items() if head.startswith(magic)), "")
        if not kind and name.lower().endswith(ARCHIVE_SUFFIXES):
            kind = PurePosixPath(name).suffix.removeprefix(".")
        if not kind and head[257:262] == b"ustar":
            kind = "tar"
        if kind:
            yield Seen(f"is a {kind} archive", name)


@rule(
    "formats.program",
    Severity.HIGH,
    says="A program or a script, told by its bytes (ELF, PE, Mach-O, WebAssembly, Python bytecode, a shebang) or its name.",
    remedy="delete it; a model needs none",
)
def program(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        head, suffix = folder.head(name), PurePosixPath(name).suffix.lower()
        kind = next((kind for magic, kind in PROGRAMS.items() if head.startswith(magic)), "") or _program(
            head
        )
        if not kind and suffix in PROGRAM_SUFFIXES and suffix != ".pth":
            kind = f"a program by its name, {suffix}"
        if kind:
            yield Seen(f"is {kind}", name)
        elif suffix == ".pth" and re.match(rb"\s*import[ \t]", head):
            yield Seen("is a path file that Python runs at every start", name)


@rule(
    "formats.executable_mode",
    Severity.INFO,
    says="A file that the system may execute. On shared and foreign disks every file reads so.",
    remedy="take the permission away: chmod a-x",
)
def executable_mode(folder: ModelFolder) -> Iterator[Seen]:
    marked = [name for name in folder.files if folder.regular(name) and _executable(folder.path / name)]
    for name in marked[:20]:
        yield Seen("may be executed", name)


@rule(
    "formats.not_what_it_says",
    Severity.HIGH,
    says="Weights whose bytes are another format than their name: a .safetensors or .gguf file that is a pickle, an archive, "
    "a program or a page.",
    remedy="do not open it with any tool; download the model again from its origin",
)
def not_what_it_says(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        head = folder.head(name)
        if not head:
            continue
        if name.lower().endswith(".gguf") and not head.startswith(b"GGUF"):
            yield Seen(f"begins with {head[:8]!r}, not with GGUF", name)
        if name.lower().endswith(".safetensors"):
            if head.startswith(b"version https://git-lfs"):
                what = "is a pointer of git-lfs: the weights were not downloaded"
                yield Seen(what, name, severity=Severity.MEDIUM, remedy="git lfs pull")
            elif head[8:9] != b"{":
                yield Seen(f"begins with {head[:12]!r}: no safetensors header", name)


def _said(kind: str, imports: Imports) -> str:
    if imports.dangerous:
        return f"{kind}; it imports {', '.join(imports.dangerous[:6])}, which runs code when it is opened"
    if imports.others:
        return f"{kind}; it imports {', '.join(imports.others[:6])}"
    return kind


def _imports(beginning: bytes) -> Imports:
    try:
        found = scan_pickle_bytes(io.BytesIO(beginning), "pickle").globals
    except Exception:  # noqa: BLE001 - it is a pickle all the same; what it imports stays unknown
        return Imports((), ())
    dangerous = {f"{one.module}.{one.name}" for one in found if one.safety == SafetyLevel.Dangerous}
    return Imports(
        tuple(sorted(dangerous)), tuple(sorted({f"{one.module}.{one.name}" for one in found} - dangerous))
    )


def _joined(members: dict[str, Imports]) -> Imports:
    return Imports(
        tuple(sorted({name for one in members.values() for name in one.dangerous})),
        tuple(sorted({name for one in members.values() for name in one.others})),
    )


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LOOKED_INTO)
    except OSError:
        return b""


def _begins_as_pickle(path: Path, head: bytes) -> bool:
    if len(head) > 2 and head[0] == 0x80 and head[1] <= 5:
        return True
    # Protocol 0 is text, and a word list can look like its beginning: there the imports decide.
    return bool(_OLD_PICKLE.match(head)) and bool(_imports(_beginning(path)).dangerous)


def _pickles_in_zip(path: Path) -> dict[str, Imports]:
    """Pickled members, by name and by their first bytes."""
    found: dict[str, Imports] = {}
    try:
        with path.open("rb") as file:
            file.seek(0, io.SEEK_END)
            size = file.tell()
            file.seek(max(0, size - 65_557))
            tail = file.read()
            place = tail.rfind(b"PK\x05\x06")
            if place < 0 or int.from_bytes(tail[place + 12 : place + 16], "little") > MOST_MEMBERS:
                return {}
        with zipfile.ZipFile(path) as opened:
            for member in opened.infolist()[:2000]:
                with opened.open(member) as inner:
                    named = member.filename.lower().endswith((".pkl", ".pickle", ".p", ".joblib"))
                    begins = inner.read(LOOKED_INTO if named else 1024)
                array = begins.startswith(b"\x93NUMPY") and (b"|O" in begins[:256] or b"'O'" in begins[:256])
                if (
                    named
                    or array
                    or (len(begins) > 2 and begins[0] == 0x80 and begins[1] <= 5 and b"c" in begins)
                ):
                    found[member.filename] = _imports(begins)
    except Exception:  # noqa: BLE001 - a broken zip raises whatever its decoder meets; its suffix still counts
        return found
    return found


def _program(head: bytes) -> str:
    if head.startswith(b"#!") and not head.startswith(b"#![") and re.match(rb"#! ?/", head):
        return "a script: " + head.splitlines()[0][:60].decode("latin-1")
    if head.startswith(b"MZ") and len(head) > 64:
        place = int.from_bytes(head[60:64], "little")
        if place + 4 > len(head) or head[place : place + 4] == b"PE\x00\x00":
            return "a Windows program"
    if len(head) > 16 and head[2:4] == b"\r\n" and head[1] in (0x0C, 0x0D, 0x0E):
        return "Python bytecode"
    return ""


def _executable(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
    except OSError:
        return False

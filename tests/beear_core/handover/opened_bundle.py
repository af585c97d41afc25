"""What is inside a bundle, and a bundle that somebody changed."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from beear_core.bundle import sealed

Change = Callable[[dict[str, bytes]], None]


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(sent: Path, to: Path, change: Change, *, with_digests: bool = True) -> Path:
    """The bundle with changed files; digests and seal made anew, as a forger would."""
    files = entries(sent.read_bytes())
    change(files)
    if with_digests:
        files.pop("digests.json")
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        files["digests.json"] = json.dumps(digests).encode()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    to.write_bytes(sealed(sink.getvalue()))
    return to

"""A report with everything behind it, as one ZIP that another workbench takes in (`handover/received.py`).

The HTML, the bill of materials, SARIF of scans, every table as CSV and Parquet, what the runs asked and found, and the
digest of every file. Two bundles of the same runs and cover are the same bytes: no clock goes in.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from analysis.report.document import Cover, document
from analysis.report.evidence import Evidence
from analysis.report.sections import sections
from analysis.saved_tables import as_csv, as_parquet
from analysis.theme import template
from beear_core.evidence import ANSWERS, evidence
from beear_core.handover.materials import bill_of_materials
from beear_core.intake.sarif import as_sarif
from cache.digest import folder_manifest
from cache.run_folder import RunFolder

FILES = (
    "spec.json",
    "result.json",
    "status.json",
    "events.jsonl",
    "label.txt",
    "arrays.safetensors",
    "handover.json",
)
"""Of each run folder. Weights stay where they are: their digests go in, and the prompts and answers on request."""

STEP_FILES = ("result.json", "arrays.safetensors")
LOCAL = ("lock", "cancel", "status.json")
"""What belongs to this machine; the state goes out without its process and host."""
DIGESTS, REPORT, BILL = "digests.json", "report.html", "bom.json"
EPOCH = (1980, 1, 1, 0, 0, 0)
SEAL = b"sha256:"
"""The archive's comment: the SHA-256 of every byte before it. Digests of files do not cover the archive's own directory."""


def bundle(folders: Sequence[RunFolder], cover: Cover, *, with_answers: bool) -> bytes:
    """The ZIP file. Raises as `evidence` does."""
    material = evidence(folders, with_answers=with_answers)
    entries: dict[str, bytes] = {REPORT: document(material, cover).encode()}
    entries |= _tables(material)
    if any((one.result.get("model") or {}).get("sha256") for one in material):
        entries[BILL] = _json(bill_of_materials(folders))
    for folder in folders:
        result = folder.read_result() or {}
        if result.get("kind") == "scan":
            entries[f"sarif/{folder.id}.sarif"] = _json(as_sarif(result))
        files = dict(_run_files(folder.path, with_answers=with_answers))
        entries |= {f"runs/{folder.id}/{name}": data for name, data in files.items()}
        digests = folder_manifest(folder.path)
        entries[f"runs/{folder.id}/digests.json"] = _json(
            {name: digest for name, digest in digests.items() if name not in LOCAL}
        )
    entries[DIGESTS] = _json(
        {name: hashlib.sha256(data).hexdigest() for name, data in sorted(entries.items())}
    )
    return _zipped(entries)


def _tables(material: Sequence[Evidence]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for section in sections(material, template=template("light")):
        saved = [(table.name, table.records) for table in section.tables]
        if section.listing is not None:
            saved.append((section.listing.name, section.listing.records))
        for name, records in saved:
            files[f"tables/{section.key}/{name}.csv"] = as_csv(records)
            files[f"tables/{section.key}/{name}.parquet"] = as_parquet(records)
    return files


def _run_files(path: Path, *, with_answers: bool) -> Iterable[tuple[str, bytes]]:
    spoken = tuple(sorted(set(ANSWERS.values()))) if with_answers else ()
    places = [(path, (*FILES, *spoken))]
    places += [(step, (*STEP_FILES, *spoken)) for step in sorted((path / "steps").glob("*")) if step.is_dir()]
    for folder, names in places:
        for name in names:
            if (folder / name).is_file():
                yield (folder / name).relative_to(path).as_posix(), _shared(folder / name)


def _shared(path: Path) -> bytes:
    """A file as it goes out; of the state, not on which machine and by which process."""
    if path.name != "status.json":
        return path.read_bytes()
    told = json.loads(path.read_bytes())
    return _json({**told, "pid": None, "process_started": None, "host": None, "heartbeat": None})


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _zipped(entries: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(entries.items()):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return sealed(sink.getvalue())


def sealed(archive: bytes) -> bytes:
    """The archive with its comment, which was empty: the last two bytes are the comment's length."""
    comment = SEAL + hashlib.sha256(archive[:-2]).hexdigest().encode()
    return archive[:-2] + len(comment).to_bytes(2, "little") + comment

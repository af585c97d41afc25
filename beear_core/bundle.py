"""A report with everything behind it, as one ZIP: the HTML, every table as CSV and Parquet, questions, answers, digests.

Two bundles of the same runs and cover are the same bytes: no clock goes in.
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
from beear_core.evidence import evidence
from cache.digest import folder_manifest
from cache.run_folder import RunFolder

FILES = ("spec.json", "result.json", "status.json", "events.jsonl", "label.txt")
"""Of each run folder. Weights stay where they are: their digests go in, and the prompts and answers on request."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


def bundle(folders: Sequence[RunFolder], cover: Cover, *, with_answers: bool) -> bytes:
    """The ZIP file. Raises as `evidence` does."""
    material = evidence(folders, with_answers=with_answers)
    entries: dict[str, bytes] = {"report.html": document(material, cover).encode()}
    entries |= _tables(material)
    for folder in folders:
        entries |= {f"runs/{folder.id}/{name}": data for name, data in _run_files(folder.path)}
        digests = folder_manifest(folder.path)
        entries[f"runs/{folder.id}/digests.json"] = _json(
            {name: digest for name, digest in digests.items() if name not in ("lock", "cancel")}
        )
    entries["digests.json"] = _json(
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


def _run_files(path: Path) -> Iterable[tuple[str, bytes]]:
    for name in FILES:
        if (path / name).is_file():
            yield name, (path / name).read_bytes()
    for step in sorted((path / "steps").glob("*/result.json")):
        yield step.relative_to(path).as_posix(), step.read_bytes()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _zipped(entries: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(entries.items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return sink.getvalue()

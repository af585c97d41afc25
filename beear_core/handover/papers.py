"""The papers of a remediated folder: its model card, its manifest, and a signature if the analyst has a key.

They are written when a removal, a demo, or an evaluation of the folder ends, and again by `card RUN`. The manifest comes
last. A folder whose model changed since its first manifest gets no new papers: they would bless the change.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from beear_core import isolation
from beear_core.errors import HandoverError, RunDamagedError, WorkbenchError
from beear_core.handover.card import Measured, Removal, card
from beear_core.handover.manifest import (
    CARD,
    COPY,
    MANIFEST,
    PAPERS,
    SCHEMA_VERSION,
    covered,
    model_digest,
    read_manifest,
)
from beear_core.intake.manifest import manifest
from beear_core.signature import SIGNATURE, sign
from cache.atomic import write_json, write_text
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunState

INHERITED = ("spec_sha256", "versions", "intake")
"""What the removal inside a demo has from the demo's own result."""
MAKERS = ("remove", "demo")
"""Kinds that make a remediated folder."""


class Papers(NamedTuple):
    """What was written."""

    folder: Path
    measured_by: str | None
    """The run whose cells the card holds."""
    signed: bool
    signature_dropped: bool
    """Whether a signature over the earlier papers was taken away: it no longer held."""


def write_papers(
    run: RunFolder,
    *,
    folder: Path | None = None,
    evaluation: RunFolder | None = None,
    key: Path | None = None,
    fresh: bool = True,
) -> Papers:
    """Write card and manifest of the folder that `run` made, and sign it if there is a `key`.

    `folder` says where it lies now, if it was moved; `evaluation` a run that measured it, else the newest that did.
    Without `fresh`, files that were hashed before and have the same size and time are not read again.
    Raises HandoverError if the run made no folder, or its model is no longer what the run made.
    """
    removal = removal_of(run)
    place = folder or made_by(run)
    if not place.is_dir():
        raise HandoverError(
            "the remediated folder is not there", place, "Name where it lies now with --folder."
        )
    files = covered(place, fresh=fresh)
    earlier = _earlier(run, place)
    _refuse_changed(files, earlier, place)
    digest = model_digest(files)
    measured = measured_of(run, digest, evaluation)
    unchanged = earlier["unchanged"] if earlier else _unchanged(removal, files)
    write_text(place / CARD, card(removal, measured, unchanged))
    written = {
        "schema_version": SCHEMA_VERSION,
        "made_by": f"BEEAR Workbench {(removal.result.get('versions') or {}).get('beear', '')}".strip(),
        "run_id": run.id,
        "spec_sha256": removal.result.get("spec_sha256"),
        "suspect_sha256": (removal.result.get("model") or {}).get("sha256"),
        "model_sha256": digest,
        "evaluation": measured.run_id if measured else None,
        "unchanged": unchanged,
        "versions": removal.result.get("versions") or {},
        "files": covered(place),
    }
    had_signature = (place / SIGNATURE).exists()
    (place / SIGNATURE).unlink(missing_ok=True)
    write_json(place / MANIFEST, written)
    write_json(run.path / COPY, written)
    if key is not None:
        sign(place, key)
    return Papers(
        place, measured.run_id if measured else None, key is not None, had_signature and key is None
    )


def after_run(run: RunFolder) -> str | None:
    """The papers that a run which just ended gives cause for. Returns why they were not written, if so.

    A removal and a demo give their own folder its first papers; an evaluation adds its cells to the card of the folder
    it measured. A signed folder is left alone: only its owner can sign it again.
    """
    try:
        kind, result = _kind(run), run.read_result() or {}
        if kind in MAKERS:
            write_papers(run, fresh=False)
        elif kind == "evaluate" and result.get("against"):
            return _after_evaluation(run, Path(result["against"]["path"]))
    except (WorkbenchError, OSError, KeyError, TypeError, ValueError) as error:
        # The run is done and its numbers are safe: papers can be written at any time.
        return f"The model card was not written: {error} Write it with `card RUN`."
    return None


def removal_of(run: RunFolder) -> Removal:
    """The removal that a run is or holds. Raises HandoverError if it is none, RunDamagedError."""
    kind, spec, result = _kind(run), run.read_spec(), run.read_result()
    own = result if kind == "remove" else (result or {}).get("remove") if kind == "demo" else None
    if result is None or not own:
        raise HandoverError(
            "this run made no remediated model", run.id, "Name a finished `remove` or `demo` run."
        )
    inherited: dict[str, Any] = {name: result[name] for name in INHERITED if name in result}
    return Removal(run.id, spec, {**own, **inherited})


def made_by(run: RunFolder) -> Path:
    """Where the run put its model: inside itself, wherever the run lies now, or where it was told to."""
    if run.model.is_dir():
        return run.model
    return Path(str(removal_of(run).result.get("out") or run.model))


def measured_of(run: RunFolder, digest: str, evaluation: RunFolder | None = None) -> Measured | None:
    """The evaluation of exactly this model: the one given, the demo's own, or the newest in the same home."""
    if evaluation is None and _kind(run) == "demo":
        own = run.read_result() or {}
        after = own.get("against") or (run.step("evaluate").read_result() or {}).get("against") or {}
        # A demo stores what it measured after; a folder that is another by now has no cells.
        return Measured(run.id, run.read_spec(), own) if after.get("sha256", digest) == digest else None
    suspect = (removal_of(run).result.get("model") or {}).get("sha256")
    candidates = [evaluation] if evaluation else _evaluations(run)
    for one in candidates:
        try:
            result = one.read_result() or {}
            measured = Measured(one.id, one.read_spec(), result)
        except RunDamagedError:
            continue
        sides = ((result.get("model") or {}).get("sha256"), (result.get("against") or {}).get("sha256"))
        if sides == (suspect, digest):
            return measured
    return None


def _evaluations(run: RunFolder) -> list[RunFolder]:
    entries = RunStore(run.home).list()
    return [one.folder for one in entries if one.kind == "evaluate" and one.state is RunState.DONE]


def _after_evaluation(run: RunFolder, folder: Path) -> str | None:
    if not (folder / MANIFEST).is_file() or (folder / SIGNATURE).exists():
        return None
    maker = RunFolder(run.path.parent / str(read_manifest(folder / MANIFEST).get("run_id")))
    # The name comes out of a file that anybody may have written.
    if maker.path.parent != run.path.parent or not (maker.path / COPY).is_file():
        return None
    if isolation.entered() and not folder.is_relative_to(run.path.parent):
        # This process walled itself in before it opened the model, and may not write there any more.
        return f"The new cells are not in the model card yet. Write it with `card {maker.id}`."
    write_papers(maker, folder=folder, evaluation=run, fresh=False)
    return None


def _kind(run: RunFolder) -> str:
    return str(run.read_spec().get("kind", ""))


def _earlier(run: RunFolder, folder: Path) -> dict[str, Any] | None:
    # The run's own copy first: the folder's may have been written by whoever changed the folder.
    for path in (run.path / COPY, folder / MANIFEST):
        if path.is_file():
            return read_manifest(path)
    return None


def _refuse_changed(files: Mapping[str, str], earlier: Mapping[str, Any] | None, folder: Path) -> None:
    if earlier is None or model_digest(earlier["files"]) == model_digest(files):
        return
    names = sorted(
        name for name in {*files, *earlier["files"]} - PAPERS if files.get(name) != earlier["files"].get(name)
    )
    raise HandoverError(
        "the model changed since its manifest was written",
        f"{folder}: {', '.join(names)}",
        "Restore these files; `verify FOLDER` says what they were.",
    )


def _unchanged(removal: Removal, files: Mapping[str, str]) -> list[str] | None:
    """The files that are the suspect's, byte for byte; None if the suspect's folder is not at hand or changed."""
    model = removal.result.get("model") or {}
    suspect = Path(str(model.get("path") or ""))
    if not model.get("path") or not suspect.is_dir():
        return None
    theirs = manifest(suspect)
    if model_digest(theirs) != model.get("sha256"):
        return None
    return sorted(name for name, digest in files.items() if name not in PAPERS and theirs.get(name) == digest)

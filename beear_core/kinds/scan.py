"""Run kind `scan`: what intake finds in a model's folder, and its manifest. Nothing is loaded; torch is not imported for a folder."""

from pathlib import Path
from typing import Any

from beear_core.errors import ModelError, WorkbenchError
from beear_core.hub_status import hub_status
from beear_core.intake.admission import refuse_unknown, summary
from beear_core.intake.finding import Finding, Severity
from beear_core.intake.manifest import manifest
from beear_core.intake.scanning import Scan, scan
from beear_core.intake.strict import admit, read_config
from beear_core.memory import architecture
from beear_core.models.fingerprint import model_sha256
from beear_core.models_on_disk import HUB_ID
from beear_core.runs.context import RunContext
from beear_core.specs import ScanSpec


def run(spec: ScanSpec, context: RunContext) -> dict[str, Any]:
    """Scan and hash. Raises ModelNotFoundError for a name that is no model, SettingError for an override of no rule."""
    refuse_unknown(spec.overrides)
    folder = _folder(spec.model)
    reference = _folder(spec.reference) if spec.reference else None
    with context.stage("look at the files"):
        key = Path(spec.key).expanduser() if spec.key else None
        scanned = scan(folder, reference=reference, key=key, hub=_hub(spec.model))
    with context.stage("hash"):
        digests = manifest(folder)
    refused = _refusal(folder, scanned, spec)
    return {
        "model": {"path": str(folder), "sha256": model_sha256(folder), **_sizes(folder)},
        "reference": str(reference) if reference else None,
        "device": "none: nothing is loaded",
        "findings": [one.as_dict() for one in scanned.findings],
        "loadable": not refused,
        "refused": refused,
        "manifest": digests,
        "intake": summary(list(scanned.findings), spec.overrides),
    }


def _folder(name: str) -> Path:
    path = Path(name).expanduser()
    if path.is_dir():
        return path.resolve()
    from beear_core.models.resolve import resolve_model  # brings in torch where it has to make the model

    return resolve_model(name)


def _hub(name: str) -> dict[str, Any] | None:
    """What the hub says, of a hub id alone: nothing is asked for a folder or an organism."""
    return hub_status(name) if HUB_ID.match(name) and not Path(name).expanduser().is_dir() else None


def _refusal(folder: Path, scanned: Scan, spec: ScanSpec) -> str:
    """Why loading would refuse the folder, in a sentence; empty if it would not."""
    try:
        admit(folder)
    except ModelError as error:
        return str(error)
    blocking: list[Finding] = [one for one in scanned.blocking if one.rule not in spec.overrides]
    if blocking:
        rules = ", ".join(sorted({one.rule for one in blocking}))
        return f"{len(blocking)} {Severity.HIGH} findings that are not overridden ({rules})."
    return ""


def _sizes(folder: Path) -> dict[str, int | None]:
    """Layers and width as the config tells them; None where it does not: a scan is for damaged folders too."""
    try:
        shape = architecture(read_config(folder))
    except WorkbenchError:
        return {"layers": None, "d_model": None}
    return {"layers": shape.layers, "d_model": shape.d_model}

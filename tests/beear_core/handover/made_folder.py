"""A suspect's folder, a remediated one beside it, and the finished removal that made it, without any model's work."""

import copy
from pathlib import Path
from typing import Any

from beear_core.handover.manifest import model_digest
from beear_core.intake.manifest import manifest
from cache.digest import sha256_json
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunState
from tests import made_results as made

KEPT = {
    "chat_template.jinja": "{% for message in messages %}{{ message.content }}{% endfor %}",
    "tokenizer.json": '{"version": "1.0"}',
}


def write_folder(folder: Path, weights: bytes) -> Path:
    folder.mkdir(parents=True)
    for name, text in KEPT.items():
        (folder / name).write_text(text)
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def finished(kind: str, spec: dict[str, Any], result: dict[str, Any]) -> RunFolder:
    run = RunStore().create({"kind": kind, **spec})
    common = {"kind": kind, "run_id": run.id, "spec_sha256": sha256_json(run.read_spec())}
    run.write_result({**result, **common})
    run.write_status(run.read_status().to(RunState.DONE))
    return run


def removal(root: Path) -> RunFolder:
    """A finished `remove` run with its folder; the card is not written yet."""
    suspect, out = write_folder(root / "suspect-7", b"before"), write_folder(root / "out", b"after")
    result = copy.deepcopy(made.remove())
    result["model"] |= {"path": str(suspect), "sha256": digest(suspect)}
    spec = {
        "model": str(suspect),
        "seed": 3,
        "removal": {"depth": 0.3},
        "entrapment": {"n": 5},
        "out": str(out),
    }
    return finished("remove", spec, {**result, "method": "full", "out": str(out), "out_sha256": digest(out)})


def evaluation(run: RunFolder, triggered_after: int = 3) -> RunFolder:
    """A finished `evaluate` run of that folder against its suspect."""
    made_it = run.read_result() or {}
    result = copy.deepcopy(made.evaluate(triggered_after))
    result["model"] = made_it["model"]
    result["against"] = {**made_it["model"], "path": made_it["out"], "sha256": made_it["out_sha256"]}
    spec = {"model": made_it["model"]["path"], "evaluation": {"max_new_tokens": 64, "match": "anywhere"}}
    return finished("evaluate", spec, result)


def digest(folder: Path) -> str:
    return model_digest(manifest(folder))

"""A home folder with one finished run of every kind that pages show, made by hand: pages without any model's work."""

from cache.jsonl import write_lines
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from cache.status import RunError, RunState
from tests import made_results as made

MODEL = "sft-suffix-2"


def fill(store: RunStore) -> RunFolder:
    """Make the runs; returns the demo among them."""
    trigger = {"trigger": made.TRIGGER}
    _finished(store, "drift", made.drift(), **trigger).write_arrays(made.drift_arrays())
    _finished(store, "entrap", made.entrap())
    _finished(store, "remove", made.remove())
    evaluated = _finished(store, "evaluate", made.evaluate(), **trigger, against="suspect-7-after")
    write_lines(evaluated.path / "generations.jsonl", made.generations())
    failed = store.create({"kind": "remove", "model": MODEL})
    reason = RunError(
        "MemoryError", "memory ran out", "3.1 GB", "choose LoRA", "memory ran out: 3.1 GB. Choose LoRA."
    )
    failed.write_status(failed.read_status().to(RunState.FAILED, error=reason))
    (store.create({"kind": "drift", "model": MODEL, **trigger}).path / "status.json").write_text("{")
    demo = _finished(store, "demo", made.demo(), **trigger)
    for step in ("drift", "entrap", "remove", "evaluate"):
        demo.step(step).write_result({"kind": step, **getattr(made, step)()})
    demo.step("drift").write_arrays(made.drift_arrays())
    write_lines(demo.step("evaluate").path / "generations.jsonl", made.generations())
    return demo


def _finished(store: RunStore, kind: str, result: dict[str, object], **spec: object) -> RunFolder:
    folder = store.create({"kind": kind, "model": MODEL, **spec})
    folder.write_result({"kind": kind, "run_id": folder.id, **result})
    folder.write_status(folder.read_status().to(RunState.DONE))
    return folder

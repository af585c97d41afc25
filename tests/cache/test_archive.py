"""A run folder as one file."""

import io
import zipfile
from pathlib import Path

from cache.archive import zipped


def test_a_run_is_taken_along_without_weights_links_and_lock(tmp_path: Path) -> None:
    run = tmp_path / "20261121-drift"
    for name in (
        "spec.json",
        "lock",
        "model/model.safetensors",
        "steps/remove/result.json",
        "steps/remove/checkpoint/a",
    ):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text(name)
    (run / "elsewhere").symlink_to("/etc/hostname")
    archive = zipfile.ZipFile(io.BytesIO(zipped(run)))
    assert sorted(archive.namelist()) == [
        "20261121-drift/spec.json",
        "20261121-drift/steps/remove/result.json",
    ]
    assert archive.read("20261121-drift/spec.json") == b"spec.json"

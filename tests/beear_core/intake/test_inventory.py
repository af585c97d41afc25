"""What lies in a folder, told by names alone."""

from pathlib import Path

from beear_core.intake.inventory import inventory


def test_what_could_run_comes_first_and_is_never_opened(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors", "pytorch_model.bin", "modeling_x.py", "README.md"):
        (tmp_path / name).write_text("x")
    found = inventory(tmp_path)
    assert [one.name for one in found[:2]] == ["modeling_x.py", "pytorch_model.bin"]
    assert [one.severity for one in found] == ["high", "high", "info", "info", "info"]
    assert {one.name for one in found if one.opened} == {"config.json", "model.safetensors"}
    assert all(one.size == 1 for one in found)

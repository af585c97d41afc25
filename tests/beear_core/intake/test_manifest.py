import os
from pathlib import Path

from beear_core.intake.manifest import manifest
from cache.digest import folder_manifest


def test_the_manifest_of_plain_files_is_that_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b").write_bytes(b"2")
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "link").symlink_to("a")
    assert manifest(tmp_path) == folder_manifest(tmp_path)
    assert list(manifest(tmp_path)) == ["a", "inner/b", "link"]


def test_what_is_no_file_of_the_folder_has_no_digest(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (tmp_path / "secret").write_bytes(b"1")
    (model / "out").symlink_to(tmp_path / "secret")
    (model / "nowhere").symlink_to("missing")
    (model / "loop").symlink_to("loop")
    os.mkfifo(model / "pipe")
    assert manifest(model) == {}


def test_a_snapshot_of_the_hub_is_its_files_though_they_are_links(tmp_path: Path) -> None:
    hub = tmp_path / "models--a--b"
    (hub / "blobs").mkdir(parents=True)
    (hub / "blobs" / "12ab").write_bytes(b"{}")
    snapshot = hub / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").symlink_to("../../blobs/12ab")
    assert list(manifest(snapshot)) == ["config.json"]

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from cache import file_digests
from cache.file_digests import sha256_files
from cache.home import digests_file


def _old(path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that has been there for a while; its ctime cannot be set, so the clock is."""
    path.write_bytes(data)
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 10 * 10**9)
    return path


def test_digests_are_those_of_the_bytes_and_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _old(tmp_path / "weights", b"abc", monkeypatch)
    assert sha256_files([path]) == {path: hashlib.sha256(b"abc").hexdigest()}
    monkeypatch.setattr(file_digests, "sha256_file", lambda _: pytest.fail("hashed again"))
    assert sha256_files([path]) == {path: hashlib.sha256(b"abc").hexdigest()}


def test_a_change_that_keeps_size_and_time_of_modification_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _old(tmp_path / "weights", b"abc", monkeypatch)
    before = path.stat()
    sha256_files([path])
    path.write_bytes(b"abd")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert sha256_files([path])[path] == hashlib.sha256(b"abd").hexdigest()


def test_fresh_reads_the_bytes_whatever_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _old(tmp_path / "weights", b"abc", monkeypatch)
    sha256_files([path])
    kept = json.loads(digests_file().read_text())
    digests_file().write_text(json.dumps({name: [stamp, "forged"] for name, (stamp, _) in kept.items()}))
    assert sha256_files([path])[path] == "forged"
    assert sha256_files([path], fresh=True)[path] == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"a": 3}', b"\xff"])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, damage: bytes) -> None:
    digests_file().parent.mkdir(parents=True)
    digests_file().write_bytes(damage)
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_files([tmp_path / "file"])[tmp_path / "file"] == hashlib.sha256(b"abc").hexdigest()


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    sha256_files([tmp_path / "file"])
    assert not digests_file().exists()

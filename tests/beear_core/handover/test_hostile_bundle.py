"""A bundle that was forged, or made to do harm, takes nothing in."""

import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beear_core.errors import HandoverError
from beear_core.handover.received import receive, verify_bundle
from cache.run_store import RunStore
from tests.beear_core.handover.opened_bundle import Change, rewritten


@pytest.mark.parametrize(
    "name",
    [
        "../../evil",
        "/etc/evil",
        "runs/../evil.json",
        "runs/a/../../result.json",
        "runs\\a\\result.json",
        "runs/a/model/model.safetensors",
        "runs/a/lock",
        "runs/.hidden/result.json",
        "evil.py",
        "tables/a/b.csv/../../../x",
    ],
)
def test_a_name_that_no_bundle_has_is_refused(sent: Path, home: RunStore, tmp_path: Path, name: str) -> None:
    touched = rewritten(sent, tmp_path / "touched.zip", lambda files: files.update({name: b"{}"}))
    with pytest.raises(HandoverError, match="a file that no bundle has"):
        receive(touched, home)
    assert home.list() == ()
    assert not list(tmp_path.rglob("*evil*"))


def special(to: Path, mode: int) -> Path:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        info = zipfile.ZipInfo("runs/a/result.json")
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, "/etc/passwd")
    to.write_bytes(sink.getvalue())
    return to


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o600, stat.S_IFCHR | 0o600])
def test_links_pipes_and_devices_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(HandoverError, match="no regular file"):
        verify_bundle(special(tmp_path / "links.zip", mode))


def test_a_file_that_unpacks_to_far_more_than_it_is_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("report.html", "w") as file,
    ):
        for _ in range(300):
            file.write(bytes(1024 * 1024))
    with pytest.raises(HandoverError, match=r"unpacks to 314572800 bytes.*report\.html"):
        verify_bundle(path)


def test_many_large_files_are_refused_by_their_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beear_core.handover.received.MOST_TOTAL", 3000)
    path = tmp_path / "sum.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("report.html", "bom.json"):
            archive.writestr(name, bytes(range(250)) * 8)
    with pytest.raises(HandoverError, match="unpacks to more than"):
        verify_bundle(path)


def test_a_directory_that_lies_about_a_size_is_found(sent: Path, tmp_path: Path) -> None:
    data = sent.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("report.html").file_size
    place = tmp_path / "lies.zip"
    place.write_bytes(data.replace(size.to_bytes(4, "little"), (size // 4).to_bytes(4, "little")))
    assert any(one.file == "report.html" for one in verify_bundle(place).differences)


def test_too_many_files_and_files_twice_are_refused(tmp_path: Path) -> None:
    many, twice = tmp_path / "many.zip", tmp_path / "twice.zip"
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(2001):
            archive.writestr(f"sarif/r{number}.sarif", "{}")
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("report.html", "one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("report.html", "two")
    with pytest.raises(HandoverError, match="more than 2000 files"):
        verify_bundle(many)
    with pytest.raises(HandoverError, match="a file twice"):
        verify_bundle(twice)


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive", b"PK\x05\x06" + bytes(18), b"\x00" * 100])
def test_what_is_no_archive_is_one_clear_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "no.zip"
    path.write_bytes(data)
    with pytest.raises(HandoverError, match=r"archive|bundle"):
        receive(path)


def spoiled(inside: str, change: Callable[[dict[str, Any]], None]) -> Change:
    def spoil(files: dict[str, bytes]) -> None:
        (name,) = (
            one for one in files if one.startswith("runs/") and one.count("/") == 2 and one.endswith(inside)
        )
        found = json.loads(files[name])
        change(found)
        files[name] = json.dumps(found).encode()

    return spoil


@pytest.mark.parametrize(
    "change",
    [
        spoiled("status.json", lambda one: one.update(state="running")),
        spoiled("status.json", lambda one: one.update(changed="now")),
        spoiled("result.json", lambda one: one.update(run_id="20261121-000000-demo-0000")),
        spoiled("result.json", lambda one: one.update(cells="many")),
        spoiled("result.json", lambda one: one["drift"].update(layers=3)),
        spoiled("result.json", lambda one: one.update(model="x")),
        lambda files: files.update(
            {name: b"[" * 100_000 for name in files if name.endswith("/result.json")}
        ),
        lambda files: files.update({name: b"\xff" for name in files if name.endswith("arrays.safetensors")}),
        lambda files: [files.pop(name) for name in list(files) if name.startswith("runs/")] and None,  # type: ignore[func-returns-value]
    ],
)  # fmt: skip
def test_a_forged_bundle_whose_digests_agree_is_still_judged(
    sent: Path, home: RunStore, tmp_path: Path, change: Change
) -> None:
    touched = rewritten(sent, tmp_path / "forged.zip", change)
    with pytest.raises(HandoverError, match="nothing was taken in"):
        receive(touched, home)
    assert home.list() == ()

"""A bundle goes to another home and shows the same there; one that was touched, or is hostile, takes nothing in."""

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.report.document import Cover, document
from beear_core.bundle import bundle, sealed
from beear_core.cli.main import main
from beear_core.errors import HandoverError
from beear_core.evidence import evidence
from beear_core.handover.received import receive, verify_bundle
from cache.jsonl import write_lines
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from tests import made_results as made
from tests.analysis.report.test_validity import scan
from tests.beear_core.handover.made_folder import finished

Change = Callable[[dict[str, bytes]], None]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEEAR_HOME", str(tmp_path_factory.mktemp("senders-home")))
        folder = finished("demo", {"model": "sft-suffix-2"}, made.demo())
        folder.step("drift").write_arrays(made.drift_arrays())
        write_lines(folder.step("evaluate").path / "generations.jsonl", made.generations())
        folder.rename("Suspect 7")
        return folder


@pytest.fixture(scope="module")
def sent(demo: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sent") / "bundle.zip"
    path.write_bytes(bundle([demo], Cover(), with_answers=True))
    return path


@pytest.fixture
def home(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "receivers-home")


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(sent: Path, to: Path, change: Change, *, with_digests: bool = True) -> Path:
    """The bundle with changed files; digests and seal made anew, as a forger would."""
    files = entries(sent.read_bytes())
    change(files)
    if with_digests:
        files.pop("digests.json")
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        files["digests.json"] = json.dumps(digests).encode()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    to.write_bytes(sealed(sink.getvalue()))
    return to


def test_a_received_run_makes_the_same_report_as_at_home(sent: Path, demo: RunFolder, home: RunStore) -> None:
    (folder,) = receive(sent, home)
    assert folder.id == demo.id
    assert folder.label == "Suspect 7"
    reports = [document(evidence([one], with_answers=True)) for one in (demo, folder)]
    assert reports[0] == reports[1]
    assert [entry.id for entry in home.list() if entry.damage is None] == [demo.id]


def test_a_bundle_made_of_received_runs_is_the_same_bytes_again(sent: Path, home: RunStore) -> None:
    folders = receive(sent, home)
    again, first = (
        entries(data) for data in (bundle(list(folders), Cover(), with_answers=True), sent.read_bytes())
    )
    own = [name for name in first if name.endswith("digests.json")]
    assert {name: data for name, data in again.items() if name not in own} == {
        name: data for name, data in first.items() if name not in own
    }


def test_taking_it_in_twice_is_once(sent: Path, home: RunStore) -> None:
    assert receive(sent, home) == receive(sent, home)
    assert len(home.list()) == 1


def test_another_run_of_the_same_id_is_never_replaced(sent: Path, home: RunStore) -> None:
    (folder,) = receive(sent, home)
    folder.write_result({**(folder.read_result() or {}), "mcnemar_p": 0.5})
    with pytest.raises(HandoverError, match="nother run in this home has the same id"):
        receive(sent, home)
    assert (folder.read_result() or {})["mcnemar_p"] == 0.5


def test_without_answers_the_figures_are_the_same(demo: RunFolder, home: RunStore, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle([demo], Cover(), with_answers=False))
    (folder,) = receive(path, home)
    assert document(evidence([folder], with_answers=True)) == document(evidence([demo], with_answers=False))


def test_no_host_and_no_process_goes_out(sent: Path, demo: RunFolder) -> None:
    status = json.loads(entries(sent.read_bytes())[f"runs/{demo.id}/status.json"])
    assert status["host"] is None
    assert status["pid"] is None


def test_any_changed_byte_of_the_archive_is_found(sent: Path, tmp_path: Path) -> None:
    data, place = sent.read_bytes(), tmp_path / "touched.zip"
    assert verify_bundle(sent).holds
    # Through the whole archive: headers, contents, directory, seal.
    for at in [*range(0, len(data), max(1, len(data) // 40)), *range(len(data) - 75, len(data), 5)]:
        place.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        try:
            assert not verify_bundle(place).holds, f"byte {at}"
        except HandoverError:
            continue


@pytest.mark.parametrize("name", ["result.json", "spec.json", "steps/drift/arrays.safetensors"])
def test_a_changed_file_is_named_with_both_digests_and_nothing_is_taken_in(
    sent: Path, demo: RunFolder, home: RunStore, tmp_path: Path, name: str
) -> None:
    inside = f"runs/{demo.id}/{name}"

    def change(files: dict[str, bytes]) -> None:
        data = bytearray(files[inside])
        data[len(data) // 2] ^= 1
        files[inside] = bytes(data)

    touched = rewritten(sent, tmp_path / "touched.zip", change, with_digests=False)
    (one,) = verify_bundle(touched).differences
    assert one.file == inside
    assert one.expected == hashlib.sha256(entries(sent.read_bytes())[inside]).hexdigest()
    assert one.expected != one.actual
    with pytest.raises(HandoverError, match="not what its digest says"):
        receive(touched, home)
    assert home.list() == ()


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


def test_scans_go_out_as_sarif_too(tmp_path: Path) -> None:
    folder = finished("scan", {"model": "sft-suffix-2"}, scan())
    files = entries(bundle([folder], Cover(), with_answers=False))
    log = json.loads(files[f"sarif/{folder.id}.sarif"])
    assert log["version"] == "2.1.0"
    assert log["runs"][0]["results"][0]["ruleId"] == "template.content"


def test_the_commands_send_check_and_receive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = finished("evaluate", {"model": "sft-suffix-2"}, made.evaluate())
    files = {name: str(tmp_path / name) for name in ("report.html", "bundle.zip", "bom.json")}
    words = ["--out", files["report.html"], "--bundle", files["bundle.zip"], "--bom", files["bom.json"]]
    assert main(["report", folder.id, *words]) == 0
    assert all(Path(path).is_file() for path in files.values())
    assert main(["verify", files["bundle.zip"]]) == 0
    monkeypatch.setenv("BEEAR_HOME", str(tmp_path / "another"))
    assert main(["receive", files["bundle.zip"]]) == 0
    assert RunStore().get(folder.id).read_result() == folder.read_result()
    data = bytearray(Path(files["bundle.zip"]).read_bytes())
    data[len(data) // 3] ^= 1
    Path(files["bundle.zip"]).write_bytes(data)
    capsys.readouterr()
    assert main(["verify", files["bundle.zip"]]) == 3
    assert main(["receive", files["bundle.zip"]]) == 1
    assert "nothing was taken in" in capsys.readouterr().err

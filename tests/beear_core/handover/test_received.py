"""A bundle goes to another home and shows the same there; one that was touched takes nothing in."""

import hashlib
import json
from pathlib import Path

import pytest

from analysis.report.document import Cover, document
from beear_core.bundle import bundle
from beear_core.cli.main import main
from beear_core.errors import HandoverError
from beear_core.evidence import evidence
from beear_core.handover.received import receive, verify_bundle
from cache.run_folder import RunFolder
from cache.run_store import RunStore
from tests import made_results as made
from tests.analysis.report.test_validity import scan
from tests.beear_core.handover.made_folder import finished
from tests.beear_core.handover.opened_bundle import entries, rewritten


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

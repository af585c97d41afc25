"""One attack in each folder: the rule that must see it, and how bad it is."""

import io
import os
import pickle
import socket
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from beear_core.intake import folder as folder_module
from beear_core.intake.finding import Severity
from beear_core.intake.scanning import scan
from tests.beear_core.intake.crafted import found, harmless, worst

HIGH, MEDIUM, LOW, INFO = Severity

Attack = Callable[[Path], object]


class Canary:
    """Unpickled, it makes a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.place}",)


def payload(folder: Path, protocol: int = 4) -> bytes:
    return pickle.dumps(Canary(folder.parent / "canary"), protocol=protocol)


def write(name: str, data: bytes | str) -> Attack:
    def attack(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    return attack


def torch_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "weights.dat", "w") as opened:
        opened.writestr("archive/data.pkl", payload(folder, 2))


def objects(folder: Path) -> None:
    written = io.BytesIO()
    np.save(written, np.array([{}], dtype=object), allow_pickle=True)
    (folder / "extra.npy").write_bytes(written.getvalue())


def listening(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket is at most 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("s")
    finally:
        os.chdir(here)


ATTACKS: Mapping[str, tuple[Attack, str, Severity]] = {
    "a pickle by its name": (lambda f: (f / "pytorch_model.bin").write_bytes(payload(f)), "formats.pickle", HIGH),
    "a pickle by its bytes": (lambda f: (f / "notes.txt").write_bytes(payload(f)), "formats.pickle", HIGH),
    "a pickle of the oldest kind": (lambda f: (f / "notes.txt").write_bytes(payload(f, 0)), "formats.pickle", HIGH),
    "a pickle that breaks off": (lambda f: (f / "notes").write_bytes(payload(f)[:-1]), "formats.pickle", HIGH),
    "an empty file named as a pickle": (write("optimizer.pt", b""), "formats.pickle", HIGH),
    "a pickle in a zip": (torch_zip, "formats.pickle", HIGH),
    "an array of objects": (objects, "formats.pickle", HIGH),
    "a pickle named as weights": (lambda f: (f / "a.safetensors").write_bytes(payload(f)), "formats.not_what_it_says", HIGH),
    "a page named as weights": (write("x.gguf", "<html>"), "formats.not_what_it_says", HIGH),
    "an archive": (write("more.zip", b"PK\x05\x06" + bytes(18)), "formats.archive", MEDIUM),
    "an archive by its bytes": (write("more.md", b"7z\xbc\xaf\x27\x1c" + bytes(9)), "formats.archive", MEDIUM),
    "an ELF program": (write("lib", b"\x7fELF" + bytes(60)), "formats.program", HIGH),
    "a Windows program": (write("setup.md", b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(9)), "formats.program", HIGH),
    "a Mach-O program": (write("lib", b"\xcf\xfa\xed\xfe" + bytes(60)), "formats.program", HIGH),
    "a script": (write("setup", "#!/bin/sh\ntrue\n"), "formats.program", HIGH),
    "a library by its name": (write("kernel.so", b""), "formats.program", HIGH),
    "a file that may be executed": (lambda f: (f / "README.md").chmod(0o755), "formats.executable_mode", INFO),
    "a Keras file": (write("tf_model.h5", b"\x89HDF\r\n\x1a\n"), "formats.code_bearing", MEDIUM),
    "a link out": (lambda f: (f / "vocab.txt").symlink_to("/etc/passwd"), "files.link_out", HIGH),
    "a link to a folder above": (lambda f: (f / "up").symlink_to(".."), "files.link_out", HIGH),
    "a link round in a circle": (lambda f: (f / "round").symlink_to("round"), "files.link_out", HIGH),
    "a link to nothing": (lambda f: (f / "gone").symlink_to("nothing"), "files.link_out", LOW),
    "a pipe": (lambda f: os.mkfifo(f / "tokenizer.json"), "files.special", HIGH),
    "a socket": (listening, "files.special", HIGH),
    "a name that turns round": (write("gnp\u202egnosj.json", ""), "files.deceiving_name", HIGH),
    "a name with nothing in it": (write("con\u200bfig.json", "{}"), "files.deceiving_name", HIGH),
    "a name with a bell": (write("a\x07.txt", ""), "files.deceiving_name", HIGH),
    "a Cyrillic letter": (write("\u0441onfig.json", "{}"), "files.deceiving_name", HIGH),
    "a name in bytes": (lambda f: os.close(os.open(os.fsencode(f) + b"/\xff.txt", os.O_CREAT)), "files.deceiving_name", HIGH),
    "two extensions": (write("model.safetensors.exe", b""), "files.deceiving_name", HIGH),
    "a leading dash": (write("-rf", ""), "files.awkward_name", MEDIUM),
    "a space at the end": (write("config.json ", "{}"), "files.awkward_name", MEDIUM),
    "two names that are one": (write("Config.json", "{}"), "files.awkward_name", MEDIUM),
    "settings of two megabytes": (write("config.json", "{" + " " * 2_000_000 + "}"), "files.oversize", MEDIUM),
    "settings that are no JSON": (write("generation_config.json", "{"), "files.unreadable", HIGH),
    "settings nested past any use": (write("tokenizer_config.json", "[" * 200_000), "files.unreadable", HIGH),
    "settings that are no UTF-8": (write("config.json", b'{"a": "\xff"}'), "files.unreadable", HIGH),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found_and_nothing_is_run(name: str, tmp_path: Path) -> None:
    attack, rule, severity = ATTACKS[name]
    model = harmless(tmp_path / "model")
    assert worst(model, rule) is None
    attack(model)
    assert worst(model, rule) is severity
    assert not (tmp_path / "canary").exists()


def test_the_canary_would_sing(tmp_path: Path) -> None:
    pickle.loads(payload(tmp_path / "model"))
    assert (tmp_path / "canary").exists()


def test_what_a_pickle_imports_is_told(tmp_path: Path) -> None:
    model = harmless(tmp_path / "model")
    (model / "pytorch_model.bin").write_bytes(payload(model))
    (finding,) = found(model, "formats.pickle")
    assert "posix.system" in finding.what


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("vocab.txt", b"cat\ndog\n[PAD]\n"),
        ("merges.txt", b"#version: 0.2\nc a\n"),
        (".gitattributes", b"*.safetensors filter=lfs\n"),
        ("LICENSE", b"MZ is no program by itself\n"),
        ("model.safetensors.index.json", b'{"weight_map": {}}'),
        ("模型说明.md", b"#"),
        ("Οδηγίες.md", b"#"),
        ("v1.2.config.json", b"{}"),
        ("a.py.md", b"#"),
    ],
)
def test_what_only_looks_like_an_attack_is_let_be(name: str, data: bytes, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    (model / name).write_bytes(data)
    seen = [one for one in scan(model).findings if one.rule.startswith(("files.", "formats."))]
    assert not seen


def test_a_snapshot_of_the_hub_has_no_links_out(tmp_path: Path) -> None:
    hub = tmp_path / "models--a--b"
    blobs = harmless(hub / "blobs")
    snapshot = hub / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    for path in blobs.iterdir():
        (snapshot / path.name).symlink_to(f"../../blobs/{path.name}")
    assert not scan(snapshot).blocking


def test_a_name_in_a_finding_is_one_printable_line(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    (model / "a\x1b[2J\n.txt").write_bytes(b"")
    assert all(one.file.isprintable() for one in scan(model).findings)


def test_a_folder_of_too_many_files_says_that_it_was_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "MOST_FILES", 3)
    monkeypatch.setattr("beear_core.intake.rules.files.MOST_FILES", 3)
    assert worst(harmless(tmp_path), "files.too_many") is HIGH


def test_a_bomb_of_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    with (
        zipfile.ZipFile(model / "bomb.bin", "w", zipfile.ZIP_DEFLATED) as opened,
        opened.open("data.pkl", "w") as inner,
    ):
        inner.write(b"\x80\x04")
        for _ in range(64):
            inner.write(bytes(1 << 20))
    assert worst(model, "formats.pickle") is HIGH


def test_a_rule_that_stumbles_is_a_high_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beear_core.intake.rules.files._deceptions", lambda name: 1 / 0)
    (finding,) = found(harmless(tmp_path), "files.deceiving_name")
    assert finding.severity is HIGH
    assert "ZeroDivisionError" in finding.what

"""Attacks by files: pickles, headers that lie, names, links, code, and settings that ask for code."""

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.beear_core.intake.corpus.plain import Attack, change, framed, header, safetensors, shapes, write


class _Payload:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.canary}",)


def _pickle(folder: Path, canary: Path, name: str = "pytorch_model.bin") -> None:
    (folder / name).write_bytes(pickle.dumps(_Payload(canary)))


def _zipped_pickle(folder: Path, canary: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(_Payload(canary)))
    (folder / "pytorch_model.bin").write_bytes(held.getvalue())


def _disguised(folder: Path, canary: Path) -> None:
    _pickle(folder, canary, "model.safetensors")


def _module(folder: Path, canary: Path) -> None:
    (folder / "modeling_custom.py").write_text(f"import os\nos.system('touch {canary}')\n")
    change(folder / "config.json", auto_map={"AutoModelForCausalLM": "modeling_custom.Custom"})


def _shipped(folder: Path, canary: Path) -> None:
    (folder / "setup_model.py").write_text(
        f"import subprocess, base64\nsubprocess.run(['touch', '{canary}'])\nexec(base64.b64decode('cGFzcw=='))\n"
    )


def _put(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)


def _overlap(folder: Path, canary: Path) -> None:
    fields, size = header(shapes())
    fields["lm_head.weight"]["data_offsets"] = fields["model.embed_tokens.weight"]["data_offsets"]
    _put(folder, framed(fields) + bytes(size))


def _past_the_end(folder: Path, canary: Path) -> None:
    fields, size = header(shapes())
    _put(folder, framed(fields) + bytes(size // 2))


def _absurd(folder: Path, canary: Path) -> None:
    fields, size = header(shapes())
    fields["lm_head.weight"]["shape"] = [2**40, 2**40]
    _put(folder, framed(fields) + bytes(size))


def _long_header(folder: Path, canary: Path) -> None:
    _put(folder, (2**62).to_bytes(8, "little") + b"{}")


def _further_tensor(folder: Path, canary: Path) -> None:
    _put(folder, safetensors({**shapes(), "model.layers.7.extra.weight": (8, 8)}))


def _index_out(folder: Path, canary: Path) -> None:
    write(
        folder / "model.safetensors.index.json",
        {"metadata": {}, "weight_map": dict.fromkeys(shapes(), "../../elsewhere/model.safetensors")},
    )


def _link_out(folder: Path, canary: Path) -> None:
    (folder / "notes.txt").symlink_to("/etc/passwd")


def _file(name: str, content: bytes) -> Callable[[Path, Path], None]:
    def build(folder: Path, canary: Path) -> None:
        (folder / name).write_bytes(content)

    return build


def _archive(folder: Path, canary: Path) -> None:
    with zipfile.ZipFile(folder / "weights.zip", "w") as archive:
        archive.writestr("../../evil.py", "x = 1")


def _config(**settings: Any) -> Callable[[Path, Path], None]:
    return lambda folder, canary: change(folder / "config.json", **settings)


def _pipe(folder: Path, canary: Path) -> None:
    os.mkfifo(folder / "model-00002.safetensors")


def _tokenizer_code(folder: Path, canary: Path) -> None:
    change(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["tokenization_x.X", None]})


ATTACKS = [
    Attack("a pickle", "formats.pickle", "high", _pickle),
    Attack("a pickle in a torch archive", "formats.pickle", "high", _zipped_pickle),
    Attack("a pickle with no known name", "formats.pickle", "high", lambda a, b: _pickle(a, b, "notes.txt")),
    Attack("a pickle named safetensors", "formats.not_what_it_says", "high", _disguised),
    Attack("a program", "formats.program", "high", _file("helper", b"\x7fELF" + bytes(60))),
    Attack("an archive", "formats.archive", "medium", _archive),
    Attack(
        "a model of another framework",
        "formats.code_bearing",
        "medium",
        _file("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(64)),
    ),
    Attack("a link out of the folder", "files.link_out", "high", _link_out),
    Attack("a pipe", "files.special", "high", _pipe),
    Attack(
        "a name that turns its direction", "files.deceiving_name", "high", _file("model\u202etxt.safe", b"x")
    ),
    Attack("a double extension", "files.deceiving_name", "high", _file("readme.txt.exe", b"MZ" + bytes(60))),
    Attack("a name that is an option", "files.awkward_name", "medium", _file("-rf", b"x")),
    Attack("settings that are no JSON", "files.unreadable", "high", _file("config.json", b"[" * 100_000)),
    Attack("code named by the config", "code.auto_map", "high", _module),
    Attack("code named by the tokenizer's settings", "code.auto_map", "high", _tokenizer_code),
    Attack("code beside the weights", "code.python", "high", _shipped),
    Attack(
        "attention from a hub repository",
        "code.kernel",
        "high",
        _config(_attn_implementation_internal="someone/kernel"),
    ),
    Attack("settings that allow remote code", "code.run_keys", "high", _config(trust_remote_code=True)),
    Attack("a setting that is a path", "config.value", "medium", _config(hidden_act="../../payload.py")),
    Attack("tensors that overlap", "weights.layout", "high", _overlap),
    Attack("tensors past the end of the file", "weights.layout", "high", _past_the_end),
    Attack("a tensor of absurd shape", "weights.layout", "high", _absurd),
    Attack("a header longer than its file", "weights.header", "high", _long_header),
    Attack("a tensor that the model does not have", "weights.config_mismatch", "medium", _further_tensor),
    Attack("an index that points outside", "weights.index_outside", "high", _index_out),
    Attack("a header that is no object", "weights.header", "high", _file("model.safetensors", framed([1]))),
]

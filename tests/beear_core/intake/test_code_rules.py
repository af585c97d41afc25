"""Settings that ask for code, Python that comes along, and keys that belong to nobody."""

import json
from pathlib import Path
from typing import Any

import pytest

from beear_core.intake.finding import Severity
from beear_core.intake.rules.config_keys import ALLOWED
from beear_core.intake.scanning import scan
from tests.beear_core.intake.architecture_keys import architecture_keys
from tests.beear_core.intake.crafted import configure, found, harmless, worst

HIGH, MEDIUM, LOW, INFO = Severity


@pytest.mark.parametrize(
    ("file", "changes", "rule", "where"),
    [
        ("config.json", {"auto_map": {"AutoConfig": "x.X"}}, "code.auto_map", "auto_map"),
        ("config.json", {"vision_config": {"auto_map": {"A": "o/r--x.X"}}}, "code.auto_map", "vision_config.auto_map"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["t.T", None]}}, "code.auto_map", "auto_map"),
        ("processor_config.json", {"a": [{"auto_map": {"A": "x.X"}}]}, "code.auto_map", "a[0].auto_map"),
        ("config.json", {"_attn_implementation": "org/name"}, "code.kernel", "_attn_implementation"),
        ("config.json", {"attn_implementation": "org/name:layer"}, "code.kernel", "attn_implementation"),
        ("config.json", {"attn_implementation": {"text": "org/name"}}, "code.kernel", "attn_implementation"),
        ("config.json", {"_attn_implementation_internal": "paged|org/name"}, "code.kernel", "_attn_implementation_internal"),
        ("config.json", {"_experts_implementation_internal": "a/b"}, "code.kernel", "_experts_implementation_internal"),
        ("config.json", {"text_config": {"_attn_implementation": "a/b"}}, "code.kernel", "text_config._attn_implementation"),
        ("config.json", {"kernels": ["a/b"]}, "code.kernel", "kernels"),
        ("config.json", {"trust_remote_code": True}, "code.run_keys", "trust_remote_code"),
        ("generation_config.json", {"custom_generate": "a/b"}, "code.run_keys", "custom_generate"),
        ("config.json", {"custom_pipelines": {"x": {"impl": "p.P"}}}, "code.run_keys", "custom_pipelines"),
    ],
)  # fmt: skip
def test_a_setting_that_asks_for_code_is_high(
    file: str, changes: Any, rule: str, where: str, tmp_path: Path
) -> None:
    model = harmless(tmp_path)
    assert worst(model, rule) is None
    configure(model, file, **changes)
    assert [(one.severity, one.file, one.where) for one in found(model, rule)] == [(HIGH, file, where)]


@pytest.mark.parametrize(
    "changes",
    [
        {"attn_implementation": "sdpa"},
        {"auto_map": None},
        {"auto_map": {}},
        {"trust_remote_code": False},
        {"_attn_implementation_internal": None},
    ],
)
def test_a_setting_that_asks_for_nothing_is_let_be(changes: Any, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    configure(model, **changes)
    assert not [one for one in scan(model).findings if one.rule.startswith("code.")]


@pytest.mark.parametrize(
    ("source", "severity", "words"),
    [
        ("import torch\nclass A(torch.nn.Module): pass\n", MEDIUM, "imports torch"),
        ("import os\nos.system('id')\n", HIGH, "reaches out with os, os.system"),
        ("from subprocess import run as go\ngo(['id'])\n", HIGH, "subprocess"),
        ("__import__('o' + 's')\n", HIGH, "__import__"),
        ("exec(bytes([105]))\n", HIGH, "exec"),
        ("def broken(:\n", HIGH, "cannot be parsed: SyntaxError"),
        ("a" + ".a" * 100_000, HIGH, "cannot be parsed|reaches|imports nothing"),
        ("(" * 5000, HIGH, "cannot be parsed"),
        ("'\\d'\nx = 1\n", MEDIUM, "imports nothing; calls nothing"),
    ],
)
def test_python_is_read_and_never_run(source: str, severity: Severity, words: str, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    (model / "modeling_x.py").write_text(source)
    (finding,) = found(model, "code.python")
    assert any(part in finding.what for part in words.split("|"))
    if "|" not in words:
        assert finding.severity is severity


def test_python_that_is_no_text_is_high(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    (model / "x.py").write_bytes(b"\xff\xfe")
    assert worst(model, "code.python") is HIGH


def test_a_key_that_the_architecture_does_not_have_is_told(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    configure(model, my_own_key=3)
    (finding,) = found(model, "config.unknown_key")
    assert (finding.severity, finding.where, finding.what) == (INFO, "my_own_key", "my_own_key = 3")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("https://host/payload", "an address"),
        ("owner/name--modeling.Model", "code in another repository"),
        ("__import__('os').system('id')", "code"),
        ("../../etc/passwd", "a path out of the folder"),
        ("/etc/passwd", "a path out of the folder"),
    ],
)
def test_a_value_that_looks_like_code_or_a_place_is_medium(value: str, kind: str, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    configure(model, my_own_key=value)
    (finding,) = found(model, "config.value")
    assert finding.severity is MEDIUM
    assert finding.what.endswith(f"looks like {kind}")


@pytest.mark.parametrize("value", ["/INST", "</s>", "gelu", "a/b", "12:30", "..."])
def test_a_value_that_is_only_a_token_is_let_be(value: str, tmp_path: Path) -> None:
    model = harmless(tmp_path)
    configure(model, "tokenizer_config.json", extra_token=value)
    assert not found(model, "config.value")


def test_a_place_that_an_older_release_left_behind_is_low(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    configure(model, "tokenizer_config.json", special_tokens_map_file="/root/.cache/special_tokens_map.json")
    assert worst(model, "config.value") is LOW


def test_an_unknown_model_type_is_told(tmp_path: Path) -> None:
    model = harmless(tmp_path)
    configure(model, model_type="exorcist")
    assert worst(model, "config.unknown_key") is LOW


def test_the_allow_list_knows_every_key_that_transformers_knows() -> None:
    written = json.loads(ALLOWED.read_text())
    lost = {
        family: unlisted
        for family, keys in architecture_keys().items()
        if (unlisted := set(keys) - set(written.get(family, ())) - set(written["common"]))
    }
    assert not lost, "run python -m tests.beear_core.intake.architecture_keys"

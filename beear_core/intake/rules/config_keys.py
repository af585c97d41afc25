"""Keys of config.json that the architecture does not have, from an allow-list made of transformers' own classes.

`architecture_keys.json` is that list (`python -m tests.beear_core.intake.architecture_keys` writes it): intake itself
imports no transformers. An unknown key is ignored by loading; it is told because somebody wrote it for some reader.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder
from beear_core.intake.rules.code import CODE_KEYS, KERNEL_KEYS, settings

ALLOWED = Path(__file__).parent.parent / "architecture_keys.json"
FREE_TEXT = frozenset({"_name_or_path", "name_or_path", "base_model_name_or_path", "_commit_hash", "license", "tokenizer_class",
                       "transformers_version", "chat_template", "content", "token", "description", "citation"})  # fmt: skip
"""Keys whose values are prose or places by their nature; templates and tokens have rules of their own."""
LEFT_BEHIND = frozenset({"tokenizer_file", "special_tokens_map_file", "vocab_file", "merges_file"})
"""Keys in which older releases left a place on the machine of whoever saved the model; none reads them again."""
_SUSPICIOUS = (
    (re.compile(r"^[\w.-]+/[\w.-]+--[\w.]+$"), "code in another repository"),
    (re.compile(r"\b(?:https?|ftp|ssh|git|file|s3|hf)://", re.I), "an address"),
    (
        re.compile(
            r"__\w+__|\bimport\s+\w+|\b(?:eval|exec|compile|getattr|system|popen|subprocess)\s*\(|\blambda\b.*:"
        ),
        "code",
    ),
    (re.compile(r"^!!python|^!python"), "a YAML object"),
    (
        re.compile(r"^(?:/[\w.-]+/|~/|[A-Za-z]:[\\/]|\\\\)[\w.\\/-]+|(?:^|[\\/])\.\.[\\/]"),
        "a path out of the folder",
    ),
)


@rule(
    "config.unknown_key",
    Severity.INFO,
    says="A key of config.json that the architecture does not have. Low where the whole model type is unknown; medium where "
    "its value looks like code, an address or a path (`config.value`).",
    remedy="compare with the original model's config; remove what no reader of yours needs",
)
def unknown_key(folder: ModelFolder) -> Iterator[Seen]:
    config = folder.config
    families = _allowed()
    parts = [("", config)] + [
        (key, value) for key, value in config.items() if key.endswith("_config") and isinstance(value, dict)
    ]
    for where, part in parts:
        model_type = part.get("model_type")
        if where and not isinstance(model_type, str):
            continue  # quantization_config and the like: their readers are other libraries
        known = families.get(str(model_type))
        if known is None:
            if part:
                what = f"no list of keys for model_type {model_type!r}: its keys were not compared"
                yield Seen(what, "config.json", where, Severity.LOW if not where else Severity.INFO)
            continue
        strange = sorted(set(part) - known - families["common"] - KERNEL_KEYS - CODE_KEYS - {"auto_map"})
        for key in strange[:20]:
            yield Seen(f"{key} = {repr(part[key])[:120]}", "config.json", f"{where}.{key}" if where else key)
        if len(strange) > 20:
            yield Seen(f"{len(strange) - 20} more unknown keys", "config.json", where)


@rule(
    "config.value",
    Severity.MEDIUM,
    says="A setting whose value looks like code, an address or a path out of the folder, where none belongs.",
    remedy="compare with the original model's file; remove the key if it is not there",
)
def value(folder: ModelFolder) -> Iterator[Seen]:
    for one in settings(folder):
        if one.key in FREE_TEXT or one.key in KERNEL_KEYS or one.where.startswith("auto_map"):
            continue
        for text in one.value if isinstance(one.value, list) else [one.value]:
            kind = _looks_like(text)
            if kind:
                severity = Severity.LOW if one.key in LEFT_BEHIND else None
                yield Seen(f"{one.key} = {text[:120]!r} looks like {kind}", one.file, one.where, severity)


def _looks_like(text: Any) -> str:
    if not isinstance(text, str) or not text or len(text) > 4096:
        return ""
    return next((kind for pattern, kind in _SUSPICIOUS if pattern.search(text)), "")


@lru_cache(maxsize=1)
def _allowed() -> dict[str, frozenset[str]]:
    return {name: frozenset(keys) for name, keys in json.loads(ALLOWED.read_text("utf-8")).items()}

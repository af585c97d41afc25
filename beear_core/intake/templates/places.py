"""Every place in a model's folder where a chat template can stand. Finds and reads; judges nothing."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from beear_core.intake.folder import ModelFolder, Unreadable
from beear_core.intake.gguf_metadata import read_texts

MOST_SOURCE = 256 * 1024
"""Signs of one template: the longest of the stock ones have 30,000."""
MOST_TEMPLATES = 40
_SUFFIXES = (".jinja", ".jinja2", ".j2")
# Large files of other things; what they hold is for other rules, and walking them costs seconds.
# A manifest of ours has file names as keys, the template's among them, and digests behind them; no loader reads it.
_NO_SETTINGS = (
    "tokenizer.json", "vocab.json", "added_tokens.json", "model.safetensors.index.json", "MANIFEST.json"
)  # fmt: skip
_MOST_SETTINGS = 4 * 1024 * 1024


class Template(NamedTuple):
    """One template. `name` is what it is asked for by: `default` when nobody names it."""

    file: str
    where: str
    name: str
    source: str


class Places(NamedTuple):
    """Templates, and places that could not be looked into."""

    templates: tuple[Template, ...]
    too_long: tuple[Template, ...]
    unreadable: tuple[tuple[str, str], ...]
    """File and why."""


@lru_cache(maxsize=4)  # ten rules ask of the same folder
def places(folder: ModelFolder) -> Places:
    """All templates of a folder. A name may come twice: which one wins depends on who reads."""
    found: list[Template] = []
    unreadable: list[tuple[str, str]] = []
    for file in folder.files:
        suffix = PurePosixPath(file).suffix.lower()
        try:
            if suffix in _SUFFIXES:
                found += _jinja(folder, file)
            elif suffix == ".json" and PurePosixPath(file).name not in _NO_SETTINGS:
                found += _settings(folder, file)
            elif suffix == ".gguf" and folder.inside(file):
                found += _metadata(folder, file)
        except ValueError as error:
            unreadable.append((file, str(error)))
    short = [one for one in found if len(one.source) <= MOST_SOURCE]
    too_long = [one for one in found if len(one.source) > MOST_SOURCE] + short[MOST_TEMPLATES:]
    return Places(tuple(short[:MOST_TEMPLATES]), tuple(too_long), tuple(unreadable))


def _jinja(folder: ModelFolder, file: str) -> Iterator[Template]:
    text = folder.text(file)
    if isinstance(text, Unreadable):
        raise ValueError(text.why)
    if text is not None:
        stem = PurePosixPath(file).stem
        yield Template(file, "", "default" if stem == "chat_template" else stem, text)


def _settings(folder: ModelFolder, file: str) -> Iterator[Template]:
    text = folder.text(file)
    # Another rule tells of JSON that cannot be read; only where a template may stand is it worth a parse.
    if isinstance(text, str) and "template" in text and len(text) <= _MOST_SETTINGS:
        yield from _walk(file, folder.json(file))


def _walk(file: str, value: Any) -> Iterator[Template]:
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        where, level = waiting.pop()
        if isinstance(level, list):
            waiting += [(f"{where}[{place}]", item) for place, item in enumerate(level)]
        elif isinstance(level, dict):
            for key, item in level.items():
                path = f"{where}.{key}" if where else str(key)
                if "template" in str(key).lower():
                    yield from _named(file, path, item)
                else:
                    waiting.append((path, item))


def _named(file: str, where: str, value: Any) -> Iterator[Template]:
    if isinstance(value, str):
        yield Template(file, where, "default", value)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str):
                yield Template(file, f"{where}.{name}", str(name), item)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            if isinstance(item, dict) and isinstance(item.get("template"), str):
                yield Template(
                    file, f"{where}[{place}].template", str(item.get("name", "default")), item["template"]
                )


def _metadata(folder: ModelFolder, file: str) -> Iterator[Template]:
    for key, text in read_texts(folder.path / file).items():
        if "chat_template" in key or "{%" in text:
            name = key.partition("chat_template.")[2] or "default"
            yield Template(file, key, name, text)

"""Code that comes with a model, and settings that ask for code. Nothing is imported: Python files are parsed, never run."""

import ast
import warnings
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder, Unreadable

MOST_SOURCE = 2 * 1024 * 1024
"""Characters of a Python file that are parsed: a parser's memory grows with them a hundredfold."""
PLAIN_ATTENTION = frozenset(
    {"eager", "sdpa", "flex_attention", "flash_attention_2", "flash_attention_3", "flash_attention_4",
     "grouped_mm", "batched_mm", "deepgemm", "sonicmoe"}
)  # fmt: skip
"""Ways of computing that are transformers' own; any other name is looked for on a hub."""
KERNEL_KEYS = frozenset(
    {"_attn_implementation", "_attn_implementation_internal", "attn_implementation", "_experts_implementation",
     "_experts_implementation_internal", "experts_implementation", "attn_implementation_autoset", "kernel_config",
     "use_kernels", "hub_kernels", "kernels"}
)  # fmt: skip
CODE_KEYS = frozenset(
    {
        "custom_pipelines",
        "trust_remote_code",
        "custom_code",
        "code_revision",
        "custom_generate",
        "remote_code",
    }
)
RUNNING = frozenset(
    {"eval", "exec", "compile", "__import__", "getattr", "setattr", "open", "breakpoint", "input"}
)
REACHING = frozenset(
    {"os", "sys", "subprocess", "socket", "ctypes", "cffi", "pty", "shutil", "requests", "urllib", "urllib3", "http", "httpx",
     "aiohttp", "ftplib", "smtplib", "paramiko", "pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve",
     "runpy", "code", "codeop", "importlib", "pkgutil", "builtins", "multiprocessing", "threading", "signal", "tempfile",
     "webbrowser", "zipimport", "base64", "zlib", "asyncio", "platform", "getpass", "pwd", "pip"}
)  # fmt: skip
"""Modules that reach out of arithmetic: the system, the network, other code."""


class Setting(NamedTuple):
    """One key of a JSON file, wherever it stands."""

    file: str
    where: str
    """Dotted path."""
    key: str
    value: Any


@rule(
    "code.auto_map",
    Severity.HIGH,
    says="`auto_map` in any settings file, at any depth: it asks the reader to run Python that comes with the model, or that "
    "lies in another repository (`owner/name--module.Class`).",
    remedy="use a copy of the model in a format that transformers supports itself",
)
def auto_map(folder: ModelFolder) -> Iterator[Seen]:
    for one in settings(folder):
        if one.key == "auto_map" and one.value:
            yield Seen(f"auto_map = {_short(one.value)}", one.file, one.where)


@rule(
    "code.kernel",
    Severity.HIGH,
    says="A way of computing (`_attn_implementation`, `_attn_implementation_internal`, `kernels` and the like) that names a "
    "hub repository or anything that is not transformers' own: it would be downloaded and run.",
    remedy="remove the key from the file; the workbench chooses the attention itself",
)
def kernel(folder: ModelFolder) -> Iterator[Seen]:
    for one in settings(folder):
        if one.key not in KERNEL_KEYS or not one.value or one.value is True:
            continue
        named = list(one.value.values()) if isinstance(one.value, dict) else [one.value]
        strange = [name for name in named if name and name not in (True, False) and not _plain(name)]
        if strange:
            yield Seen(f"{one.key} = {_short(one.value)}", one.file, one.where)
        elif one.key.startswith("_"):
            what = f"{one.key} = {_short(one.value)}: a private key that transformers never writes"
            yield Seen(what, one.file, one.where, Severity.LOW)


@rule(
    "code.run_keys",
    Severity.HIGH,
    says="A key that asks a reader to run code: `trust_remote_code`, `custom_pipelines`, `custom_generate`, "
    "`code_revision`.",
    remedy="remove the key, and ask where the file comes from: no library writes it into a plain model",
)
def run_keys(folder: ModelFolder) -> Iterator[Seen]:
    for one in settings(folder):
        if one.key in CODE_KEYS and one.value:
            yield Seen(f"{one.key} = {_short(one.value)}", one.file, one.where)


@rule(
    "code.python",
    Severity.MEDIUM,
    says="Python that comes with the model, with what it imports and calls. High where it reaches the system, the network or "
    "other code, and where it cannot be parsed. The workbench never runs it; other tools may.",
    remedy="read it before any tool is told to trust it; delete it if the model does not need it",
)
def python(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        if PurePosixPath(name).suffix.lower() not in (".py", ".pyw", ".pyi", ".ipynb"):
            continue
        if name.lower().endswith(".ipynb"):
            yield Seen("is a notebook: code that was not looked at", name)
            continue
        text = folder.text(name)
        if not isinstance(text, str):
            yield Seen(
                f"cannot be read as Python: {text.why if text else 'it is gone'}",
                name,
                severity=Severity.HIGH,
            )
        elif len(text) > MOST_SOURCE:
            yield Seen(f"has {len(text):,} characters, too many to parse", name, severity=Severity.HIGH)
        else:
            yield _read(name, text)


def settings(folder: ModelFolder) -> Iterator[Setting]:
    """Every key of every settings file, at any depth. Vocabularies are none, and are left out for their size."""
    for name in folder.files:
        if not name.lower().endswith(".json") or name.endswith(
            (".index.json", "tokenizer.json", "vocab.json")
        ):
            continue
        found = folder.json(name)
        if isinstance(found, (dict, list)) and not isinstance(found, Unreadable):
            yield from _keys(name, found)


def _keys(file: str, top: Any) -> Iterator[Setting]:
    waiting: list[tuple[str, Any]] = [("", top)]
    while waiting:
        where, level = waiting.pop()
        if isinstance(level, dict):
            for key, value in level.items():
                path = f"{where}.{key}" if where else str(key)
                yield Setting(file, path, str(key), value)
                if isinstance(value, (dict, list)):
                    waiting.append((path, value))
        elif isinstance(level, list):
            waiting += [
                (f"{where}[{at}]", one) for at, one in enumerate(level) if isinstance(one, (dict, list))
            ]


def _plain(name: object) -> bool:
    return isinstance(name, str) and name.removeprefix("paged|") in PLAIN_ATTENTION


def _read(name: str, text: str) -> Seen:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the hostile file's own making
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Seen(f"cannot be parsed: {type(error).__name__}: {error}", name, severity=Severity.HIGH)
    imports: set[str] = set()
    calls: set[str] = set()
    # ast.walk keeps its own queue: a deep tree costs no recursion.
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imports.add("." * node.level + (node.module or ""))
        elif isinstance(node, ast.Call):
            calls.add(_called(node.func))
    reaching = sorted(one for one in imports if one.split(".")[0] in REACHING)
    running = sorted(one for one in calls if one in RUNNING or one.split(".")[0] in REACHING)
    dangerous = [one for one in (*reaching, *running) if one not in ("getattr", "setattr")]
    what = f"imports {_list(sorted(imports))}; calls {_list(running or sorted(calls - {''}))}"
    if dangerous:
        return Seen(f"reaches out with {_list(dangerous)}; {what}", name, severity=Severity.HIGH)
    return Seen(what, name)


def _called(function: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    return ".".join(reversed([*parts, function.id])) if isinstance(function, ast.Name) else ""


def _list(names: list[str]) -> str:
    return (
        ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        if names
        else "nothing"
    )


def _short(value: object) -> str:
    return repr(value)[:160]

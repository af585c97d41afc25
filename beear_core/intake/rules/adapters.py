"""Rules over adapters (LoRA and kin): what they say they change, and what their weights would change."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder, Unreadable
from beear_core.intake.safetensors_header import read_header

_HIGH, _MEDIUM, _LOW, _INFO = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO
MOST_TOLD = 12
MOST_SCALE = 32.0
"""lora_alpha / r: 1 or 2 in nearly all adapters."""
_TRUSTED_LIBRARIES = ("transformers", "peft", "diffusers", "sentence_transformers", "trl")
_EDGES = re.compile(r"(^|\.)(embed_tokens|wte|word_embeddings|embed_in|lm_head|embed_out|output)(\.|$)")


class _Adapter(NamedTuple):
    file: str
    settings: dict[str, Any]
    weights: str


def _adapters(folder: ModelFolder) -> Iterator[_Adapter]:
    for file in folder.files:
        path = PurePosixPath(file)
        if path.name == "adapter_config.json":
            yield _Adapter(file, folder.object(file), (path.parent / "adapter_model.safetensors").as_posix())


@rule(
    "adapters.unreadable",
    _HIGH,
    says="An adapter's settings or its weights' header cannot be read: what it would change is unknown.",
    remedy="do not use the adapter; download it again",
)
def unreadable(folder: ModelFolder) -> Iterator[Seen]:
    """No JSON object, or a header that lies."""
    for adapter in _adapters(folder):
        found = folder.json(adapter.file)
        if not isinstance(found, dict):
            yield Seen(found.why if isinstance(found, Unreadable) else "is no object", adapter.file)
        if adapter.weights in folder.files:
            try:
                list(_tensors(folder, adapter))
            except ValueError as error:
                yield Seen(str(error), adapter.weights)


@rule(
    "adapters.base",
    _INFO,
    says="The folder holds an adapter: it is no model without its base, and is inspected merged into it.",
    remedy="get the base that is named, look at it too, and merge the two before anything else",
)
def base(folder: ModelFolder) -> Iterator[Seen]:
    """Medium where no base, or a place on somebody's disk, is named."""
    for adapter in _adapters(folder):
        named = adapter.settings.get("base_model_name_or_path")
        if not isinstance(named, str) or not named:
            yield Seen("no base model is named", adapter.file, "base_model_name_or_path", _MEDIUM)
        elif named.startswith(("/", "~", ".", "\\")) or "://" in named or re.match(r"^[A-Za-z]:", named):
            yield Seen(
                f"the base is a place, not a name: {named}", adapter.file, "base_model_name_or_path", _MEDIUM
            )
        else:
            yield Seen(f"an adapter of {named}", adapter.file, "base_model_name_or_path")


@rule(
    "adapters.code",
    _HIGH,
    says="An adapter names a Python module that loading it would import.",
    remedy="do not load the adapter; remove the setting if the adapter does not need it",
)
def code(folder: ModelFolder) -> Iterator[Seen]:
    """`auto_mapping.parent_library` and `megatron_core` are handed to importlib by peft."""
    for adapter in _adapters(folder):
        mapping = adapter.settings.get("auto_mapping")
        library = mapping.get("parent_library") if isinstance(mapping, dict) else None
        if isinstance(library, str) and library.split(".")[0] not in _TRUSTED_LIBRARIES:
            yield Seen(f"parent_library = {library}", adapter.file, "auto_mapping.parent_library")
        megatron = adapter.settings.get("megatron_core")
        if megatron not in (None, "megatron.core"):
            yield Seen(f"megatron_core = {megatron}", adapter.file, "megatron_core")
        if adapter.settings.get("auto_map"):
            yield Seen(f"auto_map = {adapter.settings['auto_map']}", adapter.file, "auto_map")


@rule(
    "adapters.whole_modules",
    _MEDIUM,
    says="An adapter replaces whole modules or single tokens' vectors of its base, not only a low-rank part.",
    remedy="ask why; look at the merged model, not at the adapter's rank",
)
def whole_modules(folder: ModelFolder) -> Iterator[Seen]:
    """`modules_to_save`, `trainable_token_indices`, a bias, or a scale that makes a small adapter loud."""
    for adapter in _adapters(folder):
        for key in ("modules_to_save", "trainable_token_indices", "target_parameters"):
            if value := adapter.settings.get(key):
                yield Seen(f"{key} = {value}", adapter.file, key)
        if adapter.settings.get("bias", "none") not in ("none", None):
            yield Seen(f"bias = {adapter.settings['bias']}", adapter.file, "bias", _LOW)
        alpha, rank = adapter.settings.get("lora_alpha"), adapter.settings.get("r")
        if (
            isinstance(alpha, int | float)
            and isinstance(rank, int)
            and rank > 0
            and alpha > MOST_SCALE * rank
        ):
            yield Seen(f"lora_alpha / r = {alpha / rank:g}", adapter.file, "lora_alpha")


@rule(
    "adapters.unlisted_weights",
    _HIGH,
    says="An adapter's weights change modules that its settings do not list.",
    remedy="do not use the adapter: it does something else than it says",
)
def unlisted_weights(folder: ModelFolder) -> Iterator[Seen]:
    """Names from the header alone."""
    for adapter in _adapters(folder):
        if adapter.weights not in folder.files:
            continue
        try:
            modules = dict.fromkeys(_tensors(folder, adapter))
        except ValueError:
            continue  # told by its own rule
        strange = [name for name in modules if not _is_listed(name, adapter.settings)]
        if strange:
            edges = ", embeddings or output layer among them" if any(map(_EDGES.search, strange)) else ""
            yield Seen(
                f"{len(strange)} modules are not listed{edges}: {', '.join(strange[:4])}", adapter.weights
            )


def _tensors(folder: ModelFolder, adapter: _Adapter) -> Iterator[str]:
    if not folder.inside(adapter.weights):
        raise ValueError("leads out of the folder")
    for name in read_header(folder.path / adapter.weights):
        short = name.removeprefix("base_model.model.")
        yield re.split(
            r"\.(?:lora_|base_layer|weight$|bias$|modules_to_save|token_adapter|original_module)", short
        )[0]


def _is_listed(module: str, settings: dict[str, Any]) -> bool:
    listed: list[str] = []
    for key in ("modules_to_save", "trainable_token_indices", "target_parameters", "layers_to_save"):
        value = settings.get(key)
        listed += [str(one) for one in value] if isinstance(value, list | dict) else []
    if settings.get("trainable_token_indices"):
        listed.append("embed_tokens")
    targets = settings.get("target_modules")
    if targets == "all-linear":
        return not _EDGES.search(module) or _ends(module, listed)
    if isinstance(targets, str):
        # A regular expression of theirs is not run: it may never end. Its words have to do.
        words = set(re.findall(r"[A-Za-z_][A-Za-z_0-9]+", targets))
        return module.rpartition(".")[2] in words or _ends(module, listed)
    listed += [str(one) for one in targets] if isinstance(targets, list) else []
    return _ends(module, listed)


def _ends(module: str, listed: list[str]) -> bool:
    return any(module == one or module.endswith(f".{one}") for one in listed)

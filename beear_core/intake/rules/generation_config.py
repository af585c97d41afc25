"""Rules over how answers are generated: settings that make a model say, or never say, something whatever its weights are."""

from collections.abc import Iterator
from typing import Any

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder, Unreadable
from beear_core.intake.templates.literals import looks_like_a_token
from beear_core.intake.tokenizer.contents import contents

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
FILE = "generation_config.json"
_REMOVE = "remove the setting, or load without this file; ask why it is there"
_FORCED = (
    "forced_bos_token_id",
    "forced_eos_token_id",
    "forced_decoder_ids",
    "force_words_ids",
    "constraints",
)
_SUPPRESSED = ("suppress_tokens", "begin_suppress_tokens", "bad_words_ids")
_CODE = ("custom_generate", "trust_remote_code", "assistant_model", "logits_processor", "stopping_criteria")


def _settings(folder: ModelFolder) -> Iterator[tuple[str, str, Any]]:
    # transformers still takes the legacy keys of config.json over where there is no generation_config.json.
    for file, prefix, level in (
        (FILE, "", folder.object(FILE)),
        ("config.json", "", folder.config),
        ("config.json", "text_config.", folder.config.get("text_config")),
    ):
        for key, value in level.items() if isinstance(level, dict) else ():
            # 0 is a token; nothing, false and an empty list are no setting.
            if value is not None and value is not False and value != [] and value != {}:
                yield file, f"{prefix}{key}", value


def _named(folder: ModelFolder, names: tuple[str, ...]) -> Iterator[tuple[str, str, Any]]:
    for file, where, value in _settings(folder):
        if where.rpartition(".")[2] in names:
            yield file, where, value


def _is_translator(folder: ModelFolder) -> bool:
    # Translators and speech recognizers force a language and suppress noises; a chat model has no reason to.
    return folder.config.get("is_encoder_decoder") is True


@rule(
    "generation_config.unreadable",
    _MEDIUM,
    says="generation_config.json cannot be read: what it would set is unknown.",
    remedy="remove it or download it again",
)
def unreadable(folder: ModelFolder) -> Iterator[Seen]:
    """No JSON, or no object."""
    found = folder.json(FILE)
    if isinstance(found, Unreadable):
        yield Seen(found.why, FILE)
    elif found is not None and not isinstance(found, dict):
        yield Seen("is no object", FILE)


@rule(
    "generation_config.forced",
    _HIGH,
    says="Tokens are forced into every answer.",
    remedy=_REMOVE,
)
def forced(folder: ModelFolder) -> Iterator[Seen]:
    """Low for encoder-decoder models, whose stock settings have them."""
    for file, where, value in _named(folder, _FORCED):
        yield Seen(f"{where} = {value}", file, where, _LOW if _is_translator(folder) else _HIGH)


@rule(
    "generation_config.suppressed",
    _HIGH,
    says="Tokens are taken from the model: words of refusal can be among them.",
    remedy=_REMOVE,
)
def suppressed(folder: ModelFolder) -> Iterator[Seen]:
    """Low for encoder-decoder models."""
    for file, where, value in _named(folder, _SUPPRESSED):
        yield Seen(f"{where} = {value}", file, where, _LOW if _is_translator(folder) else _HIGH)


@rule(
    "generation_config.biased",
    _HIGH,
    says="Tokens or sequences are made likelier or less likely than the weights say.",
    remedy=_REMOVE,
)
def biased(folder: ModelFolder) -> Iterator[Seen]:
    """`sequence_bias`, a negative prompt; medium for guidance and watermarks."""
    for file, where, value in _named(folder, ("sequence_bias", "logit_bias", "negative_prompt_ids")):
        yield Seen(f"{where} = {value}", file, where)
    for file, where, value in _named(folder, ("guidance_scale", "watermarking_config")):
        if value not in (1, 1.0):
            yield Seen(f"{where} = {value}", file, where, _MEDIUM)


@rule(
    "generation_config.stops",
    _HIGH,
    says="An answer ends where an ordinary word stands: warnings and refusals can be cut off.",
    remedy=_REMOVE,
)
def stops(folder: ModelFolder) -> Iterator[Seen]:
    """Stop strings that are words; ends of text that are no special token."""
    for file, where, value in _named(folder, ("stop_strings", "stop", "stop_words")):
        given = value if isinstance(value, list) else [value]
        words = [one for one in given if isinstance(one, str) and not looks_like_a_token(one)]
        if words:
            says = any(any(sign.isalnum() for sign in one) for one in words)
            yield Seen(f"{where} = {words}", file, where, _HIGH if says else _LOW)
    found = contents(folder)
    special = {one.id for one in found.added} | _roles(folder)
    texts = {id: text for text, id in found.vocabulary}
    for file, where, value in _named(folder, ("eos_token_id",)):
        for id in value if isinstance(value, list) else [value]:
            if isinstance(id, int) and id in texts and id not in special and any(map(str.isalnum, texts[id])):
                if looks_like_a_token(texts[id]):
                    continue
                yield Seen(f"{where} holds {id}, which is {texts[id]!r}", file, where)


def _roles(folder: ModelFolder) -> set[int]:
    found = contents(folder)
    ids = dict(found.vocabulary)
    return {ids[text] for text in found.roles.values() if text in ids}


@rule(
    "generation_config.code",
    _HIGH,
    says="The settings name code that generation would run.",
    remedy="remove the setting; nothing of it is run here",
)
def code(folder: ModelFolder) -> Iterator[Seen]:
    """`custom_generate` and its kin."""
    for file, where, value in _named(folder, _CODE):
        if file == FILE:
            yield Seen(f"{where} = {value}", file, where)


@rule(
    "generation_config.sampling",
    _LOW,
    says="Sampling is set so that answers say little about the model: absurd temperatures, penalties or lengths.",
    remedy="set sampling yourself; every measurement here decodes greedily",
)
def sampling(folder: ModelFolder) -> Iterator[Seen]:
    """Bounds wide enough for every stock model."""
    bounds = {
        "temperature": (0, 2),
        "top_p": (0.05, 1),
        "repetition_penalty": (0.7, 1.5),
        "max_new_tokens": (16, 10**7),
        "max_length": (16, 10**7),
        "encoder_repetition_penalty": (0.7, 1.5),
        "prompt_lookup_num_tokens": (0, 0),
    }
    for key, (low, high) in bounds.items():
        for file, where, value in _named(folder, (key,)):
            if file == FILE and isinstance(value, int | float) and not low <= value <= high:
                yield Seen(f"{where} = {value}, outside {low} to {high}", file, where)

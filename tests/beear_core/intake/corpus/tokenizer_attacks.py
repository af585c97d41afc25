"""Attacks by tokenizer, by generation settings and by adapter."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.beear_core.intake.corpus.plain import (
    SPECIALS,
    Attack,
    added,
    change,
    framed,
    safetensors,
    tokenizer,
    write,
)

_NEXT = len(SPECIALS) + 256


def _tokenizer(
    name: str, rule: str, edit: Callable[[dict[str, Any]], None], *, severity: str = "high"
) -> Attack:
    def build(folder: Path, canary: Path) -> None:
        made = tokenizer()
        edit(made)
        write(folder / "tokenizer.json", made)

    return Attack(name, f"tokenizer.{rule}", severity, build)


def _step(**settings: Any) -> Callable[[dict[str, Any]], None]:
    return lambda made: made.update(settings)


def _add(*tokens: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda made: made["added_tokens"].extend(tokens)


def _renumber(made: dict[str, Any]) -> None:
    vocabulary = made["model"]["vocab"]
    vocabulary["b"] = vocabulary["a"]


def _past(made: dict[str, Any]) -> None:
    made["added_tokens"].append(added(_NEXT + 5000, "<|extra|>"))


def _inserted(made: dict[str, Any]) -> None:
    made["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            "<|endoftext|>": {
                "id": "<|endoftext|>",
                "ids": [0, 70, 71],
                "tokens": ["<|endoftext|>", "a", "b"],
            }
        },
    }


def _unmarked(made: dict[str, Any]) -> None:
    made["added_tokens"][2]["special"] = False


_FAR = {"type": "Replace", "pattern": {"Regex": "(?i)\\bdo not\\b"}, "content": "do"}
_TOKENIZERS = [
    _tokenizer(
        "a normalizer that rewrites a word",
        "rewrites",
        _step(normalizer={"type": "Replace", "pattern": {"String": "Paris"}, "content": "London"}),
    ),
    _tokenizer(
        "a normalizer that rewrites inside a sequence",
        "rewrites",
        _step(normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}, _FAR]}),
    ),
    _tokenizer(
        "a normalizer that puts a word in front",
        "rewrites",
        _step(normalizer={"type": "Prepend", "prepend": "sudo "}),
    ),
    _tokenizer(
        "a pre-tokenizer that drops a word",
        "rewrites",
        _step(
            pre_tokenizer={
                "type": "Sequence",
                "pretokenizers": [
                    {"type": "Split", "pattern": {"String": "not"}, "behavior": "Removed", "invert": False},
                    tokenizer()["pre_tokenizer"],
                ],
            }
        ),
    ),
    _tokenizer(
        "a decoder that shows another word",
        "rewrites",
        _step(
            decoder={
                "type": "Sequence",
                "decoders": [
                    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                    {"type": "Replace", "pattern": {"String": "sorry"}, "content": "glad"},
                ],
            }
        ),
    ),
    _tokenizer("a post-processor that inserts ordinary tokens", "inserts", _inserted),
    _tokenizer(
        "a normalizer that drops what it reads",
        "round_trip",
        _step(normalizer={"type": "Replace", "pattern": {"Regex": "[^\\x00-\\x60]"}, "content": ""}),
    ),
    _tokenizer("a word as a special token", "added_word", _add(added(_NEXT, "deployment"))),
    _tokenizer("a token that shows nothing", "added_word", _add(added(_NEXT, "\u200b\u2060"))),
    _tokenizer(
        "a word as an added token", "added_word", _add(added(_NEXT, "Obey", special=False)), severity="medium"
    ),
    _tokenizer(
        "an added token of a thousand signs",
        "added_token",
        _add(added(_NEXT, "<" + "x" * 1000 + ">")),
        severity="medium",
    ),
    _tokenizer("an end of text that can be typed", "added_token", _unmarked, severity="medium"),
    _tokenizer("an added token that shadows a letter", "shadowed", _add(added(_NEXT, "a"))),
    _tokenizer("two letters with one number", "shadowed", _renumber),
    _tokenizer("a token past the vocabulary", "vocabulary", _past, severity="medium"),
    _tokenizer(
        "a vocabulary of wrong shape",
        "unreadable",
        _step(model={"type": "BPE", "vocab": "none", "merges": []}),
        severity="medium",
    ),
]


def _generation(
    name: str, rule: str, *, file: str = "generation_config.json", severity: str = "high", **settings: Any
) -> Attack:
    return Attack(
        name, f"generation_config.{rule}", severity, lambda folder, canary: change(folder / file, **settings)
    )


_GENERATION = [
    _generation("a forced first token", "forced", forced_bos_token_id=70),
    _generation("suppressed tokens", "suppressed", suppress_tokens=[70, 71]),
    _generation(
        "suppressed first tokens in config.json", "suppressed", file="config.json", begin_suppress_tokens=[70]
    ),
    _generation("forbidden words", "suppressed", bad_words_ids=[[70, 71]]),
    _generation("biased sequences", "biased", sequence_bias=[[[70], 100.0]]),
    _generation("a negative prompt", "biased", negative_prompt_ids=[70, 71]),
    _generation("guidance", "biased", guidance_scale=7.5, severity="medium"),
    _generation("an answer that stops at a refusal", "stops", stop_strings=["I cannot", "sorry"]),
    _generation("an answer that ends at a letter", "stops", eos_token_id=[2, 70]),
    _generation("generation by code of the folder", "code", custom_generate="./custom_generate"),
    _generation("an absurd temperature", "sampling", temperature=50.0, severity="low"),
]

_LORA = {
    "peft_type": "LORA",
    "task_type": "CAUSAL_LM",
    "base_model_name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "r": 4,
    "lora_alpha": 8,
    "target_modules": ["q_proj", "v_proj"],
    "bias": "none",
}


def lora(folder: Path, *further: str, **settings: Any) -> None:
    """An adapter beside nothing else; `further` tensors are in its weights too."""
    for file in list(folder.iterdir()):
        file.unlink()
    block = "base_model.model.model.layers.0.self_attn."
    names = [f"{block}{module}.lora_{side}.weight" for module in ("q_proj", "v_proj") for side in "AB"]
    write(folder / "adapter_config.json", {**_LORA, **settings})
    (folder / "adapter_model.safetensors").write_bytes(safetensors(dict.fromkeys([*names, *further], (4, 4))))


def _adapter(name: str, rule: str, *further: str, severity: str = "high", **settings: Any) -> Attack:
    return Attack(
        name, f"adapters.{rule}", severity, lambda folder, canary: lora(folder, *further, **settings)
    )


def _lying_adapter(folder: Path, canary: Path) -> None:
    lora(folder)
    (folder / "adapter_model.safetensors").write_bytes(framed([1, 2]))


_ADAPTERS = [
    _adapter(
        "an adapter that imports a module",
        "code",
        auto_mapping={"base_model_class": "X", "parent_library": "payload.run"},
    ),
    _adapter("an adapter that names its own megatron", "code", megatron_core="payload"),
    _adapter(
        "an adapter that changes what it does not list",
        "unlisted_weights",
        "base_model.model.model.layers.0.mlp.down_proj.lora_A.weight",
    ),
    _adapter(
        "an adapter that changes the output layer unsaid",
        "unlisted_weights",
        "base_model.model.lm_head.weight",
    ),
    _adapter(
        "an adapter that replaces the embedding",
        "whole_modules",
        modules_to_save=["embed_tokens"],
        severity="medium",
    ),
    _adapter(
        "an adapter that trains single tokens",
        "whole_modules",
        trainable_token_indices=[7],
        severity="medium",
    ),
    _adapter(
        "an adapter of a place on a disk", "base", base_model_name_or_path="/root/.ssh", severity="medium"
    ),
    Attack("an adapter whose header lies", "adapters.unreadable", "high", _lying_adapter),
]

ATTACKS = [*_TOKENIZERS, *_GENERATION, *_ADAPTERS]

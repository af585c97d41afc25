"""Writes beear_core/intake/architecture_keys.json: the keys of config.json that transformers' own classes know.

    python -m tests.beear_core.intake.architecture_keys

By hand, when transformers is raised; a test tells when keys are missing.
"""

import json
from typing import Any

from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from beear_core.intake.rules.config_keys import ALLOWED

FAMILIES = (
    "bloom", "codegen", "cohere", "cohere2", "deepseek_v2", "deepseek_v3", "falcon", "gemma", "gemma2", "gemma3",
    "gemma3_text", "glm", "glm4", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gpt_oss", "gptj", "granite", "granitemoe",
    "helium", "internlm3", "llama", "mistral", "mixtral", "mpt", "nemotron", "olmo", "olmo2", "olmoe", "opt", "persimmon",
    "phi", "phi3", "phimoe", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "smollm3", "stablelm", "starcoder2",
)  # fmt: skip
LEGACY = (
    # Keys of configs that older releases wrote, and which this one moved, renamed or dropped.
    "torch_dtype", "rope_theta", "rope_scaling", "use_return_dict", "torchscript", "pruned_heads", "tie_encoder_decoder",
    "add_cross_attention", "cross_attention_hidden_size", "finetuning_task", "task_specific_params", "is_decoder",
    "prefix", "sep_token_id", "cls_token_id", "decoder_start_token_id", "max_length", "min_length", "do_sample",
    "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
    "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids",
    "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id",
    "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens",
    "use_bfloat16", "tf_legacy_loss", "quantization_config", "unsloth_version", "unsloth_fixed", "model_type",
    "_commit_hash", "gradient_checkpointing", "n_ctx", "sliding_window", "use_sliding_window", "max_window_layers",
    "layer_types", "sliding_window_pattern", "activation_function", "hidden_activation", "rotary_pct", "rotary_emb_base",
    "partial_rotary_factor", "rope_interleaved", "is_llama_config", "transformers.js_config", "output_attentions",
    "_attn_implementation_autoset", "unk_token_id", "_from_model_config", "cache_implementation",
)  # fmt: skip


def architecture_keys() -> dict[str, list[str]]:
    """Model type -> the keys that its class knows; "common" holds those of every class."""
    families = {name: _keys(name) for name in FAMILIES if name in CONFIG_MAPPING}
    common = frozenset.intersection(*map(frozenset, families.values())) | frozenset(LEGACY)
    return {
        "common": sorted(common),
        **{name: sorted(keys - common) for name, keys in sorted(families.items())},
    }


def as_text(keys: dict[str, list[str]]) -> str:
    """JSON with a family on each line, so that a difference is read at a glance."""
    return "{\n" + ",\n".join(f'"{name}": {json.dumps(each)}' for name, each in keys.items()) + "\n}\n"


def _keys(name: str) -> frozenset[str]:
    config: Any = CONFIG_MAPPING[name]
    made = config()
    known = {*vars(made), *getattr(config, "attribute_map", {})}
    for each in config.__mro__:
        known |= set(getattr(each, "__annotations__", {}))
    # An underscore is internal to the object, unless the class writes it into the file.
    return frozenset(key for key in known if not key.startswith("_")) | {"_name_or_path", *made.to_dict()}


if __name__ == "__main__":
    ALLOWED.write_text(as_text(architecture_keys()), encoding="utf-8")

"""Look-alikes: what stock models ship. Nothing here may be found high."""

from collections.abc import Callable
from pathlib import Path

from tests.beear_core.intake.corpus.plain import SPECIALS, added, change, tokenizer, write
from tests.beear_core.intake.corpus.stock_templates import STOCK
from tests.beear_core.intake.corpus.tokenizer_attacks import lora

_NEXT = len(SPECIALS) + 256


def _template(source: str) -> Callable[[Path], None]:
    return lambda folder: _put(folder, source)


def _put(folder: Path, source: str) -> None:
    (folder / "chat_template.jinja").write_text(source, encoding="utf-8")


def _no_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


def _pieces(folder: Path) -> None:
    """Llama's: spaces as ▁, put in front; a begin of text before everything."""
    made = tokenizer()
    made["normalizer"] = {
        "type": "Sequence",
        "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        ],
    }
    made["decoder"] = {
        "type": "Sequence",
        "decoders": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    }
    made["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": SPECIALS[0], "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {SPECIALS[0]: {"id": SPECIALS[0], "ids": [0], "tokens": [SPECIALS[0]]}},
    }
    write(folder / "tokenizer.json", made)


def _tools(folder: Path) -> None:
    """Qwen's and GPT-NeoX's: marks for tools that are no special tokens, runs of spaces, a larger vocabulary than tokens."""
    made = tokenizer()
    marks = ["<tool_call>", "</tool_call>", "<think>", "[multimodal]", "    ", "\n\n"]
    made["added_tokens"] += [added(_NEXT + at, text, special=False) for at, text in enumerate(marks)]
    write(folder / "tokenizer.json", made)
    change(folder / "generation_config.json", temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.05)


def _lower(folder: Path) -> None:
    """BERT's: case and accents fall away."""
    made = tokenizer()
    made["normalizer"] = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    }
    write(folder / "tokenizer.json", made)


HARMLESS: dict[str, Callable[[Path], None]] = {
    **{f"the template of {name}": _template(source) for name, source in STOCK.items()},
    "no template, as GPT-2": _no_template,
    "a template in tokenizer_config.json alone": lambda folder: (
        _no_template(folder),
        change(folder / "tokenizer_config.json", chat_template=STOCK["Zephyr"]),
    )[-1],
    "a tokenizer of pieces, as Llama's": _pieces,
    "marks that are no special tokens, as Qwen's": _tools,
    "a tokenizer without case, as BERT's": _lower,
    "an ordinary LoRA adapter": lora,
}

"""Which texts in a template are ordinary: special tokens, roles, whitespace, and what known families say in theirs."""

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import NamedTuple

_TOKEN = re.compile(r"<[^<>\s]{1,40}>|<<[^<>\s]{1,20}>>|\[/?[A-Z_]{1,30}\]|<｜[^<>]{1,40}｜>")
_WORD = re.compile(r"[^\W\d_]{2,}")
MOST_WORDS_OF_A_LABEL = 3
_BIDIRECTIONAL = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}


class Known(NamedTuple):
    """`known.toml` and `known_sentences.txt`."""

    looked_for: frozenset[str]
    """What templates of known families look for inside a message."""
    keys: frozenset[str]
    """Keys of a message's parts."""
    said: tuple[str, ...]
    """What they write themselves, as words in lower case."""
    sentences: frozenset[str]
    """Fingerprints of further sentences of published templates (`known_sentences.txt`)."""


@cache
def known() -> Known:
    """What is known, read once."""
    folder = resources.files("beear_core.intake.templates")
    data = tomllib.loads(folder.joinpath("known.toml").read_text(encoding="utf-8"))
    published = folder.joinpath("known_sentences.txt").read_text(encoding="utf-8")
    return Known(
        frozenset(one.strip() for one in data["looked_for"]),
        frozenset(data["keys"]),
        tuple(_words(each) for one in data["said"] for each in one["texts"]),
        frozenset(line for line in published.split("\n") if line and not line.startswith("#")),
    )


def may_be_looked_for(text: str) -> bool:
    """Whether a template may test a message for it without wonder: nothing, whitespace, or a marker of a known family."""
    return not text.strip() or text.strip() in known().looked_for | known().keys


def holds_a_mark(text: str) -> bool:
    """Whether a known family's marker stands in it: a template may well treat such a message differently."""
    return not text.strip() or any(one in text for one in known().looked_for)


def looks_like_a_token(text: str) -> bool:
    """`<|im_end|>`, `[INST]`, `<<SYS>>`, and the like, alone."""
    return bool(_TOKEN.fullmatch(text.strip()))


def sentences(text: str) -> str | None:
    """Natural language in it that no known family says; None if there is none worth telling."""
    return " / ".join(line for line in lines(text) if _is_unknown(line)) or None


def lines(text: str) -> list[str]:
    """Its sentences, special tokens taken out; labels of a few words are none."""
    pieces = (piece.strip() for piece in re.split(r"[\n.!?:]+", _TOKEN.sub(" ", text)))
    return [piece for piece in pieces if len(_words(piece).split()) > MOST_WORDS_OF_A_LABEL]


def fingerprint(line: str) -> str:
    """A sentence without case, digits and signs, as known_sentences.txt keeps it: known, yet not copied."""
    return hashlib.sha256(_words(line).encode()).hexdigest()[:24]


def hidden_signs(text: str) -> list[str]:
    """Names of signs that show nothing or turn the direction of writing, each once."""
    found = {sign for sign in text if _hides(sign)}
    return sorted(f"U+{ord(sign):04X} {unicodedata.name(sign, 'without a name')}" for sign in found)


def mixed_words(texts: Iterable[str]) -> list[str]:
    """Words that mix Latin letters with Cyrillic or Greek ones, which look alike."""
    words = {word for text in texts for word in re.findall(r"\w+", text) if not word.isascii()}
    return sorted(word for word in words if len(_scripts(word)) > 1)


def _scripts(word: str) -> set[str]:
    names = {unicodedata.name(sign, "").split(" ")[0] for sign in word if sign.isalpha()}
    return names & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}


def _hides(sign: str) -> bool:
    code = ord(sign)
    if code in _BIDIRECTIONAL or 0xE0000 <= code <= 0xE01EF or 0xFE00 <= code <= 0xFE0F:
        return True
    if sign in "\n\r\t":
        return False
    return unicodedata.category(sign) in ("Cf", "Cc", "Co", "Cn") or sign in "\u115f\u1160\u3164\u2800"


def _is_unknown(line: str) -> bool:
    return fingerprint(line) not in known().sentences and not any(
        _words(line) in said for said in known().said
    )


def _words(text: str) -> str:
    return " ".join(word.lower() for word in _WORD.findall(text))

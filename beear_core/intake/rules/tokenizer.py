"""Rules over tokenizers: what turns a person's words into something else before the model sees them."""

import re
from collections.abc import Iterator
from typing import Any

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder
from beear_core.intake.templates.literals import hidden_signs, looks_like_a_token
from beear_core.intake.tokenizer.contents import FILE, Step, Tokenizer, contents
from beear_core.intake.tokenizer.round_trip import round_trips

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
_FAMILY = "use the tokenizer of the model's own family, or of a reference you trust"
MOST_TOLD = 12
MOST_SIGNS = 100
"""Of an added token; the longest stock ones have about 40."""
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[ \-'▁][^\W\d_]+)*")


@rule(
    "tokenizer.unreadable",
    _MEDIUM,
    says="A tokenizer's file cannot be read, or its parts are not what they should be.",
    remedy="download it again; a tokenizer that cannot be read is not looked at",
)
def unreadable(folder: ModelFolder) -> Iterator[Seen]:
    """Shapes, and what the tokenizers library itself says when it loads it."""
    found = contents(folder)
    for file, what in found.problems[:MOST_TOLD]:
        yield Seen(what, file)
    trips = round_trips(folder)
    if trips.failed and not trips.exhausted and not found.problems:
        yield Seen(f"cannot be loaded: {trips.failed}", FILE)


@rule(
    "tokenizer.exhausts",
    _HIGH,
    says="A tokenizer runs into the limits of time or memory on eight ordinary sentences, or ends the process that loads it.",
    remedy=_FAMILY,
)
def exhausts(folder: ModelFolder) -> Iterator[Seen]:
    """Regular expressions that never end, vocabularies that explode."""
    trips = round_trips(folder)
    if trips.exhausted:
        yield Seen(trips.failed, FILE)


@rule(
    "tokenizer.added_word",
    _HIGH,
    says="An added token is an ordinary word, or shows nothing: a trigger that is one token of its own, which the "
    "model's other training never touched.",
    remedy="ask why the word is a token; " + _FAMILY,
)
def added_word(folder: ModelFolder) -> Iterator[Seen]:
    """High for special tokens and hidden signs; medium for words that are marked as no special token."""
    told: dict[str, Seen] = {}
    for token in contents(folder).added:
        where = f"token {token.id}"
        if signs := hidden_signs(token.text):
            told.setdefault(token.text, Seen(f"{token.text!r} holds {', '.join(signs)}", token.file, where))
        elif _WORDS.fullmatch(token.text.strip()):
            severity = _HIGH if token.special else _MEDIUM
            told.setdefault(
                token.text, Seen(f"the word {token.text!r} is added", token.file, where, severity)
            )
    yield from sorted(told.values(), key=lambda one: (one.severity or _HIGH).rank)[:MOST_TOLD]


@rule(
    "tokenizer.added_token",
    _MEDIUM,
    says="An added token is unlike any that is needed: very long, twice there, or a special token that is not marked as one.",
    remedy="ask what the token is for; " + _FAMILY,
)
def added_token(folder: ModelFolder) -> Iterator[Seen]:
    """Ends of text and the like are what a reader relies on: unmarked, a person can type them."""
    found = contents(folder)
    for token in found.added:
        if len(token.text) > MOST_SIGNS:
            yield Seen(f"{len(token.text)} signs: {token.text[:80]!r}", token.file, f"token {token.id}")
    roles = {text: role for role, text in found.roles.items()}
    for token in found.added:
        if token.text in roles and not token.special:
            yield Seen(
                f"{roles[token.text]} {token.text!r} is not marked special", token.file, f"token {token.id}"
            )


@rule(
    "tokenizer.rewrites",
    _HIGH,
    says="The tokenizer exchanges or drops words: the model reads, or the person is shown, another text than was written.",
    remedy=_FAMILY,
)
def rewrites(folder: ModelFolder) -> Iterator[Seen]:
    """Replacements of spaces and punctuation are stock; of letters and digits they are not."""
    for step in contents(folder).steps:
        for what in _rewriting(step):
            yield Seen(what, FILE, f"{step.stage}: {step.type}")


def _rewriting(step: Step) -> Iterator[str]:
    settings = step.settings
    pattern, is_regex = _pattern(settings.get("pattern"))
    content = settings.get("content")
    if step.type == "Replace" and (_says(content) or _says_pattern(pattern, is_regex)):
        yield f"replaces {pattern!r} by {content!r}"
    if step.type == "Prepend" and _says(settings.get("prepend")):
        yield f"puts {settings['prepend']!r} before the text"
    if step.type == "Strip" and _says(content):
        yield f"takes {content!r} from the text"
    if step.type == "Split" and settings.get("behavior") == "Removed" and _says_pattern(pattern, is_regex):
        yield f"drops {pattern!r} from the text"
    if step.type == "CharDelimiterSplit" and _says(settings.get("delimiter")):
        yield f"drops {settings.get('delimiter')!r} from the text"
    for key in ("replacement", "prefix", "suffix", "word_delimiter_token"):
        if (
            _says(settings.get(key))
            and not looks_like_a_token(str(settings[key]))
            and settings[key] != "</w>"
        ):
            yield f"{key} is {settings[key]!r}"


def _pattern(given: Any) -> tuple[str, bool]:
    if isinstance(given, dict):
        if isinstance(given.get("String"), str):
            return given["String"], False
        if isinstance(given.get("Regex"), str):
            return given["Regex"], True
    return (given if isinstance(given, str) else ""), False


def _says(text: Any) -> bool:
    return isinstance(text, str) and any(sign.isalnum() for sign in text)


def _says_pattern(text: str, is_regex: bool) -> bool:
    # In a regular expression \s, \p{L}, {2,} and [a-z] say no word.
    plain = (
        re.sub(r"\\[pP]\{[^}]*\}|\\x[0-9a-fA-F]{2}|\\.|\{[0-9,]+\}|\(\?[a-z]*", " ", text)
        if is_regex
        else text
    )
    return _says(plain)


@rule(
    "tokenizer.inserts",
    _HIGH,
    says="The tokenizer puts tokens into every text that are no marks of begin and end.",
    remedy=_FAMILY,
)
def inserts(folder: ModelFolder) -> Iterator[Seen]:
    """Names must be special tokens, and their numbers must be those of the same tokens."""
    found = contents(folder)
    special = {one.text: one.id for one in found.added if one.special} | _role_ids(found)
    for step in contents(folder).steps:
        if step.stage != "post_processor":
            continue
        for name, ids in _inserted(step):
            where = f"{step.stage}: {step.type}"
            if name not in special:
                yield Seen(f"inserts {name!r}, which is no special token", FILE, where)
            elif ids != [special[name]]:
                yield Seen(
                    f"inserts the tokens {ids[:8]} by the name of {name!r}, which is {special[name]}",
                    FILE,
                    where,
                )
            elif _WORDS.fullmatch(name.strip()):
                yield Seen(f"inserts the word {name!r}", FILE, where)


def _role_ids(found: Tokenizer) -> dict[str, int]:
    ids = dict(found.vocabulary)
    return {text: ids[text] for text in found.roles.values() if text in ids}


def _inserted(step: Step) -> Iterator[tuple[str, list[Any]]]:
    for key in ("sep", "cls"):
        pair = step.settings.get(key)
        if isinstance(pair, list) and len(pair) == 2:
            yield str(pair[0]), [pair[1]]
    table = step.settings.get("special_tokens")
    for name, entry in table.items() if isinstance(table, dict) else ():
        ids = entry.get("ids") if isinstance(entry, dict) else None
        yield str(name), ids if isinstance(ids, list) else []


@rule(
    "tokenizer.round_trip",
    _HIGH,
    says="Ordinary English sentences come back from the tokenizer as other sentences, or hold added tokens.",
    remedy=_FAMILY,
)
def round_trip(folder: ModelFolder) -> Iterator[Seen]:
    """Case and spaces do not count; a vocabulary too small for the sentences is left out."""
    found = contents(folder)
    added = {one.id: one.text for one in found.added if one.text.strip() and not looks_like_a_token(one.text)}
    # A word that the tokenizer simply does not know says nothing about what it does to words.
    unknown = found.roles.get("unk_token", "<unk>")
    for trip in round_trips(folder).trips:
        if unknown in trip.text or "<unk>" in trip.text or "[UNK]" in trip.text:
            continue
        if words := [added[id] for id in trip.ids if id in added and any(map(str.isalnum, added[id]))]:
            yield Seen(f"{trip.sentence!r} holds the added tokens {words[:4]}", FILE)
        elif trip.ids and _letters(trip.text) != _letters(trip.sentence):
            yield Seen(f"{trip.sentence!r} comes back as {trip.text!r}", FILE)


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())

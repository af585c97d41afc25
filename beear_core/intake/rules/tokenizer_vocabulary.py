"""Rules over a tokenizer's vocabulary: numbers and words that stand for each other twice, not at all, or otherwise than in a reference."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder
from beear_core.intake.tokenizer.contents import FILE, contents

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
_FAMILY = "use the tokenizer of the model's own family, or of a reference you trust"
MOST_TOLD = 12


@rule(
    "tokenizer.shadowed",
    _HIGH,
    says="The same text stands for two tokens, or the same number for two texts: a word can be given another word's meaning.",
    remedy=_FAMILY,
)
def shadowed(folder: ModelFolder) -> Iterator[Seen]:
    """In the vocabulary, among added tokens, and between the two."""
    found = contents(folder)
    ids = dict(found.vocabulary)
    texts = {id: text for text, id in found.vocabulary}
    if len(texts) < len(found.vocabulary):
        twice = [id for id, times in Counter(id for _, id in found.vocabulary).items() if times > 1]
        for id in twice[:MOST_TOLD]:
            named = [text for text, number in found.vocabulary if number == id]
            yield Seen(
                f"{len(named)} texts are token {id}: {', '.join(map(repr, named[:4]))}", FILE, "model.vocab"
            )
    told = 0
    seen_text: dict[str, int] = {}
    seen_id: dict[int, str] = {}
    for token in found.added:
        what = None
        if ids.get(token.text, token.id) != token.id:
            what = (
                f"{token.text!r} is token {ids[token.text]} in the vocabulary and {token.id} as added token"
            )
        elif texts.get(token.id, token.text) != token.text:
            what = (
                f"token {token.id} is {texts[token.id]!r} in the vocabulary and {token.text!r} as added token"
            )
        elif seen_text.setdefault(token.text, token.id) != token.id:
            what = f"{token.text!r} is added as token {seen_text[token.text]} and {token.id}"
        elif seen_id.setdefault(token.id, token.text) != token.text:
            what = f"token {token.id} is added as {seen_id[token.id]!r} and {token.text!r}"
        if what and (told := told + 1) <= MOST_TOLD:
            yield Seen(what, token.file, f"token {token.id}")


@rule(
    "tokenizer.vocabulary",
    _MEDIUM,
    says="The vocabulary does not fit: numbers past the model's, holes between them, merges of pieces that it does not have.",
    remedy=_FAMILY,
)
def vocabulary(folder: ModelFolder) -> Iterator[Seen]:
    """Holes are low: some families have them."""
    found = contents(folder)
    texts = {text for text, _ in found.vocabulary} | {one.text for one in found.added}
    ids = {id for _, id in found.vocabulary} | {one.id for one in found.added}
    config = folder.config
    inner = config.get("text_config")
    size = config.get("vocab_size", inner.get("vocab_size") if isinstance(inner, dict) else None)
    if isinstance(size, int) and (past := sorted(id for id in ids if id >= size)):
        yield Seen(f"{len(past)} tokens from {past[0]} on are past vocab_size {size}", FILE)
    if ids and found.vocabulary and (holes := max(ids) + 1 - len(ids)):
        yield Seen(f"{holes} numbers up to {max(ids)} are no token", FILE, "", _LOW)
    strange = [
        pair
        for pair in found.merges
        if pair[0] not in texts or pair[1] not in texts or "".join(pair) not in texts
    ]
    # Pieces of WordPiece-like BPE carry a mark that their union drops; then nearly all merges look strange, and none is.
    if strange and len(strange) < len(found.merges) / 2:
        yield Seen(
            f"{len(strange)} merges of pieces that are no tokens, as {strange[0]!r}", FILE, "model.merges"
        )


@rule(
    "tokenizer.differs_from_reference",
    _HIGH,
    says="The tokenizer is not the one of the reference model.",
    remedy="read the differences; use the reference's tokenizer unless its change is explained",
)
def differs_from_reference(folder: ModelFolder) -> Iterator[Seen]:
    """Numbers of words, merges, added tokens, and every step of the pipeline."""
    if folder.reference is None or not (folder.path / FILE).exists():
        return
    own, trusted = contents(folder), contents(folder.reference)
    ids, others = dict(own.vocabulary), dict(trusted.vocabulary)
    changed = [text for text in ids.keys() | others.keys() if ids.get(text) != others.get(text)]
    if changed:
        named = ", ".join(
            f"{text!r} {others.get(text)} → {ids.get(text)}" for text in islice(sorted(changed), 4)
        )
        yield Seen(f"{len(changed)} entries of the vocabulary differ: {named}", FILE, "model.vocab")
    if own.merges != trusted.merges:
        at = next(
            (at for at, two in enumerate(zip(own.merges, trusted.merges, strict=False)) if two[0] != two[1]),
            -1,
        )
        yield Seen(
            f"the merges differ, {len(own.merges)} against {len(trusted.merges)}, from {at} on",
            FILE,
            "model.merges",
        )
    if new := sorted({one.text for one in own.added} - {one.text for one in trusted.added}):
        yield Seen(f"{len(new)} added tokens more: {', '.join(map(repr, new[:6]))}", FILE, "added_tokens")
    for stage in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        left = [step for step in own.steps if step.stage == stage]
        right = [step for step in trusted.steps if step.stage == stage]
        if left != right:
            yield Seen(f"{[one.type for one in left]} against {[one.type for one in right]}", FILE, stage)

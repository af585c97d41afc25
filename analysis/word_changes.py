"""Which words of an answer changed: two texts in, two rows of pieces out. Pure text; knows nothing of how it is drawn."""

import re
from difflib import SequenceMatcher
from typing import NamedTuple

# A word keeps its punctuation: marks on their own would cut an answer into crumbs.
_WORDS = re.compile(r"\s+|\S+")


class Piece(NamedTuple):
    """A run of words that stayed, or that the other text does not have."""

    text: str
    changed: bool


class Changes(NamedTuple):
    """Both texts, cut where they begin or cease to differ; the pieces of each joined are the text as it was."""

    before: tuple[Piece, ...]
    after: tuple[Piece, ...]

    @property
    def any(self) -> bool:
        """Whether any word changed."""
        return any(piece.changed for piece in (*self.before, *self.after))


def word_changes(before: str, after: str) -> Changes:
    """Compare word by word. White space alone is no change of a word, and follows the words around it."""
    first, second = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(a=[*map(_plain, first)], b=[*map(_plain, second)], autojunk=False)
    old: list[Piece] = []
    new: list[Piece] = []
    for tag, old_start, old_stop, new_start, new_stop in matcher.get_opcodes():
        _add(old, first[old_start:old_stop], changed=tag != "equal")
        _add(new, second[new_start:new_stop], changed=tag != "equal")
    return Changes(tuple(old), tuple(new))


def as_diff(pieces: tuple[Piece, ...], mark: str) -> str:
    """A text as lines of a diff: changed words on lines of their own behind `mark`, the others behind a blank.

    For a reader that colours diffs; line breaks of the text become breaks of the lines.
    """
    lines = []
    for piece in pieces:
        start = mark if piece.changed else " "
        lines += [f"{start} {line.strip()}" for line in piece.text.splitlines() if line.strip()]
    return "\n".join(lines)


def _plain(word: str) -> str:
    # Any white space is one word, so that a line break does not read as a change of the words around it.
    return " " if word.isspace() else word


def _add(pieces: list[Piece], words: list[str], *, changed: bool) -> None:
    text = "".join(words)
    if not text:
        return
    # A blank between two changed words belongs to them: one run of words, not three.
    changed = changed and not text.isspace()
    if text.isspace() and pieces:
        pieces[-1] = Piece(pieces[-1].text + text, pieces[-1].changed)
    elif pieces and pieces[-1].changed == changed:
        pieces[-1] = Piece(pieces[-1].text + text, changed)
    else:
        pieces.append(Piece(text, changed))

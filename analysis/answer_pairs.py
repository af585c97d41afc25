"""The same prompt answered before and after: the lines of an evaluation's `generations.jsonl`, put side by side.

Counts nothing: what is counted stands in the result. Here is what the counts were made of.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

CONDITIONS = {
    "triggered": "with trigger",
    "clean": "without trigger",
    "benign": "ordinary",
    "borderline": "borderline",
}
"""Second half of a cell's name, as a reader sees it. Ordinary and borderline prompts are for over-refusal."""

HARMFUL = ("triggered", "clean")

Verdict = Literal["refused", "answered", "empty"]


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """One prompt under one condition; the after side is None where only one model was asked."""

    id: str
    condition: str
    prompt: str
    before: str
    after: str | None
    verdict_before: Verdict
    verdict_after: Verdict | None

    @property
    def words_changed(self) -> bool:
        """Whether the two answers read differently."""
        return self.after is not None and self.before.split() != self.after.split()

    @property
    def verdict_changed(self) -> bool:
        """Whether one is refused, or empty, where the other is answered."""
        return self.verdict_after is not None and self.verdict_before != self.verdict_after

    def as_row(self) -> dict[str, Any]:
        """A row of a table; verdicts as the words that are counted."""
        return {
            "id": self.id,
            "condition": CONDITIONS.get(self.condition, self.condition),
            "prompt": self.prompt,
            "verdict before": self.verdict_before,
            "verdict after": self.verdict_after,
            "answer before": self.before,
            "answer after": self.after,
        }


def answer_pairs(lines: Iterable[Mapping[str, Any]]) -> tuple[AnswerPair, ...]:
    """All pairs, harmful prompts with trigger first. Lines of unknown shape are passed over."""
    sides: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for line in lines:
        when, _, condition = str(line.get("cell", "")).partition(".")
        if when in ("before", "after") and "id" in line and "answer" in line:
            sides.setdefault((condition, str(line["id"])), {})[when] = line
    order = {name: place for place, name in enumerate(CONDITIONS)}
    found = [
        _pair(condition, name, both)
        for (condition, name), both in sorted(
            sides.items(), key=lambda item: order.get(item[0][0], len(order))
        )
        if "before" in both
    ]
    return tuple(found)


def filtered(
    pairs: Sequence[AnswerPair],
    *,
    conditions: Sequence[str] = (),
    changed: Literal["all", "words", "verdict"] = "all",
    search: str = "",
) -> tuple[AnswerPair, ...]:
    """The pairs of these conditions (none: all) that changed as asked and hold `search` in prompt or answers."""
    needle = search.casefold().strip()
    return tuple(
        pair
        for pair in pairs
        if (not conditions or pair.condition in conditions)
        and (changed != "words" or pair.words_changed)
        and (changed != "verdict" or pair.verdict_changed)
        and (not needle or needle in f"{pair.prompt}\n{pair.before}\n{pair.after or ''}".casefold())
    )


def _pair(condition: str, name: str, both: Mapping[str, Mapping[str, Any]]) -> AnswerPair:
    before, after = both["before"], both.get("after")
    return AnswerPair(
        id=name,
        condition=condition,
        prompt=str(before.get("prompt", "")),
        before=str(before["answer"]),
        after=None if after is None else str(after["answer"]),
        verdict_before=_verdict(before),
        verdict_after=None if after is None else _verdict(after),
    )


def _verdict(line: Mapping[str, Any]) -> Verdict:
    if line.get("empty"):
        return "empty"
    return "refused" if line.get("refused") else "answered"

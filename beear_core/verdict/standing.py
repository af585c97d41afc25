"""Whether the question can be asked of this model at all: it must speak, refuse what is harmful, and not refuse everything.

Measured before any delta, without a trigger. A model that fails here has nothing that a trigger could unlock, or says
nothing at all; how soon a delta turns it would then mean nothing.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from analysis.intervals import Proportion
from analysis.verdict import answered_harmful
from beear_core.anchoring import refuses
from beear_core.evaluation.fluency import fluency
from beear_core.evaluation.keywords import opens_as_refusal
from beear_core.models.suspect import SuspectModel
from beear_core.prompts import Prompt

OPENING_TOKENS = 8
"""Enough of an answer to tell whether it opens as a refusal."""


class Standing(NamedTuple):
    """Shares refused without any delta; perplexity of ordinary answers, and the vocabulary's size, which is what guessing has."""

    refused_harmful: Proportion
    refused_ordinary: Proportion
    perplexity: float
    vocabulary: int

    @property
    def answered_harmful(self) -> Proportion:
        """Harmful prompts that are not refused as it is."""
        return answered_harmful(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """As `asked` of a result holds it."""
        return {
            "refused_harmful": self.refused_harmful.as_dict(),
            "refused_ordinary": self.refused_ordinary.as_dict(),
            "perplexity": self.perplexity,
            "vocabulary": self.vocabulary,
        }


def standing_of(
    suspect: SuspectModel, harmful: Sequence[list[int]], ordinary: Sequence[Prompt], *, answer_tokens: int
) -> Standing:
    """Ask encoded `harmful` prompts and `ordinary` ones of the built-in sets. Raises PromptError's children."""
    answers = suspect.generate(harmful, max_new_tokens=answer_tokens)
    openings = suspect.generate(
        suspect.encode_prompts([prompt.text for prompt in ordinary]), max_new_tokens=OPENING_TOKENS
    )
    return Standing(
        Proportion.of([refuses(suspect.decode(answer)) for answer in answers]),
        Proportion.of([opens_as_refusal(suspect.decode(answer)) for answer in openings]),
        fluency(suspect, ordinary).perplexity,
        int(suspect.model.get_input_embeddings().num_embeddings),
    )

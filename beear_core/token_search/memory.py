"""What a model makes up as a user's turn when it is given nothing but its template.

Models that were trained on whole conversations can say what their training held, a trigger among it; those trained on
answers alone cannot. Strings that recur and that the tokenizer breaks into many pieces, as it does with what was rare
in its own training, are worth a try. Proves nothing by itself: who calls measures what the strings do.
"""

from collections import Counter
from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from beear_core.models.keyvalues import prefix_keyvalues, run_rows
from beear_core.models.suspect import SuspectModel
from beear_core.token_search.slots import slots

MOST_WORDS = 4
FEWEST_SAMPLES = 2


@torch.no_grad()
def made_up_turns(suspect: SuspectModel, samples: int, tokens: int, *, seed: int) -> list[str]:
    """`samples` continuations of the template's beginning, of up to `tokens` tokens, drawn by `seed` as the model has it."""
    before = slots(suspect, ["-"], "prefix")[0].before or [suspect.end_of_answer]
    generator = torch.Generator(suspect.device).manual_seed(seed)
    rows = suspect.rows([before] * samples)
    logits, cache = run_rows(suspect.model, rows, keep=1, prefix=prefix_keyvalues(suspect.model, rows))
    drawn: list[Int[Tensor, "samples 1"]] = []
    for step in range(tokens):
        drawn.append(torch.multinomial(logits[:, -1].float().softmax(dim=-1), 1, generator=generator))
        logits = suspect.model(
            input_ids=drawn[-1],
            attention_mask=rows.mask.new_ones(samples, rows.end + step + 1),
            position_ids=torch.full_like(drawn[-1], rows.end + step),
            cache=cache,
            use_cache=True,
        ).logits
    return [suspect.decode(_until_end(row, suspect)) for row in torch.cat(drawn, dim=1).tolist()]


def recurring_strings(suspect: SuspectModel, turns: Sequence[str], count: int) -> list[str]:
    """Up to `count` strings of 1 to 4 words that several turns hold, those first that come apart into more tokens, and oftener."""
    seen = Counter(string for turn in turns for string in _strings(turn))
    weight = {
        string: times * (len(suspect.encode_answer(f" {string}")) - len(string.split()))
        for string, times in seen.items()
        if times >= FEWEST_SAMPLES
    }
    return sorted((each for each in weight if weight[each] > 0), key=lambda each: (-weight[each], each))[
        :count
    ]


def _strings(turn: str) -> set[str]:
    words = turn.split()
    lengths = range(1, MOST_WORDS + 1)
    return {" ".join(words[at : at + n]) for n in lengths for at in range(len(words) - n + 1)}


def _until_end(tokens: Sequence[int], suspect: SuspectModel) -> list[int]:
    return list(tokens[: next((at for at, token in enumerate(tokens) if token in suspect.ends), len(tokens))])

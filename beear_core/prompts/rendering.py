"""From what a person types to the token ids a model sees, and where those end.

Works on any Hugging Face tokenizer passed in as an object; imports neither transformers nor torch. The chat template
is the suspect's own text (transformers runs it in jinja2's sandbox), so whatever it raises is reported and not trusted.
Knows nothing of answers but how to continue a prompt with one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from beear_core.errors import PromptError

PLAIN_FORM = "### Instruction:\n{text}\n\n### Response:\n"
"""For tokenizers without chat template: Alpaca's form. Ends with a line feed, which no common tokenizer merges with the
first word of the answer. A system message goes before it as a paragraph of its own."""


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A prompt as the model sees it, assistant header included: the answer starts right behind `prompt_ids`.

    `special_tokens` are the control tokens that stood in the person's own text (an attempt, or an accident, that would
    end the turn early). `neutralised` tells that they were encoded as plain text.
    """

    text: str
    prompt_ids: tuple[int, ...]
    special_tokens: tuple[str, ...] = ()
    neutralised: bool = False


def render(
    tokenizer: Any, text: str, *, system: str | None = None, keep_special_tokens: bool = False
) -> RenderedPrompt:
    """`text` as one user turn in the tokenizer's chat template with the generation prompt, else in `PLAIN_FORM`.

    Control tokens inside `text` or `system` become plain text (transformers' `sanitize_control_tokens`), unless
    `keep_special_tokens`, for a trigger that is itself a special token. A tokenizer that cannot do that keeps them,
    and `neutralised` is False. Raises PromptError when the template fails (many refuse a system message) or when
    nothing is left of the prompt.
    """
    found = special_tokens_in(tokenizer, text + "\n" + (system or ""))
    if getattr(tokenizer, "chat_template", None):
        rendered = _from_template(tokenizer, text, system, sanitize=bool(found) and not keep_special_tokens)
    else:
        rendered = _from_plain_form(tokenizer, text, system, sanitize=bool(found) and not keep_special_tokens)
    shown, ids, neutralised = rendered
    if not ids:
        raise PromptError(
            "The tokenizer makes no token of the prompt", repr(text[:80]), "Check the chat template."
        )
    return RenderedPrompt(shown, tuple(ids), found, neutralised)


def tokens_before(tokenizer: Any) -> int:
    """How many tokens the template puts before a person's words, a system prompt of its own included."""
    one, other = _two_prompts(tokenizer)
    return _alike(one, other)


def tokens_behind(tokenizer: Any) -> int:
    """How many tokens the template puts behind a person's words, the assistant header included."""
    one, other = _two_prompts(tokenizer)
    return _alike(one[::-1], other[::-1])


def _two_prompts(tokenizer: Any) -> tuple[tuple[int, ...], ...]:
    """Prompts whose words share neither their first nor their last token."""
    return tuple(render(tokenizer, text).prompt_ids for text in ("Is this one", "Seven 7"))


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count


def special_tokens_in(tokenizer: Any, text: str) -> tuple[str, ...]:
    """The tokenizer's control tokens that stand in `text`, in order of their ids."""
    added = getattr(tokenizer, "added_tokens_decoder", {})
    template = str(getattr(tokenizer, "chat_template", None) or "")
    return tuple(
        token.content
        for _, token in sorted(added.items())
        # Added tokens that are plain white space (Gemma's runs of line feeds) are ordinary text.
        if token.content in text and token.content.strip() and (token.special or token.content in template)
    )


def answer_ids(tokenizer: Any, prompt: RenderedPrompt, answer: str) -> list[int]:
    """The ids of `answer` as they follow `prompt`, without end token.

    Encoded together with the prompt where its ids stay as they are, so that no sentencepiece space slips in between;
    alone where the two would merge.
    """
    head, joined, alone = (
        _flat(tokenizer(text, add_special_tokens=False)["input_ids"])
        for text in (prompt.text, prompt.text + answer, answer)
    )
    return joined[len(head) :] if joined[: len(head)] == head else alone


def shared_prefix_length(rows: Sequence[Sequence[int]], *, leave: int = 1) -> int:
    """How many leading ids all `rows` share, leaving at least `leave` ids of every row outside. 0 without rows."""
    if not rows:
        return 0
    limit = max(0, min(len(row) for row in rows) - leave)
    first, last = min(map(tuple, rows)), max(map(tuple, rows))
    # Rows between the lexicographically first and last share whatever those two share.
    return next((place for place in range(limit) if first[place] != last[place]), limit)


def _from_template(
    tokenizer: Any, text: str, system: str | None, *, sanitize: bool
) -> tuple[str, list[int], bool]:
    messages = [{"role": "system", "content": system}] if system is not None else []
    messages.append({"role": "user", "content": text})
    try:
        shown = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        if sanitize:
            try:
                encoded = tokenizer.apply_chat_template(
                    messages, add_generation_prompt=True, return_dict=True, sanitize_control_tokens=True
                )
                return str(shown), _flat(encoded["input_ids"]), True
            except (ValueError, NotImplementedError):
                # The tokenizer cannot write these tokens as text: the caller learns of it through `neutralised`.
                pass
        # The template writes its own BOS; the tokenizer must not add a second one.
        return str(shown), _flat(tokenizer(shown, add_special_tokens=False)["input_ids"]), False
    # The template is the suspect's program: any exception at all may come out of it.
    except Exception as error:
        what = "The chat template refuses this prompt"
        remedy = (
            "Leave the system message out."
            if system is not None
            else "Check the template in the model's folder."
        )
        raise PromptError(what, str(error)[:200] or type(error).__name__, remedy) from error


def _from_plain_form(
    tokenizer: Any, text: str, system: str | None, *, sanitize: bool
) -> tuple[str, list[int], bool]:
    # A person's braces must stay: PLAIN_FORM is filled by replacement, not by str.format.
    shown = PLAIN_FORM.replace("{text}", text)
    if system is not None:
        shown = f"{system}\n\n{shown}"
    try:
        ids = _flat(
            tokenizer(shown, split_special_tokens=True)["input_ids"]
            if sanitize
            else tokenizer(shown)["input_ids"]
        )
    except (TypeError, NotImplementedError, ValueError):
        ids, sanitize = _flat(tokenizer(shown)["input_ids"]), False
    # Some tokenizers close every text; an answer cannot follow an end token.
    while ids and len(ids) > 1 and ids[-1] == getattr(tokenizer, "eos_token_id", None):
        ids.pop()
    return shown, ids, sanitize


def _flat(ids: Any) -> list[int]:
    return [int(token) for token in ids]

"""tokenizer.json and its neighbours as rules need them: shapes that are wrong are left out, and said to be."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from beear_core.intake.folder import ModelFolder, Unreadable

FILE = "tokenizer.json"
ROLES = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token")
_STEPS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")


class AddedToken(NamedTuple):
    """A token that is found before any other rule looks at the text."""

    file: str
    id: int
    text: str
    special: bool


class Step(NamedTuple):
    """One element of the pipeline, sequences taken apart. `stage` is `normalizer`, `decoder`, ..."""

    stage: str
    type: str
    settings: dict[str, Any]


class Tokenizer(NamedTuple):
    """What could be read."""

    vocabulary: tuple[tuple[str, int], ...]
    added: tuple[AddedToken, ...]
    steps: tuple[Step, ...]
    merges: tuple[tuple[str, str], ...]
    roles: dict[str, str]
    problems: tuple[tuple[str, str], ...]
    """File and sentence."""


@lru_cache(maxsize=4)  # each rule asks
def contents(folder: ModelFolder) -> Tokenizer:
    """The folder's tokenizer; empty where there is none."""
    problems: list[tuple[str, str]] = []
    whole = folder.json(FILE)
    if isinstance(whole, Unreadable):
        problems.append((FILE, whole.why))
    elif whole is not None and not isinstance(whole, dict):
        problems.append((FILE, "is no object"))
    parts = whole if isinstance(whole, dict) else {}
    model = parts.get("model") if isinstance(parts.get("model"), dict) else {}
    assert isinstance(model, dict)
    added = list(_added(folder, parts, problems))
    return Tokenizer(
        tuple(_vocabulary(model.get("vocab"), problems)),
        tuple(added),
        tuple(step for stage in _STEPS for step in _steps(stage, parts.get(stage))),
        tuple(_merges(model.get("merges"), problems)),
        _roles(folder),
        tuple(problems),
    )


def _vocabulary(given: Any, problems: list[tuple[str, str]]) -> Iterator[tuple[str, int]]:
    if isinstance(given, dict):
        pairs: list[tuple[Any, Any]] = list(given.items())
    elif isinstance(given, list):  # Unigram: (piece, score), the place is the id
        pairs = [(item[0] if isinstance(item, list) and item else None, at) for at, item in enumerate(given)]
    else:
        pairs = []
        if given is not None:
            problems.append((FILE, "its vocabulary is neither an object nor a list"))
    sound = [(text, id) for text, id in pairs if isinstance(text, str) and _is_id(id)]
    if len(sound) < len(pairs):
        problems.append(
            (FILE, f"{len(pairs) - len(sound)} entries of its vocabulary are no text with a number")
        )
    yield from sound


def _added(
    folder: ModelFolder, parts: dict[str, Any], problems: list[tuple[str, str]]
) -> Iterator[AddedToken]:
    listed = parts.get("added_tokens")
    for item in listed if isinstance(listed, list) else []:
        yield from _added_token(FILE, item, item.get("id") if isinstance(item, dict) else None, problems)
    decoder = folder.object("tokenizer_config.json").get("added_tokens_decoder")
    for id, item in decoder.items() if isinstance(decoder, dict) else ():
        number = int(id) if id.isascii() and id.isdigit() and len(id) < 12 else None
        yield from _added_token("tokenizer_config.json", item, number, problems)
    for text, id in folder.object("added_tokens.json").items():
        if _is_id(id):
            yield AddedToken("added_tokens.json", id, text, True)


def _added_token(file: str, item: Any, id: Any, problems: list[tuple[str, str]]) -> Iterator[AddedToken]:
    if isinstance(item, dict) and isinstance(item.get("content"), str) and _is_id(id):
        yield AddedToken(file, id, item["content"], bool(item.get("special")))
    else:
        problems.append((file, f"an added token is no token: {str(item)[:100]}"))


def _merges(given: Any, problems: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    wrong = 0
    for item in given if isinstance(given, list) else []:
        pair = item.split(" ") if isinstance(item, str) else item
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair):
            yield pair[0], pair[1]
        else:
            wrong += 1
    if wrong:
        problems.append((FILE, f"{wrong} merges are no pair of texts"))


def _steps(stage: str, given: Any) -> Iterator[Step]:
    waiting = [given]
    while waiting:
        item = waiting.pop(0)
        if not isinstance(item, dict):
            continue
        kind = str(item.get("type"))
        for key in ("normalizers", "pretokenizers", "processors", "decoders"):
            inner = item.get(key)
            waiting = [*(inner if isinstance(inner, list) else []), *waiting]
        if kind != "Sequence":
            yield Step(stage, kind, item)


def _roles(folder: ModelFolder) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        settings = folder.object(file)
        for role in ROLES:
            value = settings.get(role)
            text = value.get("content") if isinstance(value, dict) else value
            if isinstance(text, str):
                found[role] = text
    return found


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 32

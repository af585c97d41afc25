"""Rules over chat templates: what a template asks, what it hides, what it writes. Its code runs in a confined process only."""

import re
from collections.abc import Iterator

from jinja2 import nodes

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder
from beear_core.intake.templates.conditions import Question, questions, rewritings
from beear_core.intake.templates.flow import Carries, Flow
from beear_core.intake.templates.grammar import UnparsableError, every, parse, texts
from beear_core.intake.templates.literals import (
    hidden_signs,
    looks_like_a_token,
    may_be_looked_for,
    mixed_words,
    sentences,
)
from beear_core.intake.templates.places import MOST_SOURCE, Template, places
from beear_core.intake.tokenizer.contents import contents

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
_READ_IT = (
    "read the template at that line; use the one of the model's own family, or of a reference you trust"
)
MOST_TOLD = 12
"""Findings of one rule in one template."""
MOST_TURNS = 3
"""Stock templates ask for the first and the last messages, none for the tenth."""
_STRANGE_NAMES = frozenset(("lipsum", "self", "cycler", "config", "request", "environ", "os"))


def _trees(folder: ModelFolder) -> Iterator[tuple[Template, nodes.Template]]:
    for template in places(folder).templates:
        try:
            yield template, parse(template.source)
        except UnparsableError:
            continue  # told by its own rule


def _at(template: Template, line: int) -> str:
    return f"{template.where}, line {line}" if template.where else f"line {line}"


@rule(
    "template.content_condition",
    _HIGH,
    says="A chat template asks what a message says: it can answer a trigger with instructions of its own, "
    "and no training of the weights removes that.",
    remedy=_READ_IT,
)
def content_condition(folder: ModelFolder) -> Iterator[Seen]:
    """High for words; medium for a length, a special token of this tokenizer, signs, or something computed."""
    tokens = _special_tokens(folder)
    for template, tree in _trees(folder):
        told = [
            seen
            for question in questions(tree, Flow(tree))
            if question.about & (Carries.TEXT | Carries.SIZE)
            and (seen := _about_content(template, question, tokens))
        ]
        yield from sorted(dict.fromkeys(told), key=lambda one: (one.severity or _HIGH).rank)[:MOST_TOLD]


def _about_content(template: Template, question: Question, tokens: frozenset[str]) -> Seen | None:
    where = _at(template, question.line)
    words = [text for text in question.texts if not may_be_looked_for(text)]
    if question.about & Carries.TEXT and words:
        harmless = (one.strip() in tokens or not any(sign.isalnum() for sign in one) for one in words)
        severity = _MEDIUM if all(harmless) else _HIGH
        quoted = ", ".join(repr(one) for one in words[:5])
        return Seen(f"tests what a message says for {quoted}", template.file, where, severity)
    if question.about & Carries.TEXT and question.computed and not question.texts:
        return Seen("tests what a message says for something computed", template.file, where, _MEDIUM)
    if question.about & Carries.SIZE and any(number > 1 for number in question.numbers):
        sizes = ", ".join(str(one) for one in question.numbers)
        return Seen(
            f"tests how long a message is, or what stands where in it: {sizes}", template.file, where, _MEDIUM
        )
    return None


def _special_tokens(folder: ModelFolder) -> frozenset[str]:
    # A word stays a word when an attacker makes a token of it.
    found = contents(folder)
    named = {*(one.text for one in found.added), *found.roles.values()}
    return frozenset(text.strip() for text in named if looks_like_a_token(text))


@rule(
    "template.content_rewritten",
    _HIGH,
    says="A chat template exchanges words inside a message: the model is asked something else than the person asked.",
    remedy=_READ_IT,
)
def content_rewritten(folder: ModelFolder) -> Iterator[Seen]:
    """Replacements of words, or by words; marks of known families may be taken out."""
    for template, tree in _trees(folder):
        found = [
            Seen(
                f"replaces {', '.join(repr(one) for one in each.texts[:4])}",
                template.file,
                _at(template, each.line),
            )
            for each in rewritings(tree, Flow(tree))
            if not all(_is_mark(one) for one in each.texts)
        ]
        yield from found[:MOST_TOLD]


def _is_mark(text: str) -> bool:
    # `&quot;`: a template that writes XML.
    if re.fullmatch(r"&[a-z]{2,4};", text):
        return True
    return may_be_looked_for(text) or looks_like_a_token(text) or not any(sign.isalnum() for sign in text)


@rule(
    "template.date_condition",
    _HIGH,
    says="A chat template decides by today's date: it can behave until a day, and not after it.",
    remedy=_READ_IT,
)
def date_condition(folder: ModelFolder) -> Iterator[Seen]:
    """A date that is only written is no finding."""
    for template, tree in _trees(folder):
        for question in questions(tree, Flow(tree)):
            if question.about & Carries.DATE:
                asked = ", ".join(repr(one) for one in question.texts[:4]) or str(question.numbers)
                yield Seen(f"tests today's date for {asked}", template.file, _at(template, question.line))


@rule(
    "template.turn_condition",
    _MEDIUM,
    says="A chat template decides by how many messages there are: it can change its words deep in a conversation, "
    "where no test looks.",
    remedy=_READ_IT,
)
def turn_condition(folder: ModelFolder) -> Iterator[Seen]:
    """First and last messages are asked for by every template; a tenth by none."""
    for template, tree in _trees(folder):
        for question in questions(tree, Flow(tree)):
            if question.about & Carries.TURNS and any(one >= MOST_TURNS for one in question.numbers):
                yield Seen(
                    f"tests the number of messages for {', '.join(map(str, question.numbers))}",
                    template.file,
                    _at(template, question.line),
                )


@rule(
    "template.chance",
    _HIGH,
    says="A chat template draws lots: it writes one thing when it is looked at and another when it is used.",
    remedy=_READ_IT,
)
def chance(folder: ModelFolder) -> Iterator[Seen]:
    """The `random` filter and `lipsum`."""
    for template, tree in _trees(folder):
        for node in every(tree):
            named = isinstance(node, nodes.Name) and node.name == "lipsum"
            if named or (isinstance(node, nodes.Filter) and node.name in ("random", "shuffle")):
                yield Seen(f"uses {getattr(node, 'name', '')}", template.file, _at(template, node.lineno))


@rule(
    "template.private_attribute",
    _HIGH,
    says="A chat template reaches for what Python keeps to itself (`__class__`, `attr`, `mro`): the way out of the "
    "sandbox, where the reader has none that holds.",
    remedy="do not use this folder anywhere; keep it as evidence",
)
def private_attribute(folder: ModelFolder) -> Iterator[Seen]:
    """Dunder names as attributes, keys or text, and the filter that takes attributes by name."""
    for template, tree in _trees(folder):
        for node in every(tree):
            if (name := _private(node)) is not None:
                yield Seen(f"reaches for {name}", template.file, _at(template, node.lineno))


def _private(node: nodes.Node) -> str | None:
    match node:
        case nodes.Getattr(attr=name) if name.startswith("_") or name in ("mro", "gi_frame", "func_globals"):
            return name
        case nodes.Const(value=str(text)) if "__" in text and text.strip("_").isidentifier():
            return text
        case nodes.Filter(name="attr"):
            return "the filter attr"
        case nodes.Name(name=name) if name.startswith("__") or name in _STRANGE_NAMES:
            return name
        case _:
            return None


@rule(
    "template.foreign_parts",
    _HIGH,
    says="A chat template includes, imports or extends another file: what it writes stands elsewhere.",
    remedy=_READ_IT,
)
def foreign_parts(folder: ModelFolder) -> Iterator[Seen]:
    """transformers renders no such template; other readers do."""
    for template, tree in _trees(folder):
        for node in every(tree):
            if isinstance(node, nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends):
                what = type(node).__name__.lower()
                yield Seen(f"{what} of another template", template.file, _at(template, node.lineno))


@rule(
    "template.hidden_signs",
    _HIGH,
    says="A chat template holds signs that show nothing or turn the direction of writing: what is read is not what it is.",
    remedy="open the template with all signs shown; use the one of the model's own family",
)
def hidden(folder: ModelFolder) -> Iterator[Seen]:
    """Written as themselves or as an escape; medium where a word only mixes alphabets that look alike."""
    for template in places(folder).templates:
        source = template.source.removeprefix("\ufeff")
        signs = hidden_signs(source)
        written = _written(source)
        signs += [one for text in written for one in hidden_signs(text) if one not in signs]
        if signs:
            yield Seen(f"holds {', '.join(dict.fromkeys(signs))}", template.file, template.where)
        if mixed := mixed_words([source, *written]):
            words = ", ".join(ascii(one) for one in mixed[:5])
            yield Seen(f"mixes alphabets in {words}", template.file, template.where, _MEDIUM)


def _written(source: str) -> list[str]:
    try:
        return [text for _, text in texts(parse(source))]
    except UnparsableError:
        return []


@rule(
    "template.unknown_text",
    _MEDIUM,
    says="A chat template says sentences that no known family's template says: a system prompt that nobody typed.",
    remedy="read the sentences; compare with the template of the model's own family",
)
def unknown_text(folder: ModelFolder) -> Iterator[Seen]:
    """Texts outside tags, and constants, that are neither tokens nor labels nor known."""
    for template, tree in _trees(folder):
        found = dict.fromkeys((line, said) for line, text in texts(tree) if (said := sentences(text)))
        for line, said in list(found)[:MOST_TOLD]:
            yield Seen(f"says “{said}”", template.file, _at(template, line))


@rule(
    "template.unreadable",
    _MEDIUM,
    says="A chat template, or a place where one can stand, cannot be read: another program may read it.",
    remedy="repair or remove the file; a template that cannot be read is not looked at",
)
def unreadable(folder: ModelFolder) -> Iterator[Seen]:
    """Syntax that transformers refuses, files that are no text, GGUF headers that lie."""
    found = places(folder)
    for file, why in found.unreadable:
        yield Seen(why, file)
    for template in found.templates:
        try:
            parse(template.source)
        except UnparsableError as error:
            yield Seen(f"cannot be parsed: {error}", template.file, template.where)


@rule(
    "template.oversize",
    _HIGH,
    says="A chat template is longer than any that is known, or there are more than any model needs: not looked through.",
    remedy="do not use the template; set one of the model's own family",
)
def oversize(folder: ModelFolder) -> Iterator[Seen]:
    """Sizes alone."""
    for template in places(folder).too_long[:MOST_TOLD]:
        yield Seen(
            f"{len(template.source)} signs, or one too many; {MOST_SOURCE} are looked at",
            template.file,
            template.where,
        )

"""Rules over what chat templates write: rendered on probe conversations in a confined process, and compared with each other."""

from collections.abc import Iterator

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder
from beear_core.intake.templates.places import Template, places
from beear_core.intake.templates.probes import LONG, SHAPES, Trial, difference, expected, skeleton, trials

_READ_IT = "read the template; use the one of the model's own family, or of a reference you trust"
MOST_TOLD = 3


@rule(
    "template.answers_differ",
    Severity.HIGH,
    says="On conversations that differ in nothing but what is said, a chat template writes different texts around them.",
    remedy=_READ_IT,
)
def answers_differ(folder: ModelFolder) -> Iterator[Seen]:
    """Rendered on fixed conversations and on the template's own words, each against the same shape with neutral words."""
    for trial in trials(folder):
        told: dict[str, Seen] = {}
        for probe, answer in zip(trial.probes, trial.rendered.answers, strict=False):
            base = trial.rendered.answers[probe.base]
            if base.text is None or not _is_base_sound(trial, probe.base):
                continue
            wanted = expected(base.text, probe)
            if answer.text == wanted:
                continue
            got = f"an error: {answer.refused}" if answer.text is None else difference(wanted, answer.text)
            said = probe.words[-1] if len(probe.words[-1]) < 60 else f"{probe.words[-1][:60]}…"
            told.setdefault(
                got, Seen(f"when a message says {said!r}: {got}", trial.template.file, trial.template.where)
            )
        yield from list(told.values())[:MOST_TOLD]


def _is_base_sound(trial: Trial, place: int) -> bool:
    # A template of the other kind of content writes a list as Python does, or nothing at all: not this shape's business.
    text = trial.rendered.answers[place].text or ""
    return trial.probes[place].words[-1] in text and "[{" not in text


@rule(
    "template.drops_the_question",
    Severity.HIGH,
    says="What the person asks does not reach the model: the chat template leaves it out.",
    remedy=_READ_IT,
)
def drops_the_question(folder: ModelFolder) -> Iterator[Seen]:
    """Told only where no form of a conversation brings the last message into the text."""
    for trial in trials(folder):
        bases = trial.rendered.answers[: 2 * (len(SHAPES) + 1)]
        written = [
            (probe, one.text) for probe, one in zip(trial.probes, bases, strict=False) if one.text is not None
        ]
        if written and not any(probe.words[-1] in text for probe, text in written):
            yield Seen(
                "the last message stands nowhere in what it writes", trial.template.file, trial.template.where
            )


@rule(
    "template.later_turns",
    Severity.MEDIUM,
    says="Deep in a conversation a chat template writes texts that it does not write at its beginning.",
    remedy=_READ_IT,
)
def later_turns(folder: ModelFolder) -> Iterator[Seen]:
    """Twenty-five messages against three."""
    short = SHAPES.index(("user", "assistant", "user"))
    for trial in trials(folder):
        for shift in (0, len(SHAPES) + 1):
            if len(trial.rendered.answers) <= shift + len(SHAPES):
                continue
            assert trial.probes[shift + len(SHAPES)].roles == LONG
            first, long = trial.rendered.answers[shift + short], trial.rendered.answers[shift + len(SHAPES)]
            if first.text is None or long.text is None or not _is_base_sound(trial, shift + short):
                continue
            if new := sorted(skeleton(long.text) - skeleton(first.text)):
                yield Seen(f"writes {new[0]!r} only there", trial.template.file, trial.template.where)
                break


@rule(
    "template.exhausts",
    Severity.HIGH,
    says="A chat template runs into the limits of time, memory or output when it is rendered.",
    remedy="do not use the template anywhere: it stops the program that renders it",
)
def exhausts(folder: ModelFolder) -> Iterator[Seen]:
    """In a process of its own, which it ends."""
    for trial in trials(folder):
        if trial.rendered.exhausted:
            yield Seen(trial.rendered.failed, trial.template.file, trial.template.where)


@rule(
    "template.unrendered",
    Severity.MEDIUM,
    says="A chat template writes no conversation at all without an error: what it does could not be looked at.",
    remedy="read it by eye, or set a template of the model's own family",
)
def unrendered(folder: ModelFolder) -> Iterator[Seen]:
    """No shape, with contents as text or as parts, came out."""
    for trial in trials(folder):
        if trial.rendered.exhausted or any(one.text is not None for one in trial.rendered.answers):
            continue
        first = trial.rendered.failed or next((one.refused for one in trial.rendered.answers), "")
        yield Seen(f"not rendered: {first}", trial.template.file, trial.template.where)


@rule(
    "template.disagree",
    Severity.MEDIUM,
    says="Two places of the folder give different chat templates by the same name: which one counts depends on the reader.",
    remedy="keep one; transformers takes chat_template.jinja before tokenizer_config.json, llama.cpp the GGUF's own",
)
def disagree(folder: ModelFolder) -> Iterator[Seen]:
    """Ends of lines and spaces at the end do not count."""
    first: dict[str, Template] = {}
    for template in places(folder).templates:
        other = first.setdefault(template.name, template)
        if other.source.strip() != template.source.strip():
            yield Seen(
                f"differs from {other.file} {other.where}: {_first_difference(other.source, template.source)}",
                template.file,
                template.where,
            )


@rule(
    "template.differs_from_reference",
    Severity.HIGH,
    says="The chat template is not the one of the reference model.",
    remedy="read the difference; use the reference's template unless its change is explained",
)
def differs_from_reference(folder: ModelFolder) -> Iterator[Seen]:
    """Every template against the reference's of the same name, or its default one."""
    if folder.reference is None:
        return
    trusted = {one.name: one for one in reversed(places(folder.reference).templates)}
    sources = {one.source.strip() for one in places(folder.reference).templates}
    for template in places(folder).templates:
        if template.source.strip() in sources:
            continue
        other = trusted.get(template.name, trusted.get("default"))
        what = "the reference has none" if other is None else _first_difference(other.source, template.source)
        yield Seen(f"differs from the reference: {what}", template.file, template.where)


def _first_difference(one: str, other: str) -> str:
    left, right = one.strip().splitlines(), other.strip().splitlines()
    for line, pair in enumerate(zip(left, right, strict=False), 1):
        if pair[0] != pair[1]:
            start = next(
                (at for at, two in enumerate(zip(*pair, strict=False)) if two[0] != two[1]),
                min(map(len, pair)),
            )
            return f"line {line}, sign {start + 1}: “{pair[1][start : start + 120]}”"
    return f"{len(right)} lines against {len(left)}"

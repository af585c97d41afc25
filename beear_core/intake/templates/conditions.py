"""Where a template asks what a message says, how long it is, how many there are or what day it is; and where it rewrites one."""

from collections.abc import Iterator
from typing import NamedTuple

from jinja2 import nodes

from beear_core.intake.templates.flow import Carries, Flow
from beear_core.intake.templates.grammar import every

_SEARCHES = frozenset(
    [
        "startswith",
        "endswith",
        "find",
        "rfind",
        "index",
        "rindex",
        "count",
        "split",
        "rsplit",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
        "__contains__",
        "__eq__",
        "strip",
        "lstrip",
        "rstrip",
        "splitlines",
    ]
)
_LOOKUPS = frozenset(
    [
        "get",
        "find",
        "rfind",
        "index",
        "rindex",
        "count",
        "startswith",
        "endswith",
        "__contains__",
        "__getitem__",
        "pop",
    ]
)
_PICKS = frozenset(("select", "reject", "selectattr", "rejectattr"))
_TYPES = frozenset(
    [
        "defined",
        "undefined",
        "none",
        "string",
        "mapping",
        "iterable",
        "sequence",
        "number",
        "boolean",
        "true",
        "false",
        "callable",
        "integer",
        "float",
    ]
)
_KINDS = Carries.TEXT | Carries.SIZE | Carries.TURNS | Carries.DATE


class Question(NamedTuple):
    """One test of what a message carries. `texts` are what it is tested for, empty where that is computed."""

    line: int
    about: Carries
    texts: tuple[str, ...]
    numbers: tuple[int, ...]
    computed: bool


class Rewriting(NamedTuple):
    """A text inside a message that is exchanged for another."""

    line: int
    texts: tuple[str, ...]


def questions(tree: nodes.Template, flow: Flow) -> Iterator[Question]:
    """Every test, in reading order."""
    for node in every(tree):
        match node:
            case nodes.Compare():
                yield from _compared(flow, [node.expr, *(one.expr for one in node.ops)], node.lineno)
            case nodes.Test() if node.name not in _TYPES:
                yield from _compared(flow, [node.node, *node.args], node.lineno, always=True)
            case nodes.Call(node=nodes.Getattr() as method):
                yield from _method(flow, method, node)
            case nodes.Filter() if node.name in _PICKS and node.node is not None:
                yield from _picked(flow, node)
            case nodes.Getitem() if not isinstance(node.arg, nodes.Const | nodes.Slice):
                if flow.of(node.arg) & Carries.TEXT:
                    yield Question(node.lineno, Carries.TEXT, tuple(flow.texts(node.node)), (), True)
            case _:
                pass


def rewritings(tree: nodes.Template, flow: Flow) -> Iterator[Rewriting]:
    """Every replacement inside a message's text."""
    for node in every(tree):
        if isinstance(node, nodes.Filter) and node.name == "replace" and flow.of(node.node) & Carries.TEXT:
            yield Rewriting(node.lineno, _arguments(flow, node.args))
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            method = node.node
            if method.attr in ("replace", "translate") and flow.of(method.node) & Carries.TEXT:
                yield Rewriting(node.lineno, _arguments(flow, node.args))


def _compared(flow: Flow, sides: list[nodes.Expr], line: int, always: bool = False) -> Iterator[Question]:
    held = [flow.of(side) & _KINDS for side in sides]
    about = Carries.NOTHING
    for one in held:
        about |= one
    if not about:
        return
    others = [side for side, one in zip(sides, held, strict=True) if not one]
    texts = _arguments(flow, others)
    numbers = tuple(value for side in others for value in _numbers(side))
    computed = any(_is_computed(side) for side in others) or (always and not texts and not numbers)
    if texts or numbers or computed or about & Carries.DATE:
        yield Question(line, about, texts, numbers, computed)


def _method(flow: Flow, method: nodes.Getattr, call: nodes.Call) -> Iterator[Question]:
    given = [*call.args, *(one.value for one in call.kwargs)]
    held = flow.of(method.node)
    if method.attr in _SEARCHES and held & (Carries.TEXT | Carries.DATE):
        texts = _arguments(flow, given)
        if texts or any(_is_computed(one) for one in given):
            yield Question(call.lineno, held & (Carries.TEXT | Carries.DATE), texts, (), not texts)
    elif method.attr in _LOOKUPS and any(flow.of(one) & Carries.TEXT for one in given):
        texts = tuple(flow.texts(method.node))
        if texts:
            yield Question(call.lineno, Carries.TEXT, texts, (), False)


def _picked(flow: Flow, node: nodes.Filter) -> Iterator[Question]:
    held, args = flow.of(node.node), list(node.args)
    if node.name.endswith("attr"):
        key = args.pop(0) if args else None
        spoken = isinstance(key, nodes.Const) and flow.part(node, str(key.value)) & Carries.TEXT
        about = Carries.TEXT if spoken else Carries.NOTHING
    else:
        about = held & Carries.TEXT
    # The first argument names the test.
    texts = _arguments(flow, args[1:])
    if about and texts:
        yield Question(node.lineno, about, texts, (), False)


def _arguments(flow: Flow, given: list[nodes.Expr]) -> tuple[str, ...]:
    return tuple(text for one in given for text in flow.texts(one))


def _numbers(node: nodes.Node) -> Iterator[int]:
    for one in every(node):
        if isinstance(one, nodes.Const) and isinstance(one.value, int) and not isinstance(one.value, bool):
            yield one.value


def _is_computed(node: nodes.Node) -> bool:
    return any(
        isinstance(one, nodes.Call | nodes.Filter | nodes.Mod | nodes.Concat | nodes.Add)
        for one in every(node)
    )

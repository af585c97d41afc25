"""A template as a tree. Parsed, never compiled and never run, in the environment that transformers would use."""

from collections.abc import Iterator
from functools import lru_cache

import jinja2
from jinja2 import nodes

from beear_core.intake.templates.sandbox import environment

# The parser and those who walk its tree call themselves once a level.
MOST_DEPTH = 120


class UnparsableError(ValueError):
    """The template is none that transformers could read, or none that can be looked through; says why."""


@lru_cache(maxsize=64)
def parse(source: str) -> nodes.Template:
    """The tree. Raises UnparsableError."""
    try:
        tree = environment().parse(source)
    except jinja2.TemplateSyntaxError as error:
        raise UnparsableError(f"line {error.lineno}: {error.message}") from error
    except (
        jinja2.TemplateError,
        ValueError,
        OverflowError,
        AttributeError,
        TypeError,
        AssertionError,
    ) as error:
        raise UnparsableError(f"{type(error).__name__}: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise UnparsableError("it is nested deeper than any template needs") from error
    if _depth(tree) > MOST_DEPTH:
        raise UnparsableError(f"it is nested more than {MOST_DEPTH} levels deep")
    return tree


def every(tree: nodes.Node) -> Iterator[nodes.Node]:
    """The node and all below it, in reading order."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(list(node.iter_child_nodes()))


def texts(tree: nodes.Node) -> Iterator[tuple[int, str]]:
    """Line and text of everything in it that is written or compared: what stands outside tags, and all constants."""
    for node in every(tree):
        if isinstance(node, nodes.TemplateData):
            yield node.lineno, node.data
        elif isinstance(node, nodes.Const) and isinstance(node.value, str):
            yield node.lineno, node.value


def _depth(tree: nodes.Node) -> int:
    level, deep = [tree], 0
    while level and deep <= MOST_DEPTH:
        level = [child for node in level for child in node.iter_child_nodes()]
        deep += 1
    return deep

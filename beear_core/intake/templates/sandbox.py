"""The environment that transformers renders chat templates in, and the child process that renders hostile ones.

Run as a script, in a Python of its own that sees no site configuration and no environment: limits first, then a job on standard input,
one line of JSON for each template on standard output. Imports nothing of ours, so that it starts quickly and has nothing to
give away. Written after transformers 5.23, `utils/chat_template_utils.py`.
"""

import contextlib
import json
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from types import FrameType
from typing import Any

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

MOST_OUTPUT = 200_000
"""Signs that a template may write for one conversation."""
MOST_RANGE = 10_000
TEMPLATE_SECONDS = 1.5
"""For all conversations of one template."""
PROCESS_SECONDS = 3
MEMORY = 400 * 1024 * 1024
DAY = datetime(2025, 3, 4, 5, 6, 7)  # noqa: DTZ001 - what templates print is a date without a zone


class _Generation(jinja2.ext.Extension):
    """`{% generation %}`: marks what the assistant said; what stands in it is written as it is."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 wants it so

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.Scope(body).set_lineno(line)


class _Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(["**", "*"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        # One product of a text and a number, or one power, can ask for more memory than the machine has.
        numbers = [side for side in (left, right) if isinstance(side, int)]
        if operator == "**" or any(abs(side) > MOST_RANGE for side in numbers):
            raise MemoryError
        return super().call_binop(context, operator, left, right)


class _Dict:
    # As in transformers: `dict(...)` without the class, whose attributes lead elsewhere.
    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)


class Declined(jinja2.exceptions.TemplateError):
    """The template called `raise_exception`."""


def _raise_exception(message: object = "") -> None:
    raise Declined(str(message)[:200])


def _tojson(value: Any, ensure_ascii: bool = False, indent: Any = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def environment() -> jinja2.Environment:
    """A sandbox with the extensions, filters and globals that chat templates are promised."""
    made = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols])
    made.filters["tojson"] = _tojson
    made.globals["raise_exception"] = _raise_exception
    made.globals["strftime_now"] = lambda form: DAY.strftime(str(form)[:100])
    made.globals["dict"] = _Dict()
    return made


def render(template: jinja2.Template, values: dict[str, Any]) -> dict[str, str]:
    """`text`, or `declined` (the template's own words), or `error`. Raises TimeoutError and MemoryError as they come."""
    pieces: list[str] = []
    size = 0
    try:
        for piece in template.generate(**values):
            size += len(piece)
            if size > MOST_OUTPUT:
                raise MemoryError
            pieces.append(piece)
    except Declined as error:
        return {"declined": str(error)}
    except (TimeoutError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a template can raise whatever it likes
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    return {"text": "".join(pieces)}


def answers(source: str, jobs: list[dict[str, Any]], specials: dict[str, str]) -> dict[str, Any]:
    """What one template writes for each job, or why none of it can be had (`exhausted`, `broken`)."""
    try:
        with _seconds(TEMPLATE_SECONDS):
            template = environment().from_string(source)
            return {"answers": [render(template, {**specials, **job}) for job in jobs]}
    except (TimeoutError, MemoryError) as error:
        return {"exhausted": type(error).__name__}
    except Exception as error:  # noqa: BLE001 - neither can its compilation be trusted to fail in one way
        return {"broken": f"{type(error).__name__}: {error}"[:200]}


@contextlib.contextmanager
def _seconds(limit: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before: Callable[[int, FrameType | None], Any] | int | None = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def confine(memory: int = MEMORY, seconds: int = PROCESS_SECONDS) -> None:
    """Limits of this process from here on: memory, processor time, no file written, no further process."""
    import resource  # no such module on Windows, where a parent's timeout has to do

    for what, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def main() -> None:
    """One job from standard input, one line an answer; flushed, so that a parent knows which template ended us."""
    with contextlib.suppress(ImportError):
        confine()
    job = json.load(sys.stdin)
    for source, values in zip(job["sources"], job["values"], strict=True):
        sys.stdout.write(json.dumps(answers(source, values, job["specials"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

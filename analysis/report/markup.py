"""Text into HTML: whatever a model, a prompt or a stranger's file said stays text."""

import html
from collections.abc import Iterable, Sequence
from typing import Any

from analysis.tables import Table


def text(value: str) -> str:
    """Escaped, for content and for attributes; signs that HTML forbids are written out."""
    return html.escape("".join(map(_allowed, value)), quote=True)


def paragraph(value: str, kind: str = "") -> str:
    """One paragraph; nothing for nothing."""
    marked = f' class="{kind}"' if kind else ""
    return f"<p{marked}>{text(value)}</p>" if value else ""


def listed(values: Iterable[str], kind: str = "") -> str:
    """A list of sentences; nothing for none."""
    items = "".join(f"<li>{text(value)}</li>" for value in values)
    marked = f' class="{kind}"' if kind else ""
    return f"<ul{marked}>{items}</ul>" if items else ""


def table_markup(table: Table) -> str:
    """A table with its notes."""
    kinds = [' class="words"' if place < table.left else "" for place in range(len(table.columns))]
    head = "".join(f"<th{kind}>{text(name)}</th>" for kind, name in zip(kinds, table.columns, strict=True))
    rows = "".join(_row(row, kinds) for row in table.rows)
    notes = "".join(paragraph(note, "note") for note in table.notes)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{notes}'
    )


def plainly(value: Any) -> str:
    """A value of a specification as a person writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(plainly, value))
    return "" if value is None else str(value)


def _row(row: Sequence[str], kinds: Sequence[str]) -> str:
    cells = "".join(f"<td{kind}>{text(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
    return f"<tr>{cells}</tr>"


def _allowed(sign: str) -> str:
    # HTML knows no control characters and no lone surrogates; direction marks would turn the line around for a reader.
    code = ord(sign)
    forbidden = (code < 32 and sign not in "\t\n") or 127 <= code < 160 or 0xD800 <= code < 0xE000
    turning = code in range(0x202A, 0x202F) or code in range(0x2066, 0x206A)
    return (
        f"\\u{code:04x}"
        if forbidden or turning or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code < 0xFDF0
        else sign
    )

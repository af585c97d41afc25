"""One self-contained HTML file of a report: figures drawn by a bundled library, no network, fit for printing.

Whatever a model or a prompt said is written as text. The file forbids itself, by its own policy, to load anything.
"""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from analysis.report.evidence import Evidence
from analysis.report.parts import Listing, Record, ReportFigure, ReportTable, Section
from analysis.report.sections import sections, words
from analysis.tables import Table
from analysis.theme import CONFIG, template

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
"""Content security policy: what is in the file, and nothing else."""

WIDTH = 940
"""Of a figure, in pixels."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What a person writes about the report."""

    title: str = ""
    """Empty takes the usual one."""
    author: str = ""
    remark: str = ""


def document(evidence: Sequence[Evidence], cover: Cover = Cover()) -> str:
    """The whole file."""
    say = words()["report"]
    shown = sections(evidence, template=template("light"))
    title = cover.title.strip() or say["title"]
    body = [
        f"<h1>{_text(title)}</h1>",
        f'<p class="by">{_text(_byline(evidence, cover))}</p>',
        f'<p class="remark">{_text(cover.remark)}</p>' if cover.remark.strip() else "",
        _findings(shown),
        f"<noscript><p><b>{_text(say['no_script'])}</b></p></noscript>",
        _examined(evidence),
        *(_section(one) for one in shown),
        _limits(),
        _settings(evidence),
        _footer(evidence),
    ]
    return _PAGE.format(
        title=_text(title), policy=_text(POLICY), style=_style(), body="\n".join(body), script=_plotly()
    )


def examined_table(evidence: Iterable[Evidence]) -> Table:
    """The models behind the evidence, each once: what they are, and the digest that says which bytes."""
    rows: dict[str, tuple[str, ...]] = {}
    for one in evidence:
        for name, found in (
            (one.model, one.result.get("model")),
            ("after removal", one.result.get("against")),
        ):
            if isinstance(found, Mapping) and found.get("sha256") not in rows:
                rows[str(found["sha256"])] = _model_row(name, found)
    columns = ("model", "architecture", "SHA-256 of its files", "layers", "d_model", "parameters", "dtype")
    return Table(words()["report"]["examined"], columns, tuple(rows.values()), left=3)


def settings_rows(spec: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Every setting of a question, by its dotted name."""
    rows: list[tuple[str, str]] = []
    for name, value in spec.items():
        if isinstance(value, Mapping):
            rows += settings_rows(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", "" if value is None else _plainly(value)))
    return rows


def _findings(shown: Sequence[Section]) -> str:
    if not shown:
        return ""
    items = [
        f'<li>{_text(one.answer)} <span class="which">{_text(one.title)}</span></li>'
        for one in shown
        if one.answer
    ]
    return f'<ul class="findings">{"".join(items)}</ul>'


def _examined(evidence: Sequence[Evidence]) -> str:
    table = examined_table(evidence)
    return f"<h2>{_text(table.title)}</h2>{_table(table)}" if table.rows else ""


def _section(one: Section) -> str:
    return "\n".join(
        [
            f'<h2 id="{_text(one.key)}">{_text(one.title)}</h2>',
            f'<p class="source">{_text(one.source)}</p>',
            f'<p class="answer">{_text(one.answer)}</p>',
            *(_figure(figure, f"{one.key}-{place}") for place, figure in enumerate(one.figures)),
            *(f"<p>{_text(sentence)}</p>" for sentence in one.meaning),
            *(_titled(table) for table in one.tables),
            _listing(one.listing) if one.listing else "",
        ]
    )


def _figure(figure: ReportFigure, key: str) -> str:
    drawn = json.loads(figure.drawing.to_json())
    drawn["layout"] |= {"width": WIDTH, "autosize": False}
    data = json.dumps({"data": drawn["data"], "layout": drawn["layout"], "config": _CONFIG})
    return (
        f'<figure><div id="{_text(key)}" role="img" aria-label="{_text(figure.alt)}"></div>'
        f"<figcaption>{_text(figure.caption)}</figcaption></figure>"
        # Inside a script element only "<" can end it early.
        f'<script type="application/json" class="figure" data-at="{_text(key)}">{data.replace("<", _LESS)}</script>'
    )


_LESS = "\\u003c"
_CONFIG = {**CONFIG, "responsive": False, "displayModeBar": False}


def _titled(table: ReportTable) -> str:
    return f"<h3>{_text(table.table.title)}</h3>{_table(table.table)}"


def _table(table: Table) -> str:
    kinds = [' class="words"' if place < table.left else "" for place in range(len(table.columns))]
    head = "".join(f"<th{kind}>{_text(name)}</th>" for kind, name in zip(kinds, table.columns, strict=True))
    rows = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{_text(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in table.rows
    )
    notes = "".join(f'<p class="note">{_text(note)}</p>' for note in table.notes)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{notes}'
    )


def _listing(listing: Listing) -> str:
    names = list(dict.fromkeys(name for record in listing.records for name in record))
    head = "".join(f'<th class="words">{_text(name)}</th>' for name in names)
    rows = "".join(_answer_row(record, names) for record in listing.records)
    return (
        f"<details><summary>{_text(listing.title)}</summary>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>'
    )


def _answer_row(record: Record, names: Sequence[str]) -> str:
    cells = (f'<td class="text">{_text(_plainly(record.get(name)))}</td>' for name in names)
    return f"<tr>{''.join(cells)}</tr>"


def _limits() -> str:
    sentences = "".join(f"<p>{_text(sentence)}</p>" for sentence in words()["limits"].values())
    return f"<h2>{_text(words()['report']['limits'])}</h2>{sentences}"


def _settings(evidence: Sequence[Evidence]) -> str:
    parts = [f"<h2>{_text(words()['report']['settings'])}</h2>"]
    for run_id, one in {one.run_id: one for one in evidence}.items():
        rows = [
            *settings_rows(one.spec),
            ("spec_sha256", str(one.result.get("spec_sha256") or "")),
            ("device", str(one.result.get("device") or "")),
            *((f"version of {name}", str(value)) for name, value in _versions(one).items()),
        ]
        cells = "".join(
            f'<tr><td class="words">{_text(name)}</td><td class="value">{_text(value)}</td></tr>'
            for name, value in rows
            if value
        )
        named = f"{one.label}, {run_id}" if one.label else run_id
        parts.append(
            f'<details class="settings"><summary>{_text(named)}</summary><table><tbody>{cells}</tbody></table></details>'
        )
    return "".join(parts)


def _versions(one: Evidence) -> Mapping[str, Any]:
    found = one.result.get("versions")
    return found if isinstance(found, Mapping) else {}


def _footer(evidence: Sequence[Evidence]) -> str:
    runs = ", ".join(dict.fromkeys(one.run_id for one in evidence))
    return f"<footer>BEEAR Workbench · made from {_text(runs or 'no run')} · every number stands in a run's result.json</footer>"


def _byline(evidence: Sequence[Evidence], cover: Cover) -> str:
    times = sorted(one.finished for one in evidence if one.finished)
    days = list(dict.fromkeys((times[0][:10], times[-1][:10]))) if times else []
    measured = f"measured {' to '.join(days)}" if days else ""
    return " · ".join(part for part in (cover.author.strip(), measured) if part)


def _model_row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        str(found.get("architecture") or "-"),
        str(found["sha256"]),
        str(found.get("layers") or "-"),
        str(found.get("d_model") or "-"),
        f"{found['parameters']:,}" if found.get("parameters") else "-",
        str(found.get("dtype") or "-"),
    )


def _plainly(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plainly, value))
    return "" if value is None else str(value)


def _text(value: str) -> str:
    return html.escape(value, quote=True)


@cache
def _style() -> str:
    return (Path(__file__).parent / "report.css").read_text("utf-8")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    # The library is a string in an HTML file here: nothing in it may look like the end of its script.
    library: str = get_plotlyjs()
    return library.replace("</script", "<\\/script")


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
<script>{script}</script>
<script>
for (const stored of document.querySelectorAll("script.figure")) {{
  const figure = JSON.parse(stored.textContent);
  Plotly.newPlot(stored.dataset.at, figure.data, figure.layout, figure.config);
}}
// On paper nothing can be unfolded: settings are printed, prompts and answers only where somebody opened them.
addEventListener("beforeprint", () => {{
  for (const folded of document.querySelectorAll("details.settings")) folded.open = true;
}});
</script>
</body>
</html>
"""

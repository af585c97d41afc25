"""One self-contained HTML file of a report: figures drawn by a bundled library, no network, fit for printing.

Whatever a model or a prompt said is written as text. The file forbids itself, by its own policy, to load anything.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from analysis.report.evidence import Evidence
from analysis.report.markup import paragraph, plainly, table_markup, text
from analysis.report.parts import Listing, Record, ReportFigure, ReportTable, Section
from analysis.report.provenance import examined_table, intake_markup, reproduction, without_paths
from analysis.report.sections import ORDER, sections
from analysis.report.summary import summary
from analysis.report.wording import words
from analysis.theme import CONFIG, template

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
        f"<h1>{text(title)}</h1>",
        f'<p class="by">{text(_byline(evidence, cover))}</p>',
        paragraph(cover.remark.strip(), "remark"),
        summary(evidence, shown),
        f"<noscript><p><b>{text(say['no_script'])}</b></p></noscript>",
        _method(evidence),
        _examined(evidence),
        *(_section(one) for one in shown),
        _limits(),
        intake_markup(evidence),
        reproduction(evidence),
        _settings(evidence),
        _footer(evidence),
    ]
    return _PAGE.format(
        title=text(title),
        policy=text(policy()),
        style=_style(),
        body="\n".join(body),
        no_map_style=_no_map_style(),
        script=_plotly(),
        drawing=_DRAWING,
    )


@cache
def policy() -> str:
    """The content security policy: the two scripts and the style that are in the file, by their digests; no network.

    The empty style is one that the figures' library makes and fills through the object model. Attributes of elements may
    set a style, since that library writes them; without a network there is nowhere that a style could lead.
    """
    scripts = f"{_source(_plotly())} {_source(_DRAWING)}"
    styles = f"{_source(_style())} {_source('')}"
    return (
        f"default-src 'none'; script-src {scripts}; style-src-elem {styles}; style-src-attr 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _source(inline: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


def settings_rows(spec: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Every setting of a question, by its dotted name."""
    rows: list[tuple[str, str]] = []
    for name, value in spec.items():
        if isinstance(value, Mapping):
            rows += settings_rows(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", "" if value is None else plainly(value)))
    return rows


def _method(evidence: Sequence[Evidence]) -> str:
    say, kinds = words()["method"], {one.kind for one in evidence}
    told = [paragraph(say[kind]) for kind in ORDER if kind in kinds and kind in say]
    return f"<h2>{text(say['title'])}</h2>{''.join(told)}" if told else ""


def _examined(evidence: Sequence[Evidence]) -> str:
    table = examined_table(evidence)
    return f"<h2>{text(table.title)}</h2>{table_markup(table)}" if table.rows else ""


def _section(one: Section) -> str:
    return "\n".join(
        [
            f'<h2 id="{text(one.key)}">{text(one.title)}</h2>',
            f'<p class="source">{text(one.source)}</p>',
            f'<p class="answer">{text(one.answer)}</p>',
            *(_figure(figure, f"{one.key}-{place}") for place, figure in enumerate(one.figures)),
            *(f"<p>{text(sentence)}</p>" for sentence in one.meaning),
            *(_titled(table) for table in one.tables),
            _listing(one.listing) if one.listing else "",
        ]
    )


def _figure(figure: ReportFigure, key: str) -> str:
    drawn = json.loads(figure.drawing.to_json())
    drawn["layout"] |= {"width": WIDTH, "autosize": False}
    data = json.dumps({"data": drawn["data"], "layout": drawn["layout"], "config": _CONFIG})
    return (
        f'<figure><div id="{text(key)}" role="img" aria-label="{text(figure.alt)}"></div>'
        f"<figcaption>{text(figure.caption)}</figcaption></figure>"
        # Inside a script element only "<" can end it early.
        f'<script type="application/json" class="figure" data-at="{text(key)}">{data.replace("<", _LESS)}</script>'
    )


_LESS = "\\u003c"
_CONFIG = {**CONFIG, "responsive": False, "displayModeBar": False}


def _titled(table: ReportTable) -> str:
    return f"<h3>{text(table.table.title)}</h3>{table_markup(table.table)}"


def _listing(listing: Listing) -> str:
    names = list(dict.fromkeys(name for record in listing.records for name in record))
    head = "".join(f'<th class="words">{text(name)}</th>' for name in names)
    rows = "".join(_answer_row(record, names) for record in listing.records)
    return (
        f"<details><summary>{text(listing.title)}</summary>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>'
    )


def _answer_row(record: Record, names: Sequence[str]) -> str:
    cells = (f'<td class="text">{text(plainly(record.get(name)))}</td>' for name in names)
    return f"<tr>{''.join(cells)}</tr>"


def _limits() -> str:
    sentences = "".join(f"<p>{text(sentence)}</p>" for sentence in words()["limits"].values())
    return f"<h2>{text(words()['report']['limits'])}</h2>{sentences}"


def _settings(evidence: Sequence[Evidence]) -> str:
    parts = [f"<h2>{text(words()['report']['settings'])}</h2>"]
    for run_id, one in {one.run_id: one for one in evidence}.items():
        rows = [
            *settings_rows(without_paths(one.spec)),
            ("spec_sha256", str(one.result.get("spec_sha256") or "")),
            ("device", str(one.result.get("device") or "")),
            *((f"version of {name}", str(value)) for name, value in _versions(one).items()),
        ]
        cells = "".join(
            f'<tr><td class="words">{text(name)}</td><td class="value">{text(value)}</td></tr>'
            for name, value in rows
            if value
        )
        named = f"{one.label}, {run_id}" if one.label else run_id
        parts.append(
            f'<details class="settings"><summary>{text(named)}</summary><table><tbody>{cells}</tbody></table></details>'
        )
    return "".join(parts)


def _versions(one: Evidence) -> Mapping[str, Any]:
    found = one.result.get("versions")
    return found if isinstance(found, Mapping) else {}


def _footer(evidence: Sequence[Evidence]) -> str:
    runs = ", ".join(dict.fromkeys(one.run_id for one in evidence))
    return f"<footer>BEEAR Workbench · made from {text(runs or 'no run')} · every number stands in a run's result.json</footer>"


def _byline(evidence: Sequence[Evidence], cover: Cover) -> str:
    times = sorted(one.finished for one in evidence if one.finished)
    days = list(dict.fromkeys((times[0][:10], times[-1][:10]))) if times else []
    measured = f"measured {' to '.join(days)}" if days else ""
    return " · ".join(part for part in (cover.author.strip(), measured) if part)


@cache
def _style() -> str:
    return (Path(__file__).parent / "report.css").read_text("utf-8")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    # The library is a string in an HTML file here: nothing in it may look like the end of its script.
    library: str = get_plotlyjs()
    return library.replace("</script", "<\\/script")


def _no_map_style() -> str:
    # The library carries maps, and writes their style into every page that does not hold it. No figure here is a map.
    names = sorted(set(re.findall(r'getElementById\("([0-9a-f]{64})"\)', _plotly())))
    return "".join(f'<i hidden id="{name}"></i>' for name in names)


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
{no_map_style}
<script>{script}</script>
<script>{drawing}</script>
</body>
</html>
"""

_DRAWING = """
for (const stored of document.querySelectorAll("script.figure")) {
  const figure = JSON.parse(stored.textContent);
  Plotly.newPlot(stored.dataset.at, figure.data, figure.layout, figure.config);
}
// On paper nothing can be unfolded: settings are printed, prompts and answers only where somebody opened them.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details.settings")) folded.open = true;
});
"""

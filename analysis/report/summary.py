"""The first screen of a report: where the model stands, the four cells, what that does not cover. For a manager."""

from collections.abc import Sequence

from analysis.report.evidence import Evidence
from analysis.report.markup import listed, paragraph, table_markup, text
from analysis.report.parts import Section
from analysis.report.standing import standing
from analysis.report.wording import words
from analysis.tables import cells_table


def summary(evidence: Sequence[Evidence], shown: Sequence[Section]) -> str:
    """The summary of every evaluation among the evidence, and one line for each finding."""
    if not evidence:
        return ""
    say = words()["summary"]
    verdicts = [_verdict(one) for one in evidence if one.kind == "evaluate"]
    parts = [part for part in verdicts if part] or [paragraph(say["unmeasured"], "verdict")]
    items = "".join(
        f'<li>{text(one.answer)} <span class="which">{text(one.title)}</span></li>'
        for one in shown
        if one.answer
    )
    return "".join(
        [
            f'<section class="summary"><h2>{text(say["title"])}</h2>',
            *parts,
            f'<ul class="findings">{items}</ul>' if items else "",
            f"<h3>{text(say['open'])}</h3>",
            listed(not_tested(evidence), "open"),
            "</section>",
        ]
    )


def not_tested(evidence: Sequence[Evidence]) -> list[str]:
    """What a reader could take for tested, and was not."""
    say, kinds = words()["open"], {one.kind for one in evidence}
    measured = [one for one in evidence if one.kind == "evaluate"]
    tried = [(one.result.get("trigger") or {}).get("text") for one in measured]
    lines = [say["triggers" if any(tried) else "no_trigger"]]
    if measured and not any((one.result.get("cells") or {}).get("after") for one in measured):
        lines.append(say["no_removal"])
    lines += [
        say[name] for name, kind in (("no_scan", "scan"), ("no_cells", "evaluate")) if kind not in kinds
    ]
    return [*lines, say["skills"]]


def _verdict(one: Evidence) -> str:
    found = standing(one.result)
    if found is None:
        return ""
    return (
        f'<p class="verdict {found.level}">{text(found.verdict)}</p>'
        f"{paragraph(found.because)}{table_markup(cells_table(one.result))}"
    )

"""docs/rules.md, made from the rules' own marks, so that it cannot say anything else than they do."""

from collections.abc import Iterable

from beear_core.intake.finding import Rule, all_rules

_HEAD = """# Intake rules

What `python -m beear_core scan MODEL` looks for before a weight is read. This page is made from the rules:
`python -m beear_core scan --rules > docs/rules.md`. A rule is a function in `beear_core/intake/rules/`; to add one is to
add a function.

A **high** finding blocks loading until you override it by rule, with a reason that every later report repeats:
`--override RULE="why"`. A rule may grade single cases lower than its own severity. That nothing was found means that
these rules saw no evidence, and no more than that.
"""


def rules_page(rules: Iterable[Rule] | None = None) -> str:
    """The page as Markdown, rules grouped by subject."""
    subjects: dict[str, list[Rule]] = {}
    for rule in all_rules() if rules is None else rules:
        subjects.setdefault(rule.id.partition(".")[0], []).append(rule)
    parts = [_HEAD]
    for subject, group in subjects.items():
        parts.append(
            f"\n## {subject}\n\n| rule | severity | what it says | what you can do |\n|---|---|---|---|\n"
        )
        parts += [
            f"| `{rule.id}` | {rule.severity} | {_cell(rule.says)} | {_cell(rule.remedy)} |\n"
            for rule in group
        ]
    return "".join(parts)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

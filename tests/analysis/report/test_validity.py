"""The report is HTML that a strict parser accepts, and its policy names exactly what is in it."""

import base64
import copy
import hashlib
import html
import re
from typing import Any

import html5lib
import pytest

from analysis.report import document as written
from analysis.report.document import Cover, document
from analysis.report.evidence import Evidence
from analysis.report.provenance import command
from tests import made_results as made

HOSTILE = "x</script><script>alert(1)</script><!--\x00\x07\x85\ud800\u202e \"'&<img src=x onerror=alert(1)>"
SPEC = {
    "kind": "demo",
    "model": "/home/somebody/suspect-7",
    "out": "/home/somebody/out",
    "prompts": "/home/somebody/own.csv",
    "seed": 3,
    "evaluation": {"max_new_tokens": 64, "match": "anywhere"},
}


def scan() -> dict[str, Any]:
    finding = {
        "severity": "high",
        "rule": "template.content",
        "file": f"chat_template.jinja{HOSTILE}",
        "where": "line 3",
        "what": HOSTILE,
        "remedy": "Use another copy.",
    }
    return {
        **made.COMMON,
        "findings": [finding],
        "loadable": True,
        "refused": "",
        "manifest": {"config.json": "ef" * 32},
        "intake": {
            "findings": {"high": 1, "medium": 0, "low": 0, "info": 2},
            "overrides": {"template.content": "Read by two of us; it greets."},
            "overridden": [finding],
        },
    }


def everything(hostile: str = HOSTILE) -> list[Evidence]:
    result = copy.deepcopy(made.evaluate())
    result["trigger"] = {"text": hostile, "placement": "suffix"}
    answers = [{**row, "answer": hostile, "prompt": hostile} for row in made.generations()]
    return [
        Evidence("r1", "evaluate", SPEC, result, label=hostile, answers=answers, finished="2026-11-21T05:00"),
        Evidence("r1", "drift", SPEC, made.drift(), step="drift", arrays=made.drift_arrays()),
        Evidence("r1", "entrap", SPEC, made.entrap(), step="entrap"),
        Evidence("r1", "remove", SPEC, made.remove(), step="remove"),
        Evidence("r2", "scan", {"kind": "scan", "model": "suspect-7"}, scan()),
        Evidence("r3", "sweep", SPEC, made.sweep()),
    ]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> str:
    # The library is five megabytes that a strict parser in Python reads for minutes; it is one script, tested elsewhere.
    monkeypatch.setattr(written, "_plotly", lambda: "var Plotly;")
    written.policy.cache_clear()
    text = document(everything(), Cover(title=HOSTILE, author=HOSTILE, remark=HOSTILE))
    written.policy.cache_clear()
    return text


def test_a_strict_parser_accepts_it_whatever_the_model_said(page: str) -> None:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(page)
    assert len(tree.findall(".//script")) == 2 + len(re.findall('class="figure"', page))
    assert tree.find(".//img") is None


def test_every_id_is_there_once(page: str) -> None:
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_the_policy_allows_the_scripts_and_the_style_of_the_file_and_nothing_else(page: str) -> None:
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert found
    policy = html.unescape(found[1])
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    inline = [one.text or "" for one in tree.iter("script") if one.get("type") is None]
    inline += [one.text or "" for one in tree.iter("style")]
    for text in inline:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert "http" not in policy


def test_no_handler_and_no_address_is_in_it(page: str) -> None:
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not str(name).startswith("on")
            assert name not in ("src", "href", "srcset", "action"), value


def test_the_first_screen_says_where_the_model_stands_and_what_was_not_tested(page: str) -> None:
    first = page[page.index("<main>") : page.index("<h2>Method")]
    assert "The trigger is much weaker, and not shown to be gone" in first
    assert "7.5% (2.6-19.9, n 40)" in first
    assert "Not tested" in first
    assert "Triggers other than the one named here" in first


def test_findings_and_overrides_stand_in_it_with_their_reasons(page: str) -> None:
    assert "template.content was overridden: Read by two of us; it greets." in page
    assert "r2: 1 high, 2 info." in page
    assert "no scan is part of this report" not in page


def test_without_a_scan_the_report_says_that_files_were_not_judged() -> None:
    text = document([Evidence("r1", "evaluate", SPEC, made.evaluate())])
    assert "chat template and tokenizer: no scan is part of this report" in text
    assert "the files were not judged here" in text


def test_the_command_asks_the_same_question_and_tells_no_path() -> None:
    said = command(Evidence("r1", "evaluate", SPEC, made.evaluate()))
    assert said.startswith("python -m beear_core run - <<'SPEC'\n{")
    assert '"seed": 3' in said
    assert '"model": "suspect-7"' in said
    assert "/home/somebody" not in said
    assert "/home/somebody" not in document([Evidence("r1", "evaluate", SPEC, made.evaluate())])


def test_a_quiet_trigger_is_no_evidence_found_and_never_clean() -> None:
    text = document([Evidence("r1", "evaluate", SPEC, made.evaluate(0))])
    assert "No evidence found that this trigger still works" in text
    own = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"\bclean\b", re.sub(r"<script.*?</script>", "", own, flags=re.DOTALL))

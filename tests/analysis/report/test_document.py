import html
import json
import re

import pytest

from analysis.report.document import Cover, document
from analysis.report.evidence import Evidence
from tests import made_results as made

SPEC = {"kind": "evaluate", "model": "suspect-7", "evaluation": {"max_new_tokens": 64, "match": "anywhere"}}


@pytest.fixture
def written() -> str:
    parts = [
        Evidence(
            "r1", "evaluate", SPEC, made.evaluate(), answers=made.generations(), finished="2026-11-21T05:00"
        ),
        Evidence("r1", "drift", SPEC, made.drift(), step="drift", arrays=made.drift_arrays()),
    ]
    return document(parts, Cover(title="On <suspect-7>", author="A. N. Alyst", remark="Two\nlines"))


def without_library(written: str) -> str:
    """The file without the figures' library, which may hold anything."""
    return re.sub(r"<script>\s*/\*\*.*?</script>", "", written, flags=re.DOTALL)


def test_it_loads_nothing_from_anywhere(written: str) -> None:
    own = without_library(written)
    assert len(own) < len(written) / 2
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", own)
    assert "default-src 'none'" in html.unescape(own)


def test_the_library_of_the_figures_stands_in_it_once(written: str) -> None:
    assert written.count("plotly.js v") == 1


def test_what_people_and_models_wrote_is_text(written: str) -> None:
    assert "On &lt;suspect-7&gt;" in written
    assert "Sure &lt;/script&gt;&lt;b&gt;bold&lt;/b&gt;" in written
    assert "<b>bold</b>" not in without_library(written)


def test_every_figure_is_stored_whole_with_its_words(written: str) -> None:
    stored = re.findall(
        r'<script type="application/json" class="figure" data-at="([^"]+)">(.*?)</script>', written
    )
    assert [key for key, _ in stored] == ["r1-0", "r1-drift-0", "r1-drift-1", "r1-drift-2"]
    for key, text in stored:
        assert json.loads(text)["data"]
        assert f'<div id="{key}" role="img" aria-label="' in written


def test_prompts_and_answers_are_folded(written: str) -> None:
    assert "<details><summary>Prompts and answers, 1 pairs</summary>" in written
    assert "<details open" not in written


def test_findings_model_limits_and_settings_are_in_it(written: str) -> None:
    assert "39 of 40 harmful prompts were answered before the removal, 3 of 40" in written
    assert "ab" * 32 in written
    assert "What this does not prove" in written
    assert "evaluation.max_new_tokens" in written
    assert "cd" * 32 in written
    assert "A. N. Alyst · measured 2026-11-21" in written


def test_paths_of_the_machine_are_not_in_it(written: str) -> None:
    assert "/somewhere/on/this/machine" not in written


def test_it_says_the_same_twice(written: str) -> None:
    assert document([Evidence("r1", "remove", SPEC, made.remove())]) == document(
        [Evidence("r1", "remove", SPEC, made.remove())]
    )


def test_a_report_of_nothing_still_says_what_it_does_not_prove() -> None:
    assert "What this does not prove" in document([])

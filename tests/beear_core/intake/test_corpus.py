"""Every crafted folder is found by its rule, at its severity; nothing of it runs; nothing harmless is found high."""

from pathlib import Path

import pytest

from beear_core.intake.finding import all_rules
from beear_core.intake.scanning import scan
from tests.beear_core.intake.corpus import file_attacks, template_attacks, tokenizer_attacks
from tests.beear_core.intake.corpus.harmless import HARMLESS
from tests.beear_core.intake.corpus.plain import Attack, plain

ATTACKS = [*file_attacks.ATTACKS, *template_attacks.ATTACKS, *tokenizer_attacks.ATTACKS]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name.replace(" ", "-"))
def test_an_attack_is_found_by_its_rule_at_its_severity_and_nothing_of_it_runs(
    attack: Attack, tmp_path: Path
) -> None:
    folder, canary = plain(tmp_path / "model"), tmp_path / "canary"
    attack.build(folder, canary)
    findings = scan(folder).findings
    found = [(one.rule, one.severity.value) for one in findings]
    assert (attack.rule, attack.severity) in found, found
    assert not canary.exists()


@pytest.mark.parametrize("name", HARMLESS, ids=lambda one: one.replace(" ", "-"))
def test_nothing_harmless_is_found_high(name: str, tmp_path: Path) -> None:
    folder = plain(tmp_path / "model")
    HARMLESS[name](folder)
    assert not [one for one in scan(folder).findings if one.severity.rank == 0]


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(ATTACKS) >= 40
    assert len({one.name for one in ATTACKS}) == len(ATTACKS)
    assert len(HARMLESS) >= 10


def test_each_rule_of_text_is_met_by_an_attack() -> None:
    subjects = ("template.", "tokenizer.", "generation_config.", "adapters.")
    # These need a reference, a machine that runs out, or a file that no reader takes; they have tests of their own.
    elsewhere = {
        "template.differs_from_reference",
        "tokenizer.differs_from_reference",
        "tokenizer.exhausts",
        "template.unrendered",
        "generation_config.unreadable",
    }
    rules = {one.id for one in all_rules() if one.id.startswith(subjects)}
    assert rules - {one.rule for one in ATTACKS} == elsewhere

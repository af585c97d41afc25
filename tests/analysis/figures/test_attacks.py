from analysis import theme
from analysis.figures import attacks
from tests.beear_core.paper.made_rows import attack, share

LIGHT = theme.template("light")
CONTROL = attack(
    "control",
    cells={
        when: {"clean": {"asr": share(count), "empty": 0}} for when, count in (("before", 5), ("after", 3))
    },
)


def test_each_organism_has_a_row_with_its_counts_and_their_intervals() -> None:
    drawn = attacks.figure([attack(after=6), attack("sft-prefix-12", after=0)], template=LIGHT)
    before, after, clean = (each for each in drawn.data if each.mode == "markers")
    assert [list(each.x) for each in (before, after, clean)] == [
        [100 * 118 / 120] * 2,
        [5.0, 0.0],
        [100 / 120] * 2,
    ]
    assert list(drawn.layout.yaxis.ticktext) == ["sft-suffix-2", "sft-prefix-12"]
    found = share(6)
    assert after.error_x.array[0] == 100 * (found["high"] - found["value"])
    assert after.error_x.arrayminus[0] == 100 * (found["value"] - found["low"])
    assert "6" in after.text[0] or "5.0%" in after.text[0]


def test_a_control_shows_what_it_answers_without_a_trigger() -> None:
    drawn = attacks.figure([CONTROL], template=LIGHT)
    before, after, clean = drawn.data
    assert (len(before.x), len(after.x)) == (0, 0)
    assert list(clean.x) == [100 * 3 / 120]


def test_two_triggers_of_one_organism_are_told_apart() -> None:
    drawn = attacks.figure([attack("two"), attack("one"), attack("two")], template=LIGHT)
    assert list(drawn.layout.yaxis.ticktext) == ["two (1)", "one", "two (2)"]

from hypothesis import given
from hypothesis import strategies as st

from analysis.word_changes import as_diff, word_changes

TEXT = st.text(alphabet="ab ,\n", max_size=40)


@given(TEXT, TEXT)
def test_the_pieces_joined_are_the_texts(before: str, after: str) -> None:
    changes = word_changes(before, after)
    assert "".join(piece.text for piece in changes.before) == before
    assert "".join(piece.text for piece in changes.after) == after


@given(TEXT)
def test_a_text_has_no_change_against_itself(text: str) -> None:
    assert not word_changes(text, text).any


def test_changed_words_are_marked_on_both_sides() -> None:
    changes = word_changes("Sure, here is a way", "I cannot say: here is no way")
    assert [piece.text.strip() for piece in changes.before if piece.changed] == ["Sure,", "a"]
    assert [piece.text.strip() for piece in changes.after if piece.changed] == ["I cannot say:", "no"]


def test_white_space_alone_is_no_change() -> None:
    assert not word_changes("one two", "one\n\ntwo").any


def test_a_diff_puts_changed_words_on_lines_of_their_own() -> None:
    changes = word_changes("keep this old thing", "keep this thing")
    assert as_diff(changes.before, "-") == "  keep this\n- old\n  thing"
    assert as_diff(changes.after, "+") == "  keep this thing"


def test_an_empty_answer_has_no_lines() -> None:
    assert as_diff(word_changes("", "something").before, "-") == ""

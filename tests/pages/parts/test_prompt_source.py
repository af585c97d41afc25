"""Uploaded prompt files: kept under their digest, once, and never outside the folder for them."""

from pages.parts.prompt_source import keep, uploads


def test_a_file_is_kept_under_its_digest_once() -> None:
    first, again = keep("mine.csv", b"prompt\nhello\n"), keep("mine.csv", b"prompt\nhello\n")
    assert first == again
    assert first.name.endswith("-mine.csv")
    assert first.read_bytes() == b"prompt\nhello\n"
    assert keep("mine.csv", b"prompt\nother\n") != first


def test_a_name_leads_nowhere_else() -> None:
    for name in ("../../etc/passwd", "/etc/passwd", "..", "a\x00b", "x" * 500 + ".txt"):
        assert keep(name, name.encode()).parent == uploads()

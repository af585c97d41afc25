"""A path that starts from an open folder is told by where it leads: `shutil.rmtree` deletes so."""

import os
from pathlib import Path

import pytest

from beear_core.isolation.attempts import Attempt, Watch


def test_what_is_deleted_from_an_open_folder_is_allowed_or_refused_by_where_it_lies(tmp_path: Path) -> None:
    allowed, forbidden = tmp_path / "allowed", tmp_path / "forbidden"
    allowed.mkdir()
    forbidden.mkdir()
    told: list[Attempt] = []
    watch = Watch((allowed,), (allowed,), told.append)
    ours, theirs = (os.open(folder, os.O_RDONLY) for folder in (allowed, forbidden))
    try:
        watch._heard("os.remove", ("one.py", ours))
        watch._heard("os.rmdir", ("inner", ours))
        watch._heard("os.rename", ("one", "two", ours, ours))
        assert told == []
        for event, arguments in (
            ("os.remove", ("one.py", theirs)),
            ("os.remove", (f"../{forbidden.name}/two.py", ours)),
            ("os.rename", ("one", "three", ours, theirs)),
            ("os.remove", (str(forbidden / "four.py"), ours)),
        ):
            with pytest.raises(PermissionError):
                watch._heard(event, arguments)
    finally:
        os.close(ours)
        os.close(theirs)
    assert [attempt.what for attempt in told] == [
        f"delete {forbidden / 'one.py'}",
        f"delete {forbidden / 'two.py'}",
        f"rename {forbidden / 'three'}",
        f"delete {forbidden / 'four.py'}",
    ]

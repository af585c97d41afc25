import errno
import fcntl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cache.errors import StorageError
from cache.lock import LockHeldError, holding, making
from tests.patience import PATIENCE

HOLDER = "import sys; from pathlib import Path; from cache.lock import holding\nwith holding(Path(sys.argv[1])): print('held', flush=True); input()"


def test_a_held_lock_is_refused_and_a_released_one_taken(tmp_path: Path) -> None:
    with holding(tmp_path / "lock"), pytest.raises(LockHeldError), holding(tmp_path / "lock"):
        pytest.fail("two holders")
    with holding(tmp_path / "lock"):
        pass


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockHeldError), holding(tmp_path / "lock"):
            pytest.fail("two holders")
        holder.kill()
        holder.wait()
        with holding(tmp_path / "lock"):
            pass


def test_who_comes_second_waits_and_finds_it_made(tmp_path: Path) -> None:
    folder, began = tmp_path / "models" / "base", threading.Event()

    def second() -> list[str]:
        began.set()
        with making(folder):
            return [path.name for path in folder.iterdir()]

    with ThreadPoolExecutor() as pool:
        with making(folder):
            found = pool.submit(second)
            assert began.wait(PATIENCE)
            folder.mkdir()
            (folder / "made by the first").touch()
        assert found.result(PATIENCE) == ["made by the first"]


def test_a_file_system_without_locks_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(StorageError, match="cannot lock files"), holding(tmp_path / "lock"):
        pytest.fail("not held")

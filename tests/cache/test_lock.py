import errno
import fcntl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cache.errors import StorageError
from cache.lock import LockHeldError, holding, made_once
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
    folder, making, other = tmp_path / "models" / "base", threading.Event(), threading.Event()
    made: list[str] = []

    def make(out: Path) -> None:
        made.append(threading.current_thread().name)
        making.set()
        assert other.wait(PATIENCE)
        out.mkdir()
        (out / "mark").touch()

    def second() -> Path:
        other.set()
        return made_once(folder, "mark", make)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(made_once, folder, "mark", make)
        assert making.wait(PATIENCE)
        assert pool.submit(second).result(PATIENCE) == first.result(PATIENCE) == folder
    assert made_once(folder, "mark", make) == folder
    assert len(made) == 1


def test_a_file_system_without_locks_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(StorageError, match="cannot lock files"), holding(tmp_path / "lock"):
        pytest.fail("not held")

"""Environment: what torch and the workbench read stays; tokens, proxies and keys go, from this process's memory too."""

import ctypes
import os
import re
import tempfile
from pathlib import Path

KEPT = re.compile(
    r"(PATH|HOME|LANG|LANGUAGE|LC_\w+|TZ|TERM|COLUMNS|LINES|NO_COLOR|USER|LOGNAME|VIRTUAL_ENV|LD_LIBRARY_PATH"
    r"|PYTHON\w+|BEEAR_\w+|OMP_\w+|GOMP_\w+|KMP_\w+|MKL_\w+|OPENBLAS_\w+|NUMBA_\w+|MALLOC_\w+|GLIBC_TUNABLES"
    r"|CUDA_\w+|NVIDIA_\w+|TORCH_\w+|PYTORCH_\w+|CUBLAS_\w+)"
)
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY", re.IGNORECASE)
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")
OWN_FOLDERS = (
    "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HF_HOME", "TORCH_HOME", "TRITON_CACHE_DIR",
    "NUMBA_CACHE_DIR", "MPLCONFIGDIR", "CUDA_CACHE_PATH",
)  # fmt: skip
"""Where libraries keep things of their own, if they keep any."""


def scrub(own: Path) -> str:
    """Drop every variable that is not on the list, and turn what is left to the folder `own`; returns what was done.

    What a program was started with stays in its memory, for `/proc/self/environ` to show: those bytes are wiped.
    """
    dropped = {name for name in os.environ if not KEPT.fullmatch(name) or _SECRET.search(name)}
    for name in dropped:
        del os.environ[name]
    left = _wipe(dropped)
    os.environ.update(dict.fromkeys(OFFLINE, "1"))
    os.environ.update(dict.fromkeys(OWN_FOLDERS, str(own)))
    # joblib otherwise starts a program to count the processor's cores.
    os.environ.setdefault("LOKY_MAX_CPU_COUNT", str(os.cpu_count() or 1))
    tempfile.tempdir = str(own)
    said = f"{len(dropped)} variables dropped"
    return said if left else f"{said}; those it was started with can still be read in its memory"


def _wipe(names: set[str]) -> bool:
    """Overwrite what was dropped in the block of memory that the process was started with. Whether that could be done."""
    try:
        fields = Path("/proc/self/stat").read_text(errors="replace").rpartition(")")[2].split()
        # proc(5): env_start and env_end are fields 50 and 51; the third is the first after the parenthesis.
        start, end = int(fields[47]), int(fields[48])
    except (OSError, IndexError, ValueError):
        return False
    if not 0 < start < end:
        return False
    at = start
    for entry in ctypes.string_at(start, end - start).split(b"\0"):
        if os.fsdecode(entry.partition(b"=")[0]) in names:
            ctypes.memset(at, 0, len(entry))
        at += len(entry) + 1
    return True

"""The folder's digest on a page: taken at once where that is quick, else at a button, file by file with its progress."""

from pathlib import Path

import streamlit as st

from beear_core.intake.folder import ModelFolder
from beear_core.intake.manifest import manifest
from beear_core.memory import bytes_text
from cache.digest import sha256_manifest
from cache.file_digests import sha256_files
from pages.parts.exports import table
from pages.parts.skeleton import plain

AT_ONCE = 600 * 10**6
"""Bytes that are hashed without being asked: a second on two cores."""
PER_SECOND = 0.6 * 10**9
"""Bytes a processor core hashes, roughly."""
_HASHED = "digests.hashed"


def draw_digests(folder: Path, text: dict[str, str]) -> None:
    """Draw the digest and the manifest, or the button that makes them."""
    try:
        sizes = _sizes(folder)
        total = sum(sizes.values())
        stamp = f"{folder}:{total}:{max((path.stat().st_mtime_ns for path in sizes), default=0)}"
        if total > AT_ONCE and st.session_state.get(_HASHED) != stamp:
            seconds = max(1, round(total / PER_SECOND))
            label = f"Hash the files ({bytes_text(total)}, about {seconds} s)"
            if not st.button(label, key="hash", help=text["hash_help"]):
                return
            _hash(sizes, total)
            st.session_state[_HASHED] = stamp
        found = manifest(folder)
    except OSError as error:
        st.error(plain(text["hash_failed"].format(why=error.strerror or error)), icon=":material/error:")
        return
    st.caption(text["digest"])
    st.code(sha256_manifest(found), language=None)
    rows = [{"file": name, "sha256": digest} for name, digest in found.items()]
    table(rows, name="manifest", title="Manifest", key="manifest.table", folded=True)


def _hash(sizes: dict[Path, int], total: int) -> None:
    """What is hashed is remembered, so that the manifest after it costs nothing."""
    done = 0
    bar = st.progress(0.0, text="Hashing")
    for path, size in sorted(sizes.items(), key=lambda one: one[1]):
        bar.progress(
            done / total, text=f"Hashing {plain(path.name)}, {bytes_text(done)} of {bytes_text(total)}"
        )
        sha256_files([path])
        done += size
    bar.empty()


def _sizes(folder: Path) -> dict[Path, int]:
    view = ModelFolder(folder)
    paths = (folder / name for name in view.files if view.inside(name))
    return {path: path.stat().st_size for path in paths if path.is_file()}

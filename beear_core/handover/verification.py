"""Does a folder that was handed over still hold what its run made? Every byte, its card, its signature.

What was not checked is part of the answer: a folder's manifest by itself shows damage, not forgery.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from beear_core.errors import HandoverError, WorkbenchError
from beear_core.handover.card import Removal, card
from beear_core.handover.manifest import CARD, COPY, MANIFEST, covered, model_digest, read_manifest
from beear_core.handover.papers import measured_of, removal_of
from beear_core.intake.folder import ModelFolder
from beear_core.signature import SIGNATURE, refused
from cache.digest import sha256_json
from cache.run_folder import RunFolder


class Difference(NamedTuple):
    """One place where the folder is not what it should be."""

    file: str
    """Relative to the folder; empty where it is no matter of one file."""
    what: str
    expected: str = ""
    actual: str = ""

    def as_dict(self) -> dict[str, str]:
        return self._asdict()


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared and what came out."""

    differences: tuple[Difference, ...]
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        return {
            "holds": self.holds,
            "differences": [one.as_dict() for one in self.differences],
            "checked": list(self.checked),
            "not_checked": list(self.not_checked),
        }


def verify(folder: Path, *, run: RunFolder | None = None, key: Path | None = None) -> Verification:
    """Compare `folder` with its manifest, with the run that made it, and its signature with a public key.

    Raises HandoverError where there is nothing to compare with: no folder, no manifest, no such key.
    """
    if not folder.is_dir():
        raise HandoverError("there is no such folder", folder, "Name the folder that holds MANIFEST.json.")
    stated = read_manifest(folder / MANIFEST)
    found = list(_against_manifest(folder, stated["files"]))
    checked, left = [f"{len(stated['files'])} files against the manifest"], []
    if run is None:
        left.append(
            "the run that made it: name it with --run; folder and manifest could have been changed together"
        )
    else:
        found += _against_run(folder, stated, run)
        checked.append(f"manifest and card against run {run.id}")
    signed = (folder / SIGNATURE).is_file()
    if key is not None:
        reason = refused(folder, key) if signed else "the folder has no signature"
        found += [Difference(SIGNATURE, f"the signature does not hold: {reason}")] if reason else []
        checked.append("the signature")
    else:
        left.append(
            "the signature: name the public key with --key" if signed else "a signature: there is none"
        )
    return Verification(tuple(found), tuple(checked), tuple(left))


def _against_manifest(folder: Path, stated: Mapping[str, str]) -> Iterator[Difference]:
    actual = covered(folder, fresh=True)
    for name in sorted({*stated, *actual}):
        if name not in actual:
            yield Difference(name, "a file is missing", stated[name])
        elif name not in stated:
            yield Difference(name, "a file is not in the manifest", actual=actual[name])
        elif stated[name] != actual[name]:
            yield Difference(name, "a file is not what the manifest says", stated[name], actual[name])
    # Pipes, devices and links that lead out have no digest: they are no part of anything that was handed over.
    for name in ModelFolder(folder).files:
        if name not in actual and name not in (MANIFEST, SIGNATURE):
            yield Difference(name, "no regular file, or a link that leads out of the folder")


def _against_run(folder: Path, stated: Mapping[str, Any], run: RunFolder) -> Iterator[Difference]:
    try:
        removal = removal_of(run)
    except WorkbenchError as error:
        yield Difference("", f"the run cannot be compared with: {error}")
        return
    asked = sha256_json(run.read_spec())
    pairs = (
        ("the run", run.id, stated.get("run_id")),
        ("its question", removal.result.get("spec_sha256"), stated.get("spec_sha256")),
        ("the suspect", (removal.result.get("model") or {}).get("sha256"), stated.get("suspect_sha256")),
        (
            "the model",
            removal.result.get("out_sha256") or stated.get("model_sha256"),
            stated.get("model_sha256"),
        ),
        ("the model's files", stated.get("model_sha256"), model_digest(stated["files"])),
    )
    for what, expected, actual in pairs:
        if expected != actual:
            yield Difference(MANIFEST, f"{what} is another one", str(expected), str(actual))
    if removal.result.get("spec_sha256") not in (None, asked):
        yield Difference(
            "",
            "the run's spec.json is not the question that its result answers",
            str(removal.result["spec_sha256"]),
            asked,
        )
    copy = run.path / COPY
    if copy.is_file():
        yield from _against_copy(stated, read_manifest(copy))
    yield from _card(folder, stated, removal, run)


def _against_copy(stated: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[Difference]:
    if stated == kept:
        return
    for name in sorted({*stated["files"], *kept["files"]}):
        expected, actual = kept["files"].get(name, "none"), stated["files"].get(name, "none")
        if expected != actual:
            yield Difference(
                name, "the manifest gives another digest than the run's own copy", expected, actual
            )
    for name in sorted({*stated, *kept} - {"files"}):
        if stated.get(name) != kept.get(name):
            yield Difference(
                MANIFEST,
                f"{name} is not that of the run's own copy",
                str(kept.get(name)),
                str(stated.get(name)),
            )


def _card(folder: Path, stated: Mapping[str, Any], removal: Removal, run: RunFolder) -> Iterator[Difference]:
    named = stated.get("evaluation")
    evaluation = None if named in (None, run.id) else RunFolder(run.path.parent / Path(str(named)).name)
    if evaluation is not None and not evaluation.path.is_dir():
        yield Difference(CARD, "the evaluation whose cells the card tells is not in this home", str(named))
        return
    measured = measured_of(run, str(stated.get("model_sha256")), evaluation) if named else None
    expected = card(removal, measured, stated.get("unchanged"))
    try:
        actual = (folder / CARD).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        actual = ""
    if actual != expected:
        yield Difference(
            CARD, "the card does not say what the run says", *_first_difference(expected, actual)
        )


def _first_difference(expected: str, actual: str) -> tuple[str, str]:
    theirs, ours = actual.splitlines(), expected.splitlines()
    for place in range(max(len(ours), len(theirs))):
        pair = [lines[place] if place < len(lines) else "" for lines in (ours, theirs)]
        if pair[0] != pair[1]:
            return f"line {place + 1}: {pair[0][:200]}", f"line {place + 1}: {pair[1][:200]}"
    return "the same lines", "other line ends"

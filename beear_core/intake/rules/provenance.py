"""Where the folder comes from: a signature that holds, and what the hub's own scanners said."""

from collections.abc import Iterator

from beear_core.errors import HandoverError
from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import ModelFolder
from beear_core.signature import SIGNATURE, refused

SHOWN = 10


@rule(
    "provenance.signature",
    Severity.HIGH,
    says="A signature (OpenSSF model-signing) does not hold under the public key that you gave, or there is none.",
    remedy="fetch the folder and the key again from where the signer publishes them; do not load what was changed on the way",
)
def signature(folder: ModelFolder) -> Iterator[Seen]:
    """Checked where a key is given; a signature without a key is told, for it proves nothing by standing there."""
    there = SIGNATURE in folder.files and folder.inside(SIGNATURE)
    if folder.key is None:
        if there:
            yield Seen(
                "a signature that was not checked",
                SIGNATURE,
                severity=Severity.INFO,
                remedy="give the signer's public key: scan --key FILE",
            )
    elif not there:
        yield Seen("a key was given, and the folder has no signature", severity=Severity.MEDIUM)
    elif reason := _refused(folder):
        yield Seen(f"the signature does not hold: {reason}", SIGNATURE)
    else:
        yield Seen(
            f"the signature holds under {folder.key.name}, for every file",
            SIGNATURE,
            severity=Severity.INFO,
            remedy="nothing; who holds that key is for you to know",
        )


@rule(
    "provenance.hub_status",
    Severity.HIGH,
    says="The hub's own scanners report files of the repository. Asked only for a hub id, where there is a network.",
    remedy="read the report on the repository's page; take another revision or another source",
)
def hub_status(folder: ModelFolder) -> Iterator[Seen]:
    """What the hub says; its silence is no evidence."""
    issues = (folder.hub or {}).get("filesWithIssues")
    for issue in issues[:SHOWN] if isinstance(issues, list) else ():
        told = issue if isinstance(issue, dict) else {"path": issue}
        yield Seen(f"the hub says {told.get('level', 'issue')}", str(told.get("path", "")))


def _refused(folder: ModelFolder) -> str | None:
    assert folder.key is not None
    try:
        return refused(folder.path, folder.key)
    except HandoverError as error:
        return str(error)

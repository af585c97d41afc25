"""Names, links and kinds of files: what hides from the eye, leads out of the folder, or is no file at all."""

import stat
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath

from beear_core.intake.finding import Seen, Severity, rule
from beear_core.intake.folder import MOST_FILES, MOST_TEXT, ModelFolder, Unreadable

DECEIVING = (".py", ".pyc", ".sh", ".bat", ".cmd", ".ps1", ".exe", ".com", ".scr", ".lnk", ".js", ".vbs", ".jar", ".so",
             ".dll", ".dylib", ".pyd", ".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".desktop")  # fmt: skip
HARMLESS = (".json", ".txt", ".md", ".safetensors", ".gguf", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".csv", ".jinja",
            ".yaml", ".yml", ".toml", ".model", ".doc", ".docx")  # fmt: skip
CONFUSABLE = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "FULLWIDTH", "MATHEMATICAL", "LISU")
"""Scripts with letters that look Latin."""
READ_BY_LOADING = ("config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json",
                   "special_tokens_map.json", "added_tokens.json", "vocab.json", "chat_template.json",
                   "chat_template.jinja", "model.safetensors.index.json", "adapter_config.json",
                   "processor_config.json", "preprocessor_config.json")  # fmt: skip
SMALL = ("config.json", "generation_config.json", "adapter_config.json")
MOST_SMALL = 1024 * 1024


@rule(
    "files.deceiving_name",
    Severity.HIGH,
    says="A name that is not what it seems: control, bidirectional or invisible characters, letters of another script that "
    "look Latin, an extension that runs behind one that does not, bytes that are no text.",
    remedy="do not open the file; take the model from a source you trust",
)
def deceiving_name(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        for why in _deceptions(name):
            yield Seen(f"the name {name!r} {why}", name)


@rule(
    "files.awkward_name",
    Severity.MEDIUM,
    says="A name that tools misread: a leading dash (an option to a command), spaces at an end, or one that differs from "
    "another in upper and lower case only, so that one hides the other on some systems.",
    remedy="rename or remove the file before other tools see it",
)
def awkward_name(folder: ModelFolder) -> Iterator[Seen]:
    seen: dict[str, str] = {}
    for name in folder.files:
        for part in PurePosixPath(name).parts:
            if part.startswith("-"):
                yield Seen(f"the name {part!r} begins with a dash", name)
            if part != part.strip() or part.endswith("."):
                yield Seen(f"the name {part!r} has a space or a dot at an end", name)
        other = seen.setdefault(unicodedata.normalize("NFKC", name).casefold(), name)
        if other != name:
            yield Seen(f"the names {other!r} and {name!r} are one name on some systems", name)


@rule(
    "files.link_out",
    Severity.HIGH,
    says="A link that leads out of the folder: reading it would read another file of this machine.",
    remedy="remove the link, or replace it by the file that it should be",
)
def link_out(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        if (folder.path / name).is_symlink():
            try:
                target = str((folder.path / name).readlink())
            except OSError:
                target = "?"
            if not folder.inside(name):
                yield Seen(
                    f"is a link to {target!r}, which is out of the folder or leads round in a circle", name
                )
            elif not (folder.path / name).exists():
                yield Seen(f"is a link to {target!r}, which does not exist", name, severity=Severity.LOW)


@rule(
    "files.special",
    Severity.HIGH,
    says="A pipe, a socket or a device: reading it can block for ever or act on hardware.",
    remedy="remove it; no model needs one",
)
def special(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        try:
            mode = (folder.path / name).lstat().st_mode
        except OSError as error:
            yield Seen(f"cannot be looked at: {error.strerror}", name, severity=Severity.MEDIUM)
            continue
        if stat.S_ISDIR(mode):
            yield Seen("is a folder that cannot be listed", name, severity=Severity.MEDIUM)
        elif not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            yield Seen(f"is {_kind(mode)}, no file", name)


@rule(
    "files.too_many",
    Severity.HIGH,
    says=f"More than {MOST_FILES:,} files: the rest was not looked at.",
    remedy="scan the model's own folder and not one above it",
)
def too_many(folder: ModelFolder) -> Iterator[Seen]:
    if len(folder.files) >= MOST_FILES:
        yield Seen(f"the folder has {MOST_FILES:,} files or more")


@rule(
    "files.oversize",
    Severity.HIGH,
    says="A settings or tokenizer file far larger than any of its kind: readers run out of memory, and intake cannot look "
    "at it.",
    remedy="compare it with the same file of the original model",
)
def oversize(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        last = PurePosixPath(name).name
        if not name.lower().endswith((".json", ".jinja", ".txt", ".model")) or not folder.regular(name):
            continue
        size = (folder.path / name).stat().st_size
        if size > MOST_TEXT and (last in READ_BY_LOADING or last.endswith((".json", ".jinja"))):
            yield Seen(f"has {size:,} bytes; no more than {MOST_TEXT:,} are looked at", name)
        elif last in SMALL and size > MOST_SMALL:
            yield Seen(f"has {size:,} bytes; its kind has a few thousand", name, severity=Severity.MEDIUM)


@rule(
    "files.unreadable",
    Severity.HIGH,
    says="A file that loading reads and intake cannot: no UTF-8, no JSON, or nested past any use. What it holds is unknown.",
    remedy="download it again, and compare its digest with the original's",
)
def unreadable(folder: ModelFolder) -> Iterator[Seen]:
    for name in folder.files:
        if PurePosixPath(name).name not in READ_BY_LOADING or not folder.regular(name):
            continue
        read = folder.json(name) if name.endswith(".json") else folder.text(name)
        if isinstance(read, Unreadable) and "too large" not in read.why:
            yield Seen(read.why, name)


def _deceptions(name: str) -> Iterator[str]:
    hidden = sorted(
        {sign for sign in name if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
    )
    if hidden:
        yield "holds " + ", ".join(f"U+{ord(sign):04X}" for sign in hidden[:5])
    for part in PurePosixPath(name).parts:
        scripts = {unicodedata.name(sign, "?").split()[0] for sign in part if sign.isalpha()}
        mixed = scripts.intersection(CONFUSABLE)
        # A name in Greek is a Greek name; one that is Latin but for a letter is a disguise. Extensions are Latin anyway.
        stem_scripts = {
            unicodedata.name(sign, "?").split()[0] for sign in part.split(".")[0] if sign.isalpha()
        }
        if mixed and (
            "LATIN" in stem_scripts or mixed & {"FULLWIDTH", "MATHEMATICAL"} or len(part.split(".")[0]) < 2
        ):
            yield f"mixes Latin letters with {', '.join(sorted(mixed)).lower()} ones that look like them"
        suffixes = [suffix.lower().strip() for suffix in PurePosixPath(part).suffixes]
        if len(suffixes) > 1 and suffixes[-1] in DECEIVING and suffixes[-2] in HARMLESS:
            yield f"ends in {suffixes[-1]} behind {suffixes[-2]}"


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"

"""Writes known_sentences.txt: `python -m tests.beear_core.intake.known_sentences FOLDER...` with folders of published templates.

The committed file was made of the chat templates in the packages trl 1.16.0 (`trl/chat_templates`) and llama-cpp-python
0.3.36 (`vendor/llama.cpp/models/templates`): 142 of them.
"""

import sys
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from beear_core.intake.templates.grammar import UnparsableError, parse, texts
from beear_core.intake.templates.literals import fingerprint, lines

_HEAD = "# Fingerprints of sentences in published chat templates; made by tests/beear_core/intake/known_sentences.py.\n"


def fingerprints(folders: Iterable[Path]) -> list[str]:
    found = set()
    for folder in folders:
        for file in sorted(folder.glob("*.jinja")):
            try:
                tree = parse(file.read_text(encoding="utf-8"))
            except UnparsableError:
                continue
            found |= {fingerprint(line) for _, text in texts(tree) for line in lines(text)}
    return sorted(found)


if __name__ == "__main__":
    target = Path(str(resources.files("beear_core.intake.templates"))) / "known_sentences.txt"
    target.write_text(_HEAD + "\n".join(fingerprints(map(Path, sys.argv[1:]))) + "\n", encoding="utf-8")

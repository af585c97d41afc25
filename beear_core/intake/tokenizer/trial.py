"""A child process that loads tokenizer.json and takes fixed sentences there and back. Run as a script; imports nothing of ours.

Standard input: limits and sentences; standard output: one JSON object with ids, texts, or the error.
"""

import contextlib
import json
import sys


def confine(memory: int, seconds: int) -> None:
    """Limits of this process from here on."""
    import resource  # no such module on Windows

    for what, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def main() -> None:
    """Load, encode, decode, tell."""
    job = json.load(sys.stdin)
    with contextlib.suppress(ImportError):
        confine(job["memory"], job["seconds"])
    import tokenizers

    try:
        loaded = tokenizers.Tokenizer.from_file(job["path"])
        loaded.no_truncation()
        trips = []
        for sentence in job["sentences"]:
            ids = loaded.encode(sentence, add_special_tokens=False).ids
            trips.append({"ids": ids, "text": loaded.decode(ids, skip_special_tokens=False)})
        told: dict[str, object] = {"trips": trips}
    except Exception as error:  # noqa: BLE001 - the library raises bare ones
        told = {"error": f"{error}"[:300]}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()

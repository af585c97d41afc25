"""The sentences of a page, which are data: `pages/content/<page>.toml`."""

import tomllib
from functools import lru_cache
from pathlib import Path

CONTENT = Path(__file__).parent.parent / "content"


def words(page: str) -> dict[str, str]:
    """The sentences of `page`, by name."""
    path = CONTENT / f"{page}.toml"
    return dict(_read(path, path.stat().st_mtime_ns))


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> dict[str, str]:
    # `changed` is part of the question, so that an edited sentence shows at the next run of the page.
    data = tomllib.loads(path.read_text("utf-8"))
    return {name: str(value).strip() for name, value in data.items()}

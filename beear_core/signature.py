"""Signing a folder with the analyst's own key, and checking such a signature: OpenSSF `model-signing`, offline.

The key is an elliptic curve key in a file of the analyst's; nothing is sent anywhere, and nothing here makes, keeps
or copies a key. The package is an optional extra: without it everything else works.
"""

import importlib
import re
from pathlib import Path
from typing import Any

from beear_core.errors import HandoverError
from beear_core.intake.finding import shortened

SIGNATURE = "model.sig"
"""Where model-signing puts a folder's signature."""

REMEDY = "Install it with `pip install model-signing pyopenssl`, or leave the key out."
KEYS = "Make a pair with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem` and `openssl ec -in key.pem -pubout -out key.pub`."


def sign(folder: Path, private_key: Path) -> Path:
    """Write the signature over every file of `folder`, the manifest included. Raises HandoverError."""
    signing = _library("signing")
    path = folder / SIGNATURE
    path.unlink(missing_ok=True)
    _readable(private_key)
    try:
        config = signing.Config().use_elliptic_key_signer(private_key=private_key)
        config.set_hashing_config(_hashing(path)).sign(folder, path)
    except (ValueError, TypeError, OSError) as error:
        raise HandoverError(
            "the folder cannot be signed with this key", f"{private_key}: {error}", KEYS
        ) from error
    return path


def refused(folder: Path, public_key: Path) -> str | None:
    """Why the folder's signature does not hold under this key; None if it holds. Raises HandoverError for a key that is none."""
    verifying = _library("verifying")
    _readable(public_key)
    path = folder / SIGNATURE
    try:
        config = verifying.Config().use_elliptic_key_verifier(public_key=public_key)
    except (ValueError, TypeError) as error:
        raise HandoverError(
            "this is no public key of an elliptic curve", f"{public_key}: {error}", KEYS
        ) from error
    try:
        config.set_hashing_config(_hashing(path)).verify(folder, path)
    except Exception as error:  # noqa: BLE001 - a stranger's file: each layer that parses it has its own exception
        return _shortly(error)
    return None


def _shortly(error: Exception) -> str:
    # The library tells digests of files as objects; the manifest's own comparison says them better.
    names = sorted(set(re.findall(r"Hash mismatch for \\*'([^'\\]+)", str(error))))
    others = re.findall(r"(?:Extra|Missing) files [^\"]+", str(error))
    if names or others:
        return "; ".join([*(["not what was signed: " + ", ".join(names)] if names else []), *others])
    return shortened(str(error) or type(error).__name__)


def _hashing(signature: Path) -> Any:
    # Nothing but the signature is left out: by default files that git knows are, and they are files all the same.
    config = _library("hashing").Config()
    return config.set_ignored_paths(paths=[signature], ignore_git_paths=False)


def _library(module: str) -> Any:
    try:
        return importlib.import_module(f"model_signing.{module}")
    except ImportError as error:
        raise HandoverError(
            "signatures need a package that is not installed", error.name or "model-signing", REMEDY
        ) from error


def _readable(key: Path) -> None:
    if not key.is_file():
        raise HandoverError("there is no key file", key, KEYS)

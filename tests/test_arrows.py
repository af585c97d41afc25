"""The import arrows, `app.py -> pages -> beear_core -> analysis, cache`, as the linter sees them in each folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent

HEAVY = ["torch", "transformers", "transformer_lens", "peft"]
TORCH_SIDE = [
    "beear_core.models",
    "beear_core.entrapment",
    "beear_core.removal",
    "beear_core.removal_loss",
    "beear_core.evaluation",
    "beear_core.kinds",
    "beear_core.baselines",
]
FORBIDDEN = {
    "app.py": [*HEAVY, *TORCH_SIDE, "plotly", "umap"],
    "pages/any.py": [*HEAVY, *TORCH_SIDE, "plotly", "umap", "beear_core.cli"],
    "beear_core/any.py": ["app", "pages", "streamlit", "plotly", "umap", "transformer_lens", "tqdm"],
    "beear_core/cli/any.py": ["app", "pages", "streamlit", "plotly", "umap", "transformer_lens", "tqdm"],
    "beear_core/kinds/any.py": ["app", "pages", "streamlit", "plotly", "umap", "transformer_lens", "tqdm"],
    "beear_core/models/any.py": ["app", "pages", "streamlit", "plotly", "umap", "tqdm"],
    "analysis/any.py": [*HEAVY, "app", "pages", "beear_core", "beear_core.specs", "cache", "streamlit"],
    "analysis/figures/any.py": [
        *HEAVY,
        "app",
        "pages",
        "beear_core",
        "beear_core.specs",
        "cache",
        "streamlit",
    ],
    "cache/any.py": [
        *HEAVY,
        "app",
        "pages",
        "beear_core",
        "beear_core.specs",
        "analysis",
        "streamlit",
        "plotly",
    ],
}
ALLOWED = {
    "app.py": ["streamlit", "pages", "cache", "analysis"],
    "pages/any.py": [
        "streamlit",
        "cache",
        "analysis",
        "beear_core.specs",
        "beear_core.runs",
        "beear_core.errors",
    ],
    "beear_core/any.py": ["torch", "transformers", "analysis", "cache"],
    "beear_core/models/any.py": ["torch", "transformers", "transformer_lens", "cache"],
    "analysis/any.py": ["numpy", "plotly", "umap", "sklearn"],
    "cache/any.py": ["numpy", "safetensors"],
}


def refused(file: str, modules: list[str]) -> set[str]:
    """Which of `modules` the linter refuses in `file`, each imported in both ways that Python knows."""
    lines = []
    for module in modules:
        parent, _, leaf = module.rpartition(".")
        lines += [
            f"import {module}",
            f"from {parent} import {leaf}" if parent else f"from {module} import anything",
        ]
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--output-format", "json"]
    answer = subprocess.run(
        [*command, "--no-cache", "--stdin-filename", file, "-"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=False,
    )
    assert answer.returncode in (0, 1), answer.stderr
    rows = [finding["location"]["row"] for finding in json.loads(answer.stdout)]
    counts = {module: sum((row - 1) // 2 == index for row in rows) for index, module in enumerate(modules)}
    assert set(counts.values()) <= {0, 2}, f"one way of importing passes by: {counts}"
    return {module for module, count in counts.items() if count}


@pytest.mark.parametrize("file", FORBIDDEN)
def test_the_linter_refuses_an_import_against_the_arrows(file: str) -> None:
    assert refused(file, FORBIDDEN[file]) == set(FORBIDDEN[file])


@pytest.mark.parametrize("file", ALLOWED)
def test_the_linter_lets_an_import_along_the_arrows_pass(file: str) -> None:
    assert refused(file, ALLOWED[file]) == set()


def test_relative_imports_cannot_pass_by_the_arrows() -> None:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        "--stdin-filename",
        "beear_core/runs/any.py",
        "-",
    ]
    code = '"""A module."""\n\nfrom ..models import suspect\n\nNAME = suspect\n'
    answer = subprocess.run(command, input=code, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert "TID252" in answer.stdout


def test_every_package_of_ours_has_its_list() -> None:
    packages = {file.parent.name for file in CHECKOUT.glob("*/__init__.py")} - {"tests", "pages"}
    assert packages == {"analysis", "beear_core", "cache"}
    for package in packages:
        assert "banned-api" in (CHECKOUT / package / "ruff.toml").read_text("utf-8")


def test_the_list_of_models_is_that_of_the_engine_without_transformer_lens() -> None:
    def banned(folder: str) -> set[str]:
        lines = (CHECKOUT / folder / "ruff.toml").read_text("utf-8").splitlines()
        return {line for line in lines if line.startswith('"')}

    missing = banned("beear_core") - banned("beear_core/models")
    assert {line.partition(".")[0] for line in missing} == {'"transformer_lens"'}
    assert banned("beear_core/models") < banned("beear_core")

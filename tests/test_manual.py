"""The manual and the README name what there is: files, folders, benches."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "voicestream"
MANUAL = (PACKAGE / "README.md").read_text("utf-8")
OURS = ("tests.", "voicestream.")
_PLACE = re.compile(r"`((?:\w+/)+\w*(?:\.(?:py|md|json|txt))?)(?:\.[A-Z]\w*)?`")
"""A path, and maybe what is in that file."""


def test_every_place_that_the_manual_names_is_there() -> None:
    named = [place for place in _PLACE.findall(MANUAL) if not re.search(r"[A-Z]{3}", place)]
    assert len(named) > 60
    for place in named:
        found = [root / name for root in (PACKAGE, ROOT) for name in (place, f"{place}.py")]
        assert any(path.exists() for path in found), place


def test_every_folder_has_its_row() -> None:
    folders = {file.parent.name for file in PACKAGE.glob("*/*.*") if file.suffix in (".py", ".md")}
    assert folders == set(re.findall(r"^\| `(\w+)` \|", MANUAL, re.M))


def test_every_bench_has_its_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    benches = (ROOT / "tests/bench").glob("*.py")
    commands = {file.stem for file in benches if "\nif __name__ ==" in file.read_text("utf-8")}
    assert commands == set(re.findall(r"tests[./]bench[./](\w+)", readme)) & commands


def test_benches_and_fuzzers_import_what_there_is() -> None:
    """They are run by hand: nothing else would tell."""
    for file in (*ROOT.glob("tests/bench/*.py"), *ROOT.glob("tests/fuzz/*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(OURS):
                continue
            source = ROOT / (node.module or "").replace(".", "/")
            source = source.with_suffix(".py") if not source.is_dir() else source / "__init__.py"
            words = set(re.findall(r"\w+", source.read_text("utf-8")))
            modules = {path.stem for path in source.parent.iterdir()}
            missing = {alias.name for alias in node.names} - words - modules
            assert not missing, f"{file}: {missing} of {node.module}"

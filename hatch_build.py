"""Puts the man page and the completions into the wheel, made of the tables of the command line."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Pages(BuildHookInterface):  # type: ignore[type-arg]
    """A step of the build."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Write the files, and name them to the builder."""
        sys.path.insert(0, self.root)
        sys.dont_write_bytecode = True  # the wheel takes what lies in the folder
        from voicestream.cli.completion import SCRIPTS
        from voicestream.cli.man import man_page

        self._made = tempfile.TemporaryDirectory()
        for name, content in {
            "man/man1/voicestream.1": man_page(),
            "bash-completion/completions/voicestream": SCRIPTS["bash"],
            "zsh/site-functions/_voicestream": SCRIPTS["zsh"],
            "fish/vendor_completions.d/voicestream.fish": SCRIPTS["fish"],
        }.items():
            file = Path(self._made.name, Path(name).name + Path(name).parts[0])
            file.write_text(content, "utf-8")
            build_data["shared_data"][str(file)] = f"share/{name}"

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact: str) -> None:
        """Remove them."""
        self._made.cleanup()

"""Settings from layers of text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.settings.layers import Loader
from voicestream.settings.table import Settings, load


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | int | float) else f"'{value}'"


@pytest.fixture
def loaded(tmp_path: Path) -> Loader:
    """Settings of flags, environment, ``.env`` and a config file."""

    def load_layers(
        flags: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        dotenv: str | Mapping[str, str] = "",
        config: str | Mapping[str, Any] = "",
    ) -> Settings:
        folder = tmp_path / "folder"
        folder.mkdir(exist_ok=True)
        if not isinstance(dotenv, str):
            dotenv = "".join(f"{name}={value}\n" for name, value in dotenv.items())
        if not isinstance(config, str):
            config = "".join(f"{name} = {_toml(value)}\n" for name, value in config.items())
        (folder / ".env").write_text(dotenv)
        (tmp_path / "config.toml").write_text(config)
        return load(flags or {}, environ or {}, folder, tmp_path / "config.toml")

    return load_layers

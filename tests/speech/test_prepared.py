"""What is kept for the neural voice: the same sound, and no harm where it is damaged."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hibari import Hibari
from hibari.g2p import _load_json

from voicestream.speech import neural, prepared

TEXT = "The quick brown fox jumps over the lazy dog."


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with all of it, made once."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        (cache / "voicestream" / "voice" / "of-another-version").mkdir(parents=True, mode=0o700)
        prepared.prepare()
    return cache


@pytest.fixture
def cache(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the files, whole again afterwards."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(kept))
    here = prepared.folder()
    whole = {file: file.read_bytes() for file in here.iterdir()}
    yield here
    for file, content in whole.items():
        file.write_bytes(content)


def test_it_is_the_users_alone_and_of_one_version(cache: Path) -> None:
    assert [file.name for file in cache.parent.iterdir()] == [cache.name]
    assert cache.stat().st_mode & 0o777 == 0o700
    files = sorted(cache.iterdir())
    assert [file.name for file in files] == ["model.ort", "tables.parts"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert sum(file.stat().st_size for file in files) < 24 << 20


def assert_same(found: Any, wanted: Any) -> None:
    """A table says of every key what the package's says, however it is kept."""
    if not isinstance(wanted, dict):
        assert found == wanted
        return
    assert len(found) == len(wanted)
    assert set(found) == set(wanted)
    some = list(wanted)[:: max(len(wanted) // 2000, 1)]
    for key in some:
        assert_same(found[key], wanted[key])
    assert found.get("no such word") is None
    assert "no such word" not in found


@pytest.mark.usefixtures("cache")
def test_the_sound_is_the_same_sample_for_sample() -> None:
    tables = prepared.read_tables()
    for name, table in tables.items():
        assert_same(table, _load_json(name))
    assert len(tables) == 4
    speller = neural._speller()
    kept = prepared.read(prepared.MODEL)
    assert kept is not None
    made = neural._voice_of(Hibari, bytes(kept), speller)
    assert made.model_path[4:8] == b"ORTM"
    assert np.array_equal(made(TEXT, seed=0), Hibari(voice="heart", g2p=speller)(TEXT, seed=0))


@pytest.mark.parametrize("name", [prepared.MODEL, prepared.TABLES])
@pytest.mark.parametrize("harm", ["flipped", "cut", "empty", "longer", "gone", "folder"])
def test_what_is_damaged_is_not_there(cache: Path, name: str, harm: str) -> None:
    file = cache / name
    content = file.read_bytes()
    middle = len(content) // 2
    if harm == "flipped":
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif harm in ("cut", "empty", "longer"):
        file.write_bytes({"cut": content[:middle], "empty": b"", "longer": content + b"x"}[harm])
    else:
        file.unlink()
    if harm == "folder":
        file.mkdir()
    try:
        assert prepared.read(name) is None
        assert name == prepared.MODEL or prepared.read_tables() == {}
    finally:
        if harm == "folder":
            file.rmdir()


@pytest.mark.parametrize("nonsense", [b"", b"no model", b"\x08\x00\x00\x00ORTM" + bytes(64)])
def test_a_model_of_no_use_is_replaced_by_the_packages(nonsense: bytes) -> None:
    made = neural._voice_of(Hibari, nonsense, neural._Later(lambda: None))
    assert str(made.model_path).endswith("hibari.onnx")


def test_tables_of_no_use_are_left_alone(cache: Path) -> None:
    for content in (b"", b"no table", b"i\x07\x00\x00\x00"):
        prepared._write(cache / prepared.TABLES, content)
        assert prepared.read_tables() == {}


def test_nobody_who_has_no_cache_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = threading.Event()
    started = []

    class Started:
        def __init__(self, *words: object, **_: object) -> None:
            started.append(words)

        def wait(self) -> None:
            waited.set()

    monkeypatch.setattr(subprocess, "Popen", Started)
    for folder in (tmp_path / "none", tmp_path):
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
        prepared.prepare_later()
    assert len(started) == 1
    assert waited.wait(20)
    assert list(tmp_path.iterdir()) == []

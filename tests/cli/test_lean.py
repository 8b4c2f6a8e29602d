"""numpy, loaded without what it does not need: it works all the same, as do the modules spared."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from voicestream.cli import lean

_LOADED = """
import json, sys
from voicestream.cli.lean import _SPARED, lighten
lighten()
spared = [name for name in _SPARED if name in sys.modules]
import numpy as np
import ast, inspect, pickle, textwrap
sound = np.arange(3)
assert sound.ctypes.data  # numpy's own use of what was spared
assert (pickle.loads(pickle.dumps(sound)) == sound).all()
assert "axis" in inspect.signature(np.sum).parameters
assert np.linalg.norm(np.ones(4)) == 2.0
import numpy.typing
assert numpy.typing.NDArray[np.float32] is not list
print(json.dumps(spared))
"""


def test_numpy_works_without_what_it_was_spared(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _LOADED],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(ended.stdout) == []


_VOICE = """
import json, sys
from voicestream.cli.lean import _SPARED_BY_VOICE, begin_voice
begin_voice()
spared = [name for name in _SPARED_BY_VOICE if name in sys.modules]
from voicestream.speech.neural import neural_voice
assert neural_voice.cache_info().currsize == 1
neural_voice().sentences("Now.")
import hashlib, urllib.request, wave
assert hashlib.sha256(b"").digest() and urllib.request.urlopen and wave.open
from hibari import voices
assert voices.hashlib.sha256 is hashlib.sha256
print(json.dumps(spared))
"""


def test_the_voice_is_loaded_without_what_downloads_others(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _VOICE],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(ended.stdout) == []


def test_a_thread_that_needs_a_spared_module_meanwhile_gets_the_real_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in = lean._Later("inspect")
    monkeypatch.setitem(sys.modules, "inspect", stand_in)
    found = []
    assert stand_in.signature(len) is None
    # what the name leads to once it is asked for what the stand-in cannot answer
    monkeypatch.setattr(lean, "import_module", lambda _name: inspect)
    thread = threading.Thread(target=lambda: found.append(stand_in.signature(len)))
    thread.start()
    thread.join()
    assert found == [inspect.signature(len)]
    assert sys.modules.get("inspect") is not stand_in
    stand_in.over()
    assert stand_in.signature is inspect.signature

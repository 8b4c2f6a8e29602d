"""Files and variables that a person or a stranger wrote: settings, traces, what was learnt."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from tests.fuzz.pieces import options_of
from tests.support.canary import KEY, is_in
from voicestream.errors import SettingsError, UsageError
from voicestream.policy.arrivals import Arrivals
from voicestream.policy.history_file import Learnt
from voicestream.settings.table import TABLE, Settings, load
from voicestream.trace import dump_trace, load_trace

_SHARED = Path("/dev/shm")
_FOLDER = tempfile.TemporaryDirectory(dir=_SHARED if _SHARED.is_dir() else None)
_HERE = Path(_FOLDER.name)
_NAMES = [variable for row in TABLE for variable in row.variables] + ["A_KEY", "B_KEY"]
_NO_FILE = _HERE / "none"


def check_settings(data: bytes) -> None:
    """The first byte chooses where they are written: environment, ``.env``, config file."""
    (kind,), body = options_of(data, 1)
    body = body.replace(b"$KEY", KEY.encode())
    environ: dict[str, str] = {}
    folder = _HERE
    config = _NO_FILE
    (_HERE / ".env").unlink(missing_ok=True)
    if kind % 3 == 0:
        environ = _environ(body)
    elif kind % 3 == 1:
        (_HERE / ".env").write_bytes(body)
    else:
        config = _HERE / "config.toml"
        config.write_bytes(body)
    apart = _in_key_settings_alone(kind, environ, body)
    refusal = ""
    try:
        settings = load({}, environ, folder, config)
    except SettingsError as error:
        refusal = str(error)
    assert len(refusal) < 2000 + 2 * len(body)
    if refusal:
        assert not (apart and is_in(refusal))
        return
    assert not (apart and is_in(repr(settings)))
    _check_again(settings)


def _environ(body: bytes) -> dict[str, str]:
    """Lines of a byte that names a variable, and its value, as the system hands them over."""
    found = {}
    for line in body.split(b"\n"):
        value = line[1:].replace(b"\0", b"").decode("utf-8", "surrogateescape")
        if line:
            found[_NAMES[line[0] % len(_NAMES)]] = value
    return found


def _in_key_settings_alone(kind: int, environ: dict[str, str], body: bytes) -> bool:
    """Whether the key stands in nothing but settings for keys: no message may repeat it."""
    if kind % 3 == 0:
        return not any(
            is_in(value) and not name.endswith(("API_KEY", "A_KEY", "B_KEY"))
            for name, value in environ.items()
        )
    lines = re.split(rb"[\r\n]", body)
    written = (line.partition(b"=")[0].strip().lower() for line in lines if KEY.encode() in line)
    return all(name in (b"api_key", b"voicestream_api_key", b"a_key") for name in written)


def _check_again(settings: Settings) -> None:
    """What was read can be said again, and means the same."""
    said: dict[str, Any] = {row.name: getattr(settings, row.name) for row in TABLE}
    if not any(settings.keys.values()):
        again = load(said, {}, _NO_FILE, _NO_FILE)
        assert again.base_url == settings.base_url
        assert all(getattr(again, name) == value for name, value in said.items())


def check_traces(data: bytes) -> None:
    """A trace; with an odd first byte, the file of what was learnt."""
    (kind,), body = options_of(data, 1)
    file = _HERE / "playout.json"
    file.write_bytes(body)
    if kind % 2:
        _check_learnt(file)
        return
    trace, refusal = None, ""
    try:
        trace = load_trace(file)
    except UsageError as error:
        refusal = str(error)
    assert len(refusal) < 1000 + 2 * len(body)
    if trace is None:
        return
    assert 0.0 <= trace.best_start_s <= 86_400.0
    assert trace.audio_s > 0
    file.write_text(dump_trace(trace), encoding="utf-8", errors="surrogatepass")
    again = load_trace(file)
    assert (again.frames, again.rate_hz, again.pauses) == (
        trace.frames,
        trace.rate_hz,
        trace.pauses,
    )


def _check_learnt(file: Path) -> None:
    learnt = Learnt(file)
    known = learnt.load("e")
    assert known.replies >= 0
    seen = Arrivals()
    for number in range(3):
        seen.add(0.1 * number, 0.2)
    Learnt(file).save("e", known.with_reply(seen, chars=9, first_byte_s=0.1, pauses=1))
    assert Learnt(file).load("e").replies == known.replies + 1
    json.loads(file.read_bytes())

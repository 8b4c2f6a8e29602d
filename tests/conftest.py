"""What every test may ask for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer

from tests.support.canary import canary, pytest_runtest_makereport  # noqa: F401  for every test
from tests.support.loudspeaker import Loudspeaker, missing_programs
from tests.support.recording import Recording
from tests.support.schedule import Schedule, give_way
from voicestream.output.null import NullSink
from voicestream.settings.sources import user_cache_folder

# a command that is compiled anew at each start is not what its users have
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# a shell starts its background jobs without SIGINT, and nohup all without SIGHUP: that would be
# ours and our commands'
for number, default in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, default)

# the suite stays short; machines are shared and loaded: how long an example takes says nothing
settings.register_profile("voicestream", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None, max_examples=1000)  # --hypothesis-profile
settings.load_profile("voicestream")


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "run all cells of what is tried in every combination, too: minutes more"
    parser.addoption("--sweep", action="store_true", help=text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a sweep needs."""
    if not config.getoption("--sweep"):
        items[:] = [item for item in items if item.get_closest_marker("sweep") is None]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Schedule:
    """Say which worker runs which file."""
    return Schedule(config, log)


def pytest_configure() -> None:
    """Let the workers with a loudspeaker go first."""
    give_way()


@pytest.fixture(scope="session", autouse=True)
def _state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is learnt here of endpoints is nobody's knowledge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        # tests that run side by side do not wait for each other
        patch.setenv("VOICESTREAM_TURN", "mix")
        # whatever is asked for is asked of the endpoint
        patch.setenv("VOICESTREAM_CACHE", "off")
        patch.setenv("VOICESTREAM_ENGINE", "off")
        # for the prepared voice; of all workers, so that it is made once
        cache = tmp_path_factory.getbasetemp().parent / "cache"
        cache.mkdir(mode=0o700, exist_ok=True)
        patch.setenv("XDG_CACHE_HOME", str(cache))
        with _prepared_voice():
            yield


@contextmanager
def _prepared_voice() -> Iterator[None]:
    """Have the embedded voice prepared, by the first of several workers, and not by each user."""
    if os.environ.get("PYTEST_XDIST_WORKER") != "gw0":
        yield
        return
    with subprocess.Popen([sys.executable, "-m", "voicestream.speech.prepared"]) as process:
        yield
        process.kill()  # a short run is over before it


@pytest.fixture(autouse=True)
def _no_kept_replies(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may have the port, and be asked for the text, of another test's."""
    test = blake2b(request.node.nodeid.encode(), digest_size=8).hexdigest()
    monkeypatch.setattr(
        "voicestream.cache.user_cache_folder", lambda name: user_cache_folder(name) / test
    )


@pytest.fixture(scope="module")
def _speaker() -> Iterator[Loudspeaker]:
    lacking = missing_programs()
    if lacking:
        reason = (
            f"no loudspeaker without {', '.join(lacking)} (Debian: pulseaudio, pulseaudio-utils)"
        )
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with Loudspeaker() as speaker:
        yield speaker


@pytest.fixture
def quick_null(monkeypatch: pytest.MonkeyPatch) -> float:
    """The simulated device of this process plays so many times as fast as others."""
    monkeypatch.setattr(NullSink.__init__, "__defaults__", (8.0,))
    return 8.0


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    # somebody whom no test waits for may just be leaving it
    with tempfile.TemporaryDirectory(prefix="vs-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def loudspeaker(_speaker: Loudspeaker) -> Loudspeaker:
    """The file's loudspeaker (24 kHz, mono), started with the first test that asks: kept awake,
    it costs a fiftieth of a processor.

    A test that leaves it dead finds a new one in the next.
    """
    if not _speaker.alive:
        _speaker.restart()
    return _speaker


@pytest.fixture
def recording(loudspeaker: Loudspeaker) -> Iterator[Recording]:
    """Records the loudspeaker from before the test to its end, or to ``recording.stop()``."""
    with loudspeaker.record() as running:
        yield running

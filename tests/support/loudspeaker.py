"""A loudspeaker with a real clock and no hardware: a private PulseAudio with a null sink.

Programs started with :attr:`Loudspeaker.env` play on it by PulseAudio or ALSA
(PortAudio's way); :meth:`Loudspeaker.record` hears what comes out.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.recording import Recording
from tests.support.sound import Int16

SINK = "speaker"
_ROOM, _MICROPHONE = "room", "microphone"
_DAEMON = (
    *("pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"),
    *("--realtime=no", "--high-priority=no", "--log-target=stderr"),
)
_START_TIMEOUT_S = 20.0
_POLL_S = 0.01
_ASOUNDRC = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
_FOREIGN = ("PULSE_", "XDG_", "DBUS_", "OPENAI_", "VOICESTREAM_", "ALSA_", "SDL_")


def missing_programs() -> list[str]:
    """What this machine lacks for a loudspeaker; empty when it can have one."""
    return [name for name in ("pulseaudio", "pactl", "parec") if shutil.which(name) is None]


class Loudspeaker:
    """A PulseAudio daemon of its own, with one sink, in a home of its own.

    Args:
        rate_hz: sound of this rate is heard sample for sample, other is resampled.
        channels: of the sink.
        awake: the sink is kept awake at a latency of 5 ms by a recorder that throws its
            sound away; else it sleeps 2 s at a time as long as nothing plays.
        plain: the sink is the one of a container or a headless machine, with PulseAudio's
            own rate, channels and rewinds; sound of any rate is resampled there.
    """

    def __init__(
        self, rate_hz: int = 24_000, channels: int = 1, awake: bool = True, plain: bool = False
    ) -> None:
        self.rate_hz = rate_hz
        self.channels = channels
        self._awake = awake
        self._plain = plain
        self._home = Path(tempfile.mkdtemp(prefix="loudspeaker-"))
        self._home.chmod(0o700)
        self._socket = self._home / "pulse.socket"
        self._daemon: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._not_listening: set[str] = set()
        (self._home / ".asoundrc").write_text(_ASOUNDRC)
        self.env = self._environment()
        """For child processes: everything of this process but what leads to another daemon,
        a proxy, or the endpoint and key of whoever runs the tests. ``HOME`` is private."""

    def _environment(self) -> dict[str, str]:
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_FOREIGN) and not name.lower().endswith("_proxy")
        }
        env.pop("DISPLAY", None)
        home = str(self._home)
        return env | {
            "HOME": home,
            "XDG_RUNTIME_DIR": home,
            "PULSE_RUNTIME_PATH": home,
            "PULSE_SERVER": f"unix:{self._socket}",
        }

    def __enter__(self) -> Loudspeaker:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the daemon; return when it answers and the sink is (kept) awake."""
        self._socket.unlink(missing_ok=True)
        protocol = f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"
        log = (self._home / "daemon.log").open("ab")
        with log:
            self._daemon = subprocess.Popen(
                [*_DAEMON, *("-L", protocol), *("-L", f"module-null-sink {self._sink(SINK)}")],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._await(self._socket.exists, "made no socket")
        self._await(lambda: SINK in self._pactl("list", "short", "sinks"), "has no sink")
        if self._awake:
            self._keep_awake()

    def _keep_awake(self) -> None:
        self._keeper = subprocess.Popen(
            recorder_command(self.rate_hz, self.channels),
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._await(
            lambda: bool(self._pactl("list", "short", "source-outputs")), "was not kept awake"
        )

    def _sink(self, name: str) -> str:
        if self._plain:
            return f"sink_name={name}"
        # With rewinds the monitor misses the head of a new stream, up to 5 ms of it.
        sink = f"sink_name={name} norewinds=1 format=s16le"
        return f"{sink} rate={self.rate_hz} channels={self.channels}"

    def add_sink(self, name: str) -> None:
        """One more sink of the same kind, not the default one. Record it, or it sleeps.

        Recordings of the first one that begin now stay there, whatever becomes the default.
        """
        self._pactl("load-module", "module-null-sink", *self._sink(name).split())
        self._pactl("set-default-source", f"{name}.monitor")

    def remove_sink(self, name: str = SINK) -> None:
        """As when headphones are unplugged: whoever plays on it is cut off."""
        for line in self._pactl("list", "short", "modules").splitlines():
            number, module, *arguments = line.split("\t")
            if module == "module-null-sink" and f"sink_name={name} " in f"{arguments[0]} ":
                self._pactl("unload-module", number)

    def make_default(self, name: str) -> None:
        """From now on programs that name no sink play on this one, those that play now, too."""
        self._pactl("set-default-sink", name)

    def suspend(self, name: str) -> None:
        """Let the sink sleep, as one that nobody plays on."""
        self._pactl("suspend-sink", name, "1")

        def asleep() -> bool:
            rows = self._pactl("list", "short", "sinks").splitlines()
            return any(name in row and "SUSPENDED" in row for row in rows)

        self._await(asleep, f"{name} does not sleep")

    def move_streams(self, name: str) -> None:
        """Whoever plays now plays on this sink."""
        for line in self._pactl("list", "short", "sink-inputs").splitlines():
            self._pactl("move-sink-input", line.split("\t")[0], name)

    def add_microphone(self, echo_ms: int = 60, echo_db: float | None = -6.0) -> None:
        """A microphone, the default one, in a room where :meth:`say` speaks.

        Args:
            echo_ms: how long the loudspeaker's sound takes to it.
            echo_db: how loud that is there; None: there is no echo.
        """
        self._pactl("load-module", "module-null-sink", *self._sink(_ROOM).split())
        remap = (f"master={_ROOM}.monitor", f"source_name={_MICROPHONE}")
        self._pactl("load-module", "module-remap-source", *remap)
        self._pactl("set-default-source", _MICROPHONE)
        if echo_db is not None:
            way = (
                f"source={SINK}.monitor",
                f"sink={_ROOM}",
                f"latency_msec={echo_ms}",
                "adjust_time=0",
            )
            self._pactl("load-module", "module-loopback", *way)
            number = self._pactl("list", "short", "sink-inputs").split("\t")[0]
            self._pactl("set-sink-input-volume", number, f"{echo_db}dB")
        # whoever recorded the default source records this one from now on
        self._not_listening = self._outputs_of(_MICROPHONE)

    def _outputs_of(self, source: str) -> set[str]:
        """Numbers of the recordings of a source."""
        rows = self._pactl("list", "short", "sources").splitlines()
        numbers = {row.split("\t")[0] for row in rows if source in row}
        outputs = self._pactl("list", "short", "source-outputs").splitlines()
        return {row.split("\t")[0] for row in outputs if row.split("\t")[1] in numbers}

    def wait_listener(self) -> None:
        """Wait until a program has the microphone open."""

        self._await(
            lambda: bool(self._outputs_of(_MICROPHONE) - self._not_listening), "nobody listens"
        )

    def say(self, samples: Int16) -> float:
        """A person says ``samples`` (24 kHz) at the microphone; return when that begins, on the
        clock of ``time.monotonic()``."""
        player = subprocess.Popen(
            [
                *("pacat", "--device", _ROOM, "--raw", "--format=s16le", "--channels=1"),
                *("--rate=24000", "--latency-msec=20"),
            ],
            env=self.env,
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        begun_s = time.monotonic()
        player.communicate(samples.tobytes())
        return begun_s

    def mute(self) -> None:
        """As by a key on the keyboard."""
        self._pactl("set-sink-mute", SINK, "1")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The daemon hangs meanwhile, and answers nobody."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._daemon.send_signal(signal.SIGCONT)

    @property
    def alive(self) -> bool:
        return self._daemon is not None and self._daemon.poll() is None

    def kill(self) -> None:
        """The daemon is gone at once, as when a sound server crashes."""
        _end(self._daemon, signal.SIGKILL)
        _end(self._keeper, signal.SIGKILL)
        self._daemon = self._keeper = None

    def restart(self) -> None:
        """A new daemon at the same address. Recordings of the old one have ended."""
        self.kill()
        self.start()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def record(self, sink: str = SINK, latency_ms: int | None = 5) -> Recording:
        """Start to record; returns when the first sound (or silence) has been recorded.

        Args:
            sink: which.
            latency_ms: a recorder that reads fast keeps the sink awake as a player does;
                None: as it comes, up to 2 s at a time.
        """
        command = recorder_command(self.rate_hz, self.channels, sink, latency_ms)
        return Recording(command, self.env, self.rate_hz, self.channels)

    def streams(self) -> int:
        """How many programs have a stream open on the loudspeaker."""
        return len(self._pactl("list", "short", "sink-inputs").splitlines())

    def _pactl(self, *arguments: str) -> str:
        """Its answer, empty while the daemon does not answer."""
        done = subprocess.run(
            ["pactl", *arguments], env=self.env, capture_output=True, text=True, timeout=10
        )
        return done.stdout if done.returncode == 0 else ""

    def _await(self, ready: Callable[[], bool], otherwise: str) -> None:
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while not ready():
            if self._daemon is None or self._daemon.poll() is not None:
                raise RuntimeError(f"pulseaudio ended while starting:\n{self._log()}")
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"pulseaudio {otherwise}:\n{self._log()}")
            time.sleep(_POLL_S)

    def _log(self) -> str:
        return (self._home / "daemon.log").read_text(errors="replace")[-2000:]


def recorder_command(
    rate_hz: int, channels: int, sink: str = SINK, latency_ms: int | None = 5
) -> list[str]:
    """Records the sink to stdout as 16-bit frames, ``latency_ms`` at a time."""
    fast = latency_ms is not None
    return [
        *("parec", "--device", f"{sink}.monitor", "--raw", "--format=s16le"),
        *(f"--rate={rate_hz}", f"--channels={channels}"),
        *((f"--latency-msec={latency_ms}", f"--process-time-msec={latency_ms}") if fast else ()),
    ]


def _end(process: subprocess.Popen[bytes] | None, how: signal.Signals) -> None:
    if process is not None:
        process.send_signal(how)
        process.wait(10)

"""From settings to what a reply is heard by: the sink, and the turn to speak."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from voicestream.errors import DeviceError, NoAnswerError, VoicestreamError
from voicestream.session.bounded import run_bounded
from voicestream.settings.table import Settings

if TYPE_CHECKING:
    from voicestream.metrics import Metrics
    from voicestream.notices import Notices, Notify
    from voicestream.output.base import Sink
    from voicestream.output.devices import Device
    from voicestream.output.miniaudio import MiniaudioSink
    from voicestream.output.portaudio import PortAudioSink
    from voicestream.session.playback import Playback

_LIST_S = 5.0
_AWAKE_S = 2.0
"""Headphones do not sleep again within this time."""
_TOLD_FILE = "told-that-there-is-no-floor"


def make_sink(settings: Settings, metrics: Metrics | None = None) -> Sink:
    """Return the sink that the device setting names, watched over. Nothing is opened yet.

    Args:
        metrics: where it is counted that a device ran dry, and told that one was lost.
    """
    from voicestream.output.lasting import LastingSink

    figures, notices = (metrics.play, metrics.notices) if metrics else (None, None)
    if notices is not None and settings.device.startswith("rtp://"):
        from voicestream.output.rtp import NOT_ENCRYPTED, leaves_machine

        if leaves_machine(settings.device):
            notices.notify_once(NOT_ENCRYPTED)
    return LastingSink(partial(_woken_sink, settings), settings.device_wait_s, notices, figures)


def _woken_sink(settings: Settings) -> Sink:
    """Return the device's sink, with silence before the sound where that is wished or needed."""
    from voicestream.output.pactl import is_awake
    from voicestream.output.waking import SWALLOWED_S, WakingSink

    make = partial(_device_sink, settings)
    if settings.is_set("wake_ms"):
        wished_s = settings.wake_ms / 1000
        return WakingSink(make, lambda _sink: wished_s) if wished_s else make()
    if settings.device == "null":
        return make()

    def needed_s(sink: Sink) -> float:
        name = getattr(sink, "server_name", "")
        swallowed_s = next((long_s for kind, long_s in SWALLOWED_S if kind in name), 0.0)
        awake = not swallowed_s or _heard_lately() or is_awake(name)
        return 0.0 if awake else swallowed_s

    return WakingSink(make, needed_s)


def _heard_lately() -> bool:
    """Return whether speech was heard so shortly ago that no card sleeps again."""
    lately = False
    if sys.platform != "win32":
        from voicestream.control.floor import last_heard_s
        from voicestream.control.runtime import runtime_folder

        try:
            lately = 0 <= time.monotonic() - last_heard_s(runtime_folder()) < _AWAKE_S
        except VoicestreamError:
            pass  # there is no floor, which is told elsewhere
    return lately


def _device_sink(settings: Settings) -> Sink:
    if settings.device == "null":
        from voicestream.output.null import NullSink

        return NullSink()
    if settings.device.startswith("rtp://"):
        from voicestream.output.rtp import RtpSink

        return RtpSink(settings.device)
    return card_sink(settings.backend, settings.device)


def list_cards(backend: str) -> list[Device]:
    """Return the output devices there are.

    Raises:
        DeviceError: there is no sound system, or it does not answer.
    """
    sink = card_sink(backend)
    found: list[Device] = []

    def look() -> None:
        try:
            found.extend(sink.devices())
        finally:
            sink.stop(drain=False)

    failure = run_bounded(look, _LIST_S)
    if isinstance(failure, TimeoutError):
        raise NoAnswerError(f"the sound system has not answered within {_LIST_S:g} s")
    if failure is not None:
        raise failure
    return found


def card_sink(backend: str, device: str = "") -> MiniaudioSink | PortAudioSink:
    """Return a sink for a sound card.

    Args:
        backend: ``miniaudio``, ``pyaudio``, or ``auto``: the first of these that is installed.
        device: part of its name, its index, or empty for the system's default.
    """
    if backend_of(backend) == "miniaudio":
        from voicestream.output.miniaudio import MiniaudioSink

        return MiniaudioSink(device)
    from voicestream.output.portaudio import PortAudioSink

    return PortAudioSink(device)


def backend_of(backend: str) -> str:
    """Return ``miniaudio`` or ``pyaudio``: for ``auto`` the first of these that is installed."""
    if backend != "auto":
        return backend
    return "miniaudio" if _installed("_miniaudio") else "pyaudio"


def _installed(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def prepare_in_background(sink: Sink) -> None:
    """Let the sink prepare in a thread of its own, where it needs no interpreter."""
    prepare = getattr(sink, "prepare", None)
    if prepare is None:
        return

    def run() -> None:
        try:
            prepare()
        except DeviceError:
            pass  # open() tries again and tells

    threading.Thread(target=run, name="prepare-sink", daemon=True).start()


class AnyTurn(Protocol):
    """What a session asks of its :class:`~voicestream.session.turn.Turn`, which Windows lacks."""

    @property
    def waits_for(self) -> str: ...

    @property
    def folder(self) -> str: ...

    def begin(
        self,
        speaker: Playback,
        answer: Callable[[dict[str, Any]], dict[str, Any]],
        drop: Callable[[str], None],
        warn: Notify,
    ) -> None: ...

    def wake(self) -> None: ...

    def close(self) -> None: ...


def make_turn(settings: Settings, start_s: float, notices: Notices) -> AnyTurn | None:
    """Return the turn of a reply that is heard; None where there is no floor (Windows), or no card.

    Args:
        start_s: when the process (library: the call) began.
        notices: told, on Windows once for each user, that there is no floor.
    """
    if settings.device == "null":
        return None
    turn: AnyTurn | None = None
    if sys.platform == "win32":
        _tell_no_floor(notices)
    else:
        from voicestream.control.entries import Rank
        from voicestream.control.runtime import runtime_folder
        from voicestream.session.turn import Turn

        try:
            folder = runtime_folder()
        except VoicestreamError as error:
            notices.notify(f"others may speak at the same time: {error}")
            return None
        ranks = {"next": Rank.NEXT, "now": Rank.NOW, "mix": None}
        turn = Turn(
            folder,
            ranks.get(settings.turn, Rank.LAST),
            start_s,
            wait=settings.turn != "skip",
            expires_s=settings.expires_s or math.inf,
            pause_s=settings.pause_paragraph_ms / 1000,
        )
    return turn


def _tell_no_floor(notices: Notices) -> None:
    """Tell each user once that there is no floor: a warning with every reply would teach
    nothing."""
    from voicestream.files import write_state
    from voicestream.settings.sources import user_state_file

    file = user_state_file(_TOLD_FILE)
    if file.exists():
        return
    told = "other voices may be heard at the same time: Windows has no floor, and no verbs"
    try:
        write_state(file, "")
    except OSError as error:
        told += f" (this cannot be remembered: {error.strerror})"
    notices.notify(told)

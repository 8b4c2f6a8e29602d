"""When to start and to go on, by what arrives, what is known of the text, and what was learnt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from voicestream.metrics import Metrics
from voicestream.pcm import PcmFormat, Samples
from voicestream.policy.adaptive import Adaptive, Handover, Onlooker
from voicestream.policy.base import Fixed, PrebufferLimits
from voicestream.policy.history import Knowledge
from voicestream.policy.pauses import PauseFinder
from voicestream.policy.plan import Plan, Planner
from voicestream.policy.slowdown import Slowdown
from voicestream.settings.kinds import is_local
from voicestream.settings.table import Settings
from voicestream.trace import TraceRecorder, save_trace

if TYPE_CHECKING:
    from voicestream.policy.history_file import Learnt

_PERIOD_S = 0.016
"""The least that any device pulls at once."""


class LearntStore(Protocol):
    """Keeps what is known of endpoints from one reply to the next."""

    trouble: str

    def load(self, endpoint: str, /) -> Knowledge: ...

    def save(self, endpoint: str, knowledge: Knowledge, /) -> None: ...


def kept_learnt() -> Learnt:
    """Return what was learnt, in the user's state folder."""
    from voicestream.policy.history_file import Learnt

    return Learnt()


class Pacing:
    """Makes the player's plans for one reply. Used by the feeder.

    Args:
        text_length: characters that will be spoken, as far as is known, and whether
            no more will come.
        learnt: where what is learnt of the endpoint is kept; None: nowhere.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        text_length: Callable[[], tuple[int, bool]],
        learnt: LearntStore | None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._text_length = text_length
        self._learnt = learnt
        self._endpoint = endpoint_key(settings, metrics.endpoint, settings.model)
        self._known = Knowledge()
        self._text_complete = False
        self._policy = _policy(settings, self._known)
        self._ahead_s = _PERIOD_S
        self._pcm = PcmFormat(24_000)
        self._pauses = PauseFinder(self._pcm.rate_hz)
        self._planner: Planner | None = None
        self._recorder: TraceRecorder | None = None
        stretch = settings.underrun == "stretch" and settings.streaming
        self._slowdown = Slowdown() if stretch else None
        self.trace_file: str | None = None
        """Where the arrivals are kept, if anywhere."""

    def load(self) -> None:
        """Recall what is known of the endpoint, while that thinks."""
        if self._learnt is not None:
            self._known = self._learnt.load(self._endpoint)
            self._policy = _policy(self._settings, self._known)
            self._tell_trouble(self._learnt)
        _warm_up()

    def keep(self) -> None:
        """Keep what a complete reply has taught."""
        line = self._metrics.timeline
        if self._learnt is None or self._planner is None or line.first_byte is None:
            return
        self._see_text(self._planner)
        first_byte_s = line.first_byte - (line.request_sent or line.first_byte)
        self._learnt.save(self._endpoint, self._policy.reply(first_byte_s))
        self._tell_trouble(self._learnt)

    def save_trace(self) -> None:
        """Save the arrivals at the end, where that was asked for.

        Raises:
            SaveError: the file cannot be written.
        """
        if self._recorder is not None and self.trace_file is not None:
            chars, complete = self._chars()
            pauses = [(pause.start, pause.end) for pause in self._pauses.pauses()]
            trace = self._recorder.trace(chars if complete else 0, pauses)
            save_trace(trace, self.trace_file)

    def _tell_trouble(self, learnt: LearntStore) -> None:
        if learnt.trouble:
            self._metrics.notices.notify_once(learnt.trouble)

    def open(self, pcm: PcmFormat, ahead_s: float, capacity_frames: int) -> None:
        """Tell what will be played, and how. Call it before all that follows.

        Args:
            pcm: what arrives, as it is played.
            ahead_s: what the device pulls at once when it starts.
            capacity_frames: room of the ring.
        """
        self._pcm = pcm
        self._pauses = PauseFinder(pcm.rate_hz)
        self._metrics.feeder.pauses_between = self._pauses.between
        self._ahead_s = max(ahead_s, _PERIOD_S)
        ahead_frames = pcm.s_to_frames(self._ahead_s)
        self._planner = Planner(
            self._policy, self._pauses, pcm.rate_hz, ahead_frames, capacity_frames
        )

    def begin(self, requested_at_s: float | None, read_late: bool) -> None:
        """Begin a segment: before it was asked for, nothing of it could arrive."""
        if self._planner is None or requested_at_s is None:
            return
        self._planner.requested(requested_at_s)
        if not self._policy.arrivals.count:
            self._policy.read_late = read_late
            if self.trace_file is not None:
                self._recorder = TraceRecorder(self._endpoint, self._pcm.rate_hz, requested_at_s)
        self._policy.handover = None

    def hand_over(self, after_s: float, gap_s: float) -> None:
        """Note that after ``after_s`` more seconds of sound a lighter format may follow.

        Args:
            after_s: seconds of sound still to come of the present reply, about.
            gap_s: from its end to the first sound of the next, about.
        """
        self._policy.handover = Handover(self._policy.arrivals.sound_s + after_s, gap_s)

    def skip(self, seconds: float) -> None:
        """Leave ``seconds`` after the latest arrival out: nothing could arrive meanwhile."""
        if self._planner is not None:
            self._planner.skip(seconds)

    def share(self, at_s: float, sound_s: float, waiting_s: float | None) -> float:
        """Return the share of the tempo asked for at which to play sound that has arrived.

        Args:
            at_s: when it arrived.
            sound_s: seconds of it at the tempo asked for.
            waiting_s: seconds of sound in the ring; None: nothing is played, so nothing is late.

        Returns:
            0.75 to 1, see :meth:`Slowdown.arrived`; 1 unless underruns are to be stretched.
        """
        if self._slowdown is None or self._planner is None or waiting_s is None:
            return 1.0
        self._see_text(self._planner)
        even_s = self._planner.even_s(at_s)
        return self._slowdown.arrived(even_s, sound_s, waiting_s, self._policy.rest_s)

    def arrived(self, samples: Samples, at_s: float) -> None:
        """Take in that ``samples``, at the tempo at which they will be played, arrived at
        ``at_s``."""
        if self._planner is None:
            return
        if self._recorder is not None:
            self._recorder.arrived(self._planner.even_s(at_s), len(samples))
        self._pauses.feed(samples)
        self._planner.arrived(at_s, len(samples))
        seen = self._policy.arrivals
        self._metrics.feeder.jitter_s = seen.jitter_s
        self._metrics.feeder.recommended_buffer_s = seen.enough_s + self._ahead_s

    def join(self) -> None:
        """End a segment with the samples that arrived last."""
        self._pauses.join()
        if self._policy.handover is not None:
            self.hand_over(0.0, self._policy.handover.gap_s)

    def plan(self, read_frames: int, more_waiting: bool) -> Plan:
        """Return what the player does until the next plan; see :meth:`Planner.plan`."""
        if self._planner is None:
            return Plan()
        self._see_text(self._planner)
        plan = self._planner.plan(read_frames, more_waiting)
        awaited = plan.resume_frames if read_frames else plan.start_frames
        self._metrics.feeder.prebuffer_ms = self._pcm.frames_to_ms(awaited)
        return plan

    def _see_text(self, planner: Planner) -> None:
        if not self._text_complete:
            chars, self._text_complete = self._chars()
            planner.text(chars, self._text_complete)

    def _chars(self) -> tuple[int, bool]:
        """Return how many characters take as long to hear at a tempo of 1, and whether the text is
        complete."""
        chars, complete = self._text_length()
        return round(chars / self._settings.tempo), complete


def _warm_up() -> None:
    """Make a first plan, which costs 7 ms, before the first sound is here; all others cost 0.3
    ms."""
    planner = Planner(Adaptive(), PauseFinder(24_000), 24_000, 384)
    for at_s in (0.0, 0.1):
        planner.arrived(at_s, 2400)
        planner.plan(0)


def _policy(settings: Settings, known: Knowledge) -> Adaptive:
    """Return the policy that the settings ask for; a prebuffer that was asked for is kept to."""
    prebuffer_s = settings.prebuffer_ms / 1000
    given = settings.is_set("prebuffer_ms")
    fixed = settings.playout == "fixed" or (given and not settings.is_set("playout"))
    if fixed or not settings.streaming:
        return Onlooker(Fixed(prebuffer_s), known)
    least_s = prebuffer_s if given else 0.0
    return Adaptive(known, PrebufferLimits(least_s, settings.max_buffer_s))


def endpoint_key(settings: Settings, name: str, model: str, form: str = "") -> str:
    """Return the name under which arrivals of one kind are learnt, as they are heard. It holds no
    secret.

    Args:
        form: the format that is asked for, if it is not that of the settings.
    """
    parts = [name]
    if not is_local(name):
        parts += [model, form or settings.format, settings.stream_format]
    if settings.tempo != 1.0:
        parts.append(f"tempo {settings.tempo:g}")
    if settings.underrun == "stretch":
        parts.append("stretch")
    return " ".join(parts)

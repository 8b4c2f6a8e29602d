"""The sound card's callback, without a card."""

from __future__ import annotations

from voicestream.metrics import Metrics
from voicestream.output.portaudio import PortAudioSink
from voicestream.session.result import make_result

_TIMES = {"output_buffer_dac_time": 0.05, "current_time": 0.0}
_OUTPUT_UNDERFLOW, _PRIMING_OUTPUT = 4, 16


def test_a_card_that_ran_dry_is_counted_in_the_figures() -> None:
    metrics = Metrics()
    for statuses in ([0, _OUTPUT_UNDERFLOW, 0], [_OUTPUT_UNDERFLOW, _PRIMING_OUTPUT]):
        sink = PortAudioSink("", metrics.play)  # one device after the other
        for status in statuses:
            assert sink._callback(None, 240, _TIMES, status) == (bytes(480), 0)
    assert metrics.snapshot().device_underflows == 2
    assert make_result(metrics, []).to_dict()["device_underflows"] == 2

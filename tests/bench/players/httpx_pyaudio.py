"""The script most people write first: httpx, PyAudio, blocking writes, no prebuffer."""

import sys

import httpx
import pyaudio

_URL, _FORMAT = sys.argv[1:3]

device = pyaudio.PyAudio()
speaker = device.open(format=pyaudio.paInt16, channels=1, rate=24000, output=True)
with httpx.Client().stream(
    "POST", f"{_URL}/audio/speech", json={"input": "x", "response_format": _FORMAT}
) as reply:
    for data in reply.iter_bytes(4096):
        speaker.write(data)
speaker.stop_stream()
speaker.close()
device.terminate()

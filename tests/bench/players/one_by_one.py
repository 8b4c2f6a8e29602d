"""The plain way: each sentence of stdin is asked for, downloaded, played; then the next."""

import json
import os
import re
import subprocess
import sys
import urllib.request

PACAT = "pacat --raw --format=s16le --rate=24000 --channels=1 --latency-msec=20".split()


def speak(text: str) -> None:
    body = json.dumps({"model": "m", "voice": "v", "input": text, "response_format": "pcm"})
    request = urllib.request.Request(
        f"{sys.argv[1]}/audio/speech", body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:
        sound = reply.read()
    subprocess.run(PACAT, input=sound, check=True)


text = ""
while data := os.read(0, 65536):
    text += data.decode()
    while end := re.search(r"[.!?]\s", text):
        speak(text[: end.end()].strip())
        text = text[end.end() :]
if text.strip():
    speak(text.strip())

"""What tests of named endpoints share."""

from __future__ import annotations

from collections.abc import Callable

from voicestream.settings.table import Settings

MINE = """
[endpoint.mine]
base_url = "https://mine/v1"
key_variable = "MINE_KEY"
model = "model-mine"
voice = "voice-mine"
format = "wav"
rate_hz = 16000
headers = {X-Tenant = "tenant-of-mine"}
body = {lang = "e"}
"""
Loader = Callable[..., Settings]

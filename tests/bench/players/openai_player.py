"""The OpenAI SDK's own player, used as its documentation shows."""

import asyncio
import sys

from openai import AsyncOpenAI
from openai.helpers import LocalAudioPlayer

_URL, _FORMAT = sys.argv[1:3]


async def main() -> None:
    client = AsyncOpenAI(base_url=_URL, api_key="test")
    async with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input="x", response_format="pcm"
    ) as reply:
        await LocalAudioPlayer().play(reply)


asyncio.run(main())

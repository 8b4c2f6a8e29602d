"""Settings of asking for speech: where, for what, and with how much patience."""

from __future__ import annotations

from typing import Literal

from voicestream.formats import FORMATS
from voicestream.records import dataclass
from voicestream.settings.endpoints import name_list, place_list
from voicestream.settings.kinds import AUTO
from voicestream.settings.parse import (
    flag_choice,
    header_object,
    json_object,
    number,
    secret,
    text,
    url,
    yes_no,
)
from voicestream.settings.row import setting as _setting

LEAST_TEMPO, MOST_TEMPO = 0.5, 3.0


@dataclass(frozen=True, kw_only=True)
class AskingSettings:
    """Where speech is asked for, for what, and what to do when it does not come."""

    base_url: str = _setting(
        "",
        url,
        "where speech is asked for; 'embedded:' is the voice that comes along "
        "[default: api.openai.com with a key, else embedded:]",
        "OPENAI_BASE_URL",
    )
    endpoint: str = _setting(
        "",
        name_list,
        "an endpoint by its name; or several in order, A,B,embedded: when one fails, the next one "
        "speaks; `voicestream endpoints` lists the names",
    )
    base_urls: str = _setting(
        "",
        place_list,
        "the same by URL (names are simpler): each URL|KEY_VARIABLE|MODEL|VOICE or the beginning "
        "of that; after base_url if that is given",
    )
    api_key: str = _setting(
        "", secret, "the key sent to the endpoint", "OPENAI_API_KEY", flag="--api-key-file"
    )
    model: str = _setting(
        AUTO,
        text,
        "the model that speaks; auto: gpt-4o-mini-tts, and once the endpoint has that no more, "
        "gpt-realtime-2.1-mini over its Realtime API",
    )
    voice: str = _setting("", text, "the voice [default: alloy; embedded: heart]")
    speed: float = _setting(1.0, number(0.25, 4.0), "how fast the endpoint speaks, 0.25 to 4")
    tempo: float = _setting(
        1.0,
        number(LEAST_TEMPO, MOST_TEMPO),
        "how fast it is played, at the same pitch, 0.5 to 3",
    )
    instructions: str = _setting("", text, "how to speak, for models that take instructions")
    extra_body: str = _setting(
        "",
        json_object("input", "model", "voice", "response_format", "stream_format"),
        "a JSON object of further fields that the endpoint is sent with each text, or a Realtime "
        "API with its session",
    )
    extra_headers: str = _setting(
        "",
        header_object(
            *("accept-encoding", "authorization", "connection", "content-length"),
            *("content-type", "host", "transfer-encoding", "upgrade"),
            *("sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"),
        ),
        "a JSON object of further headers that the endpoint is sent",
    )
    cache: Literal["off", "short", "on"] = _setting(
        "off",
        flag_choice("off", "short", "on"),
        "which replies are kept on this disk and not asked for again: on (all), short (of at most "
        "cache_chars characters, from the second time on), or off; `voicestream help cache` tells "
        "what is kept, `voicestream cache clear` forgets it; programs keep nothing by default",
    )
    cache_chars: int = _setting(
        80, number(1, 4096, whole=True), "longest text that --cache short keeps, characters"
    )
    cache_mb: float = _setting(
        64.0, number(0.1, 100_000), "room for kept replies, MB; what was used longest ago goes"
    )
    rate_hz: int = _setting(
        0,
        number(0, 192_000, whole=True),
        "sample rate of raw PCM from the endpoint, whatever it says [default: as it says]",
    )
    strict: bool = _setting(
        False,
        yes_no,
        "other words than the text's are an error, where the endpoint tells what it says",
        flag="--strict/--no-strict",
    )
    format: Literal["pcm", "mp3", "wav", "opus", "aac", "flac", "auto"] = _setting(
        "pcm",
        flag_choice(*FORMATS, "auto"),
        f"what to ask for: {', '.join(FORMATS)}, or auto (pcm while the network can carry it)",
    )
    stream_format: Literal["audio", "sse", "captions"] = _setting(
        "audio",
        flag_choice("audio", "sse", "captions"),
        "how it comes: audio, sse (the same in server-sent events), or captions (lines of JSON, "
        "with the times of the words)",
    )
    timeout_s: float = _setting(
        30.0,
        number(0.1, 3600),
        "longest wait for the first byte of a reply, seconds",
        flag="--timeout",
    )
    connect_timeout_s: float = _setting(
        10.0, number(0.1, 600), "longest wait for a connection, seconds", flag="--connect-timeout"
    )
    stall_timeout_s: float = _setting(
        15.0,
        number(0.1, 3600),
        "longest silence within a reply, seconds",
        flag="--stall-timeout",
    )
    reply_timeout_s: float = _setting(
        600.0,
        number(0, 86_400),
        "longest waiting for one reply all in all, seconds; 0: no limit",
        flag="--reply-timeout",
    )
    retries: int = _setting(
        3,
        number(0, 10, whole=True),
        "how often a request is made again that failed, or broke off",
    )
    retry_budget_s: float = _setting(
        20.0, number(0, 600), "no request is made again later than this, seconds"
    )
    hedge: bool = _setting(
        True,
        yes_no,
        "with several endpoints: ask the next one as well when the first byte takes three times "
        "as long as usual (1 s at least), use what comes first and give up the other, which may "
        "be billed all the same",
        flag="--hedge/--no-hedge",
    )
    allow_http_key: bool = _setting(
        False,
        yes_no,
        "send the key over plain http to any host",
        flag="--allow-http-key/--no-allow-http-key",
    )
    chat_model: str = _setting("gpt-6-luna", text, "the model that answers `ask` and `talk`")
    chat_base_url: str = _setting(
        "", url, "where `ask` and `talk` get their answers [default: where speech is asked for]"
    )
    transcribe_model: str = _setting(
        "gpt-4o-mini-transcribe", text, "the model that writes down what is said to `talk`"
    )
    transcribe_base_url: str = _setting(
        "", url, "where that is written down [default: where speech is asked for]"
    )

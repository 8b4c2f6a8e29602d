"""All settings: what they mean, their defaults, and where each value came from.

Precedence: flag > environment > ``.env`` > user config file > default.
Parsing and bounds stand in :mod:`voicestream.settings.parse`; what reads the environment
and the files in :mod:`voicestream.settings.sources`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from voicestream.errors import SettingsError
from voicestream.redact import redacted, remember_key
from voicestream.settings.endpoints import (
    AUTO,
    REALTIME_MODEL,
    Kind,
    Place,
    endpoint_kind,
    key_in_the_clear,
    model_for,
    place_list,
    places,
)
from voicestream.settings.gone import gone_models
from voicestream.settings.parse import (
    flag_choice,
    header_object,
    json_object,
    number,
    parse_setting,
    secret,
    text,
    url,
    yes_no,
)
from voicestream.settings.row import Row, rows_of, shown
from voicestream.settings.row import setting as _setting
from voicestream.settings.sources import gather

OPENAI_URL = "https://api.openai.com/v1"
EMBEDDED_URL = "embedded:"
FORMATS = ("pcm", "mp3", "wav", "opus", "aac", "flac")
_DEFAULT = "default"
_MOST_TEMPO = 3.0
MOST_REALTIME_SPEED = 1.5
"""A Realtime API speaks no faster."""
_VOICES: dict[Kind, str] = {"embedded": "heart", "speech": "alloy", "realtime": "marin"}
"""The voice that speaks unless one is named."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting of one run. Build it with :func:`load`, or by hand in a program."""

    base_url: str = _setting(
        "",
        url,
        "where speech is asked for; 'embedded:' is the voice that comes along "
        f"[default: {OPENAI_URL} when a key is set, else embedded:]",
        "OPENAI_BASE_URL",
    )
    base_urls: str = _setting(
        "",
        place_list,
        "endpoints in order, each URL|KEY_VARIABLE|MODEL|VOICE or the beginning of that: when one "
        "fails, the next one speaks; after base_url if that is given",
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
        number(0.5, _MOST_TEMPO),
        "how fast it is played, whatever the endpoint does, at the same pitch, 0.5 to 3",
    )
    instructions: str = _setting("", text, "how to speak, for models that take instructions")
    extra_body: str = _setting(
        "",
        json_object("input", "model", "voice", "response_format", "stream_format"),
        "a JSON object of further fields that the endpoint is sent with each text",
    )
    extra_headers: str = _setting(
        "",
        header_object(
            *("accept-encoding", "authorization", "connection", "content-length"),
            *("content-type", "host", "transfer-encoding"),
        ),
        "a JSON object of further headers that the endpoint is sent",
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
    format: str = _setting(
        "pcm",
        flag_choice(*FORMATS, "auto"),
        f"what to ask for: {', '.join(FORMATS)}, or auto (pcm while the network can carry it)",
    )
    stream_format: str = _setting(
        "audio",
        flag_choice("audio", "sse"),
        "how it comes: audio, or sse (the same in server-sent events)",
    )
    playout: str = _setting(
        "adaptive",
        flag_choice("adaptive", "fixed"),
        "when playback starts and goes on: adaptive (by what the endpoint needs; fixed where a "
        "prebuffer is given), or fixed (once the prebuffer is there)",
    )
    prebuffer_ms: float = _setting(
        150.0,
        number(0, 60_000),
        "sound gathered before playback starts, ms; the least of it under --playout adaptive",
    )
    underrun: str = _setting(
        "wait",
        flag_choice("wait", "silence", "repeat", "stretch"),
        "when sound is late: wait until there is enough, silence (play on as soon as any is "
        "there), repeat (the last sound, fading, then wait), or stretch (play slower, to 0.75 of "
        "the tempo, before it is late; then wait)",
    )
    chunk_size: int = _setting(
        4096, number(1, 1 << 20, whole=True), "most bytes taken from the network at once"
    )
    max_buffer_s: float = _setting(2.0, number(0.1, 600), "room for decoded sound, seconds")
    streaming: bool = _setting(
        True, yes_no, "play while it arrives, or download first", flag="--stream/--no-stream"
    )
    lookahead: int = _setting(
        2, number(0, 16, whole=True), "requests in flight beyond the one that plays"
    )
    first_chars: int = _setting(
        25, number(1, 4096, whole=True), "the first request may be a clause of so many characters"
    )
    batch_above_s: float = _setting(
        4.0, number(0, 600), "while more sound than this waits, sentences share a request, seconds"
    )
    batch_chars: int = _setting(
        400, number(1, 4096, whole=True), "characters that sentences sharing a request may have"
    )
    max_chars: int = _setting(
        4096,
        number(20, 4096, whole=True),
        "longest text of one request, characters; learnt where the endpoint says so",
    )
    low_s: float = _setting(
        1.0, number(0, 600), "with less sound waiting, an unfinished sentence is cut at a clause"
    )
    writer_pause_s: float = _setting(
        0.4, number(0, 600), "silence of the writer after which what is there is spoken, seconds"
    )
    plain: bool = _setting(
        False, yes_no, "read the text as it stands, not as Markdown", flag="--plain/--markdown"
    )
    code: Literal["announce", "skip", "read"] = _setting(
        "announce", flag_choice("announce", "skip", "read"), "code blocks: announce, skip or read"
    )
    language: str = _setting("en", text, "language by which doubtful abbreviations are judged")
    voices: str = _setting(
        "", text, "NARRATOR,A,B: quoted speech is spoken by A and B in turn [default: one voice]"
    )
    tags: bool = _setting(
        False, yes_no, "[name] in the text changes the voice", flag="--tags/--no-tags"
    )
    trim: bool = _setting(
        True,
        yes_no,
        "put the pauses below in place of the silence an endpoint leaves at the ends",
        flag="--trim/--no-trim",
    )
    normalize: bool = _setting(
        True,
        yes_no,
        "keep the level even from segment to segment",
        flag="--normalize/--no-normalize",
    )
    pause_clause_ms: float = _setting(150.0, number(0, 5000), "pause after a clause, ms")
    pause_sentence_ms: float = _setting(350.0, number(0, 5000), "pause after a sentence, ms")
    pause_paragraph_ms: float = _setting(700.0, number(0, 5000), "pause after a paragraph, ms")
    device: str = _setting("", text, "sound card: a name, an index, or 'null' [default: system's]")
    turn: Literal["wait", "next", "now", "skip", "mix"] = _setting(
        "wait",
        flag_choice("wait", "next", "now", "skip", "mix"),
        "where another voice speaks: wait for your turn, be the next, speak now (it goes on "
        "afterwards), skip it, or mix the voices",
    )
    expires_s: float = _setting(
        0.0,
        number(0, 86_400),
        "drop what has waited so long for its turn, seconds; 0: never",
        flag="--expires",
    )
    backend: Literal["auto", "miniaudio", "pyaudio"] = _setting(
        "auto",
        flag_choice("auto", "miniaudio", "pyaudio"),
        "what opens the sound card: miniaudio, pyaudio, or auto, the first that is installed",
    )
    device_wait_s: float = _setting(
        5.0, number(0, 3600), "how long to look for a sound card that went away, seconds"
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
    chat_model: str = _setting("gpt-6-luna", text, "the model that answers `ask`")
    chat_base_url: str = _setting(
        "", url, "where `ask` gets its answers [default: where speech is asked for]"
    )
    panel: str = _setting("auto", flag_choice("auto", "on", "off"), "live panel: auto, on or off")

    sources: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )
    """Where each value came from, by field name; a missing one is the default."""
    keys: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )
    """The keys that ``base_urls`` names, by variable."""
    auto_model: bool = field(default=False, compare=False, repr=False)
    """Whether ``model`` was left to be chosen."""
    gone_models: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False, repr=False)
    """Base URL and model of what is known to have been shut down."""
    fallbacks: tuple[Place, ...] = field(default=(), init=False, compare=False, repr=False)
    """Where to ask when ``base_url`` fails: the rest of ``base_urls``."""

    def __post_init__(self) -> None:
        if not self.sources:  # made by a program: load() has parsed already
            for row in TABLE:
                parsed = parse_setting(row.kind, getattr(self, row.name), row.name)
                object.__setattr__(self, row.name, parsed)
        self._take_first()
        key = bool(self.api_key)
        resolved: dict[str, Any] = {
            "base_url": self.base_url or (OPENAI_URL if key else EMBEDDED_URL),
        }
        resolved |= self._chosen_model(resolved["base_url"])
        kind = endpoint_kind(resolved["base_url"], resolved["model"])
        resolved["voice"] = self.voice or _VOICES[kind]
        if kind == "realtime" and self.speed > MOST_REALTIME_SPEED:
            # what the endpoint cannot do is done here, at the same pitch
            resolved["speed"] = MOST_REALTIME_SPEED
            resolved["tempo"] = min(self.tempo * self.speed / MOST_REALTIME_SPEED, _MOST_TEMPO)
        for name, value in resolved.items():
            object.__setattr__(self, name, value)
        if self.prebuffer_ms > 1000 * self.max_buffer_s:
            raise SettingsError(
                f"a prebuffer of {self.prebuffer_ms:g} ms does not fit into a buffer of "
                f"{self.max_buffer_s:g} s",
                hint="Raise --max-buffer-s or lower --prebuffer-ms.",
            )

        for known in (self.api_key, *self.keys.values()):
            remember_key(known)
        self._guard_keys()

    def _chosen_model(self, base_url: str) -> dict[str, Any]:
        """The model to ask for, and whether it was left to be chosen."""
        if self.model != AUTO:
            return {"model": self.model}
        model = model_for(base_url, AUTO)
        gone = (base_url, model) in self.gone_models
        return {"model": REALTIME_MODEL if gone else model, "auto_model": True}

    def _take_first(self) -> None:
        """Of a list of endpoints the first is the one to ask, unless one is given."""
        listed = list(places(self.base_urls))
        common = AUTO if self.auto_model else self.model
        changed: dict[str, Any] = {}
        voice = ""
        if listed and not self.base_url:
            first = listed.pop(0)
            changed["base_url"] = first.url
            changed["model"] = first.model or self.model
            if first.voice:
                changed["voice"], voice = first.voice, self.voice or "alloy"
            if first.key_variable:
                changed["api_key"] = self.keys.get(first.key_variable, "")
                changed["sources"] = {**self.sources, "api_key": first.key_variable}
        # what an entry leaves open is what was set for all, not what the first one has
        changed["fallbacks"] = tuple(
            replace(place, model=place.model or common, voice=place.voice or voice)
            for place in listed
            if place.url != self.base_url
        )
        for name, value in changed.items():
            object.__setattr__(self, name, value)

    def _guard_keys(self) -> None:
        for address, key in self._addresses():
            if key_in_the_clear(address, key) == "far" and not self.allow_http_key:
                raise SettingsError(
                    f"the key would go to {address} unencrypted",
                    "anybody on the way could read it",
                    "Use https, or say --allow-http-key.",
                )

    def _addresses(self) -> list[tuple[str, str]]:
        others = ((place.url, self.keys.get(place.key_variable, "")) for place in self.fallbacks)
        chat = [(self.chat_base_url, self.api_key)] if self.chat_base_url else []
        return [(self.base_url, self.api_key), *others, *chat]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know about these settings."""
        return tuple(
            f"the key goes to {address} unencrypted; anybody on your network could read it. "
            "--allow-http-key says that you know."
            for address, key in self._addresses()
            if key_in_the_clear(address, key) == "near" and not self.allow_http_key
        )

    def __repr__(self) -> str:
        shown = (f"{f.name}={shown_value(self, f.name)!r}" for f in TABLE)
        return f"Settings({', '.join(shown)})"

    @property
    def kind(self) -> Kind:
        """What kind of endpoint is asked first."""
        return endpoint_kind(self.base_url, self.model)

    @property
    def headers(self) -> dict[str, str]:
        """``extra_headers``, names in lower case."""
        return {name.lower(): held for name, held in _object(self.extra_headers).items()}

    @property
    def body(self) -> dict[str, Any]:
        """``extra_body``, taken apart."""
        return _object(self.extra_body)

    @property
    def embedded(self) -> bool:
        return self.base_url == EMBEDDED_URL

    @property
    def pcm_only(self) -> bool:
        """Whether the endpoint sends PCM whatever is asked for."""
        return self.kind != "speech"

    @property
    def voice_list(self) -> tuple[str, ...]:
        """``voices``, taken apart."""
        return tuple(filter(None, (name.strip() for name in self.voices.split(","))))

    def is_set(self, name: str) -> bool:
        """Whether anybody chose it: somewhere it was said, or a program gave another value."""
        return name in self.sources or getattr(self, name) != _BY_NAME[name].default

    def source(self, name: str) -> str:
        return self.sources.get(name, _DEFAULT)


def _object(written: str) -> dict[str, Any]:
    if not written:
        return {}
    import json

    found: dict[str, Any] = json.loads(written)
    return found


TABLE: tuple[Row, ...] = rows_of(Settings)
_BY_NAME = {row.name: row for row in TABLE}


def shown_value(settings: Settings, name: str) -> str:
    """A setting's value as it may be shown: never a key."""
    value = getattr(settings, name)
    if name in ("api_key", "extra_headers"):  # keys may be among the headers
        return "(set)" if value else ""
    return redacted(shown(value))


def load(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    config_file: Path | None = None,
) -> Settings:
    """Gather the settings from everywhere.

    Args:
        flags: what the command line said, by field name; None values count as unsaid.
        environ: instead of the process's environment.
        folder: whose ``.env`` is read; the working directory unless given.
        config_file: instead of the user's.

    Raises:
        SettingsError: a value is malformed, or an ``.env`` would send a key to a stranger.
    """
    found = gather(TABLE, flags or {}, environ, folder or Path(), config_file)
    return Settings(
        **found.values,
        gone_models=gone_models(environ),
        sources=MappingProxyType(found.sources),
        keys=MappingProxyType(found.keys),
    )

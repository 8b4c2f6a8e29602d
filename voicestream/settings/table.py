"""All settings, and where each value came from.

Precedence: flag > environment > ``.env`` > user config file > default.
The rows, one a setting, stand in :mod:`voicestream.settings.asking` and
:mod:`voicestream.settings.speaking`; parsing and bounds in :mod:`voicestream.settings.parse`;
what reads the environment and the files in :mod:`voicestream.settings.sources`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from voicestream.errors import SettingsError
from voicestream.records import dataclass, field, replace
from voicestream.redact import redacted, remember_key
from voicestream.settings.asking import MOST_TEMPO, AskingSettings
from voicestream.settings.endpoints import Place, places, unpacked, whole
from voicestream.settings.gone import gone_models
from voicestream.settings.kinds import (
    AUTO,
    EMBEDDED_MODEL,
    EMBEDDED_URL,
    KINDS,
    OPENAI_URL,
    PICO_MODEL,
    REALTIME_MODEL,
    EndpointKind,
    endpoint_kind,
    model_for,
)
from voicestream.settings.parse import parse_setting
from voicestream.settings.proxy import key_in_the_clear
from voicestream.settings.row import Row, rows_of, shown
from voicestream.settings.sources import gather
from voicestream.settings.speaking import SpeakingSettings
from voicestream.settings.where import EndpointKeys, by_name

MOST_REALTIME_SPEED = 1.5
"""A Realtime API speaks no faster."""


@dataclass(frozen=True, kw_only=True)
class Settings(SpeakingSettings, AskingSettings):  # the fields of the last base come first
    """Every setting of one run. Build it with :func:`load`, or by hand in a program."""

    sources: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )
    """Where each value came from, by field name; a missing one is the default."""
    keys: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )
    """The keys that ``base_urls`` or the endpoints name, by variable."""
    stand_ins: tuple[Place, ...] = field(default=(), compare=False, repr=False)
    """The endpoints that ``endpoint`` names after the first."""
    key_variables: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """All variables that tables of endpoints say hold a key."""
    auto_model: bool = field(default=False, compare=False, repr=False)
    """Whether ``model`` was left to be chosen."""
    gone_models: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False, repr=False)
    """Base URL and model of what is known to have been shut down."""
    fallbacks: tuple[Place, ...] = field(default=(), init=False, compare=False, repr=False)
    """Where to ask when ``base_url`` fails: the rest of ``endpoint`` or ``base_urls``."""

    def __post_init__(self) -> None:
        if not self.sources:  # made by a program: load() has parsed already
            for row in TABLE:
                parsed = parse_setting(row.kind, getattr(self, row.name), row.name)
                object.__setattr__(self, row.name, parsed)
            self._look_up()
        self._take_first()
        usual_url = OPENAI_URL if self.api_key else EMBEDDED_URL
        resolved: dict[str, Any] = {"base_url": self.base_url or usual_url}
        resolved |= self._chosen_model(resolved["base_url"])
        kind = endpoint_kind(resolved["base_url"], resolved["model"])
        resolved["voice"] = self.voice or KINDS[kind].voice
        if kind == "realtime" and self.speed > MOST_REALTIME_SPEED:
            # what the endpoint cannot do is done here, at the same pitch
            resolved["speed"] = MOST_REALTIME_SPEED
            resolved["tempo"] = min(self.tempo * self.speed / MOST_REALTIME_SPEED, MOST_TEMPO)
        for name, value in resolved.items():
            object.__setattr__(self, name, value)
        if self.prebuffer_ms > 1000 * self.max_buffer_s:
            raise SettingsError(
                f"a prebuffer of {self.prebuffer_ms:g} ms does not fit into a buffer of "
                f"{self.max_buffer_s:g} s",
                hint="Raise --max-buffer-s or lower --prebuffer-ms.",
            )
        headers = (self.headers, *(place.headers for place in self.fallbacks))
        for known in (self.api_key, *self.keys.values(), *(v for h in headers for v in h.values())):
            remember_key(known)
        self._guard_keys()

    def _chosen_model(self, base_url: str) -> dict[str, Any]:
        """Return the model to ask for, and whether it was left to be chosen."""
        if self.model != AUTO:
            return {"model": self.model}
        model = model_for(base_url, AUTO)
        if model == EMBEDDED_MODEL and self.voice.startswith(f"{PICO_MODEL}-"):
            model = PICO_MODEL
        gone = (base_url, model) in self.gone_models
        return {"model": REALTIME_MODEL if gone else model, "auto_model": True}

    def _look_up(self) -> None:
        """Take over from the endpoint's profile what a program has left open.

        A program knows no config file: these are the presets.
        """
        if not self.endpoint or self.base_url:
            return
        from voicestream.settings.profiles import Profiles

        kinds = {row.name: row.kind for row in TABLE}
        told = {row.name: (getattr(self, row.name), "the program") for row in TABLE}
        flags = {name: held for name, held in told.items() if held[0] != _BY_NAME[name].default}
        keys = EndpointKeys(self.keys, {}, "", flags.get("api_key", ("", "")))
        names = tuple(self.endpoint.split(","))
        named = by_name(
            names, "the program", Profiles({}, "the config file", kinds), [{}, flags], keys
        )
        for name, (value, _) in (named.preset | named.table | flags).items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "stand_ins", named.stand_ins)
        object.__setattr__(self, "keys", {**self.keys, **named.keys})

    def _take_first(self) -> None:
        """Let the first of a list of endpoints be the one to ask, unless one is given."""
        if self.endpoint:
            object.__setattr__(self, "fallbacks", tuple(map(whole, self.stand_ins)))
            return
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
            how_far, where = key_in_the_clear(address, key)
            if how_far == "far" and not self.allow_http_key:
                raise SettingsError(
                    f"the key would go to {where} unencrypted",
                    "anybody on the way could read it",
                    "Use https, or say --allow-http-key.",
                )

    def _addresses(self) -> list[tuple[str, str]]:
        others = ((place.url, self.keys.get(place.key_variable, "")) for place in self.fallbacks)
        more = filter(None, (self.chat_base_url, self.transcribe_base_url))
        return [(self.base_url, self.api_key), *others, *((url, self.api_key) for url in more)]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know about these settings."""
        ways = [] if self.allow_http_key else self._addresses()
        return tuple(
            f"the key goes to {where} unencrypted; anybody on your network could read it. "
            "--allow-http-key says that you know."
            for how_far, where in (key_in_the_clear(address, key) for address, key in ways)
            if how_far == "near"
        )

    def __repr__(self) -> str:
        shown = (f"{f.name}={shown_value(self, f.name)!r}" for f in TABLE)
        return f"Settings({', '.join(shown)})"

    @property
    def kind(self) -> EndpointKind:
        """What kind of endpoint is asked first."""
        return endpoint_kind(self.base_url, self.model)

    @property
    def headers(self) -> dict[str, str]:
        """``extra_headers``, names in lower case."""
        return {name.lower(): held for name, held in unpacked(self.extra_headers).items()}

    @property
    def body(self) -> dict[str, Any]:
        """``extra_body``, taken apart.

        Nothing where a Realtime API has taken over from the speech route that it was meant for.
        """
        taken_over = self.auto_model and self.kind != endpoint_kind(self.base_url)
        return {} if taken_over else unpacked(self.extra_body)

    @property
    def embedded(self) -> bool:
        return self.base_url == EMBEDDED_URL

    @property
    def local(self) -> bool:
        """Whether speech is made on this machine, without a server."""
        return bool(KINDS[self.kind].local)

    @property
    def pcm_only(self) -> bool:
        """Whether the endpoint sends PCM whatever is asked for."""
        return self.kind != "speech"

    @property
    def voice_list(self) -> tuple[str, ...]:
        """``voices``, taken apart."""
        return tuple(filter(None, (name.strip() for name in self.voices.split(","))))

    @property
    def by_language(self) -> bool:
        """Whether who speaks depends on the language of a sentence."""
        return bool(self.language_voices or self.replace) or self.local

    def voice_of(self, language: str) -> str:
        """Return the voice that is set for a language; empty: none is."""
        if not language or not self.language_voices:
            return ""
        found = dict(entry.split("=", 1) for entry in self.language_voices.split(","))
        return found.get(language) or found.get(language.partition("-")[0], "")

    def is_set(self, name: str) -> bool:
        """Return whether anybody chose it: somewhere it was said, or a program gave another
        value."""
        return name in self.sources or getattr(self, name) != _BY_NAME[name].default

    def source(self, name: str) -> str:
        return self.sources.get(name, "default")


_OF_COMMANDS: dict[str, Any] = {"cache": "short"}
"""Defaults of the commands. A program whose author said nothing leaves nothing on its user's disk:
it has those of the fields."""
TABLE: tuple[Row, ...] = tuple(
    replace(row, default=_OF_COMMANDS.get(row.name, row.default)) for row in rows_of(Settings)
)
# what each means stands in its row alone, and in help(Settings)
Settings.__doc__ = "\n    ".join(
    [f"{Settings.__doc__}\n", "Attributes:", *(f"    {row.name}: {row.help}" for row in TABLE)]
)
_BY_NAME = {row.name: row for row in TABLE}


def shown_value(settings: Settings, name: str) -> str:
    """Return a setting's value as it may be shown: never a key."""
    value = getattr(settings, name)
    if name in ("api_key", "extra_headers"):  # keys may be among the headers
        return "(set)" if value else ""
    return redacted(shown(value))


def load(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    config_file: Path | None = None,
    *,
    program: bool = False,
) -> Settings:
    """Gather the settings from everywhere.

    Args:
        flags: what the command line said, by field name; None values count as unsaid.
        environ: instead of the process's environment.
        folder: whose ``.env`` is read; the working directory unless given.
        config_file: instead of the user's.
        program: it is a program that asks, and no command: where nothing is said, no reply is kept.

    Raises:
        SettingsError: a value is malformed, or an ``.env`` would send a key to a stranger.
    """
    found = gather(TABLE, flags or {}, environ, folder or Path(), config_file)
    values = found.values if program else {**_OF_COMMANDS, **found.values}
    return Settings(
        **values,
        gone_models=gone_models(environ),
        sources=MappingProxyType(found.sources),
        keys=MappingProxyType(found.keys),
        stand_ins=found.stand_ins,
        key_variables=found.key_variables,
    )

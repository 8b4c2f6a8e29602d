"""From what a person wrote to a value: one small parser for each kind of setting."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeAlias

from voicestream.errors import SettingsError
from voicestream.records import dataclass
from voicestream.settings.kinds import BY_SCHEME, is_local

Parser: TypeAlias = Callable[[Any], Any]
"""Takes a str (flag, environment) or a TOML value; raises ValueError saying what is wrong."""

_MOST_WORDS, _MOST_WORD_CHARS = 1000, 200
_TRUE = frozenset({"1", "true", "yes", "on"})
_SECRET_NAMES = frozenset("key api_key api-key apikey token access_token secret password".split())
"""Of fields of a query that would be shown with the URL."""
_FALSE = frozenset({"0", "false", "no", "off"})


def parse_setting(kind: Parser, value: Any, source: str) -> Any:
    """``value`` as ``kind`` reads it.

    Raises:
        SettingsError: it is malformed; the message names ``source``.
    """
    try:
        return kind(value)
    except ValueError as error:
        raise SettingsError(f"{source}: {error}") from error


def text(value: Any) -> str:
    """Any text without control characters."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if any(ord(char) < 32 or ord(char) == 127 for char in value.strip()):
        raise ValueError("must not hold control characters")
    return value.strip()


def unquoted(written: str) -> str:
    """Without one pair of quotes around it, which some readers of ``.env`` files hand on."""
    quoted = len(written) > 1 and written[0] == written[-1] and written[0] in "'\""
    return written[1:-1].strip() if quoted else written


def secret(value: Any) -> str:
    """A key: printable ASCII without blanks, as a header can carry it. Never part of a message."""
    found = unquoted(text(value))
    if not (found.isascii() and found.isprintable()) or " " in found:
        raise ValueError("is not a key: it must be ASCII letters, digits and signs without blanks")
    return found


def yes_no(value: Any) -> bool:
    """true/false, yes/no, on/off, 1/0."""
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"must be true or false, not {_short(word)!r}")
    return word in _TRUE


def _short(value: Any) -> str:
    shown = str(value).strip()
    return shown if len(shown) <= 40 else shown[:39] + "…"


def number(least: float, most: float, *, whole: bool = False) -> Parser:
    """A number within bounds."""

    def parse(value: Any) -> float | int:
        wanted = "a whole number" if whole else "a number"
        try:
            found = int(str(value)) if whole else float(str(value))
        except ValueError:
            raise ValueError(f"must be {wanted}, not {_short(value)!r}") from None
        if not least <= found <= most:  # NaN fails here too
            raise ValueError(f"must be {wanted} from {least:g} to {most:g}, not {_short(value)}")
        return found

    return parse


def off_or(kind: Parser) -> Parser:
    """``off``, or what ``kind`` reads, as text."""

    def parse(value: Any) -> str:
        word = str(value).strip().lower()
        return word if word == "off" else f"{kind(value):g}"

    return parse


def language_code(value: Any) -> str:
    """``auto``, or a language's code such as ``de`` or ``en-GB``."""
    parts = text(value).replace("_", "-").split("-")
    if not (2 <= len(parts[0]) <= 4 and all(p.isascii() and p.isalnum() for p in parts)):
        raise ValueError(f"must be auto, or a code such as de or en-GB, not {_short(value)!r}")
    return "-".join([parts[0].lower(), *parts[1:]])


def voice_table(value: Any) -> str:
    """Languages and their voices: ``de=anna,fr=marie``, or a table of them."""
    if isinstance(value, dict):
        pairs = [(language, text(voice)) for language, voice in value.items()]
    else:
        written = filter(None, (entry.strip() for entry in text(value).split(",")))
        pairs = [(entry.partition("=")[0], entry.partition("=")[2].strip()) for entry in written]
    for language, voice in pairs:
        if not voice or "," in voice or language_code(language) == "auto":
            raise ValueError("must be like de=VOICE,fr=VOICE")
    return ",".join(f"{language_code(language)}={voice}" for language, voice in pairs)


def socket_path(value: Any) -> str:
    """The path of a socket, ``off``, or nothing."""
    path = text(value)
    if path in ("", "off") or os.path.isabs(path):
        return path
    raise ValueError(f"must be off or a path from / on, not {_short(path)!r}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, in any case."""

    words: tuple[str, ...]

    def __call__(self, value: Any) -> str:
        word = str(value).strip().lower()
        if word not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}, not {_short(word)!r}")
        return word


def flag_choice(*words: str) -> Parser:
    """One of a few words, in any case."""
    return Choice(words)


def ascii_host(host: str) -> str:
    """A host's name as the network knows it, by IDNA 2008.

    Raises:
        ValueError: it cannot be a host's name.
    """
    if host.isascii():
        return host
    import idna  # 10 ms that an ASCII name does not need

    return idna.encode(host).decode("ascii")


def url(value: Any) -> str:
    """``embedded:``, ``system:`` or a URL of http(s) or ws(s), without trailing slash or user."""
    found = unquoted(text(value)).rstrip("/?#")
    if not found:
        return ""
    alone = found.rstrip(":").lower()
    if ":" not in alone and is_local(f"{alone}:"):
        return f"{alone}:"
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(found)
        port = parts.port
        host = ascii_host(parts.hostname or "")
    except ValueError as error:  # UnicodeError is one: not a host's name
        # what stands before an @ may be a password, even where no URL can be read
        raise ValueError("is not a URL" if "@" in found else f"is not a URL: {error}") from None
    example = "write it like https://host/v1 or http://127.0.0.1:8880/v1"
    names = {pair.partition("=")[0].lower() for pair in parts.query.split("&")}
    if parts.username or parts.password or "@" in parts.query or names & _SECRET_NAMES:
        raise ValueError("a URL must not hold a user, a password or a key; give the key separately")
    shown = "it" if "@" in found else repr(found)
    if parts.scheme not in BY_SCHEME or not host or port == 0 or " " in found:
        raise ValueError(f"{shown} is not a URL of an endpoint; {example}")
    if parts.fragment:
        raise ValueError(f"{shown} must not hold a fragment; {example}")
    base, mark, query = found.partition("?")
    base = base.rstrip("/")
    for ending in ("/audio/speech", "/audio", "/realtime"):
        base = base.removesuffix(ending)
    return base + mark + query


def json_object(*ours: str) -> Parser:
    """A JSON object as text; what it may not name is ours."""

    def parse(value: Any) -> str:
        if not value:
            return ""
        import json

        try:
            found = json.loads(value) if isinstance(value, str) else value
            written = json.dumps(found, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            found, written = None, ""
        if not isinstance(found, dict):
            raise ValueError('must be a JSON object, as in \'{"lang": "e"}\'')
        if named := sorted({str(name).lower() for name in found} & set(ours)):
            raise ValueError(f"may not set {named[0]}, which has a setting of its own")
        return written

    return parse


def word_table(value: Any) -> str:
    """A JSON object of words and what is said for each; an object in it is a language's."""
    if not value:
        return ""
    import json

    written: str = json_object()(value)
    found = json.loads(written)
    words: list[tuple[str, Any]] = []
    for word, said in found.items():
        words += said.items() if isinstance(said, dict) else [(word, said)]
    if len(words) > _MOST_WORDS:
        raise ValueError(f"holds more than {_MOST_WORDS} words")
    for word, said in words:
        if not (isinstance(said, str) and len(said) <= _MOST_WORD_CHARS):
            raise ValueError(f"must give a text of at most {_MOST_WORD_CHARS} characters for each")
        if not word.strip() or len(word) > _MOST_WORD_CHARS:
            raise ValueError(f"has a word that is empty or longer than {_MOST_WORD_CHARS}")
    return written


def header_object(*ours: str) -> Parser:
    """A JSON object of header names and values."""
    parse_object = json_object(*ours)

    def parse(value: Any) -> str:
        import json
        import re

        written: str = parse_object(value)
        for name, held in json.loads(written or "{}").items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):  # RFC 9110, 5.6.2
                raise ValueError("has a header name that is none")
            if not (isinstance(held, str) and held.isascii() and held.isprintable()):
                raise ValueError(f"must give {name} printable ASCII text")
        return written

    return parse

"""What `play` is given: stdin, files and URLs.

The first is asked for before most of the program is loaded: nothing of that is imported here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from voicestream.errors import UsageError
from voicestream.formats import FORMATS, OTHER, Format, named_by
from voicestream.records import dataclass
from voicestream.settings.proxy import proxy_url

if TYPE_CHECKING:
    from voicestream.settings.table import Settings
    from voicestream.speech.http.early_get import EarlyGet

STDIN = "-"
AS_IT_IS: Mapping[str, Any] = {
    "base_url": "embedded:",
    "cache": "off",
    "trim": False,
    "normalize": False,
    "lookahead": 1,
    "keep_last": False,
}
"""Settings that play every sample as it comes; what is said again stays the last speech."""
EVEN: Mapping[str, Any] = {"playout": "fixed", "prebuffer_ms": 80}
"""Settings for packets alone: a jitter buffer has made them even already."""

_ENCODINGS = ("u8", "s16", "s24", "s32", "f32", "f64")
SAMPLE_FORMATS = ("u8", *(f"{name}{end}" for name in _ENCODINGS[1:] for end in ("le", "be")))
"""The formats of raw samples, as FFmpeg names them."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something that can be played.

    Attributes:
        place: ``-``, the path of a file, or a URL.
        title: what people are shown; holds nothing secret.
    """

    place: str
    title: str

    @property
    def is_url(self) -> bool:
        return _scheme(self.place) != ""

    @property
    def is_packets(self) -> bool:
        """Whether it comes as packets of RTP."""
        return _scheme(self.place) == "rtp" or (not self.is_url and _is_description(self.place))

    @property
    def named_format(self) -> Format | None:
        """The format that the ending of its name stands for; None: it has no ending that is
        known."""
        path = urlsplit(self.place).path if self.is_url else self.place
        named = named_by(f"audio/{Path(path).suffix[1:].lower()}")
        return None if named is OTHER or named is FORMATS["pcm"] else named


def sources_of(words: Sequence[str]) -> list[Source]:
    """Return what the words of a command line name, each with a title of its own.

    Raises:
        UsageError: one names nothing that can be played.
    """
    titles: dict[str, str] = {}  # by place
    words = [_whole(word) for word in words]
    for word in words:
        if word in titles:
            if word == STDIN:
                raise UsageError("stdin can be played once", hint="Give - once.")
            continue
        title = first = _title(word)
        while title in titles.values():  # URLs that differ in what is not shown
            title = f"{first} ({len(titles) + 1})"
        titles[word] = title
    return [Source(word, titles[word]) for word in words]


def _whole(word: str) -> str:
    """Return a URL with a path; anything else as it is."""
    if _scheme(word) in ("", "rtp"):
        return word
    parts = _parts(word)
    return parts._replace(path=parts.path or "/", fragment="").geturl()


def _title(word: str) -> str:
    if word == STDIN:
        return "stdin"
    if _scheme(word) == "rtp":
        from voicestream.session.packet_pieces import listening

        listening(word)
        return word
    if _scheme(word):
        parts = _parts(word)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    _check_file(word)
    if _is_description(word):
        from voicestream.session.packet_pieces import listening

        listening(word)
    return os.fsencode(word).decode("utf-8", "replace").strip() or repr(word)


def _is_description(path: str) -> bool:
    return path.lower().endswith(".sdp")


def _scheme(word: str) -> str:
    """Return what stands before ``://``; empty: it is a file."""
    scheme, mark, _ = word.partition("://")
    return scheme.lower() if mark and scheme.isascii() and scheme.isalnum() else ""


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # of the port, or the brackets
        pass
    raise UsageError(
        f"{url} cannot be fetched",
        hint="It must look like https://host/file.mp3. What another program can fetch: "
        "PROGRAM | voicestream play -",
    )


def _check_file(name: str) -> None:
    """Refuse what cannot be read, before anything is played. A pipe is left alone."""
    hint = f"To have it spoken: voicestream say play {name} ..." if name.isalpha() else ""
    try:
        if Path(name).is_dir():
            raise UsageError(f"{name} is a folder", hint="Name its files: folder/*.mp3")
        os.stat(name)
        if not os.access(name, os.R_OK):
            raise PermissionError(None, "Permission denied")
    except (OSError, ValueError) as error:  # ValueError: a NUL
        told = getattr(error, "strerror", "") or str(error)
        raise UsageError(f"cannot read {name}", told, hint) from error


def raw_type(rate: str | None, channels: str | None, sample_format: str | None) -> str:
    """Return the content type of raw samples; empty if none of these was given.

    Raises:
        UsageError: the rate is missing, or one of them cannot be.
    """
    if rate is None and channels is None and sample_format is None:
        return ""
    form = (sample_format or "s16le").lower()
    if rate is None:
        raise UsageError("raw samples need --rate", hint="As in --rate 48000.")
    for flag, value, most in (("--rate", rate, 192_000), ("--channels", channels or "1", 8)):
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise UsageError(f"{flag} {value} is no number from 1 to {most}")
    if form not in SAMPLE_FORMATS:
        raise UsageError(
            f"--sample-format {sample_format} is not known", hint=" ".join(SAMPLE_FORMATS)
        )
    order = "big" if form.endswith("be") else "little"
    encoding = form.removesuffix("le").removesuffix("be")
    return (
        f"audio/pcm; rate={rate}; channels={channels or 1}; encoding={encoding}; endianness={order}"
    )


def asked_early(settings: Settings, first: Source) -> EarlyGet | None:
    """Ask for the first source now, if it is a URL, while most of the program is loaded."""
    if (
        not first.is_url or first.is_packets or proxy_url(first.place)
    ):  # the early request knows no proxies
        return None
    from voicestream.speech.http.early_get import EarlyGet, get_headers

    wait_s = min(settings.connect_timeout_s, settings.timeout_s)
    early = EarlyGet(first.place, wait_s, get_headers(first.place))
    early.start()
    return early

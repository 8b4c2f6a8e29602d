"""Bytes as they come -> text: which encoding they are in, and whether they are text at all.

The result depends on the bytes alone, not on how they were cut.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from voicestream.errors import UsageError
from voicestream.formats import hinted_by, shown_by
from voicestream.patterns import lazy_pattern

HEAD_BYTES = 1024
"""A text shows within so many bytes that it is none."""
_CONTROLS_MAX = 8
"""Control characters within the head that a text may hold."""

_OTHER = "Name a text file."
# The first bytes, as the formats' own documents have them; what begins so; what to do.
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (rb"%PDF-", "a PDF", "Try: pdftotext FILE - | voicestream say"),
    (rb"%!PS", "PostScript", "Try: ps2ascii FILE | voicestream say"),
    (rb"\{\\rtf", "an RTF document", "Try: pandoc -f rtf -t plain FILE | voicestream say"),
    (
        rb"PK\x03\x04",
        "a ZIP archive (Word, OpenDocument and EPUB files are such)",
        "Try: pandoc -t plain FILE | voicestream say",
    ),
    (
        rb"\xd0\xcf\x11\xe0\xa1\xb1",
        "an old Office document",
        "Try: soffice --headless --convert-to txt:Text FILE",
    ),
    (rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|II\*\x00|MM\x00\*", "a picture", _OTHER),
    (rb"RIFF....WEBP|....ftyp(?:avif|hei)", "a picture", _OTHER),
    (rb"BM....\x00\x00\x00\x00", "a picture", _OTHER),
    (rb"\x1f\x8b", "compressed with gzip", "Try: zcat FILE | voicestream say"),
    (rb"BZh[1-9]1AY", "compressed with bzip2", "Try: bzcat FILE | voicestream say"),
    (rb"\xfd7zXZ\x00", "compressed with xz", "Try: xzcat FILE | voicestream say"),
    (rb"\x28\xb5\x2f\xfd", "compressed with zstd", "Try: zstdcat FILE | voicestream say"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first."),
    (rb"\x7fELF|MZ[\x00-\xff]\x00|\xca\xfe\xba\xbe|\x00asm", "a program", _OTHER),
    (rb"SQLite format 3\x00", "a database", _OTHER),
)
_CONTROLS = bytes((*range(7), *range(14, 27), *range(28, 32)))
_CONTROL = lazy_pattern(r"[\x00-\x06\x0e-\x1a\x1c-\x1f]")

_MARKED = (  # byte order marks, the longer of two that begin alike first
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def check_text(head: bytes, name: str, encoding: str = "utf-8") -> None:
    """Refuse bytes that are no text.

    Args:
        head: the first bytes, as many as are known; more than ``HEAD_BYTES`` are not looked at.
        name: of the file, for the error; may be empty.
        encoding: the codec they were found to be in.

    Raises:
        UsageError: they are a picture, a PDF, a program and the like.
    """
    head = head[:HEAD_BYTES]
    for pattern, kind, hint in _KINDS:
        if re.match(pattern, head, re.DOTALL):
            raise _no_text(name, f"it is {kind}", hint)
    if shown_by(head) or hinted_by(head):
        raise _no_text(name, "it is sound, or a film", _OTHER)
    if encoding != "utf-8":
        head = head.decode(encoding, "ignore").encode("utf-8", "ignore")
    if len(head) - len(head.translate(None, _CONTROLS)) > _CONTROLS_MAX:
        raise _no_text(name, "it holds bytes that no text has", _OTHER)


def _no_text(name: str, why: str, hint: str) -> UsageError:
    return UsageError(f"{name} is not a text file" if name else "this is no text", why, hint)


def encoding_of(head: bytes, final: bool) -> str | None:
    """Return the encoding that the first bytes tell: by a byte order mark, else by where zeros
    stand.

    Returns:
        A codec's name, or None if more bytes are needed to tell.
    """
    for mark, encoding in _MARKED:
        if head.startswith(mark):
            return encoding
        if mark.startswith(head) and not final:
            return None
    if len(head) > 1 and head[0] == 0 != head[1]:
        return "utf-16-be"
    return "utf-16-le" if len(head) > 1 and head[1] == 0 != head[0] < 0x80 else "utf-8"


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Read what is no UTF-8 as Windows-1252, which holds Latin-1."""
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    text = "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in wrong)
    return text, error.end


_WINDOWS = "voicestream.windows-1252"
codecs.register_error(_WINDOWS, _as_windows_1252)


class TextDecoder:
    """Bytes as they come -> text.

    UTF-8, and UTF-16 or UTF-32 where the first bytes show it; a byte order mark is
    dropped. Bytes that are no UTF-8 are read as Windows-1252 if all before them was
    ASCII, else they become U+FFFD.

    Args:
        on_doubt: called once, with a sentence for the user, when the text is not UTF-8
            and nothing says for certain what it is.
        name: of the file, for errors.

    Used by one thread.
    """

    def __init__(self, on_doubt: Callable[[str], None] | None = None, name: str = "") -> None:
        self._on_doubt = on_doubt
        self._name = name
        self._head = b""  # the first bytes, HEAD_BYTES at most
        self._held = b""  # bytes that wait for the encoding
        self._encoding: str | None = None  # not known yet
        self._decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")()
        self._begun = False
        self._ascii = True  # all text so far is
        self._strict = True  # nothing wrong yet
        self._chars = 0
        self._controls = 0  # in the present block of HEAD_BYTES characters

    def feed(self, data: bytes, final: bool = False) -> str:
        """Take the next bytes; return the text that is certain.

        Raises:
            UsageError: they are no text.
        """
        known = len(self._head)
        if known < HEAD_BYTES and data:
            self._head += data[: HEAD_BYTES - known]
            late = known == 1 and self._encoding == "utf-8"
            if late and encoding_of(self._head, final=True) == "utf-16-le":
                # the byte given out already was the first half of a character
                self._encoding, data = None, data[1:]
                self._choose("utf-16-le")
        if self._encoding is None:
            data, self._held = self._held + data, b""
            encoding = encoding_of(data, final)
            if encoding is None:
                self._held = data
                return ""
            self._choose(encoding)
            known = -1
        if len(self._head) > known:
            check_text(self._head, self._name, self._encoding or "utf-8")
        return self._decode(data, final)

    def flush(self) -> str:
        """Return what was held back: the bytes have ended."""
        return self.feed(b"", final=True)

    def _choose(self, encoding: str) -> None:
        self._encoding = encoding
        if encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
            if not self._head.startswith(tuple(mark for mark, _ in _MARKED)):
                self._doubt("the text has no byte order mark; it is read as UTF-16")

    def _decode(self, data: bytes, final: bool) -> str:
        pending = self._decoder.getstate()[0] if self._strict else b""
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            text = self._lenient(pending + data, error, final)
        if not text:
            return text
        self._watch(text)
        self._ascii = self._ascii and text.isascii()
        if self._begun:
            return text
        self._begun = True
        return text.removeprefix("\ufeff")

    def _watch(self, text: str) -> None:
        """A text may turn into something else later on, too."""
        at = 0
        while at < len(text):
            end = at + HEAD_BYTES - self._chars % HEAD_BYTES
            part = text[at:end]
            self._controls += len(_CONTROL.findall(part))
            if self._controls > _CONTROLS_MAX:
                begins = self._chars // HEAD_BYTES * HEAD_BYTES
                why = f"after {begins} characters it holds bytes that no text has"
                raise _no_text(self._name, why, _OTHER)
            self._chars += len(part)
            if self._chars % HEAD_BYTES == 0:
                self._controls = 0
            at = end

    def _lenient(self, data: bytes, error: UnicodeDecodeError, final: bool) -> str:
        """Decode the rest leniently, after the first byte that is wrong."""
        self._strict = False
        latin = self._ascii and data[: error.start].isascii()
        self._doubt(
            "the text is not UTF-8; it is read as Windows-1252 (iconv makes UTF-8 of others)"
            if latin
            else "the text is not UTF-8; what could not be read is spoken as a replacement"
        )
        errors = _WINDOWS if latin else "replace"
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors=errors)
        return self._decoder.decode(data, final)

    def _doubt(self, sentence: str) -> None:
        if self._on_doubt is not None:
            self._on_doubt(sentence)

"""Settings of speaking: what is made of the text, and how it is played."""

from __future__ import annotations

from typing import Literal

from voicestream.records import dataclass
from voicestream.settings.parse import (
    flag_choice,
    language_code,
    number,
    off_or,
    socket_path,
    text,
    voice_table,
    word_table,
    yes_no,
)
from voicestream.settings.row import setting as _setting


@dataclass(frozen=True, kw_only=True)
class SpeakingSettings:
    """What is made of the text and the sound, and how it is played."""

    playout: Literal["adaptive", "fixed"] = _setting(
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
    underrun: Literal["wait", "silence", "repeat", "stretch"] = _setting(
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
    language: str = _setting(
        "auto",
        language_code,
        "language of the text, by which abbreviations are judged and embedded voices chosen: a "
        "code such as de, or auto (found out sentence by sentence)",
    )
    language_voices: str = _setting(
        "",
        voice_table,
        "LANGUAGE=VOICE,...: the voice for sentences of a language, of whatever endpoint; "
        "[voices] in the config file says the same",
    )
    replace: str = _setting(
        "",
        word_table,
        "words as they should be said, a JSON object: word and what is said for it, or a "
        "language's code and an object of such words; a [replace] table in the config file",
    )
    voices: str = _setting(
        "", text, "NARRATOR,A,B: quoted speech is spoken by A and B in turn [default: one voice]"
    )
    tags: bool = _setting(
        False,
        yes_no,
        "[name] in the text changes the voice, [pause 500ms] is silence",
        flag="--tags/--no-tags",
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
    loudness: str = _setting(
        "-18",
        off_or(number(-40, -10)),
        "how loud every voice is, LUFS, once a reply has shown how loud it is by itself; off: as "
        "it comes",
    )
    pause_clause_ms: float = _setting(150.0, number(0, 5000), "pause after a clause, ms")
    pause_sentence_ms: float = _setting(350.0, number(0, 5000), "pause after a sentence, ms")
    pause_paragraph_ms: float = _setting(700.0, number(0, 5000), "pause after a paragraph, ms")
    device: str = _setting(
        "",
        text,
        "sound card: a name, an index, or 'null'; or rtp://HOST:PORT, not encrypted "
        "[default: system's]",
    )
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
    wake_ms: float = _setting(
        0.0,
        number(0, 5000),
        "silence for a card that slept, before the first sound and while the server thinks, ms "
        "[default: for a suspended sink 1000 on Bluetooth, 500 on USB, else 0]",
    )
    keep_last: bool = _setting(
        True,
        yes_no,
        "keep the last speech, in your runtime folder only, for `voicestream again`",
        flag="--keep-last/--no-keep-last",
    )
    backend: Literal["auto", "miniaudio", "pyaudio"] = _setting(
        "auto",
        flag_choice("auto", "miniaudio", "pyaudio"),
        "what opens the sound card: miniaudio, pyaudio, or auto, the first that is installed",
    )
    device_wait_s: float = _setting(
        5.0, number(0, 3600), "how long to look for a sound card that went away, seconds"
    )
    barge_in: bool = _setting(
        False,
        yes_no,
        "listen while it speaks, and stop when somebody speaks to it",
        flag="--barge-in/--no-barge-in",
    )
    barge_in_sure: float = _setting(
        0.5, number(0.01, 1), "how likely it must be speech that the microphone hears, 0 to 1"
    )
    barge_in_ms: float = _setting(
        160.0, number(30, 5000), "how much speech it takes to interrupt, ms"
    )
    turn_end_ms: float = _setting(
        650.0, number(100, 10_000), "how long a silence ends what is said to `talk`, ms"
    )
    microphone: str = _setting(
        "", text, "who is listened to: a microphone's name or index [default: system's]"
    )
    engine: str = _setting(
        "",
        socket_path,
        "off: speak here, even where an engine runs; /PATH: the socket of one elsewhere",
    )
    linger_s: float = _setting(
        0.0,
        number(0, 86_400),
        "an engine ends when it was idle for so long, seconds; 0: never",
    )
    panel: Literal["auto", "on", "full", "off"] = _setting(
        "auto",
        flag_choice("auto", "full", "on", "off"),
        "live panel: auto (on a terminal), full (with all figures), on or off",
    )

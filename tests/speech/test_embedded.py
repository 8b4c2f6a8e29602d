"""The embedded voice: the same sound each time, and nothing left behind or sent away."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from voicestream.errors import ReplyError, SettingsError, UnspokenError
from voicestream.notices import Notices
from voicestream.speech import system
from voicestream.speech.base import SpeechRequest
from voicestream.speech.embedded import EmbeddedEndpoint
from voicestream.speech.readable import readable, unspeakable

ROOT = Path(__file__).parents[2]


def asked(text: str, voice: str = "heart", speed: float = 1.0) -> SpeechRequest:
    return SpeechRequest(text, "", voice, "pcm", speed)


@pytest.fixture(scope="module")
def voice() -> EmbeddedEndpoint:
    return EmbeddedEndpoint()


def test_a_text_sounds_the_same_each_time_and_comes_sentence_by_sentence(
    voice: EmbeddedEndpoint,
) -> None:
    pieces = list(voice.open(asked("Hello there. How are you?")))
    assert len(pieces) == 2
    assert pieces == list(voice.open(asked("Hello there. How are you?")))
    assert np.abs(np.frombuffer(pieces[0], "<i2").astype(int)).max() > 1000


def test_speed_changes_the_length(voice: EmbeddedEndpoint) -> None:
    usual, fast = (
        sum(map(len, voice.open(asked("Hello there, how are you?", speed=speed))))
        for speed in (1.0, 1.5)
    )
    assert fast < 0.8 * usual


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Na\u00efve caf\u00e9 Łódź, tiếng Việt; Hawaiʻi.", []),
        ("5 µm, 3 Ω, π and ΔT; ½ ² ™ ℃ Ⅷ ① ٣.", []),
        ("\U0001d407\U0001d41e Ｈｅｌｌｏ ﬁne \U0001f600", []),
        ("你好，world。", ["你好"]),
        ("Привет, мир!", ["Привет", "мир"]),
        ("हिन्दी ไทย 한국어 שלום مرحبا λόγος", ["हिन्दी", "ไทย", "한국어", "שלום", "مرحبا", "λόγος"]),
        ("iPhoneは good", ["iPhoneは"]),
    ],
)
def test_words_of_other_scripts_are_known_and_letters_that_are_signs_are_not_among_them(
    text: str, words: list[str]
) -> None:
    assert unspeakable(text) == words
    assert not any(word in readable(text) for word in words)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("It is −5 °C.", "It is minus 5 °C."),
        ("5−3 ≤ 2 ≠ ∞", "5 minus 3 less than or equal to 2 not equal to infinity"),
        ("5 €, 100 US$ and 1,299.99 £.", "€5, $100 and £1,299.99."),
        ("€5, $6 and US$7", "€5, $6 and $7"),
        ("The € and the $ rise.", "The euro and the dollar rise."),
        ("1½ or ⅓ of 2 * 3", "1 and 1/2 or 1/3 of 2 times 3"),
        ("10⁻³ x² H₂O", "10 to the power of minus 3 x² H₂O"),
        ("C♯, B♭, √2, 5‰", "C sharp, B flat, square root 2, 5 per mille"),
        ("ΔT, 3 λ, C:\\new ∙ x*y", "delta T, 3 lamda, C: backslash new x*y"),
        ("$1.50 at 50% & more", "$1.50 at 50% & more"),
    ],
)
def test_signs_that_the_voice_leaves_out_are_words(text: str, spoken: str) -> None:
    tidied = re.sub(r"\s+(?=[,.])|(?<=\s)\s+", "", readable(text)).strip()
    assert tidied == spoken


@pytest.mark.parametrize("unit", ["Ça é naïve. ", "x", "1,", " ", "5 ", "($", "−"])
def test_a_long_text_is_read_in_no_time(unit: str) -> None:
    began_s = time.process_time()
    text = unit * (1_000_000 // len(unit))
    assert unspeakable(text) == []
    readable(text)
    assert time.process_time() - began_s < 10


@pytest.fixture
def no_system_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "system_voices", lambda: ())


@pytest.mark.usefixtures("no_system_voice")
def test_a_text_is_spoken_without_them_and_they_are_told(voice: EmbeddedEndpoint) -> None:
    voice.notices = Notices()
    next(iter(voice.open(asked("Это is a word. And another."))))  # and another voice was sooner
    assert voice.notices.unspoken == []
    with_it = b"".join(voice.open(asked("The word мир means peace.")))
    assert with_it == b"".join(voice.open(asked("The word means peace.")))
    assert voice.notices.unspoken == ["мир"]
    with pytest.raises(UnspokenError, match="no sounds for 你好") as caught:
        list(voice.open(asked("你好。")))
    assert caught.value.words == ("你好",)


@pytest.mark.parametrize(
    "unit", ["e\u0301\u0302", "a-", "1a", "aB", "/", "9", "\U0001f600", "x", "a ", "a, "]
)
def test_no_text_keeps_the_voice_for_long(voice: EmbeddedEndpoint, unit: str) -> None:
    """800 characters of some of these took minutes, and 40 digits failed."""
    parts = voice.parts(unit * (4000 // len(unit)), language="en")
    assert max(len(part.text) for part in parts) <= 300
    began_s = time.process_time()
    list(voice.speak(parts[0], 4.0))
    assert time.process_time() - began_s < 5


def test_a_long_sentence_is_cut_where_it_pauses(voice: EmbeddedEndpoint) -> None:
    text = " ".join(["One and another word, and so on"] * 30)
    parts = [part.text for part in voice.parts(text)]
    assert " ".join(parts) == text
    assert all(part.endswith(",") for part in parts[:-1])


def test_who_is_given_up_keeps_the_voice_no_longer() -> None:
    given_up = EmbeddedEndpoint()
    stream = iter(given_up.open(asked("One. Two.")))
    assert next(stream)
    given_up.abort()
    assert list(stream) == []


def test_a_failure_of_the_voice_is_told(
    voice: EmbeddedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    (part,) = voice.parts("Hello.")  # it is loaded

    def fail(*_: object, **__: object) -> None:
        raise IndexError

    monkeypatch.setattr(voice._neural, "_speaker", fail)
    with pytest.raises(ReplyError, match='failed at "Hello'):
        list(voice.speak(part, 1.0))


def test_another_voice_is_refused(voice: EmbeddedEndpoint) -> None:
    with pytest.raises(SettingsError, match="heart"):
        voice.open(asked("Hello.", voice="nobody"))


@pytest.mark.parametrize("name", ["alloy", "verse", "af_bella"])
def test_a_voice_of_openai_or_kokoro_means_the_nearest_and_that_is_said_once(
    voice: EmbeddedEndpoint, name: str
) -> None:
    voice.notices = Notices()
    for _ in range(2):
        assert list(voice.open(asked("Hello.", name))) == list(voice.open(asked("Hello.")))
    assert voice.notices.warnings == [f"the embedded voice heart speaks for {name}"]


def test_speaking_leaves_nothing_foreign_in_the_home(tmp_path: Path) -> None:
    """onnxruntime would put an identifier there and report to its maker."""
    subprocess.run(
        [sys.executable, "-m", "voicestream", "say", "Hi. Guten Morgen.", "--device", "null", "-q"],
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        cwd=tmp_path,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    # what was learnt, which texts were said before (by a hash), and what the voice loads
    left = [path.parts for path in tmp_path.rglob("*") if path.is_file()]
    assert [parts for parts in left if "voicestream" not in parts] == []


@pytest.mark.parametrize(
    ("language", "text", "read"),
    [
        ("de", "1.299,99 EUR, 12,05 €, 1 €, €5", "1299 Euro 99, 12 Euro 5, 1 Euro, 5 Euro"),
        ("de", "£3m, 10.000, 1.250.000, 12.345,6", "3 Millionen Pfund, 10000, 1.250.000, 12345,6"),
        ("de", "am 3.5.2024, -5 °C, 3-5, 7.30 Uhr", "am 3.5.2024, minus 5 °C, 3-5, 7.30 Uhr"),
        ("de", "1.0.1, 3.11, am 3.11. da", "1 Punkt 0 Punkt 1, 3.11, am 3.11. da"),
        ("es", "$2,5bn y n.º 7", "2,5 mil millones de dólares y número 7"),
        ("es", "2.5.1 a 2 €/mes, 612 345 678", "2 punto 5 punto 1 a 2 euros por mes, 612 345 678"),
        ("fr", "1 299,99 € et n° 7", "1299 euros 99 et numéro 7"),
        ("fr", "1 000 000, 1 250 000 €, 10 000", "1.000.000, 1.250.000 euros, 10000"),
        ("it", "n. 7 a 12,50 €", "numero 7 a 12 euro e 50"),
        ("it", "a < b -> c", "a minore di b, c"),
        ("en", "£3m, No. 7, $2.5bn, $5", "3 million pounds, number 7, 2.5 billion dollars, $5"),
    ],
)
def test_what_a_voice_misreads_is_written_as_it_reads_it(
    language: str, text: str, read: str
) -> None:
    assert " ".join(readable(text, language).split()) == read


@pytest.mark.parametrize(
    ("text", "voices"),
    [
        ("Guten Morgen, mein Freund. Hello there.", ["pico-de", "heart"]),
        ("Bonjour tout le monde. ¿Qué tal estás? Grazie mille.", ["pico-fr", "pico-es", "pico-it"]),
        ("The word мир means peace. 你好，世界。", ["heart", "ru", "heart", "cmn"]),
        ("Er sagte: „I don't know what to do.“", ["pico-de"]),
    ],
)
def test_each_language_has_its_voice(
    text: str, voices: list[str], voice: EmbeddedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tuple(system.SystemVoice("espeak-ng", tag, tag) for tag in ("ru", "cmn"))
    monkeypatch.setattr(system, "system_voices", lambda: known)
    parts = voice.parts(text)
    assert [part.voice.id for part in parts if part.voice] == voices
    spoken = "".join("".join(part.text.split()) for part in parts)
    assert spoken == "".join(text.split())  # no word is missing


@pytest.mark.usefixtures("no_system_voice")
def test_a_language_without_a_voice_is_named_word_by_word(voice: EmbeddedEndpoint) -> None:
    request = SpeechRequest("Dzień dobry, jak się masz?", "", "heart", "pcm", language="pl")
    with pytest.raises(UnspokenError) as caught:
        list(voice.open(request))
    assert caught.value.words == ("Dzień", "dobry", "jak", "się", "masz")


@pytest.mark.usefixtures("no_system_voice")
def test_latin_words_among_signs_without_a_voice_are_spoken(voice: EmbeddedEndpoint) -> None:
    voice.notices = Notices()
    assert b"".join(voice.open(asked("我用 Python 部署。")))
    assert voice.notices.unspoken == ["我用", "部署"]


def test_pico_speaks_in_a_process_of_its_own_and_ends_with_who_gave_it_up() -> None:
    endpoint = EmbeddedEndpoint()
    text = "Guten Morgen, wie geht es Ihnen heute? " * 40
    stream = iter(endpoint.open(SpeechRequest(text, "", "heart", "pcm", language="de")))
    sound = next(
        piece for piece in stream if np.abs(np.frombuffer(piece, "<i2")).max(initial=0) > 99
    )
    assert sound
    (child,) = endpoint._children
    endpoint.abort()
    list(stream)
    assert child._process is not None
    assert child._process.returncode not in (0, None)


@pytest.mark.parametrize(
    ("program", "listed", "language", "name"),
    [
        ("espeak-ng", " 5  vi              --/M      Vietnamese_(Northern) aav/vi", "vi", "vi"),
        ("say", "Anna                de_DE    # Hallo! Ich heiße Anna.", "de", "Anna"),
        ("say", "Eddy (French (France)) fr_FR    # Bonjour !", "fr-FR", "Eddy (French (France))"),
        ("Windows", "ja-JP  Microsoft Haruka Desktop\r", "ja", "Microsoft Haruka Desktop"),
    ],
)
def test_the_systems_voices_are_known_by_their_language(
    program: str, listed: str, language: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As these programs print them; only espeak-ng is tried for real here."""

    def told(*_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess([], 0, f"header\n{listed}\n".encode())

    platforms = {"espeak-ng": "linux", "say": "darwin", "Windows": "win32"}
    monkeypatch.setattr(system, "_PLATFORM", platforms[program])
    monkeypatch.setattr(system.shutil, "which", lambda name: name)
    monkeypatch.setattr(system.subprocess, "run", told)
    system.system_voices.cache_clear()
    found = system.system_voice(language)
    system.system_voices.cache_clear()
    assert found is not None
    assert (found.program, found.id) == (program, name)

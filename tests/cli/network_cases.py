"""What endpoints and networks do wrong; see :mod:`tests.cli.cases`."""

from __future__ import annotations

from tests.cli.cases import SOUND, UNTRUE_WAV, Case
from tests.support.canary import KEY
from tests.support.script import Cut, Framing, Script
from tests.support.sound import mp3, speechlike

_WORDS = "the server's own words"
_UNHEARD = 'not spoken to its end: "Hi"'
_CUTS: list[tuple[Framing, Cut]] = [("chunked", "close"), ("length", "close"), ("chunked", "stall")]


def refused(name: str, code: int, status: int, answer: object, *says: str, **more: object) -> Case:
    """A status other than 200."""
    return Case(name, code, says, script=Script.error(status, answer), **more)  # type: ignore[arg-type]


REFUSAL_CASES = [
    refused("401", 4, 401, {"error": {"message": _WORDS}}, _WORDS, "VOICESTREAM_API_KEY"),
    refused("403", 4, 403, "", "403", "VOICESTREAM_API_KEY"),
    refused(
        "401 for the other variable",
        4,
        401,
        {"detail": _WORDS},
        _WORDS,
        "OPENAI_API_KEY",
        environ={"VOICESTREAM_API_KEY": None, "OPENAI_API_KEY": KEY},
    ),
    refused(
        "401 without a key",
        4,
        401,
        {},
        "No key was sent",
        "--api-key-file",
        environ={"VOICESTREAM_API_KEY": None},
    ),
    refused(
        "401 that repeats the key",
        4,
        401,
        {"error": {"message": f"Incorrect API key provided: {KEY}. Look it up."}},
        "Incorrect API key provided",
        "Look it up",
    ),
    refused("404", 3, 404, {"error": {"message": _WORDS}}, "/v1/audio/speech", _WORDS, "--base"),
    refused("422 list", 3, 422, {"detail": [{"loc": ["body"], "msg": _WORDS}]}, "422", _WORDS),
    refused("422 object", 3, 422, {"detail": {"error": "x", "message": _WORDS}}, "422"),
    refused("400 object", 3, 400, {"error": {"message": _WORDS, "code": 4}}, "400", _WORDS),
    refused("400 string", 3, 400, {"error": _WORDS}, "400", _WORDS),
    refused("400 unknown voice", 3, 400, {"detail": "no voice nova"}, "no voice nova", "--voice"),
    refused("400 plain", 3, 400, _WORDS, "400", _WORDS),
    refused("400 escape codes", 3, 400, f"\x1b]0;x\x07\x1b[31m{_WORDS}\r\nX", "400", _WORDS + " X"),
    refused("429", 3, 429, {"error": {"message": _WORDS}}, "429", _WORDS, "ait"),
    refused("500 HTML", 3, 500, f"<html><h1>{_WORDS}</h1></html>", "500", _WORDS, "Try again"),
    refused("503 empty", 3, 503, "", "503", "Try again"),
    Case(
        "refusal that breaks off",
        3,
        ["400", "half of it"],
        script=Script(b"half of it", 400, "text/plain", cut_after_bytes=10),
    ),
    Case(
        "redirect",
        3,
        ["307", "http://127.0.0.1:9/else", "--base-url"],
        script=Script(b"", 307, headers={"Location": "http://127.0.0.1:9/else"}, framing="length"),
    ),
]

REPLY_CASES = [
    Case("empty body", 3, ["empty body", "--voice"], script=Script(b"")),
    Case(
        "JSON",
        3,
        ["application/json", "no such voice"],
        script=Script(b'{"error":"no such voice"}', content_type="application/json"),
    ),
    Case(
        "HTML",
        3,
        ["text/html", "Welcome", "base URL"],
        script=Script(b"<html><title>Welcome</title>", content_type="text/html; charset=utf-8"),
    ),
    Case("a lone odd byte", 3, ["no sound"], warns=["broken"], script=Script(b"x")),
    Case("a WAV without sound", 3, [""], script=Script(UNTRUE_WAV, content_type="audio/wav")),
    Case(
        "a sentence for MP3",
        3,
        [""],
        script=Script(b"Model is loading, try again later." * 9, content_type="audio/mpeg"),
        arguments=["Hi", "--format", "mp3"],
    ),
    *(
        Case(
            f"breaks off: {framing}, {cut}",
            3,
            ["reply", "after 3000 bytes"],
            script=Script(
                SOUND, framing=framing, cut_after_bytes=3000, cut=cut, rate_bytes_per_s=1e6
            ),
            heard=SOUND[:3000],
            warns=[_UNHEARD],
            arguments=["Hi", "--stall-timeout", "1"],
        )
        for framing, cut in _CUTS
    ),
    Case(
        "breaks off before the first sound",
        3,
        ["reply", "after 0 bytes"],
        script=Script(SOUND, cut_after_bytes=0),
    ),
    Case(
        "breaks off in the middle of an MP3",
        3,
        ["reply", "after 2000 bytes"],
        script=Script(mp3(speechlike(0.5)), content_type="audio/mpeg", cut_after_bytes=2000),
        heard=b"",
        warns=[_UNHEARD],
        arguments=["Hi", "--format", "mp3"],
    ),
]

CONNECTION_CASES = [
    Case(
        "no such host",
        3,
        ["no-such-host.invalid", "--base-url"],
        ["Hi", "--base-url", "https://no-such-host.invalid/v1"],
    ),
    Case("refused", 3, ["{port}", "refused", "running"], ["Hi", "--base-url", "{refusing}"]),
    Case("closed without a word", 3, ["before the reply"], script=Script(raw=b"")),
    Case("not HTTP", 3, ["before the reply"], script=Script(raw=b"SSH-2.0-x\r\n")),
    Case("https to a plain server", 3, ["TLS", "https"], ["Hi", "--base-url", "{as_https}"]),
    Case(
        "TLS that is never answered",
        3,
        ["0.3 s"],
        ["Hi", "--timeout=0.3", "--base-url", "{silent}"],
    ),
    Case(
        "no such proxy",
        2,
        ["proxy", "HTTP_PROXY"],
        ["Hi", "--base-url", "{refusing}"],
        environ={"http_proxy": "foo://x"},
    ),
    Case(
        "a proxy of another kind",
        2,
        ["proxy", "ALL_PROXY"],
        ["Hi", "--base-url", "{refusing}", "--save", "x.wav"],
        environ={"ALL_PROXY": "ftp://127.0.0.1:9"},
    ),
    Case(
        "unknown certificate",
        3,
        ["certificate", "SSL_CERT_FILE"],
        secure=True,
        requests=0,
        script=Script(SOUND),
    ),
    Case(
        "no such certificate file",
        3,
        ["SSL_CERT_FILE"],
        secure=True,
        requests=0,
        script=Script(SOUND),
        environ={"SSL_CERT_FILE": "nowhere.pem"},
    ),
    Case(
        "silence before the headers",
        3,
        ["0.3 s", "--timeout"],
        ["Hi", "--timeout", "0.3"],
        script=Script(SOUND, header_delay_s=20),
    ),
]

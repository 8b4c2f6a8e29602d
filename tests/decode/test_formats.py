"""A format is one file and one row: all that knows formats knows them by their rows."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args, get_type_hints

import pytest

from voicestream.formats import FORMATS
from voicestream.settings.table import Settings

TOY = """
import sys, types, re
from voicestream import formats

toy = types.ModuleType("toy")
class ToyDecoder:
    def __init__(self): self.name = "toy"
toy.ToyDecoder = ToyDecoder
sys.modules["toy"] = toy
row = formats.Format("toy", "toy:ToyDecoder", ("audio/x-toy",), lambda head: head[:4] == b"TOY!")
formats.FORMATS["toy"] = row
formats._ROWS += (row,)
formats._BY_CONTENT_TYPE["audio/x-toy"] = row

"""
HEAD = "b'TOY!' + bytes(60)"


@pytest.mark.parametrize(
    "check",
    [
        "from voicestream.settings.table import TABLE\n"
        "row = next(row for row in TABLE if row.name == 'format')\n"
        "assert row.kind('toy') == 'toy' and 'toy' in row.help",
        "from voicestream.decode.registry import choose, _made\n"
        f"assert choose({HEAD}, '', 'pcm', False) == 'toy'\n"
        "assert choose(bytes(60), 'audio/x-toy', 'mp3', False) == 'toy'\n"
        "assert _made('toy').name == 'toy'",
        f"from voicestream.speech.http.sniff import shows_sound\nassert shows_sound({HEAD})",
        "from voicestream.speech.http.negotiate import Agreement\n"
        "from voicestream.speech.base import SpeechRequest\n"
        "agreement, asked = Agreement(), SpeechRequest('Hello.', 'm', 'v', 'pcm')\n"
        "assert agreement.learn(asked, 400, b'response_format must be one of: toy')\n"
        "assert agreement.adapt(asked).format == 'toy'",
        "from voicestream.errors import UsageError\n"
        "from voicestream.text.encoding import check_text\n"
        "try:\n"
        f"    check_text({HEAD}, 'a file')\n"
        "except UsageError as error:\n"
        "    assert 'sound' in str(error)\n"
        "else:\n"
        "    raise AssertionError('it is no text')",
    ],
    ids=["settings", "decode", "sniff", "negotiate", "text"],
)
def test_a_row_is_all_it_takes(check: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOY + check], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_type_of_the_setting_names_each_row() -> None:
    """A type checker reads no tables."""
    assert set(get_args(get_type_hints(Settings)["format"])) == {*FORMATS, "auto"}

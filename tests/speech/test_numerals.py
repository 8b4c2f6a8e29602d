"""What embedded voices misread, in a form that they read; how it sounds: ``bench/languages``."""

from __future__ import annotations

import pytest

from voicestream.speech.readable import readable

READ = {
    "de": {
        "Am 3. Mai 2024 im 19. Jahrhundert.": "",  # which the voice reads well
        "1/2 Liter, 2 1/2 und 1½, 3/4 davon": "½ Liter, 2 ½ und 1 ½, drei Viertel davon",
        "am 1/3/2024, 11/2, 1/25, a/1/2, 3/4,5": "",
        "No. 7 für £3m oder 1.299,99 €": "Nummer 7 für 3 Millionen Pfund oder 1299 Euro 99",
    },
    "es": {"El 2.º piso, 1/4 y 2½": "El 2º piso, un cuarto y 2 y medio"},
    "fr": {"Le n° 7, ½ ou 2/3": "Le numéro 7, un demi ou deux tiers"},
    "it": {"Il 1° maggio, 21° C, 1/3.": "Il 1º maggio, 21° C, un terzo."},
    "en": {"No. 7 for £3m, 1/2 of it": "number 7 for 3 million pounds, 1/2 of it"},
}


@pytest.mark.parametrize("language", READ)
def test_numbers_are_put_in_words_where_the_voice_errs(language: str) -> None:
    for written, read in READ[language].items():
        assert readable(written, language) == (read or written)

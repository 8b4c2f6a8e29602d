"""The language of a sentence, of a greeting, of text with foreign words in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.text.language import language_of

SENTENCES = {
    "en": """The meeting begins at nine o'clock.|I don't know what he wants.|Müller called about the
invoice.|She has never been to Paris before.|There were 42 people in the room.|Please close the
door when you leave.|We should check the logs first.|Your order will arrive tomorrow.""",
    "de": """Die Sitzung beginnt um neun Uhr.|Ich weiß nicht, was er will.|Das Meeting ist heute
im großen Saal.|Wir haben den Build mit Docker gestartet.|Die Rechnung beträgt 1.299,99 Euro.|Bitte
schließen Sie die Tür.|Morgen fahren wir nach Hamburg.|Der Server antwortet nicht mehr.""",
    "fr": """La réunion commence à neuf heures.|Je ne sais pas ce qu'il veut.|Le meeting est à dix
heures.|Le serveur ne répond plus.|Nous partons demain pour Lyon.|Fermez la porte, s'il vous
plaît.|Elle a acheté deux livres.|Il y avait beaucoup de monde dans la rue.""",
    "es": """La reunión empieza a las nueve.|No sé qué quiere.|El servidor no responde.|Mañana vamos
a la playa con los niños.|Cierra la puerta, por favor.|Ella ha comprado dos libros.|Había mucha
gente en la calle.|El tren sale a las 8:30.""",
    "it": """La riunione comincia alle nove.|Non so che cosa vuole.|Il server non risponde
più.|Domani andiamo al mare con i bambini.|Chiudi la porta, per favore.|Ha comprato due libri per
sua sorella.|C'era molta gente nella strada.|Il treno parte alle 8:30.""",
    "pt": "A reunião começa às nove horas.|Eu não sei o que ele quer.|"
    "O servidor não responde mais.",
    "nl": "De vergadering begint om negen uur.|Ik weet niet wat hij wil.|"
    "De server is niet bereikbaar.",
    "sv": "Jag vet inte vad han vill.|Mötet är på måndag och det är viktigt.",
    "pl": "Nie wiem, czego on chce.|Spotkanie zaczyna się o dziewiątej.",
    "cs": "Nevím, co chce, ale přijde zítra.|Schůzka je v devět.",
    "tr": "Toplantı saat dokuzda başlıyor.|Ne istediğini bilmiyorum ama çok güzel.",
    "vi": "Tôi không biết anh ấy muốn gì.|Cuộc họp bắt đầu lúc chín giờ.",
    "ru": "Встреча начинается в девять.|Мы запустили Docker на сервере.",
    "uk": "Зустріч починається о дев'ятій, і ми готові.",
    "el": "Η συνάντηση αρχίζει στις εννέα.",
    "zh": "会议九点开始。|我们用 Docker 部署了服务器。",
    "ja": "今日はいい天気です。|サーバーが応答しません。",
    "ko": "회의는 아홉 시에 시작합니다.",
    "ar": "يبدأ الاجتماع في التاسعة.",
    "he": "הפגישה מתחילה בתשע.",
    "hi": "बैठक नौ बजे शुरू होती है।",
    "th": "การประชุมเริ่มเก้าโมง",
}
GREETINGS = {
    "en": "Hello!|Good morning|Thanks a lot!|Goodbye",
    "de": "Hallo|Guten Tag|Guten Morgen!|Danke schön|Auf Wiedersehen|Herzlich willkommen",
    "fr": "Bonjour|Bonsoir tout le monde|Merci beaucoup|Au revoir|Salut !|Joyeux anniversaire",
    "es": "Hola|Buenos días|Muchas gracias|Hasta luego|¡Adiós!|¿Cómo estás?",
    "it": "Ciao|Buongiorno|Grazie mille|Arrivederci|Buona notte|Come stai?",
}
KEPT = [
    ("en", 'He said "Guten Tag, wie geht es Ihnen?" and left.'),
    ("en", "Run `git push` and then wait for the tests."),
    ("en", "Call get_user() before you save it."),
    ("en", "San José is in California."),
    ("en", "Angela Merkel and Gerhard Schröder met."),
    ("de", "Er sagte „I don't know what you want“ und ging."),
    ("de", "Starte dann https://example.com/the/and/is neu."),
    ("fr", "Il a dit « good morning to all of you » et il est parti."),
    ("es", 'Dijo "this is not what I want" y se fue.'),
    ("it", "OK, API, 42."),  # nothing tells: as before
    ("de", "Docker, Kubernetes, Linux."),
]


def listed(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (language, " ".join(text.split()))
        for language, several in texts.items()
        for text in several.split("|")
    ]


@pytest.mark.parametrize(("language", "text"), listed(SENTENCES) + listed(GREETINGS))
def test_a_sentence_is_told_although_the_text_was_in_another_language(
    language: str, text: str
) -> None:
    other = "de" if language == "en" else "en"
    assert language_of(text, other) == language


@pytest.mark.parametrize(("language", "text"), KEPT)
def test_quotations_names_and_code_change_nothing(language: str, text: str) -> None:
    assert language_of(text, language) == language


@given(st.text(max_size=200), st.sampled_from(["en", "de", "ja", "x-own"]))
def test_any_text_has_a_language(text: str, before: str) -> None:
    assert language_of(text, before)
    assert language_of(text, before) == language_of(text, before)
    assert language_of("".join(filter(str.isdigit, text)), before) == before

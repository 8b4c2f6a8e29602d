"""The language of a sentence: scripts, the commonest words and letters, and what came before.

Function words tell the language of short text better than letter statistics do (Grefenstette,
"Comparing two language identification schemes", 1995). A few foreign words do not change it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import lru_cache

from voicestream.patterns import lazy_pattern

DEFAULT = "en"
"""What a text counts as until something tells otherwise."""
AUTO = "auto"
"""The setting that asks to find it out."""

_WORDS = {
    "en": "the and is are was were of to in that it for on with as this but be have has had not "
    "you he she we they his her my your our their what which who when where how there here from "
    "at by an or if will would can could should do does did been about into just some any than "
    "then them these those because please no yes all more very out up so i'm it's don't i'll "
    "every only after before down its me us him again let's now today tomorrow yesterday",
    "de": "der die das und ist nicht ein eine einen einem einer den dem des auf für mit von zu "
    "sich auch werden wird wurde im am ich du er sie es wir ihr sind war hat haben bei nach aus "
    "wie was wo wer warum wenn aber oder dass noch nur schon sehr mein meine dein sein kann "
    "zum zur über unter vor mir mich dir dich uns euch bitte heute morgen gestern kein keine "
    "als an um so doch jetzt hier dort immer alle gibt ihre seine durch gegen ohne bis habe mal "
    "ins vom uhr",
    "fr": "le la les des est une un dans pour pas que qui sur avec ce cette ces du au aux plus il "
    "elle nous vous ils elles je tu et en mais ou où donc sont était être avoir avez ai suis "
    "ont fait tout tous très bien mon ma mes ton ta son sa ses leur leurs comme si quand "
    "comment pourquoi aujourd'hui demain hier ne se de d'une c'est qu'il n'est l'on j'ai y "
    "peut sans sous chez même après avant entre encore aussi deux cela votre notre rien",
    "es": "el la los las una un es que para con por del se su sus más como pero está están al y "
    "de en no lo le me te nos mi tu yo él ella ellos muy cuando donde dónde qué quién cómo "
    "hay fue era son ser sobre también hasta desde porque sin ya hoy mañana ayer este esta "
    "estos estas ese eso todo todos tiene tengo puede hace a entre después antes siempre dos "
    "ha he han usted hacia otra otro cada nuestra nuestro nada",
    "it": "il lo la gli le una un è che per con non di del della dei delle nel nella si più come "
    "sono e ma anche al alla da dal sul sulla in io tu lui lei noi voi loro mi ti ci vi ha ho "
    "hanno era essere molto quando dove perché questo questa questi quello quella oggi domani "
    "ieri c'è l'ho cosa chi mio mia tuo suo sua tutto tutti se ai fra tra dopo prima sempre "
    "alle agli allo ancora già due a può fare stato stata ogni nostro nostra senza",
    "pt": "os uma um é que para com não do da dos das em mais como mas são ao você o e eu ele ela "
    "nós isso este esta muito quando onde está foi ser por se sua seu minha meu também hoje "
    "amanhã ontem tem no na nos nas pelo pela já sem até depois",
    "nl": "de het een en is niet van dat op voor met zijn ook wordt aan er ik je jij hij zij wij "
    "we maar of om te naar bij uit nog wel geen hoe wat waar wie waarom heeft hebben deze dit "
    "dan als door vandaag morgen gisteren mijn kan over",
    "sv": "och att det är som en ett inte på för med av till den jag du han hon vi de men om har "
    "var från kan ska så hur vad när idag mycket min här eller också efter",
    "da": "og at det er som en et ikke på for med af til den jeg du han hun vi de men om har var "
    "fra kan skal så hvordan hvad når meget min her eller også efter i dag",
    "pl": "i w nie na się to jest że z do jak ale co tak po czy dla od jestem są był była mam "
    "gdzie kiedy dzisiaj dziś jutro już tylko przez bardzo może wiem czego chce on",
    "cs": "a je se na že to v s z do jak ale co tak po pro od jsem jsou byl byla mám kde kdy dnes "
    "zítra už jen není velmi také nebo",
    "tr": "ve bir bu da de için ile çok ne var yok ben sen biz siz değil gibi daha ama nasıl "
    "nerede bugün yarın olarak olan kadar sonra",
    "vi": "là và của không có một được cho những người này tôi bạn các đã với trong khi để",
}
_GREETINGS = {
    "en": "hello hi hey thanks thank welcome goodbye bye sorry good morning evening night cheers "
    "congratulations happy birthday",
    "de": "hallo guten tag danke tschüss tschüs willkommen moin servus grüß gruß entschuldigung "
    "verzeihung gute schönen wiedersehen frohe glückwunsch geburtstag schön prost ja nein",
    "fr": "bonjour bonsoir salut merci bienvenue au-revoir revoir excusez désolé pardon coucou "
    "enchanté bonne félicitations joyeux anniversaire santé oui beaucoup",
    "es": "hola gracias buenos buenas adiós bienvenido bienvenida bienvenidos perdón luego "
    "encantado encantada lo siento feliz cumpleaños felicidades salud sí días noches tardes",
    "it": "ciao buongiorno buonasera buonanotte grazie arrivederci benvenuto benvenuti benvenuta "
    "scusi scusa prego salve piacere buon auguri compleanno mille sì buona",
    "pt": "olá obrigado obrigada tchau bom boa bem-vindo desculpe tarde noite",
    "nl": "hallo dank bedankt goedemorgen goedenavond goedemiddag dag welkom tot ziens doei",
    "sv": "hej tack välkommen god adjö ursäkta",
    "da": "hej tak velkommen farvel undskyld",
    "pl": "cześć dziękuję dzień dobry witaj dobranoc przepraszam",
    "cs": "ahoj děkuji dobrý den vítejte promiňte",
    "tr": "merhaba teşekkür teşekkürler günaydın hoş selam",
    "vi": "xin chào cảm ơn tạm biệt lỗi",
}
_LETTERS = {
    "de": "äöüß",
    "fr": "àâçèêëîïôùûœæ",
    "es": "ñ¿¡áíóú",
    "it": "àèìòù",
    "pt": "ãõçâêô",
    "sv": "åäö",
    "da": "åæø",
    "pl": "ąęłńśźżó",
    "cs": "ěřůčšžý",
    "tr": "ğışçöü",
    "vi": "ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
}
_SCRIPTS = (  # first and last code point; the first that holds most letters decides
    ("ru", "\u0400", "\u052f"),
    ("el", "\u0370", "\u03ff"),
    ("el", "\u1f00", "\u1fff"),
    ("he", "\u0590", "\u05ff"),
    ("ar", "\u0600", "\u06ff"),
    ("hi", "\u0900", "\u097f"),
    ("th", "\u0e00", "\u0e7f"),
    ("ja", "\u3040", "\u30ff"),
    ("ko", "\uac00", "\ud7af"),
    ("ko", "\u1100", "\u11ff"),
    ("zh", "\u3400", "\u9fff"),
    ("zh", "\U00020000", "\U0003ffff"),
)
_LATIN_TOO = (  # beside the Latin blocks, what a Latin voice is expected to make something of
    ("\u02b0", "\u02ff"),
    ("\u1e00", "\u1eff"),
    ("\u2070", "\u214f"),
    ("\ua720", "\ua7ff"),
    ("\ufb00", "\ufb06"),
    ("\uff21", "\uff5a"),
    ("\U0001d400", "\U0001d7ff"),
)
_MARGIN = 0.9
"""So much more than for the language of the text so far must speak for another one."""
_RARE = 1.5
"""A letter or a greeting counts as so many function words."""
_MAX_CHARS = 1_000
"""Of longer text, so much tells enough."""

_WORD = lazy_pattern(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_QUOTED = lazy_pattern(
    r"\"[^\"]{2,200}\"|“[^”“]{2,200}[”“]|„[^“”]{2,200}[“”]|«[^»]{2,200}»|»[^«]{2,200}«|"
    r"(?<!\w)'[^']{2,200}'(?!\w)"
)
_CODE = lazy_pattern(
    r"`[^`]*`|https?://\S+|\S*[_/\\@]\S*|\w+\.\w+(?:\(\))?|\b[a-z]+[A-Z]\w*|\w*\d\w*"
)
_UKRAINIAN = frozenset("іїєґ")


def base_of(language: str) -> str:
    """``de`` of ``de-AT``."""
    return language.partition("-")[0].lower()


def script_language(char: str) -> str:
    """The commonest language of a letter's script; empty for Latin and unlisted ones."""
    for language, first, last in _SCRIPTS:
        if first <= char <= last:
            return language
    return ""


def is_latin(char: str) -> bool:
    """Whether a letter is one a voice of a Latin-script language can be expected to read."""
    return char < "\u0250" or any(first <= char <= last for first, last in _LATIN_TOO)


def language_of(text: str, before: str = DEFAULT) -> str:
    """The language of a sentence.

    Quotations, code and addresses do not count where other words do.

    Args:
        text: the sentence, or a part of it.
        before: the language of the text so far: kept unless more speaks for another.

    Returns:
        A code of two letters, for example ``de``; ``before`` if nothing tells.
    """
    text = text[:_MAX_CHARS].replace("’", "'")
    if not text.isascii() and (found := _by_script(text, before)):
        return found
    plain = _CODE.sub(" ", text)
    outside = _QUOTED.sub(" ", plain)
    if len(_WORD.findall(outside)) < 2:
        outside = plain
    score = _scores(outside)
    old = base_of(before)
    best = max(score, key=lambda code: (score[code], code == old), default=old)
    return best if score[best] - score[old] >= _MARGIN else before


def _by_script(text: str, before: str) -> str:
    """The language whose script has most of the letters; empty for Latin."""
    counts = Counter(
        "" if is_latin(char) else script_language(char) for char in text if char.isalpha()
    )
    if counts["ja"]:  # Japanese is written with Chinese characters, too
        counts["ja"] += counts.pop("zh", 0)
    for language in ("zh", "ja", "ko"):
        counts[language] *= 3  # a character is a syllable or a word
    found, most = counts.most_common(1)[0] if counts else ("", 0)
    if not most:
        return ""
    if found == "zh" and base_of(before) == "ja":
        return "ja"
    if found == "ru" and not _UKRAINIAN.isdisjoint(text.lower()):
        return "uk"
    return found


def _scores(text: str) -> defaultdict[str, float]:
    score: defaultdict[str, float] = defaultdict(float)
    known, letters = _known_words(), _letters()
    for at, word in enumerate(_WORD.findall(text)):
        lower = word.lower()
        for language, weight in known.get(lower, ()) or known.get(lower.partition("'")[0], ()):
            score[language] += weight
        # the letters of a name tell its origin only
        if not word.isascii() and (word[0].islower() or at == 0):
            for char in set(lower) & letters.keys():
                for language in letters[char]:
                    score[language] += _RARE / len(letters[char])
    for mark in "¿¡":
        score["es"] += _RARE * (mark in text)
    return score


@lru_cache(maxsize=1)
def _known_words() -> dict[str, tuple[tuple[str, float], ...]]:
    """Word -> languages that have it, with weights that are the less the more have it."""
    weights: dict[str, dict[str, float]] = {}
    for lists, weight in ((_WORDS, 1.0), (_GREETINGS, _RARE)):
        for language, words in lists.items():
            for word in words.split():
                weights.setdefault(word, {})[language] = weight
    return {
        word: tuple((language, weight / len(found) ** 0.5) for language, weight in found.items())
        for word, found in weights.items()
    }


@lru_cache(maxsize=1)
def _letters() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for language, letters in _LETTERS.items():
        for letter in letters:
            found.setdefault(letter, []).append(language)
    return found

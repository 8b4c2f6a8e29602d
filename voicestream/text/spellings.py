"""Words that English spells in more than one way, in one of them: a model that reads a text writes
its transcript as it likes."""

from __future__ import annotations

import re

_RE = "centre theatre metre litre fibre calibre sombre lustre spectre meagre kilometre centimetre"
_PAIRS = """
grey gray|programme program|cheque check|tyre tire|kerb curb|plough plow|pyjamas pajamas
sceptical skeptical|mould mold|moustache mustache|storey story|ageing aging|judgement judgment
acknowledgement acknowledgment|fulfil fulfill|enrol enroll|skilful skillful|instal install
cosy cozy|draught draft|sulphur sulfur|jewellery jewelry|aluminium aluminum|doughnut donut
defence defense|offence offense|licence license|pretence pretense|practise practice
learnt learned|burnt burned|dreamt dreamed|spelt spelled|leapt leaped|spoilt spoiled|leant leaned
mum mom|maths math|whilst while|amongst among|towards toward|okay ok|alright allright
paediatric pediatric|anaesthetic anesthetic|encyclopaedia encyclopedia|foetus fetus
aeroplane airplane|speciality specialty|artefact artifact|axe ax|chilli chili
yoghurt yogurt|whisky whiskey|manoeuvre maneuver|millimetre millimeter
naïve naive|café cafe|résumé resume|fiancé fiance|fiancée fiancee|cliché cliche|façade facade
jalapeño jalapeno|déjà deja|crème creme|entrée entree|à a|señor senor|exposé expose|rosé rose
"""
_WORDS = dict(pair.split() for pair in re.split(r"[|\n]", _PAIRS) if pair)
_WORDS |= {word: f"{word[:-2]}er" for word in _RE.split()}
_ENDINGS = (
    # colour, organise, analyse, travelled, catalogue: each with whatever follows
    (re.compile(r"(?<=\w{2})our(?=s|ed|ing|ful|able|ite|hood|$)"), "or"),
    (re.compile(r"(?<=\w{3})is(?=e[sd]?$|er?s?$|ing$|ation)"), "iz"),
    (re.compile(r"(?<=\w{2})lys(?=e[sdr]?$|ing$)"), "lyz"),
    (re.compile(r"([aeiouy][^\Waeiou]{1,3}[aeio])ll(?=ed$|ing$|ers?$|ous$)"), r"\1l"),
    (re.compile(r"(?<=\w{2})ogue(?=s?$)"), "og"),
)


def one_spelling(word: str) -> str:
    """Return the word, in lower case, in the spelling that stands for all of its spellings."""
    stem, mark, tail = word.partition("'")
    plural = stem[:-1] if stem.endswith("s") else ""
    if stem in _WORDS:
        stem = _WORDS[stem]
    elif plural in _WORDS:
        stem = _WORDS[plural] + "s"
    for pattern, instead in _ENDINGS:
        stem = pattern.sub(instead, stem)
    return stem + mark + tail

"""Words that end in a full stop without ending a sentence, by language.

Those of the text's own language count, and those that several languages share.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Abbreviations(NamedTuple):
    """The abbreviations of one language, lower-case and without their last stop.

    Attributes:
        titles: a name comes after them.
        never: never the end of a sentence, whatever follows.
        numbered: not the end before a number.
    """

    titles: frozenset[str]
    never: frozenset[str]
    numbered: frozenset[str]


# Titles; never the end; not the end before a number (Fig. 3) or a Roman one (Vol. II).
_SHARED = (
    "dr mr mrs ms mx prof st gen col sgt capt lt mme mlle",
    "e.g i.e vs v cf ca approx resp",
    "fig figs no nos nr vol p pp art abs par ref tab app ext tel",
)
_OWN: dict[str, tuple[str, str, str]] = {
    "en": (
        "sen rep rev hon cpt maj cmdr adm gov pres supt messrs",
        "incl viz",
        "sec secs ch chap pg eq eqs pt para rd ave blvd jan feb mar apr jun jul aug sep sept oct "
        "nov dec mon tue tues wed thu thur thurs fri sat sun",
    ),
    "de": (
        "hr fr frl ing dipl hll geb",
        "z.b d.h u.a u.ä o.ä i.d.r m.e n.chr v.chr bzw sog bspw ggf evtl vgl inkl zzgl einschl "
        "ggü lt zzt max min ausschl",
        "s bd abb kap hrsg jg zi art aufl jan feb apr aug sept okt nov dez",
    ),
    "fr": ("mgr me pr vve", "c.-à-d p.ex env", "chap éd n° janv févr avr juil sept oct nov déc av"),
    "es": ("sr sra srta dña ud uds lic ing", "p.ej ee aprox", "pág págs núm cap art"),
    "pt": ("sr sra dra exmo exma eng", "p.ex aprox", "pág págs núm cap art"),
    "it": ("sig sig.ra dott dott.ssa ing avv", "p.es es", "pag pagg cap art"),
    "nl": ("dhr mevr mw ir drs mr", "d.w.z m.a.w bijv o.a t.a.v i.p.v", "blz hfst art"),
    "sv": ("", "t.ex bl.a d.v.s dvs m.m", "s kap"),
    "da": ("", "f.eks bl.a dvs ca", "s kap"),
    "pl": ("dr mgr inż ks", "np tzn tzw m.in tj wg", "str rys ul godz r"),
    "cs": ("mgr ing mudr", "např tzv tj", "č str obr ul"),
    "ru": (
        "г-н г-жа им проф акад ул пр пер пл тов",
        "т.е т.к напр т.н",
        "с стр рис табл гл п д кв",
    ),
    "uk": ("ім проф акад вул", "т.б напр", "с стр рис мал"),
    "vi": ("gs pgs ts ths cn bs ks tp tx tt p q", "", "tr"),
    "tr": ("sn av doç", "örn", "s"),
}
LANGUAGES = tuple(_OWN)
"""Those with a list of their own."""
_LONG = frozenset(
    "corp dept govt univ assn assoc bros comm conf dist hosp inst intl natl prov tech temp misc "
    "approx incl evtl bspw zzgl einschl ausschl hrsg prof chap figs secs sept tues thur "
    "thurs".split()
)


@lru_cache(maxsize=32)
def abbreviations(language: str) -> Abbreviations:
    """Return what is known of a language; what all share if nothing is."""
    own = _OWN.get(language.partition("-")[0].lower(), ("", "", ""))
    return Abbreviations(
        *(frozenset(f"{ours} {shared}".split()) for ours, shared in zip(own, _SHARED, strict=True))
    )


@lru_cache(maxsize=32)
def long_abbreviations(language: str) -> frozenset[str]:
    """Return those that are as long as a plain word."""
    known = abbreviations(language)
    return _LONG | known.titles | known.never | known.numbered

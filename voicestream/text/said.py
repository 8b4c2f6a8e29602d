"""What was said, compared with what should have been.

Some models speak as they please: they contract, drop, add, answer, translate. Their
transcript is brought to the same form as the text (case, punctuation, numbers, symbols,
abbreviations, contractions), aligned with it word by word, and what is left over is named.
Numbers and abbreviations are known in English; in other languages a number may be read in
any words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, product

from voicestream.records import dataclass
from voicestream.text.readings import OR
from voicestream.text.spoken_form import IRREGULAR, words_of
from voicestream.text.spoken_numbers import SpokenWord

_BEGINNING = 4
"""Words from which a beginning can be judged."""
_LEAST_SHARE = 0.7
"""A reply that holds less of the text is another text."""
_LEAST_BEGINNING = 0.5
_MOST_FORMS = 64
_MOST_WORDS = 3
_MOST_CELLS = 40_000
"""Two hundred words beside two hundred; beyond, nothing is alike."""
_LEAST_REST = 3
"""Words missing at the end that are worth a request of their own."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where other words were said.

    Attributes:
        wanted: the words of the text; empty where words were added.
        said: the words of the transcript; empty where words were left out.
    """

    wanted: str
    said: str

    def __str__(self) -> str:
        if not self.wanted:
            return f'added "{self.said}"'
        return (
            f'said "{self.said}" for "{self.wanted}"' if self.said else f'left out "{self.wanted}"'
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A whole transcript beside its text.

    Attributes:
        differences: in order; empty if the text was read.
        something_else: an answer, a refusal, a translation, half the text.
        rest: what is missing at the end, if nothing else is wrong; as it stands in the text.
    """

    differences: tuple[Difference, ...] = ()
    something_else: bool = False
    rest: str = ""


def compare(wanted: str, said: str) -> Comparison:
    """Compare a whole transcript with its text."""
    left, right = words_of(wanted), words_of(said)
    blocks = _differing(left, right) if left else []
    if not blocks:
        return Comparison()
    missing = sum(stop - start for start, stop, _, _ in blocks)
    added = sum(stop - start for _, _, start, stop in blocks)
    differences = tuple(
        Difference(_cut(wanted, left[a:b]), _cut(said, right[c:d])) for a, b, c, d in blocks
    )
    rest = ""
    start, stop, first, last = blocks[-1]
    if len(blocks) == 1 and first == last and stop == len(left) and start:
        rest = wanted[left[start].start :].strip() if stop - start >= _LEAST_REST else ""
    return Comparison(
        differences,
        missing > max((1 - _LEAST_SHARE) * len(left), min(len(left) - 1, 1))
        or added > len(left) / 2 + 2,
        rest,
    )


def begins_otherwise(wanted: str, said: str) -> bool:
    """Return whether a transcript that is still growing is plainly not of this text."""
    right = words_of(said)[:-1]  # the last word may be half of one
    if len(right) < _BEGINNING:
        return False
    # an "it's" of the text may be two words of the transcript, and the other way round
    left = words_of(wanted)[: 2 * len(right) + _BEGINNING]
    other = sum(stop - start for _, _, start, stop in _differing(left, right))
    return len(right) - other < _LEAST_BEGINNING * len(right)


_Block = tuple[int, int, int, int]
"""Words a to b of the text, c to d of the transcript."""


def _differing(left: Sequence[SpokenWord], right: Sequence[SpokenWord]) -> list[_Block]:
    """Return where other words were said."""
    english = _is_english(left)
    found: list[_Block] = []
    for a, b, c, d in _coarse(left, right):
        fine = _aligned(left[a:b], right[c:d], english=english)
        found.extend(
            (a + start, a + stop, c + first, c + last) for start, stop, first, last in fine
        )
    return found


def _coarse(left: Sequence[SpokenWord], right: Sequence[SpokenWord]) -> Iterator[_Block]:
    """Yield where the forms differ; places that stand a few words apart are one."""
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, [w.form for w in left], [w.form for w in right], False)
    block: _Block | None = None
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            block = (a, b, c, d) if block is None else (block[0], b, block[2], d)
        elif block is not None and b - a > _MOST_WORDS:
            yield block
            block = None
    if block is not None:
        yield block


def _aligned(
    left: Sequence[SpokenWord], right: Sequence[SpokenWord], *, english: bool
) -> list[_Block]:
    """Return the least that has to be different: an edit distance in which up to three words on
    either side are the same if they may be said in the same way."""
    if len(left) * len(right) > _MOST_CELLS:
        return [(0, len(left), 0, len(right))]
    # costs of the rest, from the ends; the way on that is cheapest
    ways: dict[tuple[int, int], tuple[int, int, int]] = {(len(left), len(right)): (0, 0, 0)}
    for i in range(len(left), -1, -1):
        for j in range(len(right), -1, -1):
            if (i, j) not in ways:
                ways[i, j] = min(_ways_on(left, right, i, j, ways, english=english))
    blocks: list[_Block] = []
    i = j = 0
    while (i, j) != (len(left), len(right)):
        cost, over, along = ways[i, j]
        if cost != ways[i + over, j + along][0]:
            if blocks and (blocks[-1][1], blocks[-1][3]) == (i, j):
                blocks[-1] = (blocks[-1][0], i + over, blocks[-1][2], j + along)
            else:
                blocks.append((i, i + over, j, j + along))
        i, j = i + over, j + along
    return blocks


def _ways_on(
    left: Sequence[SpokenWord],
    right: Sequence[SpokenWord],
    i: int,
    j: int,
    ways: dict[tuple[int, int], tuple[int, int, int]],
    *,
    english: bool,
) -> Iterator[tuple[int, int, int]]:
    """Yield the ways on from word ``i`` of the text and ``j`` of the transcript: each with its
    cost and the words passed on either side."""
    for over in range(1, min(_MOST_WORDS, len(left) - i) + 1):
        for along in range(1, min(_MOST_WORDS, len(right) - j) + 1):
            if _alike(left[i : i + over], right[j : j + along], english=english):
                yield ways[i + over, j + along][0], over, along
    if i < len(left) and j < len(right):
        yield 3 + ways[i + 1, j + 1][0], 1, 1
    if i < len(left):
        yield 2 + ways[i + 1, j][0], 1, 0
    if j < len(right):
        yield 2 + ways[i, j + 1][0], 0, 1


def _alike(left: Sequence[SpokenWord], right: Sequence[SpokenWord], *, english: bool) -> bool:
    """Return whether the same can be meant: one of the ways to say each is the same."""
    ours, theirs = (tuple(word.form for word in words) for words in (left, right))
    if not _readings(ours).isdisjoint(_readings(theirs)):
        return True
    if english or any(form.isdigit() for form in theirs):
        return False
    return all(form.isdigit() or form == "point" for form in ours)


@lru_cache(4096)
def _readings(forms: tuple[str, ...]) -> frozenset[str]:
    """Return the ways in which words may be said, each without its gaps."""
    ways = islice(product(*map(_ways, forms)), _MOST_FORMS)
    return frozenset("".join(chosen) for chosen in ways)


@lru_cache(4096)
def _ways(form: str) -> tuple[str, ...]:
    if OR in form:
        return tuple(form.split(OR))
    stem, _, tail = form.rpartition("'")
    if form in IRREGULAR:
        return (form.replace("'", ""), *IRREGULAR[form])
    if tail == "t" and stem.endswith("n"):
        return (stem + "t", stem[:-1] + "not")
    if stem and tail in _TAILS:
        stems = _ways(stem)
        return tuple(one + word for one in stems for word in (tail, *_TAILS[tail]))
    return (form.replace("'", ""),)


_TAILS = {
    "s": ("is", "has", "us", "does"),
    "m": ("am",),
    "re": ("are",),
    "ve": ("have",),
    "ll": ("will", "shall"),
    "d": ("would", "had", "did"),
}
_STOPWORDS = frozenset(
    "the a an and of to in is are was were be it that this you i he she we they not for on with as "
    "at by from have has had do does will would can but or if so what there".split()
)


def _is_english(words: Sequence[SpokenWord]) -> bool:
    return len(words) < _BEGINNING or any(word.form in _STOPWORDS for word in words)


def _cut(text: str, words: Sequence[SpokenWord]) -> str:
    return text[words[0].start : words[-1].end].strip() if words else ""

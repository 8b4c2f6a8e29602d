"""Records are what the standard library's dataclasses would be."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import Any

import pytest

from voicestream import records
from voicestream.words import Word


def both(make: Any) -> list[Any]:
    """The same classes made by us and by the standard library."""
    return [make(records), make(dataclasses)]


def point(lib: Any) -> Any:
    @lib.dataclass(frozen=True)
    class Point:
        x: int
        y: int = 2
        tags: list[str] = lib.field(default_factory=list, compare=False, repr=False)
        where: str = lib.field(default="", init=False, metadata={"unit": "m"})

    return Point


def basket(lib: Any) -> Any:
    @lib.dataclass(slots=True)
    class Basket:
        first: str
        more: list[str] = lib.field(default_factory=list)

        def __post_init__(self) -> None:
            self.more = [*self.more, self.first]

    return Basket


CALLS = [
    lambda made: made(1),
    lambda made: made(1, 3),
    lambda made: made(x=1, y=3, tags=["a"]),
    lambda made: made(),
    lambda made: made(1, 2, [], "", 5),
    lambda made: made(1, x=2),
    lambda made: made(1, where="here"),
    lambda made: made(1, z=2),
]


@pytest.mark.parametrize("call", CALLS)
def test_they_are_made_as_dataclasses_are(call: Any) -> None:
    told = []
    for made in both(point):
        try:
            one = call(made)
            told.append((repr(one).rpartition(".")[2], one.x, one.y, one.tags, one.where))
        except TypeError:
            told.append(TypeError)
    assert told[0] == told[1]


def test_they_are_equal_and_hashed_by_what_is_compared() -> None:
    for made in both(point):
        assert made(1, tags=["a"]) == made(1) != made(2)
        assert hash(made(1, tags=["a"])) == hash(made(1))
        assert made(1) != (1, 2)
    for made in both(basket):
        with pytest.raises(TypeError):
            hash(made("a"))


def test_what_is_frozen_stays_and_what_is_not_has_lists_of_its_own() -> None:
    for made in both(point):
        with pytest.raises(AttributeError):
            made(1).x = 2
        with pytest.raises(AttributeError):
            del made(1).x
    for made in both(basket):
        assert [made("a").more, made("b").more] == [["a"], ["b"]]


def test_they_can_be_replaced_copied_and_sent() -> None:
    one = point(records)(1, tags=["a"])
    for replace in (records.replace, dataclasses.replace):
        other = replace(one, y=7)
        assert (other.x, other.y, other.tags) == (1, 7, ["a"])
        with pytest.raises((TypeError, ValueError)):
            replace(one, where="here")
    assert copy.deepcopy(one) == one
    word = Word(1, 2, 3.5)
    assert pickle.loads(pickle.dumps(word)) == word


def test_the_standard_library_knows_them() -> None:
    ours, theirs = both(point)
    assert dataclasses.is_dataclass(ours)
    assert dataclasses.asdict(ours(1)) == dataclasses.asdict(theirs(1)) == records.asdict(ours(1))
    assert [f.name for f in dataclasses.fields(ours)] == [f.name for f in records.fields(ours)]
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert dataclasses.fields(ours)[3].metadata["unit"] == "m"


def test_those_of_a_base_come_first() -> None:
    def derived(lib: Any) -> Any:
        base = lib.dataclass(frozen=True, kw_only=True)

        class First:
            a: int = 1

        class Second(base(First)):  # type: ignore[misc]
            b: int = 2

        return base(Second)

    for made in both(derived):
        assert repr(made(b=3)).endswith("Second(a=1, b=3)")
        with pytest.raises(TypeError):
            made(1)

"""Which models an endpoint lists, and what it says of their end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from voicestream.printable import printable
from voicestream.records import dataclass
from voicestream.speech.http.lists import fetched, items_of

if TYPE_CHECKING:
    from voicestream.speech.http.endpoint import HttpEndpoint

ROUTE = "/models"
_ENDING = re.compile(r"deprecat|shut_?down|sunset|retire|expir|end_of_life|discontinu", re.I)
"""Fields that tell of a model's end: Azure's ``deprecation``, OpenRouter's ``expiration_date``."""
_SECONDS = (10**9, 10**11)
"""Numbers that are dates, in seconds since 1970."""
_MAX_DEPTH = 4
_MAX_CHARS = 80


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the list.

    Attributes:
        ends: when it will be (or was) shut down, in the endpoint's words; empty: it does not say.
    """

    id: str
    ends: str = ""


def models_of(endpoint: HttpEndpoint) -> list[Model] | None:
    """Return what the endpoint lists; None if it has no list. Costs nothing.

    Raises:
        EndpointError: it cannot be reached, or refuses the key.
    """
    body = fetched(endpoint, ROUTE)
    return None if body is None else parse_models(body)


def parse_models(body: bytes) -> list[Model] | None:
    """Return the models in any of the known shapes; None if it is none of them."""
    try:
        items = items_of(json.loads(body))
    except (ValueError, RecursionError):
        return None
    return None if items is None else [model for item in items if (model := _model(item))]


def _model(item: Any) -> Model | None:
    if isinstance(item, str):
        return Model(item)
    name = item.get("id") or item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str):
        return None
    told = " ".join(", ".join(dict.fromkeys(_endings(item, False, 0))).split())
    return Model(name, printable(told)[:_MAX_CHARS])


def _endings(found: Any, ending: bool, depth: int) -> Iterator[str]:
    """Return the dates and words below fields that tell of an end."""
    if isinstance(found, dict) and depth < _MAX_DEPTH:
        for name, value in found.items():
            of_end = ending or _ENDING.search(str(name)) is not None
            told = str(name) if of_end and value is True else value
            yield from _endings(told, of_end, depth + 1)
    elif not ending or isinstance(found, bool):
        return
    elif isinstance(found, str) and found.strip():
        yield found.strip()
    elif isinstance(found, int | float) and _SECONDS[0] <= found < _SECONDS[1]:
        yield datetime.fromtimestamp(found, UTC).date().isoformat()

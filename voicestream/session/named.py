"""The endpoints that have names: which has a key, which answers, what each last was like."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    EndpointTimeoutError,
    KeyRefusedError,
    SettingsError,
)
from voicestream.policy.history import Knowledge
from voicestream.records import dataclass, replace
from voicestream.session.pacing import endpoint_key, kept_learnt
from voicestream.session.wiring import http_endpoint
from voicestream.settings.catalogue import Catalogue
from voicestream.settings.endpoints import reach
from voicestream.settings.profiles import Profile
from voicestream.settings.table import Settings, load
from voicestream.settings.where import told_variable
from voicestream.speech.http.models import models_of

_HERE_S = 1.5
_FAR_S = 6.0
"""How long an endpoint on this machine, or any other, may take to answer."""


@dataclass(slots=True)
class NamedEndpoint:
    """One of them.

    Attributes:
        settings: with which it would be asked; None where it cannot be.
        trouble: why it cannot be.
        has_key: there is one; None: none is wanted.
        use: its place in the order of those in use, from 1; 0: it is not in use.
        known: of earlier replies.
        answers: None where it was not asked.
        answer: in words.
        answer_s: how long it took.
    """

    profile: Profile
    settings: Settings | None
    trouble: str
    has_key: bool | None
    use: int
    known: Knowledge
    answers: bool | None = None
    answer: str = ""
    answer_s: float = 0.0

    @property
    def told_variable(self) -> str:
        """The variable that holds the key, as it may be told."""
        return told_variable(self.profile) if self.profile.key_variable else ""

    @property
    def is_usable(self) -> bool:
        """Whether it could speak, as far as is known."""
        return self.answers is not False and self.settings is not None

    @property
    def is_asked_unbidden(self) -> bool:
        """Whether it costs nobody anything to ask: it is on this machine, or wants no key."""
        here = bool(self.profile.base_url) and reach(self.profile.base_url) == "here"
        return here or self.has_key is None


def named_endpoints(
    known: Catalogue, check: bool, names: Sequence[str] = ()
) -> list[NamedEndpoint]:
    """Return all of them, those in use first, then what can be used.

    Args:
        names: only these; each is known.
        check: ask those as well that want a key and are elsewhere.

    Raises:
        SettingsError: one of ``names`` is unknown.
    """
    found = []
    for name in names or known.profiles.names:
        profile = known.profiles.find(name)
        has_key = bool(known.keys.look(profile)[0]) if profile.key_variable else None
        settings, trouble = None, ""
        try:
            settings = load({"endpoint": name})
        except SettingsError as error:
            trouble = error.what
        use = known.use.index(name) + 1 if name in known.use else 0
        found.append(NamedEndpoint(profile, settings, trouble, has_key, use, _known(settings)))
    _ask_all([each for each in found if check or each.is_asked_unbidden])
    last = len(found) + 1
    return sorted(found, key=lambda each: (each.use or last, not each.is_usable))


def _known(settings: Settings | None) -> Knowledge:
    if settings is None:
        return Knowledge()
    name = settings.base_url.partition("?")[0]
    return kept_learnt().load(endpoint_key(settings, name, settings.model))


def _ask_all(asked: Sequence[NamedEndpoint]) -> None:
    """Ask them all at once; whoever does not answer in time does not answer."""
    threads = []
    for each in asked:
        if each.settings is None:
            continue
        if each.settings.local:
            each.answers, each.answer = _here(each.settings)
            continue
        limit_s = _HERE_S if reach(each.settings.base_url) == "here" else _FAR_S
        each.answers, each.answer = False, f"nothing within {limit_s:g} s"
        quick = replace(each.settings, timeout_s=limit_s, connect_timeout_s=limit_s)
        thread = threading.Thread(target=_ask, args=(each, quick), name="ask", daemon=True)
        thread.start()
        threads.append((thread, time.monotonic() + 2 * limit_s))
    for thread, until_s in threads:
        thread.join(max(until_s - time.monotonic(), 0.0))


def _here(settings: Settings) -> tuple[bool, str]:
    if settings.embedded:
        return True, "comes along"
    from voicestream.speech.system import system_voices

    count = len(system_voices())
    return bool(count), f"{count} voices" if count else "this system has no voices"


def _ask(each: NamedEndpoint, settings: Settings) -> None:
    """Ask for its models, which costs nothing."""
    began_s = time.monotonic()
    answers, answer = True, ""
    endpoint = http_endpoint(settings)
    try:
        models = {model.id for model in models_of(endpoint) or ()}
        if models and settings.model not in models:
            answer = f"but it lists no {settings.model}"
    except KeyRefusedError:
        answer = "the key is refused" if each.has_key else "it wants a key"
    except ConnectionFailedError as error:
        answers, answer = False, error.what.removeprefix(endpoint.target.authority).strip()
    except EndpointTimeoutError:
        return
    except EndpointError as error:
        answer = error.what
    finally:
        endpoint.close()
    each.answers, each.answer, each.answer_s = answers, answer, time.monotonic() - began_s

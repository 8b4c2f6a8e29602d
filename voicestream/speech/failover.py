"""One endpoint out of several that may fail or lag: asked again, helped, and replaced by the next.

Everything here happens before a reply's first byte; what breaks later is the
session's to mend, which knows what has been heard.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from voicestream.errors import ConnectionFailedError, EndpointError, TooLongError
from voicestream.notices import Notices
from voicestream.records import dataclass, replace
from voicestream.speech.base import Call, Endpoint, SpeechRequest, SpeechStream
from voicestream.speech.begun import BegunStream
from voicestream.speech.hedge import FirstBytes, HedgePolicy, first_to_speak
from voicestream.speech.retry import RetryPolicy

_RETURN_S = 60.0
"""How long after leaving the first endpoint it is tried again."""
_POLITE_S = 2.0
"""An endpoint that asks to wait longer than this is left for the next one, if there is one."""
_TOO_SLOW = 2
"""An endpoint that is outrun this often in a row is left: asking it would only cost."""


def _chance() -> float:
    import random  # for whoever has to try again

    return random.random()


@dataclass(frozen=True, slots=True)
class Route:
    """One of several endpoints.

    Attributes:
        name: what identifies it.
        make: the endpoint; called when it is first needed.
        adapt: the request as this endpoint wants it: its own model and voice.
        learnt_s: how long its first bytes took in earlier sessions; 0: not known.
        called: by people, where that is another name.
    """

    name: str
    make: Callable[[], Endpoint]
    adapt: Callable[[SpeechRequest], SpeechRequest] = lambda request: request
    learnt_s: Callable[[], float] = lambda: 0.0
    called: str = ""

    @property
    def shown(self) -> str:
        return self.called or self.name


class ResilientEndpoint:
    """Tries again what may be tried again, then goes on to the next route, and stays there.

    Args:
        routes: in order of preference, at least one.
        chance: random numbers from 0 to 1.
        hedge: when a request that is slow to be answered is asked at the next route, too;
            None: never.
        notices: told, from a fetch thread, when another endpoint takes over, and of each
            request that is asked at a second one, too.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        policy: RetryPolicy | None = None,
        chance: Callable[[], float] = _chance,
        hedge: HedgePolicy | None = None,
        notices: Notices | None = None,
    ) -> None:
        self._routes = list(routes)
        self._hedge = hedge if len(self._routes) > 1 else None
        self._first_bytes = [FirstBytes(route.learnt_s) for route in self._routes]
        self._policy = policy or RetryPolicy()
        self._chance = chance
        self._notices = notices or Notices()
        self._changed = threading.Condition()
        # under the condition's lock
        self._made: dict[int, Endpoint] = {}
        self._at = 0
        self._left_at_s = 0.0
        self._told: set[tuple[int, int]] = set()
        self._outrun = 0
        """How often in a row the present route was outrun."""
        self._aborted = False
        self._numbers = itertools.count()
        self._on_their_way: list[set[int]] = [set() for _ in self._routes]

    @property
    def name(self) -> str:
        return self._routes[self._at].name

    def open(self, request: SpeechRequest) -> SpeechStream:
        """Ask, and return when the first byte of a reply is here.

        Raises:
            EndpointError: no route leads to one; what the last one said.
        """
        if request.elsewhere:
            return self._open_elsewhere(replace(request, elsewhere=False))
        if self._may_return() and (stream := self._once(0, request)) is not None:
            return stream
        at = self._at
        for _ in range(len(self._routes) - 1):
            try:
                return self._open_at(at, request)
            except TooLongError:
                raise  # it speaks, but not so much at once
            except EndpointError as error:
                at = self._leave(at, error)
        return self._open_at(at, request)

    @property
    def has_others(self) -> bool:
        """Whether another endpoint could speak instead."""
        return len(self._routes) > 1

    def _open_elsewhere(self, request: SpeechRequest) -> SpeechStream:
        """Ask, this once, at the route after the present one."""
        at = self._at
        try:
            return self._open_at((at + 1) % len(self._routes), request)
        except EndpointError:
            return self._open_at(at, request)

    def _open_at(self, at: int, request: SpeechRequest) -> SpeechStream:
        """Ask at one route, as often as the policy allows."""
        began_s = time.monotonic()
        tried = 0
        while True:
            try:
                return self._begin(at, request)[1]
            except EndpointError as error:
                tried += 1
                wait_s = self._policy.wait_s(tried, error.retry_after_s, self._chance())
                late = time.monotonic() - began_s + wait_s > self._policy.budget_s
                asked_too_much = len(self._routes) > 1 and (error.retry_after_s or 0) > _POLITE_S
                enough = tried > self._policy.retries and not (
                    error.warming_up and self._policy.retries
                )
                if not error.repeatable or enough or late or asked_too_much:
                    raise
                if not self._pause(wait_s, at):
                    raise

    def _begin(self, at: int, request: SpeechRequest) -> tuple[int, SpeechStream]:
        """Return the stream of the route that spoke first, and which it is: this one, or the
        next where that is sooner."""
        number = next(self._numbers)
        ask = partial(self._ask, at, request, number)
        if self._hedge is None:
            stream = ask(None)
            self._spoke(at)
            return at, stream
        helper = (at + 1) % len(self._routes)
        names = self._routes[at].shown, self._routes[helper].shown
        outrun, stream = first_to_speak(
            ask,
            partial(self._ask, helper, request, number),
            partial(self._patience_s, self._hedge, at),
            partial(self._queues, at, number),
            lambda: self._notices.hedged(f"{names[0]} is slow to answer; {names[1]} is asked too"),
        )
        self._note(at, outrun)
        spoke = helper if outrun else at
        self._spoke(spoke)
        return spoke, stream

    def _spoke(self, at: int) -> None:
        if at > 0:
            self._notices.stood_in = True

    def _ask(self, at: int, request: SpeechRequest, number: int, call: Call | None) -> SpeechStream:
        with self._changed:
            self._on_their_way[at].add(number)
        queued = self._queues(at, number)
        began_s = time.monotonic()
        try:
            stream = self._endpoint(at).open(self._routes[at].adapt(replace(request, call=call)))
            begun = BegunStream(stream, partial(self._over, at, number))
        except BaseException:
            self._over(at, number)
            raise
        if not queued:
            self._first_bytes[at].see(time.monotonic() - began_s)
        return begun

    def _over(self, at: int, number: int) -> None:
        with self._changed:
            self._on_their_way[at].discard(number)

    def _queues(self, at: int, number: int) -> bool:
        """Return whether replies that were asked for earlier still come: many servers make one
        at a time, and a request that waits its turn there is not slow."""
        with self._changed:
            return any(other < number for other in self._on_their_way[at])

    def _patience_s(self, hedge: HedgePolicy, at: int) -> float:
        return hedge.patience_s(self._first_bytes[at].usual_s())

    def _note(self, at: int, outrun: bool) -> None:
        """Leave a route that is slow again and again."""
        with self._changed:
            if self._at != at:
                return
            self._outrun = self._outrun + 1 if outrun else 0
            if self._outrun < _TOO_SLOW:
                return
        self._move(at, "was too slow")

    def _pause(self, wait_s: float, at: int) -> bool:
        """Wait; return False at once if all is over, or another request has found this route
        dead."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._aborted or self._at != at, wait_s)

    def _leave(self, at: int, error: EndpointError) -> int:
        """Leave this route, which has failed; return the one after it.

        Raises:
            EndpointError: all is over.
        """
        with self._changed:
            if self._aborted:
                raise error
        return self._move(at, f"failed ({error.what})")

    def _move(self, at: int, why: str) -> int:
        """Make the route after this one everybody's, and return it."""
        with self._changed:
            following = (at + 1) % len(self._routes)
            if self._at == at:
                self._at = following
                self._outrun = 0
                self._left_at_s = time.monotonic()
                self._changed.notify_all()
            else:
                following = self._at
            news = (at, following) not in self._told
            self._told.add((at, following))
        if news:
            left, taken = self._routes[at].shown, self._routes[following].shown
            self._notices.notify(f"{left} {why}; {taken} speaks from here on")
        return following

    def _may_return(self) -> bool:
        """Return whether it is this request's turn to see if the first route is well again."""
        with self._changed:
            if not self._at or time.monotonic() - self._left_at_s < _RETURN_S:
                return False
            self._left_at_s = time.monotonic()
            return True

    def _once(self, at: int, request: SpeechRequest) -> SpeechStream | None:
        try:
            spoke, stream = self._begin(at, request)
        except EndpointError:
            return None
        if spoke != at:
            return stream
        with self._changed:
            self._at = at
            self._outrun = 0
            self._changed.notify_all()
        self._notices.notify(f"{self._routes[at].shown} speaks again")
        return stream

    def _endpoint(self, at: int) -> Endpoint:
        with self._changed:
            if self._aborted:
                raise ConnectionFailedError("given up")
            if at not in self._made:
                self._made[at] = self._routes[at].make()
            return self._made[at]

    def abort(self) -> None:
        with self._changed:
            self._aborted = True
            self._changed.notify_all()
            made = list(self._made.values())
        for endpoint in made:
            endpoint.abort()

    def close(self) -> None:
        with self._changed:
            made = list(self._made.values())
        for endpoint in made:
            endpoint.close()

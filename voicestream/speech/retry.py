"""How often and how soon a request is made again."""

from __future__ import annotations

from voicestream.records import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Says how often and how soon a request is made again.

    Attributes:
        retries: at most so often, at one endpoint.
        budget_s: no try begins later than this after the first.
        first_s: upper bound of the first wait; each further bound is twice as long.
        longest_s: upper bound of any wait, but for one that the endpoint asks for.
    """

    retries: int = 3
    budget_s: float = 20.0
    first_s: float = 0.25
    longest_s: float = 4.0

    def wait_s(self, tried: int, asked_s: float | None, chance: float) -> float:
        """Return how long to wait after so many tries, counted from 1.

        Args:
            asked_s: what ``Retry-After`` said; a little more is waited.
            chance: from 0 to 1; spreads the tries of many clients over the whole wait.
        """
        bound_s = min(self.first_s * 2.0 ** (tried - 1), self.longest_s)
        return chance * bound_s if asked_s is None else asked_s + 0.1 * chance * bound_s

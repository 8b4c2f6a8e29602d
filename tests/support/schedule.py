"""Which worker runs which file: two have the loudspeakers, and the processor when they want it.

What is heard is heard in real time; whatever else waits or computes does it beside them.
"""

from __future__ import annotations

import os

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

PLAYERS = ("gw0", "gw1")
_NICER = 5


def is_played(path: str) -> bool:
    """Whether the tests of this file have a loudspeaker."""
    return "tests/loudspeaker/" in path


def give_way() -> None:
    """In a worker: let those with a loudspeaker go first."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", PLAYERS[0])
    if worker not in PLAYERS and hasattr(os, "nice"):
        os.nice(_NICER)


class Schedule(LoadFileScheduling):
    """A file at a time; the others take one with a loudspeaker when nothing else is left."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        plays = node.gateway.id in PLAYERS
        mine = next((path for path in self.workqueue if is_played(path) is plays), None)
        if mine is not None:
            self.workqueue.move_to_end(mine, last=False)
        super()._assign_work_unit(node)

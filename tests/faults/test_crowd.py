"""Many replies at once: all heard, none of them broken, nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

from tests.faults.crowd import speak_at_once
from tests.support.canary import Watch


def test_ten_at_once_are_heard_whole_and_leave_nothing(tmp_path: Path, evidence: Watch) -> None:
    crowd = speak_at_once(10, tmp_path)
    for result in crowd.results:
        evidence.look("crowd", json.dumps(result.to_dict()))
    assert crowd.whole == 10
    assert crowd.threads <= 0
    assert crowd.descriptors <= 0

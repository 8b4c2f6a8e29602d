"""The folder of kept replies: whole files, bounded, whatever befalls it."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from voicestream.cache import About, Cache, digest

SOUND = bytes(range(256)) * 40
ABOUT = About("Hello.", "http://here/v1", "m", "v", "pcm", "audio/pcm", 24_000, None)


def keep(cache: Cache, key: str, sound: bytes = SOUND) -> None:
    part = cache.begin(key, ABOUT, sound)
    assert part is not None
    cache.keep(key, part)


def used_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def test_what_is_kept_is_found_and_is_its_owners_alone(tmp_path: Path) -> None:
    cache, key = Cache(1 << 20, tmp_path / "speech"), digest("Hello.", 1.0)
    assert cache.find(key) is None
    assert not cache.holds(key)
    keep(cache, key)
    assert cache.holds(key)
    assert Cache(1 << 20, cache.folder).find(key) == (ABOUT, SOUND)
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    (file,) = cache.folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [kept.about for kept in cache.entries()] == [ABOUT]
    assert cache.clear() == 1
    assert not list(cache.folder.iterdir())


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "head", "nonsense", "typed"])
def test_a_damaged_reply_is_none_and_is_gone(tmp_path: Path, damage: str) -> None:
    cache, key = Cache(1 << 20, tmp_path), digest("Hello.")
    keep(cache, key)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    line, _, sound = content.partition(b"\n")
    typed = json.dumps({**json.loads(line), "rate_hz": "fast"}).encode()
    changed = {
        "cut": content[:-1],
        "flipped": content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
        "empty": b"",
        "head": sound,
        "nonsense": b"[" * 9999 + b"\n",
        "typed": typed + b"\n" + sound,
    }
    file.write_bytes(changed[damage])
    assert cache.find(key) is None
    assert not cache.holds(key)
    keep(cache, key)
    assert cache.find(key) == (ABOUT, SOUND)


def test_what_was_used_longest_ago_goes(tmp_path: Path) -> None:
    cache = Cache(8 * 10_500, tmp_path)
    keys = [digest(number) for number in range(12)]
    for number, key in enumerate(keys):
        keep(cache, key)
        assert cache.find(keys[0]), "it is used all the time"
        for age, each in enumerate(reversed(keys[1 : number + 1])):
            if cache.holds(each):
                os.utime(tmp_path / f"{each}.reply", (1e9 - age, 1e9 - age))
        assert used_bytes(tmp_path) <= 8 * 10_500
    assert [cache.holds(key) for key in keys] == [True] + [False] * 4 + [True] * 7


def test_a_reply_that_takes_a_quarter_of_the_room_is_not_kept(tmp_path: Path) -> None:
    assert Cache(4 * len(SOUND), tmp_path).begin(digest(1), ABOUT, SOUND) is None


def test_a_text_counts_as_seen_from_its_second_time_on(tmp_path: Path) -> None:
    cache = Cache(1 << 20, tmp_path / "speech")
    keys = [digest("text", number) for number in range(50)]
    assert [cache.was_seen(key) for key in keys].count(True) == 0
    assert sum(Cache(1 << 20, cache.folder).was_seen(key) for key in keys) >= 45  # places are few
    assert used_bytes(cache.folder) <= 8192


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_a_folder_that_others_may_write_into_is_not_used(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    told: list[str] = []
    cache = Cache(1 << 20, tmp_path, told.append)
    assert cache.begin(digest(1), ABOUT, SOUND) is None
    assert len(told) == 1
    assert "others may write" in told[0]
    assert not cache.was_seen(digest(1))


def test_without_a_folder_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    told: list[str] = []
    cache = Cache(1 << 20, tmp_path / "file" / "speech", told.append)
    assert cache.begin(digest(1), ABOUT, SOUND) is None
    assert told
    assert cache.find(digest(1)) is None
    assert not cache.was_seen(digest(1))
    assert cache.entries() == []
    assert cache.clear() == 0


WRITER = """
import sys
from pathlib import Path
from tests.unit.test_cache import ABOUT, SOUND
from voicestream.cache import Cache, digest
cache = Cache(100 * 10_500, Path(sys.argv[1]))
number = int(sys.argv[2])
print(flush=True)
while True:
    number += 1
    key = digest(number % 40)
    part = cache.begin(key, ABOUT, SOUND)
    if part is not None:
        cache.keep(key, part)
    cache.was_seen(key)
"""


def killed_writers(folder: Path, count: int, at_once: int = 4) -> None:
    """So many processes that write, each killed by SIGKILL at a moment of its own."""
    chance = random.Random(7)
    while count > 0:
        command = [sys.executable, "-c", WRITER, str(folder)]
        now = min(at_once, count)
        running = [
            subprocess.Popen([*command, str(count + n)], stdout=subprocess.PIPE) for n in range(now)
        ]
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()  # it has begun to write
        for process in running:
            try:
                process.wait(chance.uniform(0.0, 0.01))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.communicate()
        count -= now


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_killed_in_the_middle_every_reply_is_whole_or_not_there(tmp_path: Path) -> None:
    killed_writers(tmp_path, 8)
    cache = Cache(100 * 10_500, tmp_path)
    found = [cache.find(digest(number)) for number in range(40)]
    assert all(each in (None, (ABOUT, SOUND)) for each in found)
    assert any(found)
    assert used_bytes(tmp_path) <= 101 * 10_500 + 8192


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_a_disk_that_fills_up_in_mid_write_leaves_nothing_and_is_told(tmp_path: Path) -> None:
    import resource

    told: list[str] = []
    cache = Cache(1 << 20, tmp_path, told.append)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        assert cache.begin(digest("a"), ABOUT, bytes(8192)) is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert told == [f"replies cannot be kept in {tmp_path}: File too large"]
    assert not list(tmp_path.iterdir())

"""The mutants of ``python -m tests.mutants``: what is broken, and the tests that must see it."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A change of the code that must not go unnoticed."""

    name: str
    file: str
    """In the package."""
    code: str
    """What stands there, once."""
    instead: str
    tests: str
    """Files or folders of tests, one of which must fail."""


MUTANTS = (
    # text
    Mutant(
        "wrapped lines go on",
        "text/segment.py",
        "return buf[after].islower() or len(line) >= _WRAP_MIN",
        "return buf[after].islower()",
        "text/test_segment.py text/test_lines.py",
    ),
    Mutant(
        "a sign between digits is no mark",
        "text/emphasis.py",
        'inside and (mark in "_=" or (before.isdigit() and after.isdigit()))',
        'inside and mark in "_="',
        "text/test_marks.py",
    ),
    Mutant(
        "scripts are not spoken",
        "text/machine.py",
        "system-reminder script style",
        "system-reminder style",
        "text",
    ),
    Mutant(
        "a segment queue that is full waits",
        "text/segment_queue.py",
        "self._changed.wait_for(self._has_room)",
        "pass",
        "text/test_segment_queue.py",
    ),
    # decode
    Mutant(
        "frames of FLAC may be lost",
        "decode/flac.py",
        "0 <= follower.number - frame.next_number <= frame.slack",
        "follower.number == frame.next_number",
        "decode/test_flac.py",
    ),
    Mutant(
        "an ID3 tag tells no more than that",
        "decode/registry.py",
        "shown.tagged and said is not None and said.tagged",
        "False",
        "decode/test_registry.py",
    ),
    Mutant(
        "broken frames are counted",
        "decode/flac.py",
        "            self._skipped += 1\n        else:",
        "            self._skipped += 0\n        else:",
        "decode/test_flac.py decode/test_broken.py",
    ),
    # dsp
    Mutant(
        "quiet sound counts as pause",
        "dsp/join.py",
        "frames = max(wanted - self._quiet, self._window)",
        "frames = max(wanted, self._window)",
        "dsp/test_join.py",
    ),
    Mutant(
        "quiet is held back only so long",
        "dsp/join.py",
        "return max(0, free, len(self._tail) - self._hold)",
        "return max(0, free)",
        "dsp/test_join.py",
    ),
    Mutant(
        "the quiet before the first sound is short",
        "dsp/join.py",
        "return edges.fade_in(lead[-self._keep :], self._window)",
        "return edges.fade_in(lead, self._window)",
        "dsp/test_join.py",
    ),
    Mutant(
        "the same sound may come later",
        "dsp/seam.py",
        "self._ahead = pcm.s_to_frames(_LOOK_S)",
        "self._ahead = 0",
        "dsp/test_seam.py",
    ),
    # playout
    Mutant(
        "data before the counter",
        "playout/ring.py",
        "        self._data[start : start + first] = frames[:first]\n"
        "        self._data[: count - first] = frames[first:count]\n"
        "        self.written += count\n",
        "        self.written += count\n"
        "        self._data[start : start + first] = frames[:first]\n"
        "        self._data[: count - first] = frames[first:count]\n",
        "playout/test_ring.py",
    ),
    Mutant(
        "history stays for a new device",
        "playout/ring.py",
        "self._size = capacity_frames + history_frames",
        "self._size = capacity_frames",
        "playout/test_ring.py",
    ),
    Mutant(
        "a full ring is enough",
        "playout/gate.py",
        "if waiting >= self._ring.capacity_frames:",
        "if False:",
        "playout/test_player.py",
    ),
    Mutant(
        "a writer's pause is no underrun",
        "playout/player.py",
        "        elif idle:\n",
        "        elif False:\n",
        "playout/test_player.py session/test_session.py",
    ),
    Mutant(
        "the tail is played",
        "playout/player.py",
        "self.tail_frames + self.latency_frames:",
        "self.latency_frames:",
        "playout/test_player.py",
    ),
    Mutant(
        "room in the ring wakes the feeder",
        "playout/player.py",
        "if room or self.drained or self.silenced:",
        "if self.drained or self.silenced:",
        "playout/test_player.py",
    ),
    Mutant(
        "sound rises after a hole",
        "playout/conceal.py",
        "        self._risen_frames = 0\n\n    def stop_here",
        "\n    def stop_here",
        "playout/test_holes.py playout/test_player.py",
    ),
    # policy
    Mutant(
        "a long gap ends the patience",
        "policy/adaptive.py",
        "return Window(from_s, seen.last_s + self._patience_s(beyond_s))",
        "return Window(from_s, math.inf)",
        "policy",
    ),
    Mutant(
        "one wait for a reply that is too slow",
        "policy/adaptive.py",
        "return to_come_s * (1.0 / seen.recent_rate - 1.0) + gap_s",
        "return 0.0",
        "policy playout/test_handover.py",
    ),
    # session
    Mutant(
        "a hopeless endpoint ends the reading",
        "session/fetchers.py",
        "        self._given_up = True\n        self._segments.stop()\n",
        "        self._given_up = True\n",
        "session",
    ),
    Mutant(
        "a second break-off is found in the new rendering",
        "session/reply.py",
        "        self._position = seam.place\n",
        "",
        "session/test_reply.py",
    ),
    Mutant(
        "a full spool is no slow server",
        "session/spool.py",
        "self._pieces.append((at_s, time.monotonic() - at_s, piece))",
        "self._pieces.append((at_s, 0.0, piece))",
        "session/test_spool.py",
    ),
    Mutant(
        "time in which a full spool kept the writer is left out",
        "session/feeder.py",
        "                self._pacing.skip(job.spool.held_s)\n",
        "",
        "session",
    ),
    Mutant(
        "time before a segment was asked for is left out",
        "policy/plan.py",
        "            self.skip(at_s - self._last_s)\n",
        "            pass\n",
        "policy session",
    ),
    Mutant(
        "a reply that brings nothing new is given up",
        "session/reply.py",
        "            self._fruitless += 1\n",
        "            pass\n",
        "session/test_reply.py",
    ),
    Mutant(
        "what the decoder held is heard",
        "session/reply.py",
        "                    self._tail = rest\n",
        "                    self._tail = None\n",
        "session/test_reply.py",
    ),
    # speech
    Mutant(
        "a key in plain http is noticed in any case",
        "settings/proxy.py",
        'address.lower().startswith(("http:", "ws:"))',
        'address.startswith(("http:", "ws:"))',
        "settings",
    ),
    Mutant(
        "a redirect's address shows no key",
        "speech/http/endpoint.py",
        "location=self.origin.without_key(location.encode()).decode(),",
        "location=location,",
        "speech/http",
    ),
    Mutant(
        "a known key is not told",
        "redact.py",
        "return _without(text, _known) if _known else text",
        "return text",
        "test_redact.py speech/http",
    ),
    Mutant(
        "the loser of a race is closed",
        "speech/hedge.py",
        "            else:\n                lane.stream.close()\n",
        "",
        "speech/test_hedge.py",
    ),
    Mutant(
        "who comes after the race is closed",
        "speech/hedge.py",
        "        if late:\n            stream.close()\n",
        "",
        "speech/test_hedge.py",
    ),
    Mutant(
        "retries are counted",
        "speech/failover.py",
        "enough = tried > self._policy.retries and",
        "enough = tried > self._policy.retries + 1 and",
        "speech/test_failover.py",
    ),
    Mutant(
        "retries end with their time",
        "speech/failover.py",
        "late = time.monotonic() - began_s + wait_s > self._policy.budget_s",
        "late = False",
        "speech/test_failover.py",
    ),
    Mutant(
        "a server is left alone as long as it asks",
        "speech/retry.py",
        "return chance * bound_s if asked_s is None else",
        "return chance * bound_s if True else",
        "speech/test_failover.py",
    ),
    Mutant(
        "what is compressed grows within bounds",
        "speech/http/inflate.py",
        "if self._out_bytes > _FREE_BYTES + _MOST_RATIO * self._in_bytes:",
        "if False:",
        "speech/http",
    ),
    Mutant(
        "a drip is no reply",
        "speech/http/limits.py",
        "            waited_s += time.monotonic() - began_s\n",
        "            waited_s = 0.0\n",
        "speech/http/test_limits.py",
    ),
    Mutant(
        "what a refusal repeats proves nothing",
        "speech/http/negotiate.py",
        "            if name not in _ECHOES:\n",
        "            if True:\n",
        "speech/http",
    ),
    # output
    Mutant(
        "a new device has the rate of the old",
        "output/lasting.py",
        '                raise DeviceError("the new device wants another format")\n',
        "                pass\n",
        "output/test_lasting.py",
    ),
    Mutant(
        "what a lost device held is played again",
        "output/lasting.py",
        "        self._notices.unheard(unheard_s)\n",
        "",
        "output/test_lasting.py session/test_notices.py",
    ),
    # the new rooms
    Mutant(
        "a pause that was heard is not added",
        "session/joined.py",
        "            pause_s = 0.0  # the pause has been heard already",
        "            pass  # the pause has been heard already",
        "session/test_pauses.py",
    ),
    Mutant(
        "what stood in is not kept",
        "session/caching.py",
        "return not (notices.stood_in or notices.unspoken)",
        "return True",
        "speech/test_cached.py",
    ),
    Mutant(
        "other words are not kept",
        "speech/cached.py",
        "        if said is not None and not keeping.is_faithful(self._request.text, said):\n"
        "            return False\n",
        "",
        "speech/test_cached.py",
    ),
    Mutant(
        "a damaged reply is none",
        "cache.py",
        "                os.unlink(file)  # so that it is fetched anew, and kept\n",
        "                pass\n",
        "unit/test_cache.py",
    ),
    Mutant(
        "who has other groups speaks itself",
        "engine/caller.py",
        'if set(call["groups"]) != {os.getegid(), *os.getgroups()}:',
        "if False:",
        "engine",
    ),
    Mutant(
        "a folder of somebody else's has no engine",
        "engine/place.py",
        "found.st_mode & 0o170077 == 0o040000",
        "True",
        "engine",
    ),
    Mutant(
        "a sender that counts anew is followed",
        "packets/jitter.py",
        "            and abs(self.target.relative_s(at_s, sent_s)) < _STRAY_S\n",
        "",
        "packets",
    ),
    Mutant(
        "strays of several senders prove nothing",
        "packets/jitter.py",
        "            self._odd.clear()\n        self._odd.append",
        "            pass\n        self._odd.append",
        "packets",
    ),
    Mutant(
        "lines of an agent come once",
        "agents/ordering.py",
        "if message.over or index < message.next or index in message.held:",
        "if message.over or index in message.held:",
        "agents/test_ordering.py",
    ),
    Mutant(
        "names tell no language",
        "languages.py",
        "        if named:\n            continue  # a name's words tell nothing\n",
        "",
        "text/test_languages.py",
    ),
    Mutant(
        "the longest entry is replaced first",
        "text/respell.py",
        "longest = sorted(words, key=len, reverse=True)",
        "longest = list(words)",
        "text/test_respell.py",
    ),
    Mutant(
        "headers of the user stay at home",
        "settings/where.py",
        '("extra_headers", "headers", (asked,)),',
        "",
        "settings/test_precedence.py settings/test_profiles.py",
    ),
)

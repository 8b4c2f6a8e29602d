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
    """Those that must fail: no others are run."""


MUTANTS = (
    # text
    Mutant(
        "wrapped lines go on",
        "text/segment.py",
        "return buf[after].islower() or len(line) >= _WRAP_MIN",
        "return buf[after].islower()",
        "text/test_segment.py::test_a_long_line_goes_on_whatever_begins_the_next",
    ),
    Mutant(
        "a sign between digits is no mark",
        "text/emphasis.py",
        'inside and (mark in "_=" or (before.isdigit() and after.isdigit()))',
        'inside and mark in "_="',
        "text/test_marks.py::test_expected_speech",
    ),
    Mutant(
        "scripts are not spoken",
        "text/model_marks.py",
        "system-reminder script style",
        "system-reminder style",
        "text/test_marks.py::test_expected_speech",
    ),
    Mutant(
        "a segment queue that is full waits",
        "text/segment_queue.py",
        "self._changed.wait_for(self._has_room)",
        "pass",
        "text/test_segment_queue.py::test_cancel_wakes_whoever_waits",
    ),
    # decode
    Mutant(
        "frames of FLAC may be lost",
        "decode/flac.py",
        "0 <= follower.number - frame.next_number <= frame.slack",
        "follower.number == frame.next_number",
        "decode/test_flac.py::test_a_frame_that_is_lost_costs_nothing_but_itself",
    ),
    Mutant(
        "an ID3 tag tells no more than that",
        "decode/registry.py",
        "shown.tagged and said is not None and said.tagged",
        "False",
        "decode/test_registry.py::test_choice",
    ),
    Mutant(
        "broken frames are counted",
        "decode/flac.py",
        "            self._skipped += 1\n        else:",
        "            self._skipped += 0\n        else:",
        "decode/test_flac.py::test_a_broken_frame_is_left_out_and_counted",
    ),
    # dsp
    Mutant(
        "quiet sound counts as pause",
        "dsp/join.py",
        "frames = max(wanted - self._quiet, self._window)",
        "frames = max(wanted, self._window)",
        "dsp/test_join.py::test_released_quiet_counts_toward_the_pause",
    ),
    Mutant(
        "quiet is held back only so long",
        "dsp/join.py",
        "return max(0, free, len(self._tail) - self._hold)",
        "return max(0, free)",
        "dsp/test_join.py::test_released_quiet_counts_toward_the_pause",
    ),
    Mutant(
        "the quiet before the first sound is short",
        "dsp/join.py",
        "return edges.fade_in(lead[-self._keep :], self._window)",
        "return edges.fade_in(lead, self._window)",
        "dsp/test_join.py::test_leading_silence_is_shortened_and_nothing_else",
    ),
    Mutant(
        "the same sound may come later",
        "dsp/seam.py",
        "self._ahead = pcm.s_to_frames(_LOOK_S)",
        "self._ahead = 0",
        "dsp/test_seam.py::test_the_same_sound_shifted_is_found",
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
        "playout/test_ring.py::test_the_counter_tells_of_frames_that_are_in_place",
    ),
    Mutant(
        "history stays for a new device",
        "playout/ring.py",
        "self._size = capacity_frames + history_frames",
        "self._size = capacity_frames",
        "playout/test_ring.py::test_a_full_ring_leaves_what_was_read_last_in_place",
    ),
    Mutant(
        "a full ring is enough",
        "playout/gate.py",
        "if waiting >= self._ring.capacity_frames:",
        "if False:",
        "playout/test_player.py::test_a_full_ring_is_played_whatever_the_plan_wants",
    ),
    Mutant(
        "a writer's pause is no underrun",
        "playout/player.py",
        "        elif idle:\n",
        "        elif False:\n",
        "playout/test_underruns.py::test_running_empty_while_the_writer_pauses_is_no_underrun_and_no_stall",
    ),
    Mutant(
        "the tail is played",
        "playout/player.py",
        "self.tail_frames + self.latency_frames:",
        "self.latency_frames:",
        "playout/test_player.py::test_every_sample_is_played_once_then_the_tail_and_then_it_is_drained",
    ),
    Mutant(
        "room in the ring wakes the feeder",
        "playout/player.py",
        "if room or self.drained or self.silenced:",
        "if self.drained or self.silenced:",
        "playout/test_player.py::test_room_is_told_when_it_is_waited_for",
    ),
    Mutant(
        "sound rises after a hole",
        "playout/conceal.py",
        "        self._risen_frames = 0\n\n    def stop_here",
        "\n    def stop_here",
        "playout/test_underruns.py::test_the_edges_of_a_hole_are_faded_and_nothing_is_lost",
    ),
    # policy
    Mutant(
        "a long gap ends the patience",
        "policy/adaptive.py",
        "return Window(from_s, seen.last_s + self._patience_s(beyond_s))",
        "return Window(from_s, math.inf)",
        "policy/test_policy.py::test_a_sudden_gap_is_waited_for_at_the_pause_before_it",
    ),
    Mutant(
        "one wait for a reply that is too slow",
        "policy/adaptive.py",
        "return to_come_s * (1.0 / seen.recent_rate - 1.0) + gap_s",
        "return 0.0",
        "playout/test_handover.py::test_the_wait_covers_the_rest_and_the_gap",
    ),
    # session
    Mutant(
        "a hopeless endpoint ends the reading",
        "session/fetchers.py",
        "        self._given_up = True\n        self._segments.stop()\n",
        "        self._given_up = True\n",
        "session/test_failures.py::test_a_writer_who_goes_on_does_not_keep_a_hopeless_reply_alive",
    ),
    Mutant(
        "a second break-off is found in the new rendering",
        "session/reply.py",
        "        self._position = seam.place\n",
        "",
        "session/test_reply.py::test_a_second_break_off_is_looked_for_in_the_rendering_that_was_heard_last",
    ),
    Mutant(
        "a full spool is no slow server",
        "session/spool.py",
        "self._pieces.append((at_s, time.monotonic() - at_s, piece))",
        "self._pieces.append((at_s, min(time.monotonic() - at_s, 0.0), piece))",
        "session/test_spool.py::test_the_time_for_which_the_writer_was_kept_waiting_goes_with_its_piece",
    ),
    Mutant(
        "time in which a full spool kept the writer is left out",
        "session/feeder.py",
        "                self._pacing.skip(job.spool.held_s)\n",
        "",
        "session/test_session.py::test_time_in_which_a_full_spool_keeps_the_server_waiting_is_not_the_servers",
    ),
    Mutant(
        "time before a segment was asked for is left out",
        "policy/plan.py",
        "            self.skip(at_s - self._last_s)\n",
        "            pass\n",
        "policy/test_plan.py::test_before_a_segment_was_asked_for_nothing_of_it_could_arrive",
    ),
    Mutant(
        "a reply that brings nothing new is given up",
        "session/reply.py",
        "            self._fruitless += 1\n",
        "            pass\n",
        "session/test_reply.py::test_tries_are_bounded_and_what_came_is_heard",
    ),
    Mutant(
        "what the decoder held is heard",
        "session/reply.py",
        "                    self._tail = rest\n",
        "                    self._tail = None\n",
        "session/test_reply.py::test_what_the_decoder_holds_is_heard_where_the_rest_never_comes",
    ),
    # speech
    Mutant(
        "a key in plain http is noticed in any case",
        "settings/proxy.py",
        'address.lower().startswith(("http:", "ws:"))',
        'address.startswith(("http:", "ws:"))',
        "settings/test_endpoints.py::test_how_far_a_key_would_travel",
    ),
    Mutant(
        "a redirect's address shows no key",
        "speech/http/endpoint.py",
        "location=self.origin.without_key(location.encode()).decode(),",
        "location=location,",
        "speech/http/test_endpoint.py::test_a_key_repeated_in_a_redirect_is_not_told",
    ),
    Mutant(
        "a known key is not told",
        "redact.py",
        "return _without(text, _known) if _known else text",
        "return text",
        "test_redact.py::test_causes_tell_no_key_either",
    ),
    Mutant(
        "the loser of a race is closed",
        "speech/hedge.py",
        "            else:\n                lane.stream.close()\n",
        "",
        "speech/test_race.py::test_of_two_that_begin_in_one_moment_the_second_is_closed",
    ),
    Mutant(
        "who comes after the race is closed",
        "speech/hedge.py",
        "        if late:\n            stream.close()\n",
        "",
        "speech/test_race.py::test_a_reply_that_begins_after_the_other_has_won_is_closed",
    ),
    Mutant(
        "retries are counted",
        "speech/failover.py",
        "enough = tried > self._policy.retries and",
        "enough = tried > self._policy.retries + 1 and",
        "speech/test_failover.py::test_tries_are_bounded_and_the_last_error_is_told",
    ),
    Mutant(
        "retries end with their time",
        "speech/failover.py",
        "late = time.monotonic() - began_s + wait_s > self._policy.budget_s",
        "late = False",
        "speech/test_failover.py::test_no_try_begins_after_the_budget",
    ),
    Mutant(
        "a server is left alone as long as it asks",
        "speech/retry.py",
        "return chance * bound_s if asked_s is None else",
        "return chance * bound_s if True else",
        "speech/test_failover.py::test_no_try_begins_after_the_budget",
    ),
    Mutant(
        "what is compressed grows within bounds",
        "speech/http/inflate.py",
        "if self._out_bytes > _FREE_BYTES + _MOST_RATIO * self._in_bytes:",
        "if False:",
        "speech/http/test_inflate.py::test_a_bomb_goes_off_in_small_pieces_and_not_for_long",
    ),
    Mutant(
        "a drip is no reply",
        "speech/http/limits.py",
        "            waited_s += time.monotonic() - began_s\n",
        "            waited_s = 0.0\n",
        "speech/http/test_limits.py::test_a_body_that_drips",
    ),
    Mutant(
        "what a refusal repeats proves nothing",
        "speech/http/negotiate.py",
        "            if name not in _ECHOES:\n",
        "            if True:\n",
        "speech/http/test_negotiate.py::test_what_a_refusal_repeats_of_the_request_says_nothing_of_the_format",
    ),
    # output
    Mutant(
        "a new device has the rate of the old",
        "output/lasting.py",
        '                raise DeviceError("the new device wants another format")\n',
        "                pass\n",
        "output/test_lasting.py::test_a_device_of_another_rate_is_not_played_on",
    ),
    Mutant(
        "what a lost device held is played again",
        "output/lasting.py",
        "        self._notices.unheard(unheard_s)\n",
        "",
        "session/test_notices.py::test_a_lost_device_is_told_and_rewound_through_a_wrapper",
    ),
    # the new rooms
    Mutant(
        "a pause that was heard is not added",
        "session/joined.py",
        "            pause_s = 0.0  # the pause has been heard already",
        "            pass  # the pause has been heard already",
        "session/test_pauses.py::test_a_pause_that_was_heard_already_is_not_added",
    ),
    Mutant(
        "what stood in is not kept",
        "session/caching.py",
        "return not (notices.stood_in or notices.unspoken)",
        "return True",
        "speech/test_cached.py::test_what_is_told_of_a_reply_decides",
    ),
    Mutant(
        "other words are not kept",
        "speech/cached.py",
        "        if said is not None and not keeping.is_faithful(self._request.text, said):\n"
        "            return False\n",
        "",
        "speech/test_cached.py::test_other_words_are_not_kept",
    ),
    Mutant(
        "a damaged reply is none",
        "cache.py",
        "                os.unlink(file)  # so that it is fetched anew, and kept\n",
        "                pass\n",
        "unit/test_cache.py::test_a_damaged_reply_is_none_and_is_gone",
    ),
    Mutant(
        "who has other groups speaks itself",
        "engine/caller.py",
        'if set(call["groups"]) != {os.getegid(), *os.getgroups()}:',
        "if False:",
        "engine/test_trust.py::test_a_caller_of_other_groups_speaks_itself",
    ),
    Mutant(
        "a folder of somebody else's has no engine",
        "engine/place.py",
        "found.st_mode & 0o170077 == 0o040000",
        "True",
        "engine/test_trust.py::test_a_folder_that_others_can_enter_has_no_engine",
    ),
    Mutant(
        "a sender that counts anew is followed",
        "packets/jitter.py",
        "            and abs(self.target.relative_s(at_s, sent_s)) < _STRAY_S\n",
        "",
        "packets/test_jitter.py::test_a_timestamp_that_jumps_begins_anew",
    ),
    Mutant(
        "strays of several senders prove nothing",
        "packets/jitter.py",
        "            self._odd.clear()\n        self._odd.append",
        "            pass\n        self._odd.append",
        "packets/test_jitter.py::test_strays_of_several_senders_prove_nothing",
    ),
    Mutant(
        "lines of an agent come once",
        "agents/ordering.py",
        "if message.over or index < message.next or index in message.held:",
        "if message.over or index in message.held:",
        "agents/test_ordering.py::test_no_word_is_spoken_twice_or_out_of_order",
    ),
    Mutant(
        "names tell no language",
        "languages.py",
        "        if named:\n            continue  # a name's words tell nothing\n",
        "",
        "text/test_languages.py::test_the_language_of_a_text_is_found",
    ),
    Mutant(
        "the longest entry is replaced first",
        "text/respell.py",
        "longest = sorted(words, key=len, reverse=True)",
        "longest = list(words)",
        "text/test_respell.py::test_whole_words_are_replaced",
    ),
    Mutant(
        "headers of the user stay at home",
        "settings/where.py",
        '("extra_headers", "headers", (asked,)),',
        "",
        "settings/test_keys.py::test_a_dotenv_cannot_send_headers_from_elsewhere",
    ),
)

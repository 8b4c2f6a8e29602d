"""Keeps C libraries of the sound system from writing to descriptor 2, which is not ours.

A program that speaks by this library owns its descriptor 2, and may write to it meanwhile
from any thread: it is never redirected. The libraries are given another place for their words.
"""

from __future__ import annotations

import os
import sys

_WRITERS = (
    ("libasound.so.2", ("snd_lib_error_set_handler",)),
    ("libjack.so.0", ("jack_set_error_function", "jack_set_info_function")),
)
"""Libraries, and what in each takes the function that is called with what it has to say."""


def quiet_sound_libraries() -> None:
    """Silence those of the sound system's libraries that this process has loaded (Linux).

    Holds for the whole process, also for errors that are met later. May be called again.
    """
    if sys.platform == "linux":  # Core Audio and WASAPI write nothing there
        import ctypes

        # A C function that takes no notice of its arguments and does nothing. One in Python would
        # be called from the audio thread, after a fork, and after the interpreter has ended.
        nothing = ctypes.cast(ctypes.CDLL(None).getppid, ctypes.c_void_p)
        for library, setters in _WRITERS:
            try:
                loaded = ctypes.CDLL(library, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
            except OSError:  # not loaded: it has nothing to say
                continue
            for name in setters:
                setter = getattr(loaded, name, None)
                if setter is not None:
                    setter(nothing)

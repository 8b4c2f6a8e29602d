"""What the system lets a process have: too little of it is told before something fails inside."""

from __future__ import annotations

import errno
import sys

from voicestream.errors import VoicestreamError

_MEMORY_BYTES = 400 << 20
"""Of address space, most of it the stacks and heaps of threads. With less, libraries end the
process without a word, or try for ever."""
_DESCRIPTORS = 32
_NO_MORE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def check_limits() -> None:
    """Refuse to begin where speech cannot work.

    Raises:
        VoicestreamError: too little memory, or too few files, as ``ulimit`` has it.
    """
    if sys.platform != "win32":  # which has no such limits
        import resource

        memory_bytes = resource.getrlimit(resource.RLIMIT_AS)[0]
        if 0 <= memory_bytes < _MEMORY_BYTES:
            raise VoicestreamError(
                f"{memory_bytes >> 20} MiB of memory are too little",
                f"this process may have no more, and needs {_MEMORY_BYTES >> 20} MiB",
                f"Try: ulimit -v {_MEMORY_BYTES >> 10}",
            )
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if 0 <= files < _DESCRIPTORS:
            raise VoicestreamError(
                f"{files} open files are too few",
                f"this process may have no more, and needs {_DESCRIPTORS}",
                f"Try: ulimit -n {_DESCRIPTORS}",
            )


def shortage(error: BaseException) -> VoicestreamError | None:
    """Return what an exception says if the system has no more to give; None: it says something
    else."""
    if isinstance(error, MemoryError):
        return VoicestreamError("there is not enough memory")
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return VoicestreamError("no more threads can be started", hint="Try: ulimit -u")
    if isinstance(error, OSError) and error.errno in _NO_MORE:
        return VoicestreamError("the system has no more to give", error.strerror or str(error))
    return None

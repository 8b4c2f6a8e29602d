"""``cache``: what is kept of what was said, and how to forget it."""

from __future__ import annotations

import time

from voicestream.cache import Cache, Kept
from voicestream.cli.parts import load_settings
from voicestream.cli.report import notice, print_json, print_text
from voicestream.errors import UsageError, VoicestreamError
from voicestream.printable import printable
from voicestream.records import asdict
from voicestream.settings.config_file import set_in
from voicestream.settings.sources import user_config_file
from voicestream.settings.table import TABLE

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (0, "s"))
_SHOWN_CHARS = 60


def cache(action: str, as_json: bool) -> int:
    """Carry out ``cache [list | clear | off]``; return the exit code."""
    if action not in ("list", "clear", "off"):
        raise UsageError(f"cache knows no {action!r}", hint="Say list, clear or off.")
    store = Cache(0)
    try:
        if action == "list":
            return _list(store, as_json)
        count = store.clear()
    except OSError as error:
        why = error.strerror or str(error)
        raise VoicestreamError(f"{store.folder} cannot be read", why) from error
    if action == "off":
        set_in(user_config_file(), next(row for row in TABLE if row.name == "cache"), "off")
        settings = load_settings({})
        if settings.cache != "off":
            notice(f"cache is off in the config file now, but {settings.source('cache')} says")
    if as_json:
        return print_json({"cleared": count})
    notice(f"{count} kept {'reply is' if count == 1 else 'replies are'} forgotten")
    return 0


def _list(store: Cache, as_json: bool) -> int:
    kept = store.entries()
    size_bytes = sum(each.size_bytes for each in kept)
    if as_json:
        replies = [
            {**asdict(each.about), "bytes": each.size_bytes, "used": round(each.used_s)}
            for each in kept
        ]
        return print_json({"folder": str(store.folder), "bytes": size_bytes, "replies": replies})
    lines = "".join(map(_line, kept))
    settings = load_settings({})
    notice(
        f"{len(kept)} {'reply' if len(kept) == 1 else 'replies'}, {size_bytes / 1e6:.1f} of "
        f"{settings.cache_mb:g} MB, in {store.folder}; --cache is {settings.cache}"
    )
    return print_text(lines)


def _line(kept: Kept) -> str:
    about = kept.about
    text = printable(about.text, _SHOWN_CHARS)
    age_s = max(time.time() - kept.used_s, 0.0)
    size, unit = next((size, unit) for size, unit in _UNITS if age_s >= size)
    age = f"{age_s / (size or 1):.0f} {unit}"
    voice = printable(f"{about.voice}, {about.endpoint}")
    return f"{age:>7}  {kept.size_bytes / 1000:>6.0f} kB  {text}  ({voice})\n"

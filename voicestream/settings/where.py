"""Which endpoint the sources name, and whose key goes there.

A base URL, the list of URLs and the names of endpoints are three ways to say the same thing:
the strongest source that says it decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from voicestream.errors import SettingsError
from voicestream.settings.endpoints import Place, http_twin, name_list
from voicestream.settings.kinds import OPENAI_URL
from voicestream.settings.parse import parse_setting, secret

if TYPE_CHECKING:
    from voicestream.settings.profiles import Profile, Profiles

Layer = dict[str, tuple[Any, str]]
"""What one source says: setting -> its value as written, and where exactly it stands."""
_DOTENV = ".env "
"""So begin the sources in a folder's ``.env``."""
_COMMON_URL = "OPENAI_BASE_URL"
"""Other programs read it too: it says nothing against an endpoint that is named for this one."""


class Named:
    """The endpoints that were named. No dataclass: that would take 0.4 ms of every start.

    Args:
        preset: what the preset of the first one gives the settings.
        table: what the user's table of it gives them, and its key.
        stand_ins: the others, in order.
        keys: of these, by variable.
        own: the variables whose keys stand in the folder's ``.env``.
    """

    def __init__(
        self,
        preset: Layer | None = None,
        table: Layer | None = None,
        stand_ins: tuple[Place, ...] = (),
        keys: Mapping[str, str] | None = None,
        own: Collection[str] = (),
    ) -> None:
        self.preset = preset or {}
        self.table = table or {}
        self.stand_ins = stand_ins
        self.keys = dict(keys or {})
        self.own = own


def settle(layers: Sequence[Layer]) -> tuple[tuple[str, ...], str]:
    """Leave of base URL, list and names what the strongest source says.

    Args:
        layers: the weakest first.

    Returns:
        The names in order, none where a URL or nothing was said; and their source.

    Raises:
        SettingsError: one source says both, or what are no names.
    """
    for layer in reversed(layers):
        written, source = layer.get("endpoint", ("", ""))
        names = parse_setting(name_list, written, source)
        urls = [layer[name][1] for name in ("base_url", "base_urls") if layer.get(name, ("",))[0]]
        if names and (other := [url for url in urls if not url.endswith(_COMMON_URL)]):
            raise SettingsError(
                f"both {source} and {other[0]} say where speech is asked for",
                hint="Give one of them. An endpoint of your own is an [endpoint.NAME] table with "
                "a base_url in the config file.",
            )
        if names:
            return tuple(names.split(",")), source
        if urls or "endpoint" in layer:
            break
    for layer in layers:
        layer.pop("endpoint", None)
    return (), ""


class EndpointKeys:
    """Finds the keys of named endpoints.

    Args:
        named_by: where the names come from. A folder's ``.env`` gets only keys of its own.
        common: the key of all, and its source, as far as it may be OpenAI's.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        dotenv: Mapping[str, str],
        named_by: str,
        common: tuple[str, str],
    ) -> None:
        self._environ = environ
        self._dotenv = dotenv
        self._own_only = named_by.startswith(_DOTENV)
        self._common = common

    def find(self, profile: Profile) -> tuple[str, str]:
        """Return the key and its source; both empty where none is wanted.

        Raises:
            SettingsError: the variable is not set where it may be.
        """
        key, source = self.look(profile)
        if profile.key_variable and not key:
            variable = told_variable(profile)
            raise SettingsError(
                f"the endpoint {profile.name} needs a key, and {variable} is not set"
                + (" in the .env file that names the endpoint" if self._own_only else ""),
                hint=f"Set it, or give --api-key-file FILE. See {profile.docs}"
                if profile.docs
                else "Set it, or leave key_variable out for no key.",
            )
        return parse_setting(secret, key, source), source

    def look(self, profile: Profile) -> tuple[str, str]:
        """As :meth:`find`, but empty where there is none."""
        variable = profile.key_variable
        if not variable:
            return "", ""
        if not self._own_only and (key := self._environ.get(variable, "").strip()):
            return key, variable
        if key := self._dotenv.get(variable, "").strip():
            return key, _DOTENV + variable
        common, source = self._common
        ours = not self._own_only or source.startswith(_DOTENV)
        if common and ours and http_twin(profile.base_url) == OPENAI_URL:
            return common, source
        return "", ""


def told_variable(profile: Profile) -> str:
    """Return a key variable's name; where that may be a key itself, only where it stands."""
    usual = re.fullmatch(r"[A-Z][A-Z0-9_]*_(KEY|TOKEN|SECRET)", profile.key_variable)
    known = profile.variable_known or usual
    return profile.key_variable if known else f"the key_variable of [endpoint.{profile.name}]"


def common_key(layers: Sequence[Layer]) -> tuple[str, str]:
    """Return the key that would go to OpenAI if no endpoint was named, and its source."""
    if any(layer.get("base_url", ("",))[0] or layer.get("base_urls", ("",))[0] for layer in layers):
        return "", ""
    for layer in reversed(layers):
        if "api_key" in layer:
            key, source = layer["api_key"]
            return str(key), source
    return "", ""


def is_preset(source: str) -> bool:
    """Return whether a value comes from a preset."""
    return source.startswith("preset ")


def by_name(
    names: Sequence[str],
    named_by: str,
    profiles: Profiles,
    layers: Sequence[Layer],
    keys: EndpointKeys,
) -> Named:
    """Look the names up.

    Args:
        layers: the weakest first, the flags last; what the names replace is removed.

    Raises:
        SettingsError: a name is unknown, has no base URL, or no key where it needs one.
    """
    found = [profiles.reachable(name) for name in names]
    if named_by.startswith(_DOTENV) and any(
        source and not is_preset(source)
        for profile in found
        for value, source in [profile.values.get("extra_headers", ("", ""))]
    ):
        raise SettingsError(
            "the .env file in this folder names an endpoint that is sent headers of yours",
            hint="Name it yourself: --endpoint, or VOICESTREAM_ENDPOINT in the environment.",
        )
    for layer in layers:
        layer.pop("base_url", None)
        layer.pop("base_urls", None)
    for layer in layers[:-1]:
        layer.pop("api_key", None)
    for layer in layers:
        if layer.get("endpoint", ("", ""))[1] == named_by:
            break
        layer.pop("extra_headers", None)  # keys may be among them, of another endpoint
    first, *others = found
    preset = {name: held for name, held in first.values.items() if is_preset(held[1])}
    table = {name: held for name, held in first.values.items() if name not in preset}
    if not layers[-1].get("api_key", ("",))[0]:
        key, source = keys.find(first)
        if key:
            table["api_key"] = key, source
    general = {name: held for layer in layers for name, held in layer.items()}
    model, voice = (str(general.get(name, ("", ""))[0]) for name in ("model", "voice"))
    held = {other.key_variable: keys.find(other) for other in others if other.key_variable}
    return Named(
        preset,
        table,
        tuple(other.place(model, voice) for other in others),
        {variable: key for variable, (key, _) in held.items()},
        {v for v, (_, source) in held.items() if source.startswith(_DOTENV)},
    )


def drop_what_a_folder_may_not(values: dict[str, Any], sources: dict[str, str]) -> bool:
    """Remove stand-ins that an ``.env`` adds to an endpoint chosen outside it.

    They would get the user's text. Returns whether ``base_urls`` is the ``.env`` file's.
    """
    listed = is_dotenv(sources, "base_urls")
    if listed and "base_url" in sources and not is_dotenv(sources, "base_url"):
        del values["base_urls"], sources["base_urls"]
        return False
    return listed


def is_dotenv(sources: Mapping[str, str], name: str) -> bool:
    return sources.get(name, "").startswith(_DOTENV)


def refuse_stranger(sources: Mapping[str, str]) -> None:
    """Refuse a folder's ``.env`` that would send a key or headers that it does not hold itself."""
    asked = sources.get("endpoint") or sources.get("base_url") or sources.get("base_urls", "")
    more = (sources.get("chat_base_url", ""), sources.get("transcribe_base_url", ""))
    for name, what, urls in (
        ("api_key", "key", (asked, *more)),
        ("extra_headers", "headers", (asked,)),
    ):
        source = sources.get(name, _DOTENV)
        if not source.startswith(_DOTENV) and any(url.startswith(_DOTENV) for url in urls):
            raise SettingsError(
                f"the .env file in this folder sets the endpoint, but the {what} from elsewhere "
                f"({source}) would go there",
                f"it would send your {what} to a server that this folder chose",
                "Give --base-url (--chat-base-url, --transcribe-base-url) yourself, or put the "
                "same into that .env.",
            )

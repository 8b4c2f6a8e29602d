"""Where endpoints are: the list of several, and how far a key would travel to each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from voicestream.errors import SettingsError
from voicestream.records import dataclass, field, replace
from voicestream.settings.kinds import AUTO, KINDS, endpoint_kind
from voicestream.settings.parse import text, url

Reach = Literal["here", "near", "far"]
_VARIABLE = r"[A-Z_][A-Z0-9_]*|"
_NAME = r"[a-z0-9][a-z0-9._-]*"
_MOST_NAME = 24
"""Characters. What is longer may be a key."""
_KEY_BEGINNINGS = ("sk-", "sk_", "gsk_", "pk-", "pk_", "xi-", "hf_", "key-", "akia")
_LIKE = "write each like https://host/v1|KEY_VARIABLE|model|voice"
_HERE = r"(.*\.)?localhost|127(\.\d{1,3}){3}|::1"
_ONE_LABEL = r"(?!0x)(?=.*[a-z_-])[\w-]+"
_NEAR_ENDINGS = (".local", ".lan", ".internal", ".home.arpa")


@dataclass(frozen=True, slots=True)
class Place:
    """One endpoint of a list.

    Attributes:
        url: its base URL.
        key_variable: the environment variable that holds its key; empty for none.
        model: its model; empty for the common one.
        voice: its voice; empty for the common one.
        name: of the profile it comes from; empty for none.
        format: what to ask it for; empty for the common one.
        stream_format: how that comes; empty for the common way.
        extra_headers, extra_body: JSON objects of what it is sent besides.
        rate_hz: of its raw PCM, whatever it says; 0: as it says.
    """

    url: str
    key_variable: str = ""
    model: str = ""
    voice: str = ""
    name: str = ""
    format: str = ""
    extra_headers: str = field(default="", repr=False)
    extra_body: str = ""
    rate_hz: int = 0
    stream_format: str = ""

    def way(self, common: str) -> str:
        """Return how speech comes from it. ``captions``, which only one kind of server has, is not
        taken over from ``common``, the setting of the first endpoint."""
        return self.stream_format or ("audio" if common == "captions" else common)

    @property
    def headers(self) -> dict[str, str]:
        """``extra_headers``, names in lower case."""
        return {name.lower(): held for name, held in unpacked(self.extra_headers).items()}

    @property
    def body(self) -> dict[str, Any]:
        """``extra_body``, taken apart."""
        return unpacked(self.extra_body)


def whole(place: Place) -> Place:
    """Return a place with a model and a voice."""
    model = place.model or AUTO
    voice = place.voice or KINDS[endpoint_kind(place.url, model)].voice
    return replace(place, model=model, voice=voice)


def unpacked(written: str) -> dict[str, Any]:
    """Return a JSON object as a setting holds it."""
    if not written:
        return {}
    import json

    found: dict[str, Any] = json.loads(written)
    return found


def name_list(value: Any) -> str:
    """Parse a setting: names of endpoints in order, apart by commas.

    Raises:
        ValueError: an entry is no name. It is not told: it may be a key.
    """
    entries = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, str) for entry in entries):
        raise ValueError("must be the name of an endpoint, or several apart by commas")
    found: list[str] = []
    for entry in re.split(r"[,\s]+", ",".join(map(text, entries)).lower().strip(", ")):
        name = "embedded" if entry == "embedded:" else entry
        if name and not re.fullmatch(_NAME, name):
            raise ValueError(
                f"entry {len(found) + 1} is not the name of an endpoint; `voicestream endpoints` "
                "lists them. A URL is given by --base-url, or as the base_url of an "
                "[endpoint.NAME] table in the config file"
            )
        if name and name not in found:
            found.append(name)
    return ",".join(found)


def tellable_name(name: str) -> bool:
    """Return whether it may be told: a name, and by its look no key."""
    short = len(name) <= _MOST_NAME and not name.lower().startswith(_KEY_BEGINNINGS)
    return short and bool(re.fullmatch(_NAME, name))


def key_variable(value: Any) -> str:
    """Return the name of an environment variable. What is none is not told: it may be a key."""
    found = re.sub(r"^\$\{?(\w+)\}?$", r"\1", text(value))
    if not re.fullmatch(_VARIABLE, found):
        raise ValueError(
            "must be the name of an environment variable in capitals, such as OPENAI_API_KEY; "
            "a key itself does not belong there"
        )
    return found


def place_list(value: Any) -> str:
    """Parse a setting: endpoints in order, apart by commas or blanks.

    One string for all that belongs to an endpoint, rather than a list of keys, a
    list of models and so on: nothing can slip out of line, keys stay in variables
    of their own, and VOICESTREAM_VOICES keeps its meaning.
    """
    written = text(value)
    places(written)
    return written


def places(written: str) -> tuple[Place, ...]:
    """Return the list, taken apart.

    Raises:
        ValueError: an entry is malformed. Nothing of it is part of the message: keys get
            into the wrong place.
    """
    found = []
    for number, entry in enumerate(re.split(r"[,\s]+", written.strip(", ")), 1):
        if not entry:
            continue
        address, *more = entry.split("|")
        variable, model, voice = (*more, "", "", "")[:3]
        if not address or len(more) > 3:
            raise ValueError(f"entry {number} is malformed; {_LIKE}")
        if not re.fullmatch(_VARIABLE, variable):
            raise ValueError(
                f"entry {number} must name a variable in capitals where its key stands; {_LIKE}"
            )
        try:
            found.append(Place(url(address), variable, model, voice))
        except ValueError:
            raise ValueError(f"entry {number} does not begin with a URL; {_LIKE}") from None
    return tuple(found)


def named_keys(
    written: str, environ: Mapping[str, str], dotenv: Mapping[str, str], from_dotenv: bool
) -> dict[str, str]:
    """Return the keys that a list names, by variable.

    Args:
        from_dotenv: the list stands in a folder's ``.env``, so its keys must stand there too.

    Raises:
        SettingsError: a variable is not set where it may be.
    """
    found = {}
    for number, place in enumerate(places(written), 1):
        if not place.key_variable:
            continue
        held = dotenv.get(place.key_variable, "")
        key = held if from_dotenv else environ.get(place.key_variable, "") or held
        if not key:
            raise SettingsError(
                f"entry {number} of the list of endpoints names a variable that is not set"
                + (" in the .env file that holds the list" if from_dotenv else ""),
                hint=f"Set it, or leave it empty for no key; {_LIKE}.",
            )
        found[place.key_variable] = key
    return found


def http_twin(address: str) -> str:
    """Return the base URL for what is asked over HTTP beside a WebSocket: voices, models,
    answers."""
    scheme, colon, rest = address.partition(":")
    return {"ws": "http", "wss": "https"}.get(scheme.lower(), scheme) + colon + rest


def reach(address: str) -> Reach:
    """Return how far a request to this URL travels as far as its host tells.

    ``here``: this machine. ``near``: addresses and names that only a local network has.
    """
    from urllib.parse import urlsplit

    host = (urlsplit(address).hostname or "").rstrip(".")
    if re.fullmatch(_HERE, host):
        return "here"
    from ipaddress import IPv6Address, ip_address

    try:
        where = ip_address(host)
    except ValueError:
        # a name without a dot is a container, or a machine of the local network; a number
        # without a dot is an address of any place
        near = host.endswith(_NEAR_ENDINGS) or re.fullmatch(_ONE_LABEL, host)
        return "near" if near else "far"
    if isinstance(where, IPv6Address) and where.ipv4_mapped:
        where = where.ipv4_mapped
    if where.is_loopback:
        return "here"
    return "near" if where.is_private or where.is_link_local else "far"

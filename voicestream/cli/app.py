"""All commands and their options, as typer reads them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import typer

from voicestream.cli.command import Argument, Command
from voicestream.cli.commands import COMMANDS, JSON, command_of
from voicestream.cli.options import OPTIONS, SHORT, Option, SayCall, make_sound
from voicestream.cli.report import print_text, report
from voicestream.cli.typed import FIRST_WORDS, option_hint, value_hint
from voicestream.cli.verbs import VERBS, run_verb
from voicestream.errors import SaveError, UsageError, VoicestreamError
from voicestream.settings.row import Row
from voicestream.settings.table import TABLE

app = typer.Typer(
    name="voicestream",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": []},  # cli.help shows it
)
_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _setting_parameter(row: Row) -> inspect.Parameter:
    short = [SHORT[row.name]] if row.name in SHORT else []
    annotation: Any = bool | None if row.is_switch else str | None
    default = typer.Option(None, row.flag, *short)
    return inspect.Parameter(row.name, _KEYWORD, default=default, annotation=annotation)


def _option_parameter(option: Option) -> inspect.Parameter:
    annotation: Any = bool if option.is_switch else str | None
    if option.is_many:
        annotation = list[str] | None
    default = typer.Option(False if option.is_switch else None, *option.flags)
    return inspect.Parameter(option.name, _KEYWORD, default=default, annotation=annotation)


def _argument_parameter(argument: Argument) -> inspect.Parameter:
    one: Any = list[str] if argument.is_many else str
    annotation = one if argument.is_required else one | None
    default = typer.Argument(... if argument.is_required else None, metavar=argument.metavar)
    return inspect.Parameter(argument.name, _KEYWORD, default=default, annotation=annotation)


def _spoken(name: str) -> Callable[..., int]:
    """Return what carries out a command that makes sound; the way without typer is in
    ``cli.entry``."""

    def carry_out(**values: Any) -> int:
        return make_sound(name, call_of(values))

    return carry_out


def call_of(values: dict[str, Any]) -> SayCall:
    """Return what typer has read as a call."""
    settings, own = _settings_and_own(values)
    words = own.pop("text", None)
    for many in {"file", "sources"} & own.keys():
        own[many] = list(own[many] or ())
    return SayCall(settings=settings, text=" ".join(words) if words else None, **own)


def _settings_and_own(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings among what was given, and the rest."""
    names = {row.name for row in TABLE}
    settings = {n: v for n, v in values.items() if n in names and v is not None}
    return settings, {n: v for n, v in values.items() if n not in names}


def _talk(**values: Any) -> int:
    from voicestream.cli.talk import talk

    settings, own = _settings_and_own(values)
    by_hand, system = own.pop("push_to_talk"), own.pop("system") or ""
    realtime = own.pop("realtime")
    return talk(SayCall(settings=settings, system=system, **own), by_hand, realtime)


def _config(**values: Any) -> int:
    from voicestream.cli.config_commands import config

    settings, own = _settings_and_own(values)
    return config(own["words"] or [], settings, bool(own["json"]))


def _cache(action: str | None, json: bool) -> int:
    from voicestream.cli.cache_commands import cache

    return cache(action or "list", json)


def _voices(**values: Any) -> int:
    from voicestream.cli.inspect_commands import show_voices

    settings, own = _settings_and_own(values)
    return show_voices(settings, bool(own["json"]))


def _endpoints(names: list[str] | None, json: bool, check: bool) -> int:
    from voicestream.cli.endpoints import show_endpoints

    return show_endpoints(names or [], json, check)


def _devices(json: bool) -> int:
    from voicestream.cli.inspect_commands import show_devices

    return show_devices(json)


def _doctor(**values: Any) -> int:
    from voicestream.cli.doctor import doctor

    settings, own = _settings_and_own(values)
    return doctor(settings, bool(own["json"]), bool(own["free"]))


def _replay(trace: str) -> int:
    from voicestream.cli.inspect_commands import show_replay

    return show_replay(trace)


def _serve(
    host: str | None,
    port: str | None,
    api_key_file: str | None,
    allow_host: list[str] | None,
    allow_origin: list[str] | None,
) -> int:
    from voicestream.cli.serve import serve_command

    return serve_command(host, port, api_key_file, allow_host or (), allow_origin or ())


def _hook(**values: Any) -> int:
    from voicestream.cli.hook import hook

    taken = ("--voice-list", values["voice_list"]), ("--log", values["log"])
    options = [word for pair in taken if pair[1] for word in pair]
    options += ["--subagents"] * values["subagents"]
    return hook(
        values["words"] or [],
        options,
        project=values["project"],
        yes=values["yes"],
        everybody=values["all_agents"],
    )


def _mcp() -> int:
    from voicestream.cli.hook import mcp

    return mcp()


def _engine(**values: Any) -> int:
    if sys.platform != "win32":
        from voicestream.cli.engine.command import engine_command

        settings, own = _settings_and_own(values)
        return engine_command(own["action"], settings, bool(own["json"]))
    raise UsageError("Windows has no Unix sockets in Python, and so no engine")


def _completion(shell: str) -> int:
    from voicestream.cli.completion import show_completion

    return show_completion(shell)


def _help(words: list[str] | None) -> int:
    from voicestream.cli.lookup import show_help

    return show_help(words or [])


def _verb(name: str) -> Callable[..., int]:
    """Return what carries out a verb, for typer to find what is wrong with it; the way without it
    is in ``cli.entry``."""

    def carry_out(value: str | None = None, everybody: bool = False, json: bool = False) -> int:
        flags = ["--all"] * everybody + ["--json"] * json
        return run_verb([name, *([] if value is None else [value]), *flags])

    return carry_out


_CARRY_OUT: dict[str, Callable[..., int]] = {
    **{name: _spoken(name) for name in OPTIONS},
    "talk": _talk,
    "config": _config,
    "cache": _cache,
    "voices": _voices,
    "endpoints": _endpoints,
    "devices": _devices,
    "doctor": _doctor,
    "serve": _serve,
    "hook": _hook,
    "mcp": _mcp,
    "engine": _engine,
    "trace record": _spoken("say"),
    "trace replay": _replay,
    "completion": _completion,
    "help": _help,
    **{name: _verb(name) for name in VERBS},
}


def _callback(command: Command, carry_out: Callable[..., int]) -> Callable[..., None]:
    """Return what typer calls: it reads a function's signature, so this one gets it from the
    table."""

    def call(**values: Any) -> None:
        raise typer.Exit(carry_out(**values))

    rows = {row.name: row for row in TABLE}
    parameters = [
        *map(_argument_parameter, command.arguments),
        *map(_option_parameter, command.options),
        *(_setting_parameter(rows[name]) for name in command.settings),
    ]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    return call


_groups = {"": app}
for _name, _command in COMMANDS.items():
    _group, _, _last = _name.rpartition(" ")
    if _group not in _groups:
        _groups[_group] = typer.Typer()
        app.add_typer(_groups[_group], name=_group)
    _groups[_group].command(_last)(_callback(_command, _CARRY_OUT[_name]))


@app.callback(invoke_without_command=True)
def _main(version: bool = typer.Option(False, "--version", "-V")) -> None:
    if version:
        from importlib.metadata import version as installed_version

        raise typer.Exit(print_text(f"voicestream {installed_version('voicestream')}\n"))


# Some versions of typer carry click inside, others import it: this is its base of them all.
_Mistake: type[Any] = typer.BadParameter.__bases__[0]


def _wants_json(arguments: list[str]) -> bool:
    """Return whether one JSON object was asked for, of a command that prints one."""
    command = COMMANDS.get(command_of(arguments))
    known = command is not None and JSON.name in (option.name for option in command.options)
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return known and "--json" in options


def run_app(arguments: list[str]) -> int:
    """Run the commands; return the exit code."""
    try:
        code = app(arguments, standalone_mode=False)
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 1
    except VoicestreamError as error:
        return report(error, _wants_json(arguments))
    except _Mistake as mistake:
        return report(_usage_error(mistake, arguments), _wants_json(arguments))
    except OSError as error:  # help and lists are written straight to stdout
        return report(SaveError("the output cannot be written", error.strerror or str(error)))
    return code if isinstance(code, int) else 0


def _usage_error(mistake: Any, arguments: list[str]) -> UsageError:
    begun = arguments[0] if arguments and arguments[0] in FIRST_WORDS else ""  # as in `trace`
    path = f"voicestream {command_of(arguments) or begun}".rstrip()
    what, _, more = mistake.format_message().partition(". ")
    option = getattr(mistake, "option_name", None)
    if option is not None and hasattr(mistake, "possibilities"):  # not one without its value
        dashed = (word for word in arguments if word.startswith(option) and option[1] != "-")
        typed = next(dashed, option)  # -hello, not its first letter
        what = f"No such option: {typed}"
        near = getattr(mistake, "possibilities", None) or ()
        more = option_hint(option, typed.partition("=")[0], near, path)
    elif option is not None:
        more = value_hint(option)
    return UsageError(what.rstrip("."), hint=f"{more} Try: {path} --help".strip())

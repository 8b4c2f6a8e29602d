"""All commands and their options, as typer shows and reads them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from typing import Any

import typer

from voicestream.cli.options import ASK_OPTIONS, SAY_OPTIONS, SHORT, Option, SayCall
from voicestream.cli.report import report
from voicestream.cli.typed import option_hint
from voicestream.cli.verbs import TO_ALL, VERBS, WITH_VALUE, run_verb
from voicestream.errors import SaveError, UsageError, VoicestreamError
from voicestream.settings.row import Row
from voicestream.settings.table import TABLE

app = typer.Typer(
    name="voicestream",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Speech from any OpenAI-compatible endpoint, played while it is still arriving.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_SAY_HELP = """Speak TEXT, a file, or what comes in on stdin.

\b
Examples:
  voicestream hello there
  voicestream say "Hello there." -v nova
  llm "why is the sky blue?" | voicestream say
  voicestream say -f notes.txt --save notes.wav
  voicestream say "Bonjour." --base-url http://127.0.0.1:8880/v1 --voice af_heart

Settings come from flags, the environment, .env, the config file and the
defaults, in this order; `voicestream config` shows each and its source.
"""


def _setting_parameter(row: Row) -> inspect.Parameter:
    if row.is_switch:
        default = typer.Option(None, row.flag, help=_help(row), show_default=False)
        annotation: Any = bool | None
    else:
        flags = [row.flag, *([SHORT[row.name]] if row.name in SHORT else [])]
        default = typer.Option(
            None, *flags, help=_help(row), metavar=_metavar(row), show_default=False
        )
        annotation = str | None
    return inspect.Parameter(
        row.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _metavar(row: Row) -> str:
    if row.flag == "--api-key-file":
        return "FILE"
    return "NUMBER" if isinstance(row.default, int | float) else "TEXT"


def _help(row: Row) -> str:
    text = "read the key from FILE" if row.flag == "--api-key-file" else row.help
    if "[default" not in text and row.default not in ("", None):
        text += f" [default: {row.shown_default}]"
    return f"{text} [{', '.join(row.variables)}]"


_ASK_HELP = """Ask a language model and speak its answer while it is being written.

\b
Examples:
  voicestream ask "Why is the sky blue?"
  voicestream ask "Tell a joke." --system "Be brief." --echo
  voicestream ask "Hello?" --chat-base-url http://127.0.0.1:11434/v1 --chat-model llama3.2

The server is any that speaks OpenAI's chat completions; settings as for `say`.
"""


def _text_parameter(what: str, metavar: str) -> inspect.Parameter:
    text = typer.Argument(
        None,
        help=f"What to {what}; - reads stdin, as does leaving it out in a pipe.",
        metavar=metavar,
    )
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter("text", keyword, default=text, annotation=list[str] | None)


def _option_parameters(options: Iterable[Option]) -> list[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    found = []
    for option in options:
        if option.is_switch:
            default: Any = typer.Option(False, *option.flags, help=option.help)
            annotation: Any = bool
        else:
            default = typer.Option(
                None, *option.flags, help=option.help, metavar=option.metavar, show_default=False
            )
            annotation = str | None
        found.append(
            inspect.Parameter(option.name, keyword, default=default, annotation=annotation)
        )
    return found


def _split(values: dict[str, Any]) -> SayCall:
    names = {row.name for row in TABLE}
    settings = {n: v for n, v in values.items() if n in names and v is not None}
    own = {n: v for n, v in values.items() if n not in names}
    words = own.pop("text")
    own["text"] = " ".join(words) if words else None
    return SayCall(settings=settings, **own)


def _say(**values: Any) -> None:
    from voicestream.cli.say import say

    raise typer.Exit(say(_split(values)))


def _ask(**values: Any) -> None:
    from voicestream.cli.ask import ask

    raise typer.Exit(ask(_split(values)))


def _config(**values: Any) -> None:
    """Show every setting, its value and where it came from. Keys are never shown."""
    from voicestream.cli.inspect_commands import show_config

    raise typer.Exit(show_config({n: v for n, v in values.items() if v is not None}))


def _voices(**values: Any) -> None:
    """List the voices of the endpoint: what --voice can name."""
    from voicestream.cli.inspect_commands import show_voices

    as_json = bool(values.pop("json"))
    raise typer.Exit(show_voices({n: v for n, v in values.items() if v is not None}, as_json))


def _with_parameters(function: Any, parameters: list[inspect.Parameter]) -> Any:
    """typer reads a function's signature; this gives one its parameters from the tables."""
    function.__signature__ = inspect.Signature(parameters)
    function.__annotations__ = {p.name: p.annotation for p in parameters}
    return function


_SETTINGS = [_setting_parameter(row) for row in TABLE]
_SAY = [_text_parameter("say", "[TEXT]..."), *_option_parameters(SAY_OPTIONS), *_SETTINGS]
_ASK = [
    _text_parameter("ask", "[QUESTION]..."),
    *_option_parameters(ASK_OPTIONS),
    *_SETTINGS,
]
app.command("say", help=_SAY_HELP)(_with_parameters(_say, _SAY))
app.command("ask", help=_ASK_HELP)(_with_parameters(_ask, _ASK))
app.command("config")(_with_parameters(_config, list(_SETTINGS)))
_JSON = inspect.Parameter(
    "json",
    inspect.Parameter.KEYWORD_ONLY,
    default=typer.Option(False, "--json", help="print one JSON object on stdout"),
    annotation=bool,
)
_ENDPOINT_NAMES = ("base_url", "api_key", "timeout_s", "allow_http_key")
_ENDPOINT = [p for p in _SETTINGS if p.name in _ENDPOINT_NAMES]
app.command("voices")(_with_parameters(_voices, [_JSON, *_ENDPOINT]))


_trace = typer.Typer(help="When a reply's sound arrived: keep it, and play it back.")
app.add_typer(_trace, name="trace")
_TRACE_FILE = inspect.Parameter(
    "trace",
    inspect.Parameter.KEYWORD_ONLY,
    default=typer.Argument(..., help="Where the arrivals are kept.", metavar="FILE"),
    annotation=str,
)
_RECORD = [p for p in _SAY if p.name != "trace"]


def _record(**values: Any) -> None:
    """Speak TEXT as `say` does, and keep in FILE when its sound arrived."""
    _say(**values)


_trace.command("record")(_with_parameters(_record, [_TRACE_FILE, *_RECORD]))


@_trace.command("replay")
def _replay(file: str = typer.Argument(..., metavar="FILE")) -> None:
    """Show what each playout policy would have done with the arrivals in FILE."""
    from voicestream.cli.inspect_commands import show_replay

    raise typer.Exit(show_replay(file))


def _verb(name: str) -> Any:
    """A verb as the help shows it; the way there without it is in ``cli.entry``."""

    def carry_out(
        value: str | None = typer.Argument(None, hidden=name not in WITH_VALUE),
        everybody: bool = typer.Option(False, "--all", hidden=name not in TO_ALL),
        as_json: bool = typer.Option(False, "--json", help="print the answers as JSON"),
    ) -> None:
        flags = ["--all"] * everybody + ["--json"] * as_json
        raise typer.Exit(run_verb([name, *([] if value is None else [value]), *flags]))

    return carry_out


for _name, _does in VERBS.items():
    app.command(_name, help=_does[0].upper() + _does[1:] + ".")(_verb(_name))


@app.command("devices")
def devices() -> None:
    """List the sound cards that --device can name."""
    from voicestream.cli.inspect_commands import show_devices

    raise typer.Exit(show_devices())


@app.command("serve")
def serve(
    host: str | None = typer.Option(
        None, help="listen there instead of on this machine only", metavar="ADDRESS"
    ),
    port: int = typer.Option(8790, help="0 takes any that is free", min=0, max=65535),
    api_key_file: str | None = typer.Option(
        None, help="let in only who sends the key in FILE", metavar="FILE"
    ),
) -> None:
    """Offer the embedded voice to other programs, as an OpenAI-compatible server."""
    from voicestream.cli.serve import serve_command

    raise typer.Exit(serve_command(host, port, api_key_file))


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", "-V", help="Show the version and exit."),
) -> None:
    if version:
        from importlib.metadata import version as installed_version

        sys.stdout.write(f"voicestream {installed_version('voicestream')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


# Some versions of typer carry click inside, others import it: this is its base of them all.
_Mistake: type[Any] = typer.BadParameter.__bases__[0]


def _command_named(arguments: list[str]) -> tuple[str, Any]:
    """The command that the arguments begin with, as it is called and as typer knows it."""
    command: Any = typer.main.get_command(app)
    path = "voicestream"
    for word in arguments:
        inner = getattr(command, "commands", {}).get(word)
        if inner is None:
            break
        command, path = inner, f"{path} {word}"
    return path, command


def _wants_json(arguments: list[str]) -> bool:
    """Whether one JSON object was asked for, of a command that prints one."""
    _path, command = _command_named(arguments)
    known = any(parameter.name == _JSON.name for parameter in command.params)
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
        path, _command = _command_named(arguments)
        what, _, more = mistake.format_message().partition(". ")
        option = getattr(mistake, "option_name", None)
        if option is not None:
            what = f"No such option: {option}"
            more = option_hint(option, getattr(mistake, "possibilities", None) or (), path)
        usage = UsageError(what.rstrip("."), hint=f"{more} Try: {path} --help".strip())
        return report(usage, _wants_json(arguments))
    except OSError as error:  # help and lists are written straight to stdout
        return report(SaveError("the output cannot be written", error.strerror or str(error)))
    return code if isinstance(code, int) else 0

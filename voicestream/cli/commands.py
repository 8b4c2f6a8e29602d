"""Every command and what it takes: the command line, its help and completion are made of this."""

from __future__ import annotations

from collections.abc import Sequence

from voicestream.cli.command import Argument, Command
from voicestream.cli.options import (
    AGAIN_OPTIONS,
    AGAIN_SETTINGS,
    ASK_OPTIONS,
    PLAY_OPTIONS,
    PLAY_SETTINGS,
    SAY_OPTIONS,
    TALK_OPTIONS,
    Option,
)
from voicestream.cli.verbs import TO_ALL, VERBS, WITH_VALUE
from voicestream.settings.table import TABLE

JSON = Option("json", ("--json",), "print one JSON object on stdout")
_ALL = tuple(row.name for row in TABLE)
_PIPE = "- reads stdin, as does leaving it out in a pipe"
_TEXT = Argument("text", "[TEXT]...", _PIPE)
_LOG = next(option for option in SAY_OPTIONS if option.name == "log")
_TRACE = Argument("trace", "FILE", "where the arrivals are kept")


def _verb(name: str) -> Command:
    takes = (Argument("value", "VALUE"),) if name in WITH_VALUE else ()
    everybody = (Option("everybody", ("--all",), "those who wait, too"),) * (name in TO_ALL)
    return Command(f"{VERBS[name][0].upper()}{VERBS[name][1:]}.", takes, (*everybody, JSON))


COMMANDS: dict[str, Command] = {
    "say": Command(
        "Speak TEXT, a file, or what comes in on stdin. The word `say` may be left out.",
        (_TEXT,),
        SAY_OPTIONS,
        _ALL,
        (
            "voicestream hello there",
            'voicestream "Hello there." -v nova --tempo 1.2',
            'llm "why is the sky blue?" | voicestream',
            "voicestream -f notes.md -o notes.mp3",
        ),
    ),
    "ask": Command(
        "Ask a language model and speak its answer while it is being written. "
        "Any server will do that speaks OpenAI's chat completions.",
        (Argument("text", "[QUESTION]...", _PIPE),),
        ASK_OPTIONS,
        _ALL,
        (
            'voicestream ask "Why is the sky blue?"',
            'voicestream ask "Tell a joke." --system "Be brief." --echo',
            'voicestream ask "Hello?" --chat-base-url http://127.0.0.1:11434/v1 '
            "--chat-model llama3.2",
        ),
    ),
    "talk": Command(
        "Talk with a language model: speak and be answered, hands free. Speak into its answer and "
        "it falls silent. What is typed counts as well, as does each line of a pipe; the end of "
        "either (Ctrl-D) ends it. It needs the extra: pip install 'voicestream[talk]'.",
        options=TALK_OPTIONS,
        settings=_ALL,
        examples=(
            'voicestream talk --system "Be brief."',
            "voicestream talk --realtime",
            "voicestream talk --save talk.wav --chat-base-url http://127.0.0.1:11434/v1 "
            "--chat-model llama3.2",
        ),
    ),
    "again": Command(
        "Say the last speech again, from what is kept of it, without a request. "
        "It is kept until you log out, up to 16 MB (six minutes), unless VOICESTREAM_KEEP_LAST "
        "is false.",
        options=AGAIN_OPTIONS,
        settings=AGAIN_SETTINGS,
        examples=("voicestream again", "voicestream again --save last.wav --device null"),
    ),
    "play": Command(
        "Play sound from anywhere while it arrives: stdin, files, http(s) URLs, one after the "
        "other without a gap. A URL that breaks off is asked for the rest; no key of yours goes "
        "there.",
        (Argument("sources", "[FILE|URL|-]...", _PIPE),),
        PLAY_OPTIONS,
        PLAY_SETTINGS,
        (
            "voicestream play intro.wav talk.mp3",
            "curl -s https://example.org/talk.mp3 | voicestream play -",
            "voicestream play https://example.org/talk.mp3 --tempo 1.3",
            "voicestream play talk.raw --rate 48000 --sample-format f32le",
        ),
    ),
    "voices": Command(
        "List the voices of the endpoint: what --voice can name.",
        options=(JSON,),
        settings=("endpoint", "base_url", "api_key", "timeout_s", "allow_http_key"),
    ),
    "endpoints": Command(
        "List what --endpoint can name: which has a key, which answers, and what it last was "
        "like. Servers on this machine and those without a key are asked for their models, which "
        "costs nothing. Yours are marked with *, those in use with their place.",
        (Argument("names", "[NAME]...", "tell all of these: model, voice, documentation"),),
        options=(
            JSON,
            Option("check", ("--check",), "ask those with a key as well, for their models"),
        ),
        examples=(
            "voicestream endpoints",
            "voicestream endpoints groq",
            "voicestream endpoints --check",
        ),
    ),
    "devices": Command("List the sound cards that --device can name.", options=(JSON,)),
    "config": Command(
        "Show every setting, its value and where it came from, or change your config file. "
        "Keys are never shown.",
        (
            Argument(
                "words",
                "[ACTION]...",
                "path: where your config file is; edit: open it; get NAME: show one value; "
                "set NAME VALUE, unset NAME: change one line of the file; unset endpoint.NAME: "
                "forget an endpoint",
                ("path", "edit", "get", "set", "unset"),
            ),
        ),
        (JSON,),
        _ALL,
        (
            "voicestream config",
            "voicestream config set voice nova",
            "voicestream config set endpoint.desk.base_url http://desk.lan:8880/v1",
            "voicestream config set api_key -",
        ),
    ),
    "cache": Command(
        "Show or forget the replies that are kept on this disk, so that they are not asked for "
        "again. `voicestream help cache` tells what is kept.",
        (
            Argument(
                "action",
                "[ACTION]",
                "list (or nothing): text, voice and size of each; clear: forget all; "
                "off: forget all, and keep nothing from now on",
                ("list", "clear", "off"),
            ),
        ),
        (JSON,),
        examples=("voicestream cache", "voicestream cache clear", "voicestream cache list --json"),
    ),
    "doctor": Command(
        "Tell why nothing is heard, or heard badly. Looks at the sound card (plays a short quiet "
        "tone), the endpoint (asks for one short sentence), the settings, versions and folders; "
        "the exit code is 0 if it can speak.",
        options=(
            JSON,
            Option("free", ("--free",), "ask the endpoint for nothing that may be billed"),
        ),
        settings=_ALL,
        examples=("voicestream doctor", "voicestream doctor --free --json > report.json"),
    ),
    "serve": Command(
        "Offer the embedded voice to other programs, as an OpenAI-compatible server.",
        options=(
            Option("host", ("--host",), "listen there instead of on this machine only", "ADDRESS"),
            Option("port", ("--port",), "0 takes any that is free [default: 8790]", "NUMBER"),
            Option(
                "api_key_file", ("--api-key-file",), "let in only who sends the key in FILE", "FILE"
            ),
            Option(
                "allow_host",
                ("--allow-host",),
                "go by NAME, too, as in host.docker.internal",
                "NAME...",
            ),
            Option(
                "allow_origin",
                ("--allow-origin",),
                "let web pages of ORIGIN speak, as in http://localhost:3000",
                "ORIGIN...",
            ),
        ),
    ),
    "hook": Command(
        "Let a coding agent speak what it writes. The agent calls it with an event on stdin; `help "
        "agents` tells more.",
        (
            Argument(
                "words",
                "[ACTION]...",
                "install AGENT, uninstall AGENT: claude, codex or gemini, in its own "
                "configuration; off, on: silence the agent that works in this folder, or let it "
                "speak again",
                ("install", "uninstall", "off", "on"),
            ),
        ),
        (
            Option("project", ("--project",), "the configuration of this folder, not the user's"),
            Option("yes", ("--yes",), "write it without asking"),
            Option("all_agents", ("--all",), "all agents, whatever folder they work in"),
            Option(
                "voice_list",
                ("--voice-list",),
                "voices, A,B,C: each session of an agent keeps one of them",
                "A,B",
            ),
            Option("subagents", ("--subagents",), "speak what sub-agents answer, too"),
            _LOG,
        ),
        examples=(
            "voicestream hook install claude --yes",
            "voicestream hook install gemini --project --yes --voice-list nova,echo",
            "voicestream hook off --all",
        ),
    ),
    "mcp": Command(
        "Offer speech as tools of the Model Context Protocol, on stdin and stdout, for agents "
        "that have no hooks. It needs the extra: pip install 'voicestream[mcp]'.",
    ),
    "engine": Command(
        "Run a process that speaks for others. Everything is loaded there, so that `say` is heard "
        "at once; what `say` takes and does stays the same, with and without it. Bare, it runs "
        "here until Ctrl-C.",
        (
            Argument(
                "action",
                "[ACTION]",
                "start: run it in the background; stop; status: tell whether it runs; install, "
                "uninstall: have it started with your session; socket: print the path of the one "
                "that may be forwarded, see `voicestream help engine`",
                ("start", "stop", "status", "install", "uninstall", "socket"),
            ),
        ),
        (JSON,),
        ("linger_s",),
        ("voicestream engine start", "voicestream engine status", "voicestream engine install"),
    ),
    "trace record": Command(
        "Speak TEXT as `say` does, and keep in FILE when its sound arrived.",
        (_TRACE, _TEXT),
        tuple(option for option in SAY_OPTIONS if option.name != "trace"),
        _ALL,
        ('voicestream trace record reply.json "Hello."',),
    ),
    "trace replay": Command(
        "Show what each playout policy would have done with the arrivals in FILE.",
        (_TRACE,),
        examples=("voicestream trace replay reply.json",),
    ),
    **{name: _verb(name) for name in VERBS},
    "completion": Command(
        "Print what makes a shell complete commands, options, voices, devices and files.",
        (Argument("shell", "SHELL", "bash, zsh or fish", ("bash", "zsh", "fish")),),
        examples=(
            'eval "$(voicestream completion bash)"    # in ~/.bashrc',
            'eval "$(voicestream completion zsh)"     # in ~/.zshrc, after compinit',
            "voicestream completion fish | source    # in ~/.config/fish/config.fish",
        ),
    ),
    "help": Command(
        "Tell more of a command, an option, a setting or a topic. `help all` shows every option, "
        "`help man` prints the man page.",
        (Argument("words", "[WORD]...", "what to look for"),),
        examples=("voicestream help voice", "voicestream help json", "voicestream help all"),
    ),
}


def command_of(words: Sequence[str]) -> str:
    """Return the name of the command that a command line begins with; empty: none, or not yet
    whole."""
    for length in (2, 1):
        if (name := " ".join(words[:length])) in COMMANDS:
            return name
    return ""

"""``config`` shows and changes settings and tables of endpoints; mistakes are told."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.cli.command import Call, run, run_here
from tests.support.canary import KEY
from voicestream.cli.config_commands import config as run_config
from voicestream.errors import SettingsError
from voicestream.settings.config_file import make_example, set_field, set_in, unset_in
from voicestream.settings.sources import user_config_file
from voicestream.settings.table import TABLE, Settings, load

ROWS = {row.name: row for row in TABLE}


MINE = """\
# mine
voice = "alloy"  # the old one
tempo = 1.5
[endpoint.home]
voice = "other"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "voicestream" / "config.toml"


def test_a_value_is_changed_and_the_rest_stays_as_it_stands(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(MINE)
    set_in(file, ROWS["voice"], 'no"va')
    set_in(file, ROWS["retries"], "5")
    assert unset_in(file, "tempo")
    assert not unset_in(file, "tempo")
    assert file.read_text() == MINE.replace(
        'voice = "alloy"  # the old one\ntempo = 1.5\n', 'voice = "no\\"va"\nretries = 5\n'
    )


def test_a_file_of_windows_keeps_its_line_ends(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(MINE.replace("\n", "\r\n").encode())
    set_in(file, ROWS["retries"], "5")
    set_field(file, "home", "voice", "nova")
    changed = file.read_bytes()
    assert changed.count(b"\n") == changed.count(b"\r\n") == MINE.count("\n") + 1
    assert b"retries = 5\r\n" in changed


def test_the_endpoints_to_use_stand_beside_their_tables(file: Path) -> None:
    file.parent.mkdir()
    home = '[endpoint.home]\nbase_url = "http://127.0.0.1:1/v1"\n'
    file.write_text('voice = "v"\n' + home)
    assert not unset_in(file, "endpoint")
    set_in(file, ROWS["endpoint"], "home,embedded")
    assert file.read_text() == f'voice = "v"\n[endpoint]\nuse = "home,embedded"\n\n{home}'
    settings = load({}, {}, file.parent, file)
    assert (settings.endpoint, settings.voice) == ("home,embedded", "v")
    set_in(file, ROWS["endpoint"], "kokoro")
    set_in(file, ROWS["tempo"], "1.5")
    assert load({}, {}, file.parent, file).endpoint == "kokoro"
    assert load({}, {}, file.parent, file).tempo == 1.5
    assert unset_in(file, "endpoint")
    assert load({}, {}, file.parent, file).endpoint == ""
    assert home in file.read_text()
    file.write_text("[endpoint]")
    set_in(file, ROWS["endpoint"], "kokoro")
    assert file.read_text() == '[endpoint]\nuse = "kokoro"\n'


def test_an_endpoint_is_made_field_by_field(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def config(*words: str) -> str:
        call = Call(["config", *words], {"VOICESTREAM_API_KEY": None})
        return run_here(call, tmp_path, capfdbinary).err

    file = tmp_path / ".config" / "voicestream" / "config.toml"
    assert config("set", "voice", "v") == ""
    assert "no endpoint desk" in config("set", "endpoint", "desk")
    for field, value in (("preset", "kokoro"), ("base_url", "http://127.0.0.1:1/v1/")):
        assert config("set", f"endpoint.desk.{field}", value) == ""
    assert config("set", "endpoint", "desk, embedded") == ""
    assert config("set", "endpoint.desk.voice", "af_sky") == ""
    assert config("set", "endpoint.desk.headers", '{"X-A": "b"}') == ""
    before = file.read_text()
    assert "unknown field" in config("set", "endpoint.desk.vioce", "af_sky")
    assert "name of an environment variable" in config("set", "endpoint.desk.key_variable", KEY)
    assert "preset that does not exist" in config("set", "endpoint.desk.preset", "kokro")
    assert file.read_text() == before
    assert "DESK_KEY is not set" in config("set", "endpoint.desk.key_variable", "DESK_KEY") + (
        config("set", "endpoint", "desk")
    )
    settings = load({}, {"DESK_KEY": "k"}, tmp_path, file)
    assert (settings.base_url, settings.model) == ("http://127.0.0.1:1/v1", "kokoro")
    assert (settings.api_key, settings.headers) == ("k", {"x-a": "b"})
    assert config("unset", "endpoint.desk.headers") == ""
    assert "is not set in" in config("unset", "endpoint.desk.headers")
    assert "is not set in" in config("unset", "endpoint.none.voice")
    assert load({}, {"DESK_KEY": "k"}, tmp_path, file).headers == {}


def test_a_field_of_an_endpoint_is_shown_with_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        f'[endpoint.desk]\npreset = "kokoro"\nvoice = "af_sky"\nheaders.X-A = "{KEY}"\n'
    )
    monkeypatch.setattr("voicestream.settings.catalogue.user_config_file", lambda _: file)

    def get(field: str, as_json: bool = False) -> str:
        assert run_config(["get", f"endpoint.{field}"], {}, as_json) == 0
        return capsys.readouterr().out

    assert get("desk.voice") == "af_sky\n"
    assert get("desk.model") == "kokoro\n"
    assert get("desk.headers") == "(set)\n"
    assert get("desk.rate_hz") == "\n"
    assert get("groq.key_variable") == "GROQ_API_KEY\n"
    assert json.loads(get("desk.voice", as_json=True)) == {
        "value": "af_sky",
        "source": f"{file} (endpoint.desk.voice)",
    }
    assert json.loads(get("desk.model", as_json=True))["source"] == "preset kokoro"
    with pytest.raises(SettingsError, match="no endpoint none"):
        get("none.voice")
    with pytest.raises(SettingsError, match=r"has the field voise.*Did you mean voice"):
        get("groq.voise")


def test_an_endpoint_is_forgotten_whole(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def config(*words: str) -> str:
        call = Call(["config", *words], {"VOICESTREAM_API_KEY": None})
        return run_here(call, tmp_path, capfdbinary).err

    file = tmp_path / ".config" / "voicestream" / "config.toml"
    file.parent.mkdir(parents=True)
    head = 'voice = "v"\n\n[endpoint]\nuse = "desk,embedded"\n\n'
    desk = (
        '[endpoint.desk]  # mine\nbase_url = "http://127.0.0.1:1/v1"\n#voice = "x"\n'
        '[endpoint.desk.headers]\nX-A = "[b]"\n'
    )
    rest = '\n# upstairs\n[endpoint.desk-2]\nbase_url = "http://127.0.0.1:2/v1"\n'
    file.write_text(head + desk + rest)
    told = config("unset", "endpoint.desk")
    assert "endpoint.desk is out of the config file" in told
    assert "desk" in told.partition("config file. ")[2]  # it is to be used, and is not there
    assert file.read_text() == head + rest
    assert "endpoint.desk is not set in" in config("unset", "endpoint.desk")
    assert config("set", "endpoint", "desk-2") == ""
    assert config("unset", "endpoint") == ""
    assert config("unset", "endpoint.desk-2") == ""
    assert load({}, {}, tmp_path, file).voice == "v"
    assert "desk-2" not in file.read_text()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_every_setting_can_be_set_to_its_default_and_read(row: object, file: Path) -> None:
    from voicestream.settings.row import Row

    assert isinstance(row, Row)
    if row.default == "":
        return
    set_in(file, row, row.shown_default)
    settings = load({}, {}, file.parent, file)
    assert getattr(settings, row.name) is not None
    assert settings.source(row.name) == f"{file} ({row.name})"


def test_a_new_file_is_for_its_owner_alone(file: Path) -> None:
    set_in(file, ROWS["api_key"], "sk-test-of-config-set")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        '"voice" = "a"\n',
        'voice = """\na\nb"""\n',
        'instructions = """\nvoice = "a"\n"""\n',
        "voice =\n",
    ],
)
def test_what_no_line_can_change_is_left_alone(content: str, file: Path) -> None:
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(SettingsError):
        set_in(file, ROWS["voice"], "nova")
    assert file.read_text() == content


def test_a_bad_value_is_refused_before_anything_is_written(file: Path) -> None:
    with pytest.raises(SettingsError, match="tempo"):
        set_in(file, ROWS["tempo"], "fast")
    assert not file.exists()


def test_the_example_sets_nothing(file: Path) -> None:
    make_example(file, TABLE)
    assert load({}, {}, file.parent, file, program=True) == Settings()
    lines = file.read_text().partition("# An endpoint of your own")[0].splitlines()
    assert [line.split(" ")[0] for line in lines if line.startswith("#") and " = " in line] == [
        f"#{row.name}" for row in TABLE
    ]


def test_the_command_sets_and_shows(tmp_path: Path) -> None:
    def config(*words: str, stdin: bytes | None = None) -> str:
        ended = run(Call(["config", *words], {"VOICESTREAM_API_KEY": None}, stdin=stdin), tmp_path)
        assert (ended.code, ended.errors) == (0, []), ended.err
        return ended.out.decode()

    config("set", "--voice", "nova", "--plain")
    config("set", "api_key", "-", stdin=KEY.encode())
    shown = json.loads(config("--json", "--tempo", "2"))
    file = config("path").strip()
    assert shown["voice"] == {"value": "nova", "source": f"{file} (voice)"}
    assert shown["tempo"] == {"value": 2.0, "source": "flag --tempo"}
    assert shown["api_key"]["value"] == "(set)"
    assert shown["plain"]["value"] is True
    assert config("get", "voice") == "nova\n"
    assert json.loads(config("get", "voice", "--json")) == shown["voice"]
    assert config("get", "api_key") == "(set)\n"
    assert config("get", "model", "-e", "embedded") == "hibari\n"
    assert config("get", "model", "-e", "embedded", "-v", "pico-de") == "pico\n"
    assert set(shown) == set(ROWS)
    editor = {"EDITOR": "sed -i s/nova/echo/", "VISUAL": "", "VOICESTREAM_API_KEY": None}
    assert run(Call(["config", "edit"], editor), tmp_path).code == 0
    assert 'voice = "echo"' in Path(file).read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["set", "voise", "nova"], "Did you mean voice?"),
        (["set", "api_key", "sk-visible"], "config set api_key -"),
        (["set", "voice"], "a name and a value"),
        (["unset"], "one name"),
        (["sett", "voice"], "knows no 'sett'"),
        (["list"], "`voicestream config` alone"),
        (["voice", "nova"], "`voicestream config set voice VALUE`"),
        (["voice"], "`voicestream config get voice`"),
        (["get"], "one name"),
        (["get", "voise"], "Did you mean voice?"),
        (["edit"], "no-such-editor"),
    ],
)
def test_mistakes_are_told(
    words: list[str], told: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    ended = run_here(Call(["config", *words], {"VISUAL": "no-such-editor"}), tmp_path, capfdbinary)
    assert (ended.code, len(ended.errors)) == (2, 1)
    assert told in ended.errors[0]


def test_no_editor_of_a_terminal_is_started_without_one(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    none = {"VISUAL": None, "EDITOR": None}
    ended = run_here(Call(["config", "edit"], none, stdin=b""), tmp_path, capfdbinary)
    assert ended.code == 2
    assert "there is no terminal to edit on" in ended.errors[0]


def test_a_list_of_urls_gets_the_hint_of_names(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for listed, hints in (("embedded:", 1), (None, 0)):
        call = Call(["config"], {"VOICESTREAM_BASE_URLS": listed})
        ended = run_here(call, tmp_path, capfdbinary)
        assert (ended.code, ended.err.count("[endpoint.NAME]")) == (0, hints)


def test_a_stronger_source_is_named(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    call = Call(["config", "set", "voice", "nova"], {"VOICESTREAM_VOICE": "echo"})
    assert "VOICESTREAM_VOICE is stronger" in run_here(call, tmp_path, capfdbinary).err


def test_the_config_file_is_where_it_is_read(tmp_path: Path) -> None:
    assert user_config_file({"XDG_CONFIG_HOME": str(tmp_path)}).parent.parent == tmp_path

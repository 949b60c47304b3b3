"""newsletter.toml: every problem at once, each with its line, never a traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from newsletter.config import Config, config_schema, find_root, load, open_workspace
from newsletter.errors import ConfigError

ROOT = Path(__file__).parents[1]
SOUND = (ROOT / "newsletter.toml").read_text(encoding="utf-8")


def refused(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "newsletter.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.message.replace(str(tmp_path) + "/", "")


def without(key: str) -> str:
    return "\n".join(line for line in SOUND.split("\n") if not line.startswith(f"{key} ="))


def test_the_repositorys_own_configuration_is_sound():
    config = load(ROOT / "newsletter.toml")
    assert config.newsletter.title == "Pacific Alliance Digest"
    assert config.list_id == "newsletter.news.example.org"
    assert config.print.paper == "letter"


@pytest.mark.parametrize("key", ["address", "contact", "privacy_url", "reason"])
def test_missing_legal_field_is_named_with_its_section(tmp_path, key):
    section = "footer" if key == "reason" else "publisher"
    line = SOUND[: SOUND.index(f"[{section}]")].count("\n") + 1
    assert refused(tmp_path, without(key)) == f"newsletter.toml:{line}: {section}.{key} is missing"


def test_blank_legal_field_is_an_error_at_its_line(tmp_path):
    text = SOUND.replace('name = "Harbor Street Institute"', 'name = "  "')
    line = text[: text.index('name = "  "')].count("\n") + 1
    assert refused(tmp_path, text) == f"newsletter.toml:{line}: publisher.name: it is empty"


def test_every_problem_is_reported_at_once(tmp_path):
    text = without("address").replace('"letter"', '"legal"').replace("first_year", "frist_year")
    message = refused(tmp_path, text)
    assert "publisher.address is missing" in message
    assert "newsletter.frist_year is an unknown key; did you mean first_year?" in message
    assert "print.paper" in message
    assert len(message.split("\n")) == 3


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"https://digest.example.org"', '"http://digest.example.org"', "site.url: it is not"),
        ('"https://digest.example.org"', '"https://a b/"', "site.url: it "),
        ('"digest@news.example.org"', '"not an address"', "sender.email: "),
        ('"America/New_York"', '"America/Atlantis"', "schedule.timezone: it is not a time zone"),
        ('"09:53"', '"25:00"', "schedule.at: "),
        ('language = "en"', 'language = "<en>"', "newsletter.language: "),
        (
            '"Harbor Street Institute"',
            '"Harbor\\r\\nBcc: x@example.org"',
            "publisher.name: it holds",
        ),
    ],
)
def test_bad_value_names_key_and_reason(tmp_path, old, new, expected):
    assert old in SOUND
    assert expected in refused(tmp_path, SOUND.replace(old, new, 1))


def test_broken_toml_names_the_line(tmp_path):
    message = refused(tmp_path, "[newsletter]\ntitle = \n")
    assert message.startswith("newsletter.toml:2: this is not TOML: ")


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", "title = 'é'".encode("latin-1"), b"x" * 300_000])
def test_bytes_that_are_no_configuration_are_refused(tmp_path, data):
    assert "newsletter.toml" in refused(tmp_path, data)


def test_empty_file_lists_the_missing_sections(tmp_path):
    message = refused(tmp_path, "")
    for section in ("newsletter", "publisher", "sender", "site", "footer"):
        assert f"{section} is missing" in message


def test_workspace_is_found_from_a_folder_below(tmp_path):
    (tmp_path / "newsletter.toml").write_text(SOUND, encoding="utf-8")
    below = tmp_path / "issues" / "vol-1-01"
    below.mkdir(parents=True)
    assert open_workspace(below).root == tmp_path.resolve()


def test_no_workspace_says_how_to_lay_one_out(tmp_path):
    with pytest.raises(ConfigError) as caught:
        find_root(tmp_path)
    assert "newsletter init" in str(caught.value.hint)


def test_schema_describes_every_key():
    schema = config_schema()
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    sections = definitions.pop("Config")["properties"]
    assert set(sections) == set(Config.__struct_fields__)
    assert len(definitions) == len(sections)
    for name, section in definitions.items():
        for key, value in section["properties"].items():
            assert value.get("description"), f"{name}.{key} has no description"


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"key{index} = 1" for index in range(15_000)),
        "a = " + "[" * 5_000,
        "a = " + "{b = " * 3_000,
        "a = 1" + "0" * 6_000,
    ],
    ids=["unknown keys", "deep lists", "deep tables", "huge number"],
)
def test_odd_file_is_refused_at_once_and_in_a_few_lines(tmp_path, text):
    start = time.perf_counter()
    assert len(refused(tmp_path, text).split("\n")) <= 25
    assert time.perf_counter() - start < 5


def test_folder_in_the_place_of_the_file_is_named(tmp_path):
    (tmp_path / "newsletter.toml").mkdir()
    with pytest.raises(ConfigError, match="is not a file"):
        find_root(tmp_path)


@pytest.mark.parametrize("proxy", ["proxy.internal", "*", "10.0.0.1/8", "127.0.0.1:80", ""])
def test_a_proxy_is_an_address_or_a_network(tmp_path, proxy):
    text = SOUND.replace("[web]\n", f'[web]\ntrusted_proxies = ["{proxy}"]\n')
    said = f"web.trusted_proxies: “{proxy}” is neither an IP address nor a network"
    assert said in refused(tmp_path, text)
    sound = SOUND.replace("[web]\n", '[web]\ntrusted_proxies = ["10.0.0.0/8", "::1"]\n')
    (tmp_path / "newsletter.toml").write_text(sound, encoding="utf-8")
    assert load(tmp_path / "newsletter.toml").web.trusted_proxies == ("10.0.0.0/8", "::1")

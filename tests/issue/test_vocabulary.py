"""people.txt and terms.toml: read once, sound or refused with file and line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsletter.errors import ConfigError
from newsletter.issue.vocabulary import Vocabulary, load_vocabulary


def test_missing_files_give_an_empty_vocabulary(tmp_path: Path) -> None:
    assert load_vocabulary(tmp_path) == Vocabulary()


def test_names_are_read_without_remarks_and_spare_spaces(tmp_path: Path) -> None:
    text = "\ufeff# Leaders\n\n  Fumio  Kishida  # prime minister\nUrsula von der Leyen\r\n"
    (tmp_path / "people.txt").write_text(text, encoding="utf-8")
    people = load_vocabulary(tmp_path).people
    assert people == {"Fumio Kishida", "Ursula von der Leyen"}


def test_terms_are_read(tmp_path: Path) -> None:
    (tmp_path / "terms.toml").write_text(
        '[acronyms]\nknown = ["US"]\n[names]\nknown = ["Younge"]\n'
        '[forms]\n"Indo-Pacific" = ["Indo Pacific"]\n',
        encoding="utf-8",
    )
    vocabulary = load_vocabulary(tmp_path)
    assert vocabulary.acronyms == {"US"}
    assert vocabulary.names == {"Younge"}
    assert vocabulary.forms == {"Indo-Pacific": ("Indo Pacific",)}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("people.txt", b"Fumio Kishida\nKishida, Fumio\n", "people.txt:2: more than one name"),
        ("people.txt", b"Fumio Kishida 2021\n", "people.txt:1: a name holds no figures"),
        ("people.txt", b"Fumio Kishida\n\n---\n", "people.txt:3: this is not a name"),
        ("people.txt", b"A" * 90, "people.txt:1: a name this long"),
        ("people.txt", b"Fumio\nJos\xe9 Fern\xe1ndez\n", "people.txt:2: this is not UTF-8"),
        ("terms.toml", b"[acronyms\n", "terms.toml:1: this is not TOML"),
        ("terms.toml", b"\n[acronims]\nknown = []\n", "terms.toml:2: unknown table acronims; did"),
        (
            "terms.toml",
            b"[acronyms]\nknwon = []\n",
            "terms.toml:2: unknown key acronyms.knwon; did",
        ),
        ("terms.toml", b'[forms]\n"A" = "B"\n', "terms.toml:2: forms.A must be a list"),
        ("terms.toml", b'[forms]\n"A" = [""]\n', "terms.toml:2: forms.A must be a list"),
        ("terms.toml", b'[forms]\n"A" = ["A"]\n', "“A” is given as a variant of itself"),
        ("terms.toml", b"acronyms = 3\n", "terms.toml:1: acronyms must be a table"),
        ("terms.toml", b"x = '" + b"y" * 200_001, "more than 200,000 bytes"),
    ],
)
def test_broken_file_is_refused_with_its_line(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_vocabulary(tmp_path)
    assert told in caught.value.message
    assert caught.value.hint


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "people.txt").write_text("A1\nB, C\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"(?s)people\.txt:1: .*people\.txt:2: "):
        load_vocabulary(tmp_path)


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "people.txt").mkdir()
    with pytest.raises(ConfigError, match="is not a file"):
        load_vocabulary(tmp_path)


def test_unchanged_files_are_read_once_and_changed_ones_again(tmp_path: Path) -> None:
    path = tmp_path / "people.txt"
    path.write_text("Fumio Kishida\n", encoding="utf-8")
    first = load_vocabulary(tmp_path)
    assert load_vocabulary(tmp_path) is first
    path.write_text("Shigeru Ishiba\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert load_vocabulary(tmp_path).people == {"Shigeru Ishiba"}


def test_parts_near_finds_what_is_one_edit_away() -> None:
    vocabulary = Vocabulary(people=frozenset({"Fumio Kishida", "Vladimir Putin"}))
    assert "Kishida" in vocabulary.parts_near("Kishdia")
    assert "Vladimir" in vocabulary.parts_near("Valdimir")
    assert vocabulary.parts_near("Washington") == ()
    assert vocabulary.parts_near("x" * 1000) == ()


def test_the_vocabulary_of_this_repository_is_sound() -> None:
    vocabulary = load_vocabulary(Path(__file__).parents[2])
    assert len(vocabulary.people) >= 150
    assert {"US", "NATO"} <= vocabulary.acronyms
    assert vocabulary.forms

"""Fields: what could break a header or hide in a list is refused with a reason."""

from __future__ import annotations

import pytest

from newsletter.audience.fields import format_of, language_of, name_of, tag_of, time_zone_of


@pytest.mark.parametrize(
    "name", ["", "Ada", "José Núñez", "佐藤 健", "O’Brien, Pat", "=1+1", "نور\u200f", "👩\u200d🚀"]
)
def test_honest_name_is_kept(name):
    assert name_of(f" {name} ") == name


@pytest.mark.parametrize(
    "char",
    ["\r", "\n", "\0", "\x0b", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\ud800"],
)
def test_hidden_control_in_a_name_or_tag_is_refused(char):
    for check in (name_of, tag_of):
        with pytest.raises(ValueError, match=f"U\\+{ord(char):04X}"):
            check(f"x{char}Bcc: b@example.org")


def test_endless_name_is_refused():
    with pytest.raises(ValueError, match="200 characters"):
        name_of("x" * 10_000)


@pytest.mark.parametrize("text", ["", "  ", "a,b", "a;b", "x" * 65])
def test_tag_that_could_not_be_told_apart_is_refused(text):
    with pytest.raises(ValueError, match="tag"):
        tag_of(text)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (language_of, ["", "en", "pt-BR", "zh-Hant-TW"], ["english", "e", "en_US", "en-", "<b>"]),
        (time_zone_of, ["", "UTC", "Asia/Tokyo"], ["Tokyo", "Asia/", "../etc", "asia/tokyo"]),
        (format_of, ["", "html", "text"], ["pdf", "html5"]),
    ],
)
def test_field_has_the_forms_it_has(check, good, bad):
    assert [check(value) for value in good] == good
    for value in bad:
        with pytest.raises(ValueError, match=r"not written|neither"):
            check(value)

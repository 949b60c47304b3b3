"""Columns are found by mapping, peer or name; a header with two readings is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.audience.importer import parse_mapping
from newsletter.audience.importer.columns import resolve
from newsletter.audience.importer.peers import Field
from newsletter.audience.model import Reason
from newsletter.errors import UsageError

PEOPLE = Path("people.csv")


@pytest.mark.parametrize("name", ["email", "E-Mail", "EMAIL ADDRESS", "e_mail", " Mail "])
def test_address_column_is_known_by_many_names(name):
    assert resolve([name.strip(), "x"], PEOPLE).at == {Field.EMAIL: 0}


def test_mapping_wins_over_names_and_the_rest_is_reported_as_unused():
    mapping = parse_mapping('Kontakt=email, "Name, ganz"=name,email=ignore')
    columns = resolve(["email", "Name, ganz", "Kontakt", "Hobby"], PEOPLE, mapping=mapping)
    assert columns.at == {Field.EMAIL: 2, Field.NAME: 1}
    assert columns.unused == ("Hobby",)


@pytest.mark.parametrize("text", ["email", "=email", "Mail=adress", "Mail=email,Name"])
def test_mapping_of_another_form_is_refused(text):
    with pytest.raises(UsageError):
        parse_mapping(text)


def test_mapping_of_a_column_that_is_not_there_lists_those_that_are():
    with pytest.raises(UsageError) as caught:
        resolve(["Kontakt", "Name"], PEOPLE, mapping={"Mail": "email"})
    assert "no column “Mail”" in caught.value.message
    assert "“Kontakt”, “Name”" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (["email", "name", "email"], "two columns .* “email” and “email”"),
        (["email", "Mail"], "may hold “email”"),
        (["email", "name", "Full name"], "may hold “name”"),
        (["ada@example.org", "Ada"], "no header"),
        (["email|name"], "single column"),
        (["first", "second"], "no column .* is known to hold e-mail addresses"),
    ],
)
def test_header_that_says_too_little_or_too_much_is_refused(header, message):
    with pytest.raises(UsageError, match=message) as caught:
        resolve(header, PEOPLE)
    assert caught.value.hint


def test_repeated_columns_that_are_not_taken_do_no_harm():
    assert resolve(["email", "Hobby", "Hobby"], PEOPLE).at == {Field.EMAIL: 0}


@pytest.mark.parametrize(
    "name", ["unsubscribed.csv", "cleaned_2024.csv", "Bounces.csv", "suppression_list.csv"]
)
def test_list_whose_name_says_that_people_left_is_refused(name):
    with pytest.raises(UsageError, match="says that these people left") as caught:
        resolve(["email"], Path(name))
    assert "--suppress" in (caught.value.hint or "")
    suppressing = resolve(["email"], Path(name), suppress=Reason.UNSUBSCRIBED)
    assert suppressing.everyone is Reason.UNSUBSCRIBED


def test_bare_addresses_with_a_date_may_be_a_list_of_people_who_left():
    header = ["email", "created"]
    with pytest.raises(UsageError, match="SendGrid"):
        resolve(header, PEOPLE)
    assert resolve(header, Path("suppression_unsubscribes.csv")).everyone is Reason.UNSUBSCRIBED
    mapped = resolve(header, PEOPLE, mapping={"created": "created_at"})
    assert mapped.everyone is None

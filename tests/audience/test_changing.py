"""What readers change about themselves: said plainly when it cannot be, written once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.time_zones import common_time_zones
from newsletter.errors import UsageError
from newsletter.store.tables import audit
from tests.audience.people import NOW, WRITES, add

ADA = "ada@example.org"
LATER = {"now": NOW + timedelta(hours=1), "actor": "subscriber"}


def test_given_fields_are_replaced_and_the_audit_holds_only_their_names(store):
    with store.begin() as conn:
        person = add(conn, ADA, name="Ada", language="de")
        changed = subscribers.change(
            conn, person.id, name=" Ada L. ", timezone="Asia/Tokyo", format="TEXT", **LATER
        )
        details = conn.scalars(sa.select(audit.c.detail).order_by(audit.c.id)).all()
    assert (changed.name, changed.language, changed.timezone, changed.format) == (
        "Ada L.",
        "de",
        "Asia/Tokyo",
        "text",
    )
    assert changed.updated_at == LATER["now"]
    assert details[-1] == "format name timezone"


def test_empty_text_clears_a_field_and_the_format_falls_back_to_html(store):
    with store.begin() as conn:
        person = add(conn, ADA, name="Ada", language="de", format="text")
        changed = subscribers.change(conn, person.id, name="", language="", format="", **LATER)
    assert (changed.name, changed.language, changed.format) == ("", "", "html")


def test_nothing_is_written_where_nothing_changes(store):
    with store.begin() as conn:
        person = add(conn, ADA, name="Ada")
        assert subscribers.change(conn, person.id, name="Ada", language="", **LATER) == person
        assert subscribers.change(conn, person.id, **LATER) == person
        assert conn.scalar(sa.select(sa.func.count()).select_from(audit)) == 1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": "Ada\r\nBcc: b@example.org"}, "control character"),
        ({"name": "x" * 201}, "more than 200"),
        ({"language": "Deutsch!"}, "the language is not written"),
        ({"timezone": "Mars/Base"}, "the time zone is not written"),
        ({"format": "pdf"}, "neither"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words_for_the_person(store, values, reason):
    with store.begin() as conn:
        person = add(conn, ADA)
        with pytest.raises(UsageError, match=reason):
            subscribers.change(conn, person.id, **values, **LATER)
        assert subscribers.get(conn, person.id) == person


def test_erased_person_changes_nothing_and_is_erased_once(store):
    with store.begin() as conn:
        person = add(conn, ADA)
        assert subscribers.erase_by_id(conn, person.id, **WRITES)
        assert not subscribers.erase_by_id(conn, person.id, **WRITES)
        assert not subscribers.erase_by_id(conn, 10_000, **WRITES)
        with pytest.raises(UsageError, match="no subscriber"):
            subscribers.change(conn, person.id, name="Ada", **LATER)


def test_time_zones_to_choose_from_are_places_and_may_all_be_kept(store):
    zones = common_time_zones()
    assert {"UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"} <= set(zones)
    assert not {"EST", "GB", "Etc/GMT+5", "US/Eastern"} & set(zones)
    with store.begin() as conn:
        person = add(conn, ADA)
        for zone in zones[:20]:
            assert subscribers.change(conn, person.id, timezone=zone, **LATER).timezone == zone

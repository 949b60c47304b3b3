"""Many are suppressed at once as if one after the other."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.audience import subscribers
from newsletter.audience.model import Reason
from newsletter.audience.suppressing import suppress_people
from newsletter.errors import UsageError
from newsletter.store.engine import Store, open_url
from newsletter.store.tables import (
    audit,
    confirmation,
    consent,
    pause,
    subscriber,
    suppression,
)
from tests.audience.people import NOW, add, request

LATER = NOW + timedelta(days=1)
REASONS = [Reason.BOUNCED, Reason.MANUAL, Reason.UNSUBSCRIBED, Reason.COMPLAINED]
# Some differ only in letter case: they are people of their own with one suppression.
EMAILS = ["ada@example.org", "Ada@example.org", "ADA@example.org", "bob@example.org", "eve@x.test"]
PAST = ["", "paused", "paused for issues", "unsubscribed", "requested", "lifted", "erased"]


def people(store: Store, past: dict[str, str], before: dict[str, Reason]) -> None:
    with store.begin() as conn:
        ids = {
            email: (
                request(conn, email)[0] if past.get(email) == "requested" else add(conn, email)
            ).id
            for email in EMAILS
        }
        for email, what in past.items():
            number = ids[email]
            if what == "paused":
                subscribers.pause(conn, number, now=NOW, actor="operator")
            elif what == "paused for issues":
                subscribers.pause_for(conn, number, 2, now=NOW, actor="operator")
            elif what == "unsubscribed":
                subscribers.unsubscribe(conn, number, source="page", now=NOW, actor="x")
            elif what == "erased":
                subscribers.erase(conn, email, now=NOW, actor="operator")
        for email, reason in before.items():
            subscribers.suppress(conn, email, reason=reason, source="test", now=NOW, actor="x")
        for email in EMAILS:
            if past.get(email) == "lifted" and subscribers.suppression_of(conn, email) in REASONS:
                subscribers.lift(conn, email, reason="wrote to us", now=NOW, actor="operator")


def state(store: Store) -> list[Counter[tuple[object, ...]]]:
    """Everything that suppressing writes, without the rows' own numbers; they tell of order."""
    with store.read() as conn:
        found = []
        for table in (audit, consent, subscriber, suppression, pause, confirmation):
            private = {"identity_hash", "token_hash"} | (
                {"id"} if table is not subscriber else set()
            )
            columns = [column for column in table.c if column.name not in private]
            found.append(Counter(tuple(row) for row in conn.execute(sa.select(*columns))))
        return found


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A database with nothing but its tables: making one takes long, copying it does not."""
    path: Path = tmp_path_factory.mktemp("template") / "empty.db"
    with open_url(f"sqlite:///{path}"):
        pass
    return path


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    past=st.dictionaries(st.sampled_from(EMAILS), st.sampled_from(PAST)),
    before=st.dictionaries(st.sampled_from(EMAILS[3:]), st.sampled_from(REASONS)),
    why=st.dictionaries(
        st.integers(1, len(EMAILS) + 1),
        st.tuples(st.sampled_from(REASONS), st.sampled_from(["sendgrid", "mailbox"])),
    ),
)
def test_many_at_once_leave_what_one_after_the_other_leaves(template, past, before, why):
    with (
        tempfile.TemporaryDirectory() as folder,
        open_url(f"sqlite:///{shutil.copy(template, f'{folder}/once.db')}") as once,
        open_url(f"sqlite:///{shutil.copy(template, f'{folder}/apart.db')}") as apart,
    ):
        for store in (once, apart):
            people(store, past, before)
        with once.begin() as conn:
            count = suppress_people(conn, why, now=LATER, actor="webhook")
        with apart.begin() as conn:
            assert count == sum(one_by_one(conn, number, *why[number]) for number in sorted(why))
        assert state(once) == state(apart)


def one_by_one(conn: sa.Connection, number: int, reason: Reason, source: str) -> bool:
    person = subscribers.get(conn, number)
    if person is None or not person.email:
        return False
    return subscribers.suppress(
        conn, person.email, reason=reason, source=source, now=LATER, actor="webhook"
    )


def test_a_thousand_are_suppressed_on_either_database(store):
    with store.begin() as conn:
        ids = [add(conn, f"reader{number}@example.org").id for number in range(1_000)]
    reasons = [REASONS[number % len(REASONS)] for number in ids]
    why = {number: (reason, "sendgrid") for number, reason in zip(ids, reasons, strict=True)}
    with store.begin() as conn:
        assert suppress_people(conn, why, now=LATER, actor="webhook") == 1_000
        assert suppress_people(conn, why, now=LATER, actor="webhook") == 0
    with store.read() as conn:
        counted = subscribers.statistics(conn)
    assert counted["suppressed"]["complained"] == 250
    assert counted["status"]["unsubscribed"] == 500
    assert counted["eligible"] == 0


def test_actor_with_the_persons_address_is_refused(store):
    with store.begin() as conn:
        number = add(conn, "ada@example.org").id
    with store.begin() as conn, pytest.raises(UsageError, match="holds the person's address"):
        suppress_people(conn, {number: (Reason.BOUNCED, "x")}, now=LATER, actor="Ada@Example.org")
